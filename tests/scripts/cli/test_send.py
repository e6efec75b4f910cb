"""ionctl send, as a person or a program types it."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from function import email
from ionctl.ops.result import Published, Sent
from relays import Operated
from terminal import Ionctl

LEAST = ["--to", "ann@example.org", "--text", "x"]


def published(local: Operated, url: str = "") -> dict[str, Any]:
    answer = local.clients.sqs.receive_message(QueueUrl=url or local.names.queue_url)
    (one,) = answer["Messages"]
    fields: dict[str, Any] = json.loads(one["Body"])
    return fields


def row(local: Operated, key: str, status: str, fates: str) -> None:
    local.row(
        key,
        status=status,
        token="t",
        lease_until=0,
        content_hash="h",
        fates=fates,
        attempts=1,
        doubts="0",
        crashes=0,
        used_ids="",
        first_queued_at="2026-11-28T20:00:00Z",
        updated_at="2026-11-28T20:00:01.000+00:00",
        expires_at=4_000_000_000,
    )


def test_an_email_of_options_is_published_and_its_name_printed(
    local: Operated, ionctl: Ionctl
) -> None:
    ran = ionctl("--local", "send", *LEAST, "--subject", "Grüße")
    assert ran.status == 0, ran.err
    fields = published(local)
    name = fields.pop("email_id")
    assert ran.out == f"{name}\n"
    assert ran.err == f"published: ionctl --local show {name}\n"
    assert fields == {
        "action": "send",
        "recipient": "ann@example.org",
        "body_text": "x",
        "subject": "Grüße",
    }


def test_each_field_has_an_option(local: Operated, ionctl: Ionctl, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"png")
    (tmp_path / "page.html").write_text("<p>Hi")
    options = [
        *("--to", "a@b.c", "--to", "d@e.f", "--cc", "g@h.i", "--bcc", "j@k.l", "--from", "m@n.o"),
        *("--reply-to", "p@q.r", "--subject", "s", "--text", "t"),
        *("--html-file", str(tmp_path / "page.html"), "--attach", str(tmp_path / "logo.png")),
        *("--tag", "kind=reset", "--header", "X-Tag: a:b", "--lane", "bulk", "--id", "order-17"),
        *("--not-before", "2020-01-01T00:00:00Z", "--expires-at", "2999-01-01T00:00:00Z"),
    ]
    ran = ionctl("--local", "--json", "send", *options)
    done = msgspec.json.decode(ran.out, type=Published)
    assert (done.email_id, done.topic_arn) == ("order-17", local.names.bulk_topic_arn)
    assert published(local, local.names.bulk_queue_url) == {
        "action": "send",
        "recipient": ["a@b.c", "d@e.f"],
        "cc": "g@h.i",
        "bcc": "j@k.l",
        "sender": "m@n.o",
        "reply_to": "p@q.r",
        "subject": "s",
        "body_text": "t",
        "body_html": "<p>Hi",
        "attachments": [{"filename": "logo.png", "content": base64.b64encode(b"png").decode()}],
        "tags": {"kind": "reset"},
        "headers": {"X-Tag": "a:b"},
        "lane": "bulk",
        "email_id": "order-17",
        "not_before": "2020-01-01T00:00:00Z",
        "expires_at": "2999-01-01T00:00:00Z",
    }


def test_a_link_to_unsubscribe_has_an_option(local: Operated, ionctl: Ionctl) -> None:
    ran = ionctl("--local", "send", "--to", "a@b.c", "--text", "t", "--unsubscribe")
    assert ran.status == 0, ran.err
    assert published(local)["unsubscribe"] is True


def test_of_several_tags_one_is_named_to_unsubscribe_from(local: Operated, ionctl: Ionctl) -> None:
    words = ("--to", "a@b.c", "--text", "t", "--tag", "list=news", "--tag", "order=17")
    ran = ionctl("--local", "send", *words, "--unsubscribe-from", "list")
    assert ran.status == 0, ran.err
    assert published(local)["unsubscribe"] == "list"
    ran = ionctl("--local", "send", *words, "--unsubscribe-from", "lists")
    assert (ran.status, ran.out) == (2, "")
    assert "--unsubscribe-from" in ran.err


def test_a_template_has_its_data_from_a_file_or_standard_input(
    local: Operated, ionctl: Ionctl
) -> None:
    words = ["send", "--to", "a@b.c", "--template", "welcome", "--context", "-", "--locale", "de"]
    ran = ionctl("--local", *words, stdin='{"name": "Ann"}')
    assert ran.status == 0, ran.err
    fields = published(local)
    assert (fields["template"], fields["context"], fields["locale"]) == (
        "welcome",
        {"name": "Ann"},
        "de",
    )


def test_a_whole_message_comes_from_a_file_or_standard_input(
    local: Operated, ionctl: Ionctl, tmp_path: Path
) -> None:
    body = email(email_id="order-17")
    (tmp_path / "order.json").write_text(body)
    ran = ionctl("--local", "send", tmp_path / "order.json")
    assert (ran.out, ran.err) == ("order-17\n", "published: ionctl --local show order-17\n")
    assert published(local) == json.loads(body)
    ran = ionctl("--local", "send", "--bulk", "-", stdin=email(email_id="order-18"))
    assert ran.status == 0
    assert published(local, local.names.bulk_queue_url)["email_id"] == "order-18"
    ran = ionctl("--local", "send", "-", stdin='{"action": "resume"}')
    assert (ran.out, ran.err) == ("", "published: ionctl --local status\n")


def test_what_would_be_dead_lettered_is_told_and_not_published(
    local: Operated, ionctl: Ionctl
) -> None:
    ran = ionctl("--local", "send", "-", stdin=email(recipient="ann@"))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("-:1:")
    assert "recipient must be a@b, Name <a@b>, or email and name apart (INVALID_ADDRESS)" in ran.err
    assert ran.err.count("\n") == 1, "the email gets an email_id, so nothing is said of that"
    answer = local.clients.sqs.receive_message(QueueUrl=local.names.queue_url)
    assert "Messages" not in answer


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (2, [], "say what to send: --to, --subject, --text …, or a FILE, or - alone"),
        (2, ["-", *LEAST], "say what to send"),
        (1, [*LEAST, "--attach", "/dev/zero"], "--attach /dev/zero: is no regular file"),
        (1, [*LEAST, "--html-file", "/dev/zero"], "/dev/zero has more than 16,777,216 octets"),
        (1, [*LEAST, "--attach", "no-such-file"], "--attach no-such-file can't be read: No such"),
        (2, [*LEAST, "--header", "X-Tag"], "--header X-Tag: write it as NAME:VALUE"),
        (2, [*LEAST, "--tag", "x"], "--tag x: write it as NAME=VALUE"),
        (1, [*LEAST, "--context", "-"], "--context - is no JSON"),
    ],
)
def test_what_can_not_be_meant_is_told(
    ionctl: Ionctl, status: int, words: list[str], said: str
) -> None:
    ran = ionctl("--local", "send", *words)
    assert (ran.status, ran.out) == (status, "")
    assert ran.err.startswith(f"ionctl: {said}")


def test_who_waits_is_told_the_fate(local: Operated, ionctl: Ionctl) -> None:
    """The function of this relay doesn't run: its rows are there before the emails."""
    row(local, "order-17", "sent", "s")
    ran = ionctl("--local", "send", *LEAST, "--id", "order-17", "--wait")
    assert ran.status == 0, ran.err
    assert (ran.err, ran.out[:14]) == ("published order-17\n", "order-17: Sent")
    row(local, "order-18", "bounced", "d")
    ran = ionctl("--local", "--json", "send", *LEAST, "--id", "order-18", "--wait")
    assert ran.status == 1
    found = msgspec.json.decode(ran.out, type=Sent)
    assert (found.published.email_id, found.life.state) == ("order-18", "dead_lettered")
    ran = ionctl("--local", "send", *LEAST, "--id", "order-19", "--wait", "--timeout", "1")
    assert ran.status == 1
    row(local, "order-20", "suppressed", "x")  # nothing more comes: it isn't waited for
    ran = ionctl("--local", "send", *LEAST, "--id", "order-20", "--wait", "--timeout", "86400")
    assert ran.status == 1
    assert "order-20: Not sent" in ran.out


