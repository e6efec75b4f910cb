"""What subscribers of the outcome topic get, for other languages and tools: AsyncAPI 3.0."""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import msgspec

from ion.events.cloud_event import CloudEvent, Data, Type

if TYPE_CHECKING:
    from pathlib import Path

_TOPIC = "ion-outcome-topic"
_PREFIX = "ion.email."
_ARGUMENT = re.compile(r"(\w+): (.*)")


def events_asyncapi(info: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The outcome topic, and what ion sends on it.

    The schemas use nothing that isn't in draft 07, too, which is what AsyncAPI has by default.

    Args:
        info: of the document.
        folder: with an example of each type, `sent.json` and so on.
    """
    kinds = [kind.removeprefix(_PREFIX) for kind in Type]
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": "application/json",
        "channels": {
            "outcome": {
                "address": _TOPIC,
                "title": "The outcome topic",
                "description": "One CloudEvents 1.0 object a message, in UTF-8 (structured mode). "
                "At least once, and in no order that could be relied on: ids tell doubles, times "
                "the order.",
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds},
                "bindings": {"sns": {"name": _TOPIC, "bindingVersion": "1.0.0"}},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/outcome"},
                "summary": "Tells what became of an email.",
                "messages": [{"$ref": f"#/channels/outcome/messages/{kind}"} for kind in kinds],
            }
        },
        "components": {
            "messages": {kind: _message(kind, folder) for kind in kinds},
            "schemas": {
                **_schemas(),
                "Attributes": {
                    "title": "Attributes",
                    "description": "SNS message attributes, for filter policies.",
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "enum": list(map(str, Type))},
                        "lane": {"type": "string", "enum": ["normal", "bulk"]},
                    },
                    "patternProperties": {
                        "^tag_[A-Za-z0-9_.-]{1,64}$": {
                            "type": "string",
                            "description": "Of the email's tags the first eight by name.",
                        }
                    },
                    "required": ["type"],
                },
            },
        },
    }


def _message(kind: str, folder: Path) -> dict[str, Any]:
    return {
        "name": kind,
        "title": f"{_PREFIX}{kind}",
        "contentType": "application/cloudevents+json",
        "headers": {"$ref": "#/components/schemas/Attributes"},
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"properties": {"type": {"const": f"{_PREFIX}{kind}"}}},
            ]
        },
        "examples": [
            {"name": path.stem, "payload": json.loads(path.read_text(encoding="utf-8"))}
            for path in sorted(folder.glob(f"{kind}*.json"))
        ],
    }


def _schemas() -> dict[str, Any]:
    template = "#/components/schemas/{name}"
    _, schemas = msgspec.json.schema_components([CloudEvent], ref_template=template)
    for kind in (CloudEvent, Data):
        schema = schemas[kind.__name__]
        for name, text in _arguments(schema["description"]).items():
            schema["properties"][name] = _described(schema["properties"][name], text)
    for schema in schemas.values():
        schema["description"] = cleandoc(schema["description"]).partition("\n\nArgs:")[0]
    return dict(schemas)


def _described(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """The schema of a field with a description; beside a reference it would count for nothing."""
    return (
        {"allOf": [schema], "description": text}
        if "$ref" in schema
        else schema | {"description": text}
    )


def _arguments(docstring: str) -> dict[str, str]:
    """What a docstring says of each field."""
    found: dict[str, str] = {}
    last = ""
    _, _, lines = cleandoc(docstring).partition("Args:\n")
    for line in map(str.rstrip, lines.splitlines()):
        begun = _ARGUMENT.fullmatch(line.removeprefix("    "))
        if begun:
            last = begun[1]
            found[last] = begun[2]
        elif line:
            found[last] += f" {line.strip()}"
    return found
