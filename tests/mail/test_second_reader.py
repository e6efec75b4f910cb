"""What is accepted is what another parser reads, that shares nothing with Python's: mailparser."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings

from ion.envelope import Email
from mail.publishing import Published, published
from mail.reading import composed
from real import npm
from real.unavailable import skipped_unless_available


class Reader:
    """A process that reads emails."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def read(self, email: Email) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(b64encode(email.content).decode() + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with skipped_unless_available():
        modules = npm.modules()
    command = ["node", str(npm.SCRIPTS / "read-emails.js"), str(modules)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield Reader(process)


@settings(deadline=None, max_examples=100)
@given(published())
def test_what_is_accepted_is_read_as_written(reader: Reader, one: Published) -> None:
    told = reader.read(composed(**one.fields))
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
