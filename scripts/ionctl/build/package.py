"""Builds the Lambda package; run by release.sh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ionctl.build.contents import BUILD_ERRORS, SECRETS, Package, UnusableSourcesError, build
from ionctl.build.wheels import TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[3]
_USAGE_ERROR = 2  # argparse's own


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the package that `arguments` ask for, with its manifest, and says what is in it."""
    options = _parse(arguments)
    target = TARGETS[options.architecture]
    output: Path = options.output or _ROOT / "dist" / f"ion-{target.name}.zip"
    try:
        package = build(target, with_secrets=options.with_secrets)
    except UnusableSourcesError as error:
        print(f"release: {error}", file=sys.stderr)
        return _USAGE_ERROR
    except BUILD_ERRORS as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    _write(output, package.content, private=options.with_secrets)
    manifest = output.with_name(f"{output.name}.json")
    if target.python:
        _write(manifest, package.manifest())
    else:
        manifest.unlink(missing_ok=True)  # of another one that was there before
    _describe(package, output)
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="release.sh",
        description="Builds the Lambda package, and its manifest (.json) beside it. The same"
        " sources give the same bytes, anywhere.",
        epilog="A whole release, both packages and the Terraform module:"
        " ./release.sh --all; see ./release.sh --all --help",
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
        help=f"put {SECRETS} in; a person who may read the function's code can then read them",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: dist/ion-ARCHITECTURE.zip"
    )
    return parser.parse_args(arguments)


def _write(output: Path, content: bytes, *, private: bool = False) -> None:
    """All of it or nothing: Terraform may read the file at any time."""
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(f"{output.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600 if private else 0o666)
    partial.write_bytes(content)
    partial.replace(output)


def _describe(package: Package, output: Path) -> None:
    sizes = [sum(map(len, part.files.values())) for part in package.parts]
    for part, size in zip(package.parts, sizes, strict=True):
        print(f"{f'{part.name} {part.version}':44}{size / 1000:9.1f} kB")
    print(f"{output}: {len(package.content) / 1e6:.2f} MB ({sum(sizes) / 1e6:.2f} MB unzipped)")
    print(f"sha256 {package.sha256}")
    print(f"  in base64, as Lambda and Terraform show it: {package.sha256_base64}")


if __name__ == "__main__":
    sys.exit(main())
