"""What is accepted is what another parser reads, that shares nothing with Python's: mailparser."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from mail.publishing import Published, published
from mail.reading import composed
from mail.second_reader import Reader, second_reader


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with second_reader() as process:
        yield process


@pytest.mark.timeout(300)  # npm may install the second reader
@settings(deadline=None, max_examples=100)
@given(published())
def test_what_is_accepted_is_read_as_written(reader: Reader, one: Published) -> None:
    told = reader.read(composed(**one.fields).content)
    for field in ("From", "Cc", "Reply-To"):
        assert told[field] == [[*person] for person in one.people[field]], field
    to: list[object] = [[*person] for person in one.people["To"]]
    if not (to or told["Cc"]):
        to = [{"group": "undisclosed-recipients", "members": 0}]
    assert told["To"] == to
    assert told["notified"] == [[*person] for person in one.notified]
    assert told["subject"] == one.subject
    assert told["references"] == one.references
    lines = {name: line.replace("\r\n", "") for name, line in told["headers"]}
    assert lines["list-unsubscribe"].removeprefix("List-Unsubscribe:").strip() == one.links
    assert told["text"] == "hi\n"
