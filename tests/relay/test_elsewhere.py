"""Mail whose fields are in the outbox and whose files are in S3, through the whole relay."""

import pytest
from botocore.client import BaseClient

from draining import email, recipients
from emulated import Account
from function import Function, guarded, once

SENDER = {"S": "ion@example.org"}


def test_the_relay_reads_the_outbox_and_s3(
    account: Account, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = account.store("invoice.pdf", b"octets")
    s3 = {"M": {name: {"S": value} for name, value in stored.items()}}
    files = {"L": [{"M": {"filename": {"S": "invoice.pdf"}, "s3": s3}}]}
    fields = {"recipient": {"S": "to1@example.org"}, "body_text": {"S": "x"}, "sender": SENDER}
    account.leave({"email_id": {"S": "order-17"}, "attachments": files, **fields})
    account.publish('{"email_id": "order-17"}')
    monkeypatch.setenv("ION_AWS_OUTBOX_TABLE", account.outbox_table)
    asked: list[str] = []
    really = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def call(client: BaseClient, operation: str, request: dict[str, object]) -> object:
        if client.meta.service_model.service_name == "s3":
            asked.append(operation)
        return really(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    server = guarded()
    assert once(function, account, server).sent == 1
    assert recipients(server) == {"to1@example.org": 1}
    assert b"b2N0ZXRz" in server.accepted[0].content
    assert asked == ["HeadObject", "GetObject"], "s3:GetObject allows both"


def test_a_queue_of_plain_emails_makes_no_client_of_s3(
    account: Account, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would cost each cold start a tenth of a second."""
    account.publish(email(1, sender="ion@example.org"))
    made: list[str] = []
    really = type(account.session).client

    def client(session: object, name: str, **parts: object) -> object:
        made.append(name)
        return really(session, name, **parts)  # type: ignore[call-overload]

    monkeypatch.setattr("boto3.Session.client", client)
    assert once(function, account).sent == 1
    assert made
    assert "s3" not in made
