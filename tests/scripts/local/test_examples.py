"""Each example of a field becomes the email that it says, to two parsers that share nothing."""

import hashlib
import json
import os
import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from ionctl.build.schema import EXAMPLES
from ionctl.local.stack import ROOT
from mail.second_reader import Reader, second_reader

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]  # npm may install the second parser

COMMAND = [sys.executable, "-P", "-m", "ionctl.local"]
Person = tuple[str, str]
"""Display name and address; an empty group is a name without an address."""

SECONDS = 60
"""To wait for the fates of all of them."""
NAMES = sorted(path.stem for path in EXAMPLES.glob("send-*.json"))
STRUCTURE = {
    *("return-path", "from", "to", "cc", "reply-to", "subject", "date", "message-id"),
    *("mime-version", "content-type", "content-transfer-encoding"),
}
"""Fields of an email that aren't custom headers."""


@dataclass(frozen=True)
class File:
    """An attachment; with a Content-ID it is inline."""

    name: str
    type: str
    octets: bytes
    disposition: str = "attachment"
    content_id: str = ""


@dataclass(frozen=True)
class Read:
    """What a mail program makes of an email. By default of one that has no field but the least.

    Args:
        return_path: the envelope's sender.
        headers: the custom ones.
    """

    return_path: str = "ion@simulator.test"  # the login at the local mail server
    sender: list[Person] = field(default_factory=lambda: [("", "ion@simulator.test")])
    to: list[Person] = field(default_factory=lambda: [("", "ann@example.org")])
    cc: list[Person] = field(default_factory=list)
    reply_to: list[Person] = field(default_factory=list)
    subject: str = "Hi"
    text: str = "plain\n"
    html: str = ""
    files: tuple[File, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)


def welcome(*lines: str) -> str:
    """HTML of the template, around the lines of its body."""
    page = (
        "<!DOCTYPE html>",
        "<html>",
        '<body style="font-family: sans-serif; max-width: 40em">',
        *lines,
        '<p style="color: #666">Tea &amp; Co</p>',
        "</body>",
        "</html>",
    )
    return "\n".join(page)


HELLO = ("<p>Hello Ann,</p>", "<p>welcome to Tea &amp; Co.</p>")

