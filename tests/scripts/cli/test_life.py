"""ionctl show."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ionctl_program import Ended, ionctl, printed
from relays import Operated


def look(stack: Path, *words: str) -> Ended:
    return ionctl("--local", "show", *words, stack=stack)


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


@pytest.mark.parametrize("age", ["yesterday", "0h", "7", "-1h"])
def test_what_is_no_age_is_a_mistake_on_the_command_line(stack: Path, age: str) -> None:
    ended = look(stack, "order-18", f"--since={age}")
    assert ended.status == 2
    assert f"--since {age}: must be an age: 90s, 30m, 12h, 7d" in ended.err
