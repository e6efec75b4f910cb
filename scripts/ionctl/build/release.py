"""Builds all of a release from a clean checkout: packages, Terraform module, hashes, changes."""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ionctl.build.archive import zipped
from ionctl.build.contents import BUILD_ERRORS, UnusableSourcesError, build
from ionctl.build.wheels import TARGETS
from ionctl.files import version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROOT: Final = Path(__file__).resolve().parents[3]
_MODULE: Final = "terraform/"
_NOT_IN_THE_ARCHIVE: Final = ("tests/",)
_BESIDE_THE_MODULE: Final = ("LICENSE", "CHANGELOG.md", "UPGRADE.md", "config-secrets-example.cfg")
_DOCS: Final = ":(glob)docs/*.md"
"""The pages, of which the runbooks name each other, as git is asked for them."""
_PACKAGES: Final = "dist/"
"""Where in its folder the released module looks for its packages (terraform/package.tf)."""


class RefusedError(Exception):
    """This can't be released; the text says why, and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes dist/<version>/, or says why not."""
    options = _parse(arguments)
    try:
        changes = _checked(snapshot=options.snapshot)
        folder = _written(_files(changes))
    except (RefusedError, UnusableSourcesError, *BUILD_ERRORS) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print((folder / "SHA256SUMS").read_text(encoding="ascii"), end="")
    print(f"{folder.relative_to(_ROOT)}/: ion {version()}, from commit {_git('rev-parse', 'HEAD')}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="release.sh --all",
        description="Builds dist/VERSION/: packages for arm64 and x86_64, each with its manifest;"
        " the Terraform module with both packages inside; the changes; SHA256SUMS. VERSION is"
        " pyproject.toml's. The same commit gives the same bytes, anywhere.",
    )
    parser.add_argument(
        "--snapshot",
        action="store_true",
        help="of this commit, which needs no tag, and no section of its own in CHANGELOG.md",
    )
    return parser.parse_args(arguments)


def _checked(*, snapshot: bool) -> str:
    """The changes of the version, if this commit is fit to be released.

    Raises:
        RefusedError: it isn't.
    """
    odd = _git("status", "--porcelain").splitlines()
    if odd:
        raise RefusedError(
            f"{odd[0][3:]} isn't as it is committed, so this would be no release of a commit:"
            " commit or stash it (git status)"
        )
    changelog = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    changes = _section(changelog, version())
    if snapshot:
        return changes or _section(changelog, "Unreleased")
    if not changes:
        raise RefusedError(
            f"CHANGELOG.md has no section [{version()}], which is pyproject.toml's version:"
            " write it, or build a --snapshot"
        )
    tag = f"v{version()}"
    if tag not in _git("tag", "--points-at", "HEAD").splitlines():
        raise RefusedError(f"this commit has no tag {tag}: git tag {tag}, or build a --snapshot")
    return changes


def _section(changelog: str, name: str) -> str:
    """That of one version, with its heading; empty: there is none."""
    heading = rf"^## \[{re.escape(name)}\].*?(?=^## |\Z)"
    found = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    return f"{found[0].strip()}\n" if found else ""


def _files(changes: str) -> dict[str, bytes]:
    """All of the release by name, the hashes included."""
    packages = {}
    for target in (one for one in TARGETS.values() if one.python):
        package = build(target)
        packages[f"ion-{target.name}.zip"] = package.content
        packages[f"ion-{target.name}.zip.json"] = package.manifest()
    files = {
        **packages,
        f"ion-terraform-{version()}.zip": zipped(module_files(packages)),
        "CHANGES.md": changes.encode(),
    }
    sums = (f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return {**files, "SHA256SUMS": "".join(sums).encode()}


def module_files(packages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The module's folder as a person gets it: without its tests, with the packages it deploys."""
    names = (name.removeprefix(_MODULE) for name in _listed(_MODULE))
    return {
        **{
            name: (_ROOT / _MODULE / name).read_bytes()
            for name in names
            if not name.startswith(_NOT_IN_THE_ARCHIVE)
        },
        **{name: (_ROOT / name).read_bytes() for name in (*_BESIDE_THE_MODULE, *_listed(_DOCS))},
        **{f"{_PACKAGES}{name}": content for name, content in packages.items()},
    }


def _listed(pathspec: str) -> list[str]:
    """Files of the clone, committed or new, but none that git ignores."""
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard", pathspec)
    return [name for name in listed.split("\0") if name]


def _written(files: Mapping[str, bytes]) -> Path:
    """The folder of the release: all of it is new, or it is as it was."""
    folder = _ROOT / "dist" / version()
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        whole = Path(temporary) / "whole"
        whole.mkdir()
        for name, content in files.items():
            (whole / name).write_bytes(content)
        shutil.rmtree(folder, ignore_errors=True)
        whole.rename(folder)
    return folder


def _git(*arguments: str) -> str:
    try:
        git = subprocess.run(
            ["git", *arguments],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip()
        raise RefusedError(
            f"a release is built in a clone of the repository, by git: {said}"
        ) from error
    return git.stdout.rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
