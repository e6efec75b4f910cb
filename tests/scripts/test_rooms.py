"""The rooms of scripts/ionctl: which may know which."""

import ast
from pathlib import Path

import pytest

IONCTL = Path(__file__).parents[2] / "scripts" / "ionctl"
MAY_KNOW = {
    "build": {"build"},
    "ops": {"ops"},
    "console": {"console", "ops"},
    "cli": {"cli", "console", "ops"},
    # docs/ionctl.md is made from the commands, its schema from their results
    "reference": {"reference", "cli", "ops"},
    # the stack has a console, and is put together as a release is
    "local": {"local", "console", "ops", "build"},
}
SHARED = {"problem", "loading", "loopback", "files", "outlet", "printable", "program"}
"""Modules of the top, which know no room."""


def imported(file: Path) -> set[str]:
    """Rooms and modules of ionctl that a file imports: "ops" of ionctl.ops.status."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = [
        f"{node.module}.{alias.name}" if node.module == "ionctl" else str(node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    names += [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    return {(*name.split("."), "")[1] for name in names if name.partition(".")[0] == "ionctl"}


@pytest.mark.parametrize("room", MAY_KNOW)
def test_a_room_knows_what_is_below_it(room: str) -> None:
    for file in sorted((IONCTL / room).rglob("*.py")):
        strangers = imported(file) - MAY_KNOW[room] - SHARED
        assert not strangers, f"{file.relative_to(IONCTL)} imports {', '.join(sorted(strangers))}"


@pytest.mark.parametrize("module", sorted(SHARED))
def test_what_all_share_knows_no_room(module: str) -> None:
    file = IONCTL / f"{module}.py"
    assert not file.exists() or imported(file) <= SHARED


def test_every_room_is_named_here() -> None:
    rooms = {folder.name for folder in IONCTL.iterdir() if (folder / "__init__.py").exists()}
    assert rooms == MAY_KNOW.keys()