def test_nothing_more_is_waited_for_once_a_scheduled_email_is_seen_to_be_one(
    local: Operated, ionctl: Ionctl
) -> None:
    """It may be days until it is sent."""
    local.logged("deferred", email_id="order-17", reason="SCHEDULED", retry_in_seconds=86_400)
    waits = ("--id", "order-17", "--wait", "--timeout", "86400")
    ran = ionctl("--local", "send", *LEAST, *waits)
    assert ran.status == 1
    assert ran.out.startswith("order-17: Scheduled: it isn't sent before ")


def test_who_has_waited_in_vain_is_told_what_keeps_the_email(
    local: Operated, ionctl: Ionctl
) -> None:
    local.clients.functions.put_function_concurrency(
        FunctionName="ion", ReservedConcurrentExecutions=0
    )
    ran = ionctl("--local", "send", *LEAST, "--id", "order-17", "--wait", "--timeout", "1")
    assert ran.status == 1
    assert "the function may not run" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "nobody", "--text", "x"], "--to nobody: must be a@b, Name <a@b>"),
        (["--to", "a@b.c", "--to", "ann@", "--text", "x"], "--to ann@: must be a@b, Name"),
        ([*LEAST, "--from", "me"], "--from me: must be a@b, Name <a@b>"),
        ([*LEAST, "--not-before", "soon"], "--not-before soon: must be a time with a zone"),
        ([*LEAST, "--id", "two words"], "--id two words: must be 1-256 printable ASCII"),
        ([*LEAST, "--tag", "a b=c"], "--tag a b=c: must be at most ten: names of"),
        ([*LEAST, "--locale", "??"], "--locale ??: must be a language tag"),
        ([*LEAST, "--subject", "a\nb"], "--subject a\nb: holds a line break"),
        (["--text", "x"], "the email needs --to, --cc or --bcc"),
        (["--to", "a@b.c"], "the email needs --text, --html, --html-file or --template"),
    ],
)
@pytest.mark.usefixtures("local")
def test_what_is_wrong_is_told_by_its_option(ionctl: Ionctl, words: list[str], said: str) -> None:
    ran = ionctl("--local", "send", *words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"ionctl: {said}")


def test_a_file_that_no_message_takes_is_not_read(ionctl: Ionctl, tmp_path: Path) -> None:
    large = tmp_path / "film.mp4"
    with large.open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing, on no disk
    ran = ionctl("--local", "send", *LEAST, "--attach", large)
    assert ran.status == 1
    assert "has 1,099,511,627,776 octets, and a message takes 196,608 of files" in ran.err
