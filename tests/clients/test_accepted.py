"""What the library takes, the relay sends: it refuses nothing of it, whatever the spelling."""

from collections import Counter
from email.message import EmailMessage
from typing import Any, cast
from uuid import uuid4

from hypothesis import given, settings

from clients.accepted import STORED, accepted
from draining import run
from emulated import Account, is_character_of_sqs
from ion.contract import Send, parse
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import compose
from ion.mail.base64_lines import base64_lines, octets_of
from ion.template import Folder
from ion_publisher import Attachment, Email, Publisher, Receipt
from ion_publisher.message import letter
from ionctl.local.stack import ROOT
from mail.reading import QUEUED_AT, read
from smtp_server import ScriptedServer
from wiring import topic_before

WELCOME = {"name": "Ann", "shop": "Tea & Co"}


def test_it_becomes_an_email_with_its_files() -> None:
    drawn = Counter[str]()

    @settings(max_examples=100)
    @given(accepted())
    def becomes_an_email(email: dict[str, Any]) -> None:
        drawn.update(name for name, value in email.items() if value not in (None, []))
        one = letter(email)
        assert one.size == len(one.body.encode()) <= MOST_MESSAGE_BYTES
        assert all(map(is_character_of_sqs, one.body))
        send = parse(one.body)
        assert isinstance(send, Send)
        objects = {
            file.s3: (base64_lines(STORED[file.s3.key]),)
            for file in send.attachments or []
            if file.s3
        }
        made = compose(
            send,
            key=one.email_id,
            queued_at=QUEUED_AT,
            default_sender="relay@example.com",
            objects=objects,
        )
        assert files_in(read(made)) == files_of(email)

    becomes_an_email()
    assert drawn.keys() == Email.__annotations__.keys()


def files_of(email: dict[str, Any]) -> Counter[tuple[str, bytes]]:
    """Name and octets of what was attached."""
    found = Counter[tuple[str, bytes]]()
    for file in email.get("attachments") or []:
        if isinstance(file, Attachment):
            name, octets = file.filename, file.content
        else:
            name, key = file["filename"], (file.get("s3") or {}).get("key")
            octets = STORED[key] if key else octets_of(file["content"]) or b""
        found[name.strip(), octets] += 1  # get_filename strips it of blanks of any script
    return found


def files_in(message: EmailMessage) -> Counter[tuple[str, bytes]]:
    """The same, as a mail program sees it."""
    found = Counter[tuple[str, bytes]]()
    for part in message.walk():
        if part.get_content_disposition():
            octets = part.get_payload(decode=True)
            assert isinstance(octets, bytes)
            found[str(part.get_filename()), octets] += 1
    return found


def test_it_is_sent(account: Account) -> None:
    """By the whole way: SNS, SQS, a run, and a mail server."""
    emails: list[dict[str, Any]] = []

    @settings(max_examples=60)
    @given(accepted())
    def is_drawn(email: dict[str, Any]) -> None:
        email["email_id"] = str(uuid4())  # one that was drawn twice would be sent once
        if email.get("template"):
            email["context"] = WELCOME | (email.get("context") or {})
        emails.append(email)

    is_drawn()
    for key, octets in STORED.items():
        account.store(key, octets)
    sns = account.session.client("sns")
    arn = topic_before(account.input_url, account.session.client("sqs"), sns, "ion-input-topic")
    results = Publisher(arn, sns=sns).send_many(cast("list[Email]", emails))
    assert [result for result in results if not isinstance(result, Receipt)] == []
    assert len(account.waiting()) == len(emails)
    server = ScriptedServer()
    summary = run(account, server, templates=Folder(ROOT / "templates"))
    assert [letter.attributes for letter in account.dead()] == []
    assert account.waiting() == []
    assert summary.sent == len(emails)
