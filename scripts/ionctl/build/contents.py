"""What the Lambda package is made of, and its bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ionctl.build.archive import zipped
from ionctl.build.bytecode import CompilationError, bytecode
from ionctl.build.compilers import CompilerUnavailableError, lambdas_python, this_python
from ionctl.build.wheels import Distribution, Target, WheelsUnavailableError, dependencies
from ionctl.files import ROOT, version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECRETS: Final = "config-secrets.cfg"
VERSION_FILE: Final = "ion/VERSION"
"""In the package, for who looks at a deployed one: its manifest doesn't go to AWS with it."""
_CONFIG = "config.cfg"
_TEMPLATES = "templates"
_TEMPLATE_SUFFIX = ".j2"
_ADVICE = {
    _CONFIG: "it belongs to the repository: git restore config.cfg",
    SECRETS: "copy config-secrets-example.cfg to it and fill it in,"
    " or leave --with-secrets out and keep the secrets in AWS",
}


class UnusableSourcesError(Exception):
    """A file is missing, or can't be packed; the text says what to do."""


BUILD_ERRORS: Final = (WheelsUnavailableError, CompilerUnavailableError, CompilationError)
"""What else can go wrong: something can't be fetched, or compiled. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """One that is built, and what went into it."""

    target: Target
    parts: Sequence[Distribution]
    content: bytes

    @property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal, as `sha256sum` shows it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def sha256_base64(self) -> str:
        """The same in base64, as Lambda and Terraform show it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    def manifest(self) -> bytes:
        """What Terraform checks the package by, as JSON."""
        about = {
            "version": version(),
            "architecture": self.target.name,
            "python": self.target.python,
            "sha256": self.sha256,
            "sha256_base64": self.sha256_base64,
        }
        return f"{json.dumps(about, indent=2)}\n".encode()


def build(target: Target, *, with_secrets: bool = False) -> Package:
    """The package for `target`.

    Raises:
        UnusableSourcesError: a file isn't there, or has a name that can't be packed.
        Exception: one of BUILD_ERRORS, of what comes from elsewhere.
    """
    needed = [_CONFIG, SECRETS] if with_secrets else [_CONFIG]
    for name in needed:
        if not (ROOT / name).is_file():
            raise UnusableSourcesError(f"there is no {name}; {_ADVICE[name]}")
    parts = [
        *dependencies(ROOT / "lambda_src" / "requirements.txt", target, ROOT / ".venv" / "wheels"),
        _ion(),
        *(Distribution(name, "", {name: (ROOT / name).read_bytes()}) for name in needed),
        *_templates(),
    ]
    odd = next((name for part in parts for name in part.files if not name.isascii()), None)
    if odd:
        raise UnusableSourcesError(f"{odd}: a file's name must be ASCII")
    parts.append(_bytecode(_files(parts), target))
    return Package(target, parts, zipped(_files(parts)))


def _ion() -> Distribution:
    source = ROOT / "lambda_src"
    names = (path.relative_to(source) for path in (source / "ion").rglob("*") if path.is_file())
    return Distribution(
        name="ion",
        version=version(),
        files={
            name.as_posix(): (source / name).read_bytes()
            for name in names
            # Left by Python, editors and file browsers: not the same on each machine.
            if "__pycache__" not in name.parts and not name.name.startswith(".")
        }
        | {VERSION_FILE: f"{version()}\n".encode()},
    )


def _templates() -> list[Distribution]:
    """The deployer's templates, if there are any: what Jinja reads, and nothing beside it."""
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for path in (ROOT / _TEMPLATES).rglob(f"*{_TEMPLATE_SUFFIX}")
        if path.is_file() and not path.name.startswith(".")
    }
    return [Distribution(f"{_TEMPLATES}/, {len(files)} files", "", files)] if files else []


def _bytecode(files: Mapping[str, bytes], target: Target) -> Distribution:
    compiler = lambdas_python(ROOT / ".venv" / "pyodide") if target.python else this_python()
    return Distribution("byte code", f"by {compiler.name}", bytecode(files, compiler))


def _files(parts: Sequence[Distribution]) -> dict[str, bytes]:
    return {path: content for part in parts for path, content in part.files.items()}
