"""What would be right is said wherever a value can be wrong."""

import msgspec
import pytest

from ion.contract import Attachment, Redrive, S3Object, Send, Where
from ion.contract.hints import hint

OF_PEOPLE = {"recipient", "cc", "bcc", "sender", "reply_to", "return_path"}
"""Whose values are addresses; INVALID_ADDRESS says what they must be."""
ANY_TEXT = {"subject", "body_text", "body_html", "headers", "attachments", "where", "dry_run"}


def fields(kind: type[msgspec.Struct], path: str) -> list[str]:
    names = set(kind.__struct_fields__) - OF_PEOPLE - ANY_TEXT
    return [f"{path}.{name}" for name in sorted(names)]


@pytest.mark.parametrize(
    "path",
    [
        *fields(Send, "$"),
        *fields(Attachment, "$.attachments[3]"),
        *fields(S3Object, "$.attachments[3].s3"),
        *fields(Redrive, "$"),
        *fields(Where, "$.where"),
        *("$.action", "$[1].s3BucketName", "$[1].s3Key"),
    ],
)
def test_each_field_has_a_hint(path: str) -> None:
    assert hint("INVALID_SCHEMA", path, "value").startswith("must be ")


@pytest.mark.parametrize(
    "path", ["$.tags[*]", "$.tags['a-b']", "$.where.tag[*]", "$.where.tag['a']"]
)
def test_a_single_tag_has_the_hint_of_all(path: str) -> None:
    assert "printable ASCII characters" in hint("INVALID_SCHEMA", path, "value")


def test_a_wrong_type_has_the_hint_too() -> None:
    assert hint("INVALID_SCHEMA", "$.not_before", "type").startswith("must be a time with a zone")


def test_where_the_codes_say_it_all_there_is_none() -> None:
    assert hint("INVALID_SCHEMA", "$.subject", "missing") == ""
    assert hint("RCPT_REJECTED", "", None) == ""
    assert hint("TOO_LARGE", "$.body_text", None) == ""
