"""What of the Terraform module is made from other files: settings, version, tables in README."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hcl2
from hcl2.utils import SerializationOptions

from ion.settings import KEYS
from ionctl.files import version

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE: Final = Path(__file__).resolve().parents[3] / "terraform"
SETTINGS: Final = "settings.json"
README: Final = "README.md"
PACKAGE: Final = "package.tf"

_AS_VALUES = SerializationOptions(
    with_comments=False, explicit_blocks=False, strip_string_quotes=True
)
_HEREDOC = re.compile(r"<<-?(\w+)\n(.*)\n\s*\1", re.DOTALL)
_TABLE = re.compile(
    r"(<!-- (variables|outputs), by scripts/module -->\n).*?(<!-- end -->\n)", re.DOTALL
)
_VERSION = re.compile(r'(?<=  module_version = )".*"')
_CODE = re.compile(r"(`[^`]*`)")
_MARKDOWN = re.compile(r"[<|*]")
"""What a description means literally, and Markdown wouldn't."""


def main() -> int:
    """Writes the files."""
    for name, text in files(MODULE).items():
        (MODULE / name).write_text(text, encoding="utf-8")
        print(f"terraform/{name}")
    return 0


def files(module: Path) -> dict[str, str]:
    """The files of `module` that are made from others, by name."""
    readme, package = ((module / name).read_text(encoding="utf-8") for name in (README, PACKAGE))
    return {
        SETTINGS: settings(),
        PACKAGE: _VERSION.sub(f'"{version()}"', package),
        README: _with_tables(readme, module),
    }


def settings() -> str:
    """The keys of config.cfg by section, for the plan to look settings up in."""
    lines = (f"  {json.dumps(section)}: {json.dumps(keys)}" for section, keys in KEYS.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _with_tables(readme: str, module: Path) -> str:
    tables = {"variables": _variables(module), "outputs": _outputs(module)}
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", readme)


def _variables(module: Path) -> str:
    return _table(
        ("name", "default", "meaning"),
        (
            (f"`{name}`", _default(variable), _text(variable["description"]))
            for name, variable in _blocks(module, "variable")
        ),
    )


def _outputs(module: Path) -> str:
    return _table(
        ("name", "what it is"),
        ((f"`{name}`", _text(output["description"])) for name, output in _blocks(module, "output")),
    )


def _blocks(module: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each `kind` with its name, as the files have them; variables.tf and outputs.tf go first."""
    main_file = f"{kind}s.tf"
    for path in sorted(module.glob("*.tf"), key=lambda path: (path.name != main_file, path.name)):
        content = hcl2.loads(path.read_text(encoding="utf-8"), serialization_options=_AS_VALUES)
        for block in content.get(kind, ()):
            yield from block.items()


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _default(variable: dict[str, Any]) -> str:
    return f"`{json.dumps(variable['default'])}`" if "default" in variable else "(required)"


def _text(description: str) -> str:
    """On one line, with nothing in it that Markdown would take for its own but code."""
    heredoc = _HEREDOC.fullmatch(description)
    parts = _CODE.split(" ".join((heredoc[2] if heredoc else description).split()))
    return "".join(
        part if _CODE.fullmatch(part) else _MARKDOWN.sub(r"\\\g<0>", part) for part in parts
    )


if __name__ == "__main__":
    raise SystemExit(main())
