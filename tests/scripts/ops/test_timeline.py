"""What a row tells of an email's life."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ion.policy.timeline import Entry, written
from ionctl.ops.events import as_told as event_as_told
from ionctl.ops.log import Event
from ionctl.ops.timeline import as_told, entries, merged, notice_words, notices

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def entry(status: str, *, reason: str = "", seconds: float = 0, **values: object) -> Entry:
    fields = {"n": 1, "at": NOW + timedelta(seconds=seconds), "status": status, "reason": reason}
    return Entry(**(fields | values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (entry("sent", server="smtp"), "Taken by smtp"),
        (entry("sent"), "Taken by the mail server"),
        (entry("deferred", reason="TRY_LATER"), "Deferred (TRY_LATER)"),
        (entry("deferred", reason="SCHEDULED"), "Scheduled"),
        (entry("released", reason="THROTTLED"), "Put back, which is no attempt (THROTTLED)"),
        (entry("dead_lettered", reason="EXPIRED"), "Dead-lettered (EXPIRED)"),
        (entry("suppressed", reason="SUPPRESSED"), "Not sent: the recipient is on the suppression"),
        (entry("suppressed", reason="ERASED"), "Not sent: the recipient's data was erased"),
        (entry("cancelled"), "Cancelled; nothing of it had been tried"),
        (entry("cancelled", n=2), "Cancelled"),
        (entry("delivered"), "Delivered, the provider says"),
        (entry("bounced"), "Bounced: the provider couldn't deliver it"),
        (entry("complained"), "Reported as spam, the provider says"),
        (entry("something_new"), "something_new"),
    ],
)
def test_each_entry_has_its_words(one: Entry, words: str) -> None:
    assert as_told(one).words.startswith(words)


def test_what_was_repeated_says_how_often_and_until_when() -> None:
    one = entry("deferred", reason="AUTH", times=144, last=NOW + timedelta(hours=1))
    assert as_told(one).words == "Deferred (AUTH), \N{MULTIPLICATION SIGN}144 until 13:00 UTC"
    last = NOW + timedelta(days=2)
    one = entry("deferred", reason="AUTH", times=2, last=last)
    assert (
        as_told(one).words == "Deferred (AUTH), \N{MULTIPLICATION SIGN}2 until 2026-12-01 12:00 UTC"
    )


def test_an_entry_about_some_recipients_says_which() -> None:
    told = as_told(entry("sent", to=(0, 2), code=250, ms=80, reply="250 ok", stage="dot"))
    assert (told.recipients, told.code, told.ms) == ([0, 2], 250, 80)
    assert (told.reply, told.stage, told.times, told.until) == ("250 ok", "dot", 1, None)


@pytest.mark.parametrize("row", [None, {}, {"timeline": ""}, {"timeline": "{}"}])
def test_a_row_of_an_earlier_version_has_none(row: dict[str, str | int | float | None]) -> None:
    assert entries(row) == ()


@pytest.mark.parametrize(
    ("name", "reason", "seconds", "stays"),
    [
        ("deferred", "AUTH", 0, False),
        ("deferred", "AUTH", 620, False),
        ("deferred", "AUTH", 640, True),
        ("deferred", "AUTH", -40, True),
        ("deferred", "CONNECT", 0, True),
        ("sent", "AUTH", 0, True),
    ],
)
def test_the_log_adds_what_the_timeline_does_not_tell(
    name: str, reason: str, seconds: float, stays: bool
) -> None:
    last = NOW + timedelta(seconds=600)
    row = {"timeline": written([entry("deferred", reason="AUTH", times=9, last=last)])}
    event = Event(NOW + timedelta(seconds=seconds), {"message": name, "reason": reason})
    told = merged(row, [event], [event_as_told(event)])
    assert len(told) == 1 + stays
    assert told == sorted(told, key=lambda one: one.at)


def test_a_cancel_is_told_once_though_the_log_has_no_reason_for_it() -> None:
    row = {"timeline": written([entry("cancelled", reason="CANCELLED")])}
    event = Event(NOW, {"message": "cancelled", "by": "ann"})
    assert [one.what for one in merged(row, [event], [event_as_told(event)])] == ["cancelled"]


def test_what_the_provider_says_comes_after_the_server_has_taken_it() -> None:
    """The provider's clock may be behind ours."""
    one = [entry("bounced", seconds=-5), entry("deferred", reason="AUTH"), entry("sent", seconds=9)]
    row = {
        "timeline": written([*one, entry("complained", seconds=20), entry("deferred", seconds=10)])
    }
    told = [one.what for one in merged(row, [], [])]
    assert told == ["deferred", "sent", "bounced", "deferred", "complained"]
    assert [one.what for one in merged({"timeline": written(one[:1])}, [], [])] == ["bounced"]


def test_notices_are_read_by_recipient_and_nonsense_is_left_out() -> None:
    at = NOW.isoformat()
    row = {
        "feedback": json.dumps(
            {
                "1": {"type": "complained", "at": at},
                "x": {"type": "bounced"},
                "*": {"type": "delivered", "at": at, "detail": "250 ok"},
            }
        )
    }
    found = notices(row)
    assert [(one.recipient, one.what) for one in found] == [(None, "delivered"), (1, "complained")]
    assert notice_words(found, NOW) == (
        "The provider says: delivered at 12:00 UTC (250 ok). "
        "The provider says: reported as spam for recipient 2 at 12:00 UTC."
    )
    assert notice_words(notices({"feedback": "[]"}), NOW) == ""
