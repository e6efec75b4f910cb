"""Puts the relay's own contract and checks into the distribution, under the library's name.

In the repository the library imports them as `ion.contract`, `ion.mail` …, from lambda_src/. A
wheel carries those modules, and what they import, as `ion_publisher._ion.contract` …, so that an
installation needs nothing else and takes no top-level name but its own.
"""

import ast
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "ion_publisher"
SHARED = f"{PACKAGE}._ion"

_imports_ion = re.compile(r"^(\s*from )ion(?=[. ])", re.MULTILINE)


class CustomBuildHook(BuildHookInterface[Any]):
    """What hatchling calls before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which files are in the wheel or in the source distribution."""
        root = Path(self.root)
        relay = relay_sources(root)
        modules = shared_modules(root / "src", relay)
        if self.target_name == "sdist":
            for path in modules:
                name = Path("lambda_src") / path.relative_to(relay)
                build_data["force_include"][str(path)] = str(name)
        elif version != "editable":
            self._generated = tempfile.TemporaryDirectory()
            build_data["force_include"] |= generated(
                root / "src", relay, Path(self._generated.name)
            )

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Remove what was generated."""
        if hasattr(self, "_generated"):
            self._generated.cleanup()


def relay_sources(root: Path) -> Path:
    """The folder that `ion` is in: of a source distribution its own, of the repository the relay's.

    Raises:
        FileNotFoundError: it is in neither place.
    """
    for folder in (root / "lambda_src", root.parents[1] / "lambda_src"):
        if (folder / "ion").is_dir():
            return folder
    raise FileNotFoundError("lambda_src/ion: build from a clone of ion, or from its sdist")


def shared_modules(own: Path, relay: Path) -> list[Path]:
    """The relay's modules that the library imports, and all that they import."""
    waiting = sorted(own.rglob("*.py"))
    found: set[Path] = set()
    while waiting:
        for path in _imported(waiting.pop(), relay):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return sorted(found)


def _imported(path: Path, relay: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("ion."):
            yield from _files(str(node.module), relay)
            for one in node.names:
                yield from _files(f"{node.module}.{one.name}", relay)
        elif isinstance(node, ast.Import):
            # it would bind the name `ion`, which an installation doesn't have
            assert not any(f"{one.name}.".startswith("ion.") for one in node.names), path


def _files(module: str, relay: Path) -> Iterator[Path]:
    """The file of a module and those of the packages that it is in; none for any other name."""
    at = relay.joinpath(*module.split("."))
    own = next((one for one in (at.with_suffix(".py"), at / "__init__.py") if one.is_file()), None)
    if own:
        yield own
        for folder in own.relative_to(relay).parents:
            package = relay / folder / "__init__.py"
            if package.is_file() and package != own:
                yield package


def generated(own: Path, relay: Path, folder: Path) -> dict[str, str]:
    """The files of a wheel by where they lie now: imports rewritten, the rest as it is."""
    places = {path: path.relative_to(own) for path in own.rglob("*") if path.is_file()}
    places |= {
        path: Path(*SHARED.split("."), path.relative_to(relay / "ion"))
        for path in shared_modules(own, relay)
    }
    included = {}
    for path, place in places.items():
        if "__pycache__" in place.parts:
            continue
        copy = folder / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
        included[str(copy)] = str(place)
    return included


def rewritten(source: str) -> str:
    """A module that imports the relay's modules by the names that a wheel gives them."""
    return _imports_ion.sub(rf"\1{SHARED}", source)
