"""What publishers and providers write, and subscribers get: JSON Schema and AsyncAPI for others.

All are made from the code's own types, so they can't say anything else. Of messages they say less:
what a header or an address may hold, and how much a message may, is found by the relay alone.
"""

from __future__ import annotations

import json
import tomllib
from inspect import cleandoc
from pathlib import Path
from typing import Any

import msgspec

from ion.contract import Action
from ion.feedback.generic import Feedback
from ionctl.build.events_schema import events_asyncapi

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "docs" / "schema"
EXAMPLES = ROOT / "docs" / "examples"

_TITLE = "ion: messages to the input topic"
_TOPIC = "ion-input-topic"
_BULK_TOPIC = "ion-bulk-topic"
_ONE_OF = {
    "Send": (("recipient", "cc", "bcc"), ("body_text", "body_html", "template", "attachments"))
}
"""Fields of which one must be there, and not null; the types can't say so by themselves."""
_EITHER = {"Attachment": ("content", "s3")}
"""Fields of which exactly one must be there."""
_NEEDS = {"Send": {"context": "template", "locale": "template"}}
"""Fields that say nothing without another."""


def main() -> int:
    """Writes the files."""
    SCHEMAS.mkdir(exist_ok=True)
    for name, text in files().items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
        print(f"docs/schema/{name}")
    return 0


def files() -> dict[str, str]:
    """The files of docs/schema by name."""
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in (
            ("message.schema.json", json_schema()),
            ("asyncapi.json", asyncapi()),
            ("events.asyncapi.json", events_asyncapi(_info(), EXAMPLES / "events")),
            ("feedback.schema.json", feedback_schema()),
        )
    }


def json_schema() -> dict[str, Any]:
    """Of any message, in the dialect of 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": _TITLE,
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in _actions().values()],
        "$defs": _components("#/$defs/{name}"),
    }


def feedback_schema() -> dict[str, Any]:
    """Of what providers other than Amazon SES may tell, in the dialect of 2020-12."""
    _, types = msgspec.json.schema_components([Feedback], ref_template="{name}")
    schema: dict[str, Any] = _mended(types[Feedback.__name__])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "ion: messages to the feedback topic",
    }


def asyncapi() -> dict[str, Any]:
    """The topic, and what ion does with what is published to it (AsyncAPI 3.0).

    The schemas use nothing that isn't in draft 07, too, which is what AsyncAPI has by default.
    """
    actions = _actions()
    schemas = _components("#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "channels": {
            "input": {
                "address": _TOPIC,
                "title": "The input topic",
                "description": "One JSON object a message, in UTF-8, of at most 256 KiB.",
                "messages": {
                    action: {"$ref": f"#/components/messages/{action}"} for action in actions
                },
                "bindings": {"sns": {"name": _TOPIC, "bindingVersion": "1.0.0"}},
            },
            "bulk": {
                "address": _BULK_TOPIC,
                "title": "The topic for bulk",
                "description": "Emails that go when nothing else is there to go.",
                "messages": {"send": {"$ref": "#/components/messages/send"}},
                "bindings": {"sns": {"name": _BULK_TOPIC, "bindingVersion": "1.0.0"}},
            },
        },
        "operations": {
            action: {
                "action": "receive",
                "channel": {"$ref": "#/channels/input"},
                "summary": _first_line(schemas[name]),
                "messages": [{"$ref": f"#/channels/input/messages/{action}"}],
            }
            for action, name in actions.items()
        }
        | {
            "send_bulk": {
                "action": "receive",
                "channel": {"$ref": "#/channels/bulk"},
                "summary": _first_line(schemas["Send"]),
                "messages": [{"$ref": "#/channels/bulk/messages/send"}],
            }
        },
        "components": {
            "messages": {
                action: {
                    "name": action,
                    "title": name,
                    "summary": _first_line(schemas[name]),
                    "payload": {"$ref": f"#/components/schemas/{name}"},
                    "examples": [
                        {"name": path.stem, "payload": example}
                        for path, example in examples().items()
                        if example["action"] == action
                    ],
                }
                for action, name in actions.items()
            },
            "schemas": schemas,
        },
    }


def examples() -> dict[Path, dict[str, Any]]:
    """Messages of docs/examples, one a field, by file."""
    return {
        path: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(EXAMPLES.glob("*.json"))
    }


def _info() -> dict[str, Any]:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "title": "ion",
        "version": about["version"],
        "description": about["description"],
        "license": {"name": about["license"]},
    }


def _actions() -> dict[str, str]:
    """Names of types by their actions."""
    (top,), _ = msgspec.json.schema_components([Action], ref_template="{name}")
    return dict(top["discriminator"]["mapping"])


def _components(ref_template: str) -> dict[str, Any]:
    _, types = msgspec.json.schema_components([Action], ref_template=ref_template)
    for name, schema in types.items():
        for fields in _ONE_OF.get(name, ()):
            _add(schema, {"anyOf": [_is_there(field) for field in fields]})
        if name in _EITHER:
            _add(schema, {"oneOf": [_is_there(field) for field in _EITHER[name]]})
        for field, needed in _NEEDS.get(name, {}).items():
            _add(schema, {"anyOf": [{"not": _is_there(field)}, _is_there(needed)]})
    mended: dict[str, Any] = _mended(types)
    return mended


def _add(schema: dict[str, Any], rule: dict[str, Any]) -> None:
    schema.setdefault("allOf", []).append(rule)


def _is_there(field: str) -> dict[str, Any]:
    """Rule that a field is there: it isn't null, nor an empty list."""
    something = {"not": {"type": "null"}, "minItems": 1}
    return {"required": [field], "properties": {field: something}}


def _mended(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """The same without what is Python's: a docstring's margin and arguments, a pattern's end."""
    if isinstance(schema, list):
        return [_mended(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    mended = {name: _mended(value) for name, value in schema.items()}
    if isinstance(described := mended.get("description"), str):
        mended["description"] = cleandoc(described).partition("\n\nArgs:")[0]
    if isinstance(pattern := mended.get("pattern"), str):
        mended["pattern"] = pattern.replace(r"\Z", "$")  # what "$" is in ECMA-262's dialect
    return mended


def _first_line(schema: dict[str, Any]) -> str:
    return str(schema["description"]).partition("\n")[0]


if __name__ == "__main__":
    raise SystemExit(main())
