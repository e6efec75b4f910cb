"""What subscribers are told about events is what events are."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from events.examples import FOLDER, OF, example
from events.telling import RECORDS, RELAY, Json, record
from ion.events.change import UnreadableError, happenings
from ion.events.cloud_event import Type, cloud_event, message
from ionctl.build.schema import SCHEMAS

DOCUMENT: Json = json.loads((SCHEMAS / "events.asyncapi.json").read_text(encoding="utf-8"))
CLOUD_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string", "minLength": 1},
        "data": True,
    },
    "propertyNames": {"pattern": "^[a-z0-9]+$"},
    "required": ["id", "source", "specversion", "type"],
    "additionalProperties": False,
}
"""CloudEvents 1.0.2, "Context Attributes", as far as it is used here."""


def validator(schema: Json) -> Draft7Validator:
    """Of a part of the document, which may refer to others."""
    return Draft7Validator(
        schema | {"components": DOCUMENT["components"]}, format_checker=FormatChecker()
    )


def told() -> Iterator[tuple[Json, Json]]:
    """Body and attributes of all events of the canned records."""
    for path in sorted(RECORDS.glob("*.json")):
        try:
            found = happenings(record(path.stem))
        except UnreadableError:
            continue
        for one in found:
            if event := cloud_event(one, RELAY, attempts=True):
                made = message(event)
                yield json.loads(made.body), dict(made.attributes)


def members(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in parts:
        yield str(name), part
        if isinstance(part, dict | list):
            yield from members(part)


def test_whatever_it_refers_to_is_there() -> None:
    references = [one for name, one in members(DOCUMENT) if name == "$ref"]
    assert len(references) > 30
    for reference in references:
        place: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def test_it_has_what_asyncapi_3_wants() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    (operation,) = DOCUMENT["operations"].values()
    assert operation["action"] == "send"
    channel = DOCUMENT["channels"]["outcome"]
    assert channel["messages"].keys() == DOCUMENT["components"]["messages"].keys()
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_each_type_has_its_message_with_an_example() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert {f"ion.email.{name}" for name in messages} == set(Type)
    for one in messages.values():
        assert one["examples"], one["name"]
        for shown in one["examples"]:
            validator(one["payload"]).validate(shown["payload"])


def test_every_field_is_explained() -> None:
    for name in ("CloudEvent", "Data"):
        properties = DOCUMENT["components"]["schemas"][name]["properties"]
        assert [one for one, schema in properties.items() if "description" not in schema] == []


def test_every_event_is_as_the_document_says_and_as_cloudevents_says() -> None:
    payload = validator({"$ref": "#/components/schemas/CloudEvent"})
    headers = validator({"$ref": "#/components/schemas/Attributes"})
    standard = Draft7Validator(CLOUD_EVENT, format_checker=FormatChecker())
    seen = set()
    for body, attributes in told():
        payload.validate(body)
        headers.validate(attributes)
        standard.validate(body)
        seen.add(body["type"])
    assert seen == set(Type)


@pytest.mark.parametrize(
    "change",
    [{"id": ""}, {"type": "ion.email.lost"}, {"specversion": "0.3"}, {"data": {}}, {"time": 5}],
)
def test_what_is_no_event_is_not_valid(change: Json) -> None:
    payload = validator({"$ref": "#/components/schemas/CloudEvent"})
    assert payload.is_valid(example("sent"))
    assert not payload.is_valid(example("sent") | change)


@pytest.mark.parametrize("name", OF)
def test_the_examples_are_events_of_this_version(name: str) -> None:
    """Written anew by `python -m events.examples`."""
    assert json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) == example(name)


def test_there_is_no_example_of_something_else() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == OF.keys()
    assert {re.split("-", name)[0] for name in OF} == {kind.rpartition(".")[2] for kind in Type}
