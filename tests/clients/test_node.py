"""Mails of nodemailer reach the topic as messages that the relay takes, or are refused whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.nodemailer import HI, Nodemailer
from ion.contract import Cancel, Lane, Send, parse
from ion.envelope import Email
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import compose
from mail.reading import QUEUED_AT, body, read


def composed(send: Send) -> Email:
    key = send.email_id or ""
    return compose(send, key=key, queued_at=QUEUED_AT, default_sender="relay@example.com")


def test_a_mail_goes_out_whole(nodemailer: Nodemailer) -> None:
    (info,) = nodemailer.send(
        {
            "from": "Shop <post@example.org>",
            "to": 'Ann <ann@example.org>, "Bob, B." <bob@example.org>',
            "cc": ["c@example.org", {"name": "Dörte", "address": "d@bücher.example"}],
            "bcc": "e@example.org",
            "replyTo": "answers@example.org",
            "subject": "Grüße 🎉",
            "text": "plain",
            "html": "<p>rich",
            "headers": {"X-Order": "17", "x-ion-id": "order-17"},
            "list": {"unsubscribe": {"url": "https://example.org/u", "comment": "stop"}},
            "references": ["<a@example.org>", "b@example.org"],
            "inReplyTo": "<b@example.org>",
            "priority": "high",
            "inDoubt": "park",
        }
    )
    assert info["emailId"] == "order-17"
    assert info["messageId"]
    assert info["envelope"]["to"][0] == "ann@example.org"
    send = nodemailer.published()["order-17"]
    assert send.in_doubt == "park"
    email = composed(send)
    assert email.envelope.sender == "post@example.org"
    assert email.envelope.recipients == (
        *("ann@example.org", "bob@example.org", "c@example.org"),
        *("d@xn--bcher-kva.example", "e@example.org"),
    )
    message = read(email)
    assert str(message["From"]) == "Shop <post@example.org>"
    assert message["To"].addresses[1].display_name == "Bob, B."
    assert message["Cc"].addresses[1].display_name == "Dörte"
    said = {
        "Subject": "Grüße 🎉",
        "Reply-To": "answers@example.org",
        "X-Order": "17",
        "List-Unsubscribe": "<https://example.org/u> (stop)",
        "References": "<a@example.org> <b@example.org>",
        "In-Reply-To": "<b@example.org>",
        "X-Priority": "1 (Highest)",
        "Importance": "High",
    }
    assert {name: message[name] for name in said} == said
    assert "X-Ion-Id" not in message
    assert (body(message, "plain"), body(message, "html")) == ("plain\n", "<p>rich\n")


def test_parts_that_nodemailer_reads_or_parses(nodemailer: Nodemailer, tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_text("from a file")
    infos = nodemailer.send(
        {"emailId": "file", "to": "a@b.example", "text": {"path": str(tmp_path / "body.txt")}},
        {"emailId": "group", "to": "Friends: a@b.example, c@d.example;", "html": "<p>x"},
        {"emailId": "empty", "to": "a@b.example"},
        {"emailId": "bounces", **HI, "from": "a@b.example", "envelope": {"from": "r@b.example"}},
        {"emailId": "odd", "to": "a@b.example", "text": "\ufffe\uffff\0"},
        {
            "emailId": "bcc",
            "bcc": "a@b.example",
            "text": "x",
            "headers": [{"key": "X-A", "value": 1}],
        },
        HI,
    )
    assert not [info for info in infos if "error" in info]
    published = nodemailer.published()
    assert published["file"].body_text == "from a file"
    assert composed(published["group"]).envelope.recipients == ("a@b.example", "c@d.example")
    assert published["group"].body_text is None
    assert published["empty"].body_text == ""
    assert composed(published["bounces"]).envelope.sender == "r@b.example"
    assert published["odd"].body_text == "\ufffe\uffff\0"
    assert published["bcc"].headers == {"X-A": "1"}
    assert infos[-1]["emailId"] in published  # made
    for send in published.values():
        composed(send)


def test_attachments_go_along(nodemailer: Nodemailer, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    given = [
        {"filename": "a.txt", "content": "é"},
        {"path": str(tmp_path / "logo.png"), "cid": "logo"},
        {"filename": "b.bin", "content": "AAEC", "encoding": "base64"},
        {"filename": "c.eml", "content": "Subject: x\r\n\r\nx"},
    ]
    nodemailer.send({**HI, "html": "<img src='cid:logo'>", "attachments": given, "emailId": "a"})
    parts = [*read(composed(nodemailer.published()["a"])).walk()]
    files = {part.get_filename(): part.get_payload(decode=True) for part in parts}
    assert files["a.txt"] == "é".encode()
    assert files["logo.png"] == b"\x89PNG"
    assert files["b.bin"] == b"\x00\x01\x02"
    assert files["c.eml"] == b"Subject: x\r\n\r\nx"
    assert "<logo>" in [part["Content-ID"] for part in parts]


def attached(**parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"attachments": [{"filename": "a.txt", "content": "x"} | parts]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"attachments": [{"raw": "Content-Type: text/plain\r\n\r\nx"}]}, "attachments[0]"),
    ({"alternatives": [{"contentType": "text/x-web-markdown", "content": "x"}]}, "alternatives"),
    ({"amp": "<html amp4email>"}, "amp"),
    ({"watchHtml": "<b>x"}, "watchHtml"),
    ({"icalEvent": {"content": "BEGIN:VCALENDAR"}}, "icalEvent"),
    ({"raw": "Subject: x\r\n\r\nx"}, "raw"),
    ({"messageId": "<a@b.example>"}, "messageId"),
    ({"date": "2025-03-09"}, "date"),
    ({"sender": "a@b.example"}, "sender"),
    ({"dkim": {"domainName": "b.example"}}, "dkim"),
    ({"from": "a@b.example, c@d.example"}, "from"),
    ({"to": ["a@b.example", {"name": "Nobody", "address": ""}]}, "to[1]"),
    ({"to": ""}, "to"),
    ({"envelope": {"from": "a@b.example", "to": "another@example.org"}}, "envelope.to"),
    ({"headers": {"X-A": ["1", "2"]}}, "headers.X-A"),
    ({"headers": {"X-A": "1\r\nBcc: b@c.example"}}, "headers.X-A"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "headers.x-a"),
    ({"headers": {"To": "another@example.org"}}, "headers.To"),
    ({"headers": {"Content-Type": "text/x-odd"}}, "headers.Content-Type"),
    ({"headers": {"X A": "1"}}, "headers.X A"),
    ({"subject": "a\nb"}, "subject"),
    ({"text": "\ud800"}, "text"),
    ({"emailId": "a b"}, "emailId"),
    ({"lane": "express"}, "lane"),
    ({"tenant": "a b"}, "tenant"),
    ({"tenant": 17}, "tenant"),
    ({"sendAt": "tomorrow"}, "sendAt"),
    ({"sendAt": "2025-03-09T07:00:00"}, "sendAt"),
    ({"sendAt": 1_741_500_000}, "sendAt"),
    ({"sendAt": {"$date": "no date"}}, "sendAt"),
    ({"sendAt": "9999-01-01T00:00:00Z"}, "sendAt"),
    ({"sendAt": "2025-02-30T09:00:00Z"}, "sendAt"),
    ({"expiresAt": "2099-02-29T09:00:00Z"}, "expiresAt"),
    ({"expiresAt": ""}, "expiresAt"),
    ({"sendAt": "2025-03-09T07:00:00Z", "expiresAt": "2025-03-09t08:00:00+01:00"}, "expiresAt"),
    ({"tags": ["spring"]}, "tags"),
    ({"tags": {"a b": "c"}}, "tags"),
    ({"tags": {f"n{number}": "x" for number in range(11)}}, "tags"),
    ({"tags": {"campaign": "Frühling"}}, "tags.campaign"),
    ({"tags": {"campaign": 5}}, "tags.campaign"),
    ({"unsubscribe": "list"}, "unsubscribe"),
    ({"unsubscribe": 1}, "unsubscribe"),
    ({"unsubscribe": ""}, "unsubscribe"),
    ({"unsubscribe": True, "tags": {"a": "1", "b": "2"}}, "unsubscribe"),
    ({"unsubscribe": True, "cc": "bob@example.org"}, "unsubscribe"),
    ({"unsubscribe": True, "list": {"unsubscribe": "https://example.org/u"}}, "unsubscribe"),
    ({"text": "é" * (MOST_MESSAGE_BYTES // 2)}, "mail"),
    # nodemailer's parser would make something else of these
    ({"to": "ann@example.org\nBcc: bob@example.org"}, "to"),
    ({"to": "ann@example.org\n"}, "to"),
    ({"to": ["ann@example.org", ["ann\0@example.org"]]}, "to[1][0]"),
    ({"cc": {"name": "Ann\u2028", "address": "ann@example.org"}}, "cc"),
    ({"bcc": "Ann\x7f <ann@example.org>"}, "bcc"),
    ({"replyTo": "ann@exa\rmple.org"}, "replyTo"),
    ({"from": "Shop\nBcc: <post@example.org>"}, "from"),
    ({"envelope": {"from": "a@b.example\nRCPT TO:<c@d.example>"}}, "envelope.from"),
    ({"to": "ann@example.org bob@example.org"}, "to"),
    ({"to": ["a@b.example", "ann@example.org <bob@example.org>"]}, "to[1]"),
    ({"cc": "<ann@example.org> <bob@example.org>, c@d.example"}, "cc"),
    ({"to": "bob@example.org: ann@example.org;"}, "to"),
    ({"to": {"name": "", "address": "a@b.example c@d.example"}}, "to"),
    ({"to": {"name": "", "address": "a@b,c"}}, "to[0]"),
    # what the relay would dead-letter
    ({"to": [f"a{i}@b.example" for i in range(600)], "cc": ["a@b.example"] * 401}, "to"),
    ({"inDoubt": "perhaps"}, "inDoubt"),
    ({"attachments": [{"content": "x"}] * 101}, "attachments"),
    (attached(filename="a\nb"), "attachments[0].filename"),
    (attached(filename="../a.txt"), "attachments[0].filename"),
    (attached(filename="a\\b"), "attachments[0].filename"),
    (attached(filename="a\u202etxt.exe"), "attachments[0].filename"),
    (attached(filename=". ."), "attachments[0].filename"),
    (attached(filename="é" * 128), "attachments[0].filename"),
    (attached(contentType="text"), "attachments[0].contentType"),
    (attached(contentType="multipart/mixed"), "attachments[0].contentType"),
    (attached(contentType='text/plain; name="a.txt"'), "attachments[0].contentType"),
    (attached(contentType="text/plain\r\nX: y"), "attachments[0].contentType"),
    (attached(cid="<logo>"), "attachments[0].cid"),
    ({"attachments": [{"content": "x", "cid": "a"}] * 2}, "attachments[1].cid"),
    # what would be left out without a word
    (attached(headers={"X-A": "1"}), "attachments[0].headers"),
    (attached(contentDisposition="inline"), "attachments[0].contentDisposition"),
    (attached(contentDisposition="attachment", cid="a"), "attachments[0].contentDisposition"),
]


def test_what_ion_cannot_say_is_refused_by_its_part(nodemailer: Nodemailer) -> None:
    results = nodemailer.send(*({**HI, **more} for more, _ in REFUSED))
    assert [result.get("part", result) for result in results] == [part for _, part in REFUSED]
    assert {result["code"] for result in results} == {"EMESSAGE"}


def test_addresses_in_each_spelling_are_taken(nodemailer: Nodemailer) -> None:
    spellings = {
        '"a@b, c" <a@b.example>, "q@r"@b.example': ("a@b.example", '"q@r"@b.example'),
        "a@b.example (c@d.example), E <e@[IPv6:2001:db8::1]>": (
            "a@b.example",
            "e@[ipv6:2001:db8::1]",  # nodemailer writes domains in small letters
        ),
        "Friends: a@b.example; c@d.example": ("a@b.example", "c@d.example"),
        "Doe, Jane <jane@b.example>;\tjörg@bücher.example": (
            "jane@b.example",
            "jörg@xn--bcher-kva.example",
        ),
    }
    nodemailer.send(*({"to": to, "text": "x", "emailId": str(i)} for i, to in enumerate(spellings)))
    published = nodemailer.published()
    for i, recipients in enumerate(spellings.values()):
        assert composed(published[str(i)]).envelope.recipients == recipients


def test_types_of_attachments_are_taken(nodemailer: Nodemailer) -> None:
    types = ("text/plain; charset=utf-8", 'a/b; x="; name=y"', "message/rfc822", "image/svg+xml")
    given = [{"filename": " a.bin ", "content": "x", "contentType": one} for one in types]
    nodemailer.send({**HI, "attachments": given, "emailId": "types"})
    composed(nodemailer.published()["types"])


def test_without_a_topic_there_is_no_transport(nodemailer: Nodemailer) -> None:
    for wrong in ("", "ion-input-topic"):
        with pytest.raises(AssertionError, match="ION_TOPIC_ARN"):
            nodemailer.send(HI, arn=wrong)


def test_what_aws_refuses_is_an_error(nodemailer: Nodemailer) -> None:
    (result,) = nodemailer.send(HI, arn=f"{nodemailer.arn}-of-nobody")
    assert "error" in result


def test_a_mail_says_when_how_and_for_whom_it_goes(nodemailer: Nodemailer) -> None:
    tags = {"campaign": "spring", "none": None}
    nodemailer.send(
        {
            **HI,
            "emailId": "a",
            "lane": "bulk",
            "sendAt": {"$date": "2025-03-09T07:00:00.250Z"},
            "expiresAt": "2099-03-08t09:00:00+01:00",
            "tags": tags,
        },
        {**HI, "emailId": "b", "lane": None, "sendAt": None, "expiresAt": None, "tags": {}},
    )
    published = nodemailer.published()
    send = published["a"]
    assert send.lane is Lane.BULK
    assert send.not_before == "2025-03-09T07:00:00.250Z"
    assert send.expires_at == "2099-03-08T09:00:00+01:00"
    assert send.tags == {"campaign": "spring"}
    plain = published["b"]
    assert (plain.lane, plain.not_before, plain.expires_at) == (None, None, None)


def test_bulk_goes_to_the_topic_for_bulk(nodemailer: Nodemailer) -> None:
    mails = [{**HI, "emailId": "a", "lane": "bulk"}, {**HI, "emailId": "b", "lane": "normal"}]
    nodemailer.send(*mails, bulk_arn=nodemailer.bulk_arn)
    (bulk,) = nodemailer.bulk
    (normal,) = nodemailer.bodies
    assert (json.loads(bulk)["email_id"], json.loads(bulk)["lane"]) == ("a", "bulk")
    assert json.loads(normal)["email_id"] == "b"


def test_a_wrong_topic_for_bulk_is_told_at_once(nodemailer: Nodemailer) -> None:
    for wrong in ("ion-bulk-topic", "arn:aws:sns:ap-south-2:123456789012:ion-bulk-topic"):
        with pytest.raises(AssertionError, match="ION_BULK_TOPIC_ARN"):
            nodemailer.send(HI, bulk_arn=wrong)


def test_a_tenant_is_the_message_group(nodemailer: Nodemailer) -> None:
    nodemailer.send({**HI, "emailId": "a", "tenant": "shop-17"}, {**HI, "emailId": "b"})
    assert nodemailer.groups == {"a": "shop-17", "b": ""}


def test_a_mail_is_cancelled_by_its_name(nodemailer: Nodemailer) -> None:
    results = nodemailer.send({"cancel": "order-17"}, {"cancel": "a b"}, {"cancel": None})
    assert isinstance(results[0], str)
    assert [one["part"] for one in results[1:]] == ["emailId", "emailId"]
    (body,) = nodemailer.bodies
    assert parse(body) == Cancel(email_id="order-17")
