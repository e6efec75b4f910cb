"""ionctl show."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.policy.timeline import Entry, written
from ionctl.cli.life import sure_of_scan
from ionctl.local.ministack import CREDENTIALS, ISOLATION
from ionctl.ops import local_stack, rows
from ionctl.problem import Problem
from ionctl_program import Ended, printed, within
from relays import Operated


def look(stack: Path, *words: str) -> Ended:
    about: Any = {**CREDENTIALS, **ISOLATION, local_stack.FILE_VARIABLE: str(stack)}
    return within("--local", "show", *words, **about)


def test_an_email_has_a_sentence_and_a_timeline(relay: Operated, stack: Path) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    relay.row(
        *("order-17",),
        status="sent",
        fates="s.",
        attempts=1,
        updated_at=at.isoformat(),
        first_queued_at=at.isoformat(),
        reason="ACCEPTED",
        server="smtp",
        reply="250 2.0.0 Ok: queued as 4SxY1z2w3vz9rxL",
    )
    about = {"email_id": "order-17", "message_id": "m-1", "recipients": 1, "server": "smtp"}
    relay.logged("sent", at, reply="250 2.0.0 Ok \x1b[31m", **about)
    ended = look(stack, "order-17")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("● Sent: smtp took it at ")
    assert "server's id  4SxY1z2w3vz9rxL" in ended.out
    assert "1 sent, 2 waiting" in ended.out
    assert "Taken by smtp: 250 2.0.0 Ok" in ended.out
    assert "\x1b" not in ended.out
    found = printed("show", look(stack, "order-17", "--json").out)
    assert (found["state"], found["provider_id"]) == ("sent", "4SxY1z2w3vz9rxL")


def test_what_was_never_seen_is_status_1(stack: Path) -> None:
    ended = look(stack, "order-18", "--since", "7d")
    assert ended.status == 1
    assert ended.out.startswith("● Never seen: neither ledger nor dead letters know it")


@pytest.mark.parametrize(
    ("about", "state", "status"),
    [
        ({"status": "sent", "fates": "s"}, "sent", 0),
        ({"status": "deferred", "fates": ".", "reason": "TRY_LATER"}, "deferred", 0),
        ({"status": "cancelled", "fates": "."}, "cancelled", 0),
        ({"status": "bounced", "fates": "d"}, "dead_lettered", 1),
        ({"status": "in_doubt", "fates": "?"}, "in_doubt", 1),
        ({"status": "suppressed", "fates": "x"}, "suppressed", 1),
        (
            {"status": "sent", "fates": "s", "feedback": '{"0": {"type": "bounced"}}'},
            *("bounced", 1),
        ),
    ],
)
def test_what_was_not_sent_or_came_back_is_status_1(
    relay: Operated, stack: Path, about: dict[str, str], state: str, status: int
) -> None:
    relay.row("order-17", **about)
    ended = look(stack, "order-17", "--json")
    assert (printed("show", ended.out)["state"], ended.status) == (state, status)


@pytest.mark.parametrize("age", ["yesterday", "0h", "7", "-1h"])
def test_what_is_no_age_is_a_mistake_on_the_command_line(stack: Path, age: str) -> None:
    ended = look(stack, "order-18", f"--since={age}")
    assert ended.status == 2
    assert f"--since {age}: must be an age: 90s, 30m, 12h, 7d" in ended.err


def test_an_address_has_a_list_of_emails(relay: Operated, stack: Path) -> None:
    at = datetime.now(UTC) - timedelta(minutes=1)
    key = asyncio.run(AddressKey(relay.clients.dynamodb, relay.names.table).get())
    hashed = address_hash(key, "ann@example.org")
    values = {"fates": "s", "first_queued_at": at.isoformat(), "recipients": hashed}
    relay.row("order-17", status="sent", **values)
    relay.row("order-18", status="deferred", reason="TRY_LATER", **values)
    none = look(stack, "ann@example.org")
    assert none.status == 1
    assert none.out.startswith("No email to ann@example.org found in the log since ")
    ended = look(stack, "ann@example.org", "--scan")
    assert ended.status == 0
    assert "2 emails to ann@example.org found" in ended.out
    assert "among all 3 rows of the ledger" in ended.out
    assert re.search(r"UTC +sent +order-17$", ended.out, re.MULTILINE)
    assert re.search(
        r"UTC +sent +order-18  the email: deferred TRY_LATER$", ended.out, re.MULTILINE
    )
    found = printed("show ADDRESS", look(stack, "ann@example.org", "--json", "--scan").out)
    assert {one["email_id"] for one in found["emails"]} == {"order-17", "order-18"}


def test_an_address_that_is_a_key_is_that_email(relay: Operated, stack: Path) -> None:
    relay.row("ann@example.org", status="sent", fates="s")
    assert look(stack, "ann@example.org").out.startswith("● Sent: ")


def test_the_timeline_says_what_was_repeated_and_for_whom(relay: Operated, stack: Path) -> None:
    at = datetime.now(UTC) - timedelta(hours=1)
    entries = (
        Entry(1, at, "deferred", "connect", "CONNECT", times=144, last=datetime.now(UTC)),
        Entry(2, at, "sent", "dot", "ACCEPTED", 250, "250 ok", "smtp", 1120, (1,)),
    )
    relay.row(
        *("order-17",),
        status="bounced",
        fates="ds",
        first_queued_at=at.isoformat(),
        header_message_id="<a@example.org>",
        timeline=written(entries),
    )
    out = look(stack, "order-17").out
    assert "Deferred (CONNECT), \N{MULTIPLICATION SIGN}144 until " in out
    assert "Taken by smtp for recipient 2 in 1,120 ms: 250 ok" in out
    assert "Message-ID  <a@example.org>" in out
    found = printed("show", look(stack, "order-17", "--json").out)
    assert [one["times"] for one in found["events"]] == [144, 1]


def test_a_large_ledger_is_scanned_after_a_question_with_its_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = rows.Size(rows=80_000_000, octets=40_000_000_000)
    monkeypatch.setattr(rows, "size", lambda _: size)
    deployment: Any = None
    with pytest.raises(
        Problem, match=r"Read 40\.0 GB of ledger, 80,000,000 rows, for about \$0\.61"
    ):
        sure_of_scan(deployment, yes=False)
    sure_of_scan(deployment, yes=True)
    monkeypatch.setattr(rows, "size", lambda _: rows.Size(1000, 999_999_999))
    sure_of_scan(deployment, yes=False)
