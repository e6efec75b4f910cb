"""What ionctl's commands print with --json: a schema, made from the types they give back."""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from ionctl.ops.result import (
    AddressKnown,
    Cancelled,
    Checks,
    ConsoleAddress,
    Cost,
    Diagnosis,
    Edited,
    Emails,
    Erased,
    Imported,
    InForce,
    Letter,
    Letters,
    Life,
    Loaded,
    Moved,
    Published,
    Rendered,
    Sent,
    Status,
    SuppressionEntries,
)

FILE = Path(__file__).resolve().parents[3] / "docs" / "schema" / "ionctl.json"

COMMANDS: dict[str, type[msgspec.Struct]] = {
    "status": Status,
    "show": Life,
    "show ADDRESS": Emails,
    "dead list": Letters,
    "dead show": Letter,
    "dead redrive": Moved,
    "dead discard": Moved,
    "dead restore": Moved,
    "dead edit": Edited,
    "pause": InForce,
    "resume": InForce,
    "stop": InForce,
    "cancel": Cancelled,
    "suppress add": AddressKnown,
    "suppress remove": AddressKnown,
    "suppress check": AddressKnown,
    "suppress list": SuppressionEntries,
    "suppress export": SuppressionEntries,
    "suppress import": Imported,
    "erase": Erased,
    "send": Published,
    "send --wait": Sent,
    "load": Loaded,
    "check": Checks,
    "render": Rendered,
    "doctor": Diagnosis,
    "cost": Cost,
    "console": ConsoleAddress,
}
"""What each command prints."""
_ABOUT = re.compile(r"^ {4}(\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""An entry of a docstring's "Args": fields, and what is said of them."""


def text() -> str:
    """The schema's file."""
    return json.dumps(result_schema(), indent=2, ensure_ascii=False) + "\n"


def result_schema() -> dict[str, Any]:
    """Each type under its name, and in `commands` which one a command prints."""
    kinds = list(dict.fromkeys(COMMANDS.values()))
    _, types = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ionctl: what its commands print with --json",
        "description": "Fields may be added in later versions, and are not renamed.",
        "commands": {
            command: {"$ref": f"#/$defs/{kind.__name__}"} for command, kind in COMMANDS.items()
        },
        "$defs": {name: _described(schema) for name, schema in types.items()},
    }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """With what the docstring says of each field beside that field."""
    said, _, about_fields = cleandoc(schema.get("description", "")).partition("\n\nArgs:\n")
    fields = dict(schema.get("properties", {}))
    for names, words in _ABOUT.findall(about_fields):
        for name in names.split(", "):
            if name in fields:
                fields[name] = {**fields[name], "description": " ".join(words.split())}
    described = {**schema, "description": said} if said else schema
    return {**described, "properties": fields} if fields else described