EXPECTED = {
    "send-email_id": Read(),
    "send-recipient": Read(
        to=[
            ("", "ann@example.org"),
            ("Bob", "bob@example.org"),
            ("Carl, C.", "carl@xn--bcher-kva.example"),
        ]
    ),
    "send-recipient-email": Read(),
    "send-recipient-name": Read(to=[('Ann "A" Example', "ann@example.org")]),
    "send-cc": Read(cc=[("", "bob@example.org")]),
    "send-bcc": Read(to=[("undisclosed-recipients", "")]),
    "send-reply_to": Read(
        reply_to=[("", "answers@example.org"), ("Sales", "sales@example.org")],
    ),
    "send-return_path": Read(return_path="bounces@example.org"),
    "send-sender": Read(return_path="post@example.org", sender=[("Shop", "post@example.org")]),
    "send-subject": Read(subject="Your order 🎉"),
    "send-body_text": Read(text="Dear Ann,\n\nit is on its way.\n"),
    "send-body_html": Read(
        text="It is on its way.\n",
        html="<p>It is <b>on its way</b>.</p>",
    ),
    "send-template": Read(
        subject="Welcome to Tea & Co, Ann",
        text="Hello Ann,\n\nwelcome to Tea & Co.\n\nTea & Co\n",
        html=welcome(*HELLO),
    ),
    "send-context": Read(
        subject="Welcome to Tea & Co, Ann",
        text="Hello Ann,\n\nwelcome to Tea & Co.\n\nThis is your first order:\n\nAssam 2 8.50\n\n"
        "Tea & Co\n",
        html=welcome(
            *HELLO,
            "<p>This is your first order:</p>",
            "<table>",
            '<tr><td>Assam</td><td align="right">2</td><td align="right">8.50</td></tr>',
            "</table>",
        ),
    ),
    "send-locale": Read(
        subject="Willkommen bei Tea & Co, Ann",
        text="Hallo Ann,\n\nwillkommen bei Tea & Co.\n\nTea & Co\n",
        html=welcome("<p>Hallo Ann,</p>", "<p>willkommen bei Tea &amp; Co.</p>"),
    ),
    "send-attachments": Read(
        html='<p><img src="cid:logo"> Hi',
        subject="Your invoice",
        files=(
            File("logo.png", "image/png", b"\x89PNG\r\n\x1a\n", "inline", "logo"),
            File("invoice.txt", "text/plain", b"Total: 17\n"),
        ),
    ),
    "send-headers": Read(
        headers={
            "X-Order": "17",
            "List-Unsubscribe": "<https://example.org/unsubscribe?id=17>",
        }
    ),
    "send-in_doubt": Read(),
    "send-lane": Read(),
    "send-not_before": Read(),
    "send-expires_at": Read(),
    "send-tags": Read(),
    "send-unsubscribe": Read(
        headers={
            "List-Unsubscribe": "<…/u/…>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    ),
}
"""What is read of each example."""

UNSEEN = {
    *("send-email_id", "send-recipient-email", "send-in_doubt"),
    *("send-lane", "send-not_before", "send-expires_at", "send-tags"),
}
"""Examples whose email is like one without the field, or with its other spelling."""

LINK = re.compile(r"<http://127\.0\.0\.1:\d+/_aws/lambda-url/[a-z0-9]{32}/u/[\w-]{40,}>")
"""To unsubscribe, in the local stack: of another function and with another key each time."""

HOUR = timedelta(hours=1)
TIMES = {"not_before": -HOUR, "expires_at": HOUR}
"""From now, since the times of the examples are of one year."""

RECIPIENTS = {
    "send-recipient": "ann@example.org, bob@example.org, carl@xn--bcher-kva.example",
    "send-cc": "ann@example.org, bob@example.org",
    "send-bcc": "archive@example.org",
}
"""Of the envelope; Ann alone where nothing is said."""


class Once:
    """`./run.sh --once` with all examples, since a start of the stack takes seconds.

    Args:
        folder: an empty one, where it runs.
    """

    def __init__(self, folder: Path) -> None:
        self._out = folder / "out"
        files = [folder / f"{name}.json" for name in NAMES]
        for file in files:
            message = json.loads((EXAMPLES / file.name).read_text(encoding="utf-8"))
            for name in TIMES.keys() & message.keys():
                message[name] = (datetime.now(UTC) + TIMES[name]).isoformat()
            file.write_text(json.dumps(message), encoding="utf-8")
        ended = subprocess.run(
            [*COMMAND, "--timeout", str(SECONDS), "--once", *files],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS + 40,
        )
        assert ended.returncode == 0, ended.stderr
        told = [line.partition(" → ") for line in ended.stdout.splitlines()]
        self.fates = {Path(file).stem: fate for file, arrow, fate in told if arrow}
        """What it said of each example, by name."""

    def email(self, name: str) -> bytes:
        """As the mail server took it."""
        return (self._out / f"{name}.eml").read_bytes()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Once:
    return Once(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with second_reader() as process:
        yield process


def test_each_example_has_its_email_in_the_table() -> None:
    assert EXPECTED.keys() == set(NAMES)
    assert {name for name, read in EXPECTED.items() if read == Read()} == UNSEEN


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_sent_to_its_recipients(ran: Once, name: str) -> None:
    assert ran.fates[name] == f"sent to {RECIPIENTS.get(name, 'ann@example.org')}"


def test_an_email_id_is_in_the_message_id(ran: Once) -> None:
    """So that receivers can collapse copies."""
    digest = hashlib.sha256(b"order-17").hexdigest()
    message_id = str(parsed(ran.email("send-email_id"))["Message-ID"])
    assert message_id == f"<{digest[:32]}@simulator.test>"


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_read_as_it_says(ran: Once, name: str) -> None:
    assert read_by_python(ran.email(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_second_parser_reads_the_same(ran: Once, reader: Reader, name: str) -> None:
    content = ran.email(name)
    told = reader.read(content)
    assert read_by_mailparser(told) == EXPECTED[name]
    message = parsed(content)
    assert told["messageId"] == message["Message-ID"]
    assert datetime.fromisoformat(told["date"]) == message["Date"].datetime


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def read_by_python(content: bytes) -> Read:
    message = parsed(content)
    parts = [*message.walk()]
    assert not [defect for part in parts for defect in part.defects]

    def people(name: str) -> list[Person]:
        groups = message[name].groups if name in message else ()
        return [
            person
            for group in groups
            for person in [(one.display_name, one.addr_spec) for one in group.addresses]
            or [(group.display_name, "")]
        ]

    def body(subtype: str) -> str:
        part = message.get_body((subtype,))
        return str(part.get_content()) if part else ""

    def file(part: EmailMessage, disposition: str) -> File:
        octets = part.get_payload(decode=True)
        assert isinstance(octets, bytes)
        content_id = str(part.get("Content-ID", "")).strip("<>")
        name = str(part.get_filename())
        return File(name, part.get_content_type(), octets, disposition, content_id)

    return Read(
        return_path=str(message["Return-Path"]).strip("<>"),
        sender=people("From"),
        to=people("To"),
        cc=people("Cc"),
        reply_to=people("Reply-To"),
        subject=message["Subject"],
        text=body("plain").replace("\r\n", "\n"),
        html=dense(body("html")),
        files=tuple(
            file(part, disposition)
            for part in parts
            if (disposition := part.get_content_disposition())
        ),
        headers={
            name: LINK.sub("<…/u/…>", str(value))
            for name, value in message.items()
            if name.lower() not in STRUCTURE
        },
    )


def read_by_mailparser(told: dict[str, Any]) -> Read:
    def people(name: str) -> list[Person]:
        return [
            (one["group"], "") if isinstance(one, dict) else (one[0], one[1]) for one in told[name]
        ]

    lines = [line.partition(":") for key, line in told["headers"] if key not in STRUCTURE]
    ((_, return_path),) = people("Return-Path")
    return Read(
        return_path=return_path,
        sender=people("From"),
        to=people("To"),
        cc=people("Cc"),
        reply_to=people("Reply-To"),
        subject=told["subject"],
        text=told["text"],
        html=dense(told["html"]),
        files=tuple(
            File(
                one["name"],
                one["type"],
                b64decode(one["content"]),
                one["disposition"],
                one["id"],
            )
            for one in told["files"]
        ),
        headers={
            name: LINK.sub("<…/u/…>", value.replace("\r\n", "").strip()) for name, _, value in lines
        },
    )


def dense(html: str) -> str:
    """HTML without its empty lines, of which templates leave some."""
    return "\n".join(line for line in html.splitlines() if line)
