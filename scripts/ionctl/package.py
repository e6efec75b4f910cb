"""Builds the Lambda package; run by release.sh."""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from ionctl.archive import zipped
from ionctl.bytecode import CompilationError, bytecode
from ionctl.compilers import CompilerUnavailableError, lambdas_python, this_python
from ionctl.wheels import TARGETS, Distribution, Target, WheelsUnavailableError, dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT = Path(__file__).resolve().parents[2]
_CONFIG = "config.cfg"
_SECRETS = "config-secrets.cfg"
_TEMPLATES = "templates"
_TEMPLATE_SUFFIX = ".j2"
_USAGE_ERROR = 2  # argparse's own


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the package that `arguments` ask for, and says what is in it."""
    options = _parse(arguments)
    target = TARGETS[options.architecture]
    output: Path = options.output or _ROOT / "dist" / f"ion-{target.name}.zip"
    needed = [_CONFIG, _SECRETS] if options.with_secrets else [_CONFIG]
    missing = [name for name in needed if not (_ROOT / name).is_file()]
    if missing:
        advice = {
            _CONFIG: "it belongs to the repository: git restore config.cfg",
            _SECRETS: "copy config-secrets-example.cfg to it and fill it in,"
            " or leave --with-secrets out and keep the secrets in AWS",
        }
        for name in missing:
            print(f"release: there is no {name}; {advice[name]}", file=sys.stderr)
        return _USAGE_ERROR
    try:
        parts = [
            *dependencies(
                _ROOT / "lambda_src" / "requirements.txt", target, _ROOT / ".venv" / "wheels"
            ),
            _ion(),
            *(Distribution(name, "", {name: (_ROOT / name).read_bytes()}) for name in needed),
            *_templates(),
        ]
        odd = next((name for part in parts for name in part.files if not name.isascii()), None)
        if odd:
            print(f"release: {odd}: a file's name must be ASCII", file=sys.stderr)
            return _USAGE_ERROR
        parts.append(_bytecode(_files(parts), target))
    except (WheelsUnavailableError, CompilerUnavailableError, CompilationError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    package = zipped(_files(parts))
    _write(output, package, private=options.with_secrets)
    _describe(parts, package, output)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="release.sh",
        description="Builds the Lambda package. The same sources give the same bytes, anywhere.",
    )
    parser.add_argument(
        "--architecture",
        choices=TARGETS,
        default="arm64",
        help="what will run it; host is this machine, for the local stack (default: arm64)",
    )
    parser.add_argument(
        "--with-secrets",
        action="store_true",
        help=f"put {_SECRETS} in; whoever may read the function's code can then read them",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: dist/ion-ARCHITECTURE.zip"
    )
    return parser.parse_args(arguments)


def _ion() -> Distribution:
    source = _ROOT / "lambda_src"
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = (path.relative_to(source) for path in (source / "ion").rglob("*") if path.is_file())
    return Distribution(
        name="ion",
        version=project["version"],
        files={
            name.as_posix(): (source / name).read_bytes()
            for name in names
            # Left by Python, editors and file browsers: not the same on each machine.
            if "__pycache__" not in name.parts and not name.name.startswith(".")
        },
    )


def _templates() -> list[Distribution]:
    """The deployer's templates, if there are any: what Jinja reads, and nothing beside it."""
    files = {
        path.relative_to(_ROOT).as_posix(): path.read_bytes()
        for path in (_ROOT / _TEMPLATES).rglob(f"*{_TEMPLATE_SUFFIX}")
        if path.is_file() and not path.name.startswith(".")
    }
    return [Distribution(f"{_TEMPLATES}/, {len(files)} files", "", files)] if files else []


def _bytecode(files: Mapping[str, bytes], target: Target) -> Distribution:
    compiler = lambdas_python(_ROOT / ".venv" / "pyodide") if target.python else this_python()
    return Distribution("byte code", f"by {compiler.name}", bytecode(files, compiler))


def _files(parts: Sequence[Distribution]) -> dict[str, bytes]:
    return {path: content for part in parts for path, content in part.files.items()}


def _write(output: Path, package: bytes, *, private: bool) -> None:
    """All of it or nothing: Terraform may read the file at any time."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600 if private else 0o666)
    partial.write_bytes(package)
    partial.replace(output)


def _describe(parts: Sequence[Distribution], package: bytes, output: Path) -> None:
    sizes = [sum(map(len, part.files.values())) for part in parts]
    for part, size in zip(parts, sizes, strict=True):
        print(f"{f'{part.name} {part.version}':44}{size / 1000:9.1f} kB")
    digest = hashlib.sha256(package).digest()
    print(f"{output}: {len(package) / 1e6:.2f} MB ({sum(sizes) / 1e6:.2f} MB unzipped)")
    print(f"sha256 {digest.hex()}")
    print(f"  in base64, as Lambda and Terraform show it: {base64.b64encode(digest).decode()}")


if __name__ == "__main__":
    sys.exit(main())
