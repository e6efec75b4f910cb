"""Reading the function's log: pages, bounds, and an emulator that knows neither."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from ionctl.ops import log
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment
from ionctl.ops.log import Wanted
from relays import Operated

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)


class Logs:
    """CloudWatch Logs that answers with these pages, one after the other."""

    class exceptions:  # noqa: N801 - as boto3 has it
        class ResourceNotFoundException(Exception):  # noqa: N818 - the same
            pass

    def __init__(self, *pages: Any) -> None:  # noqa: ANN401
        self._pages: Iterator[Any] = iter(pages)
        self.asked: list[dict[str, Any]] = []

    def filter_log_events(self, **request: Any) -> Any:  # noqa: ANN401
        self.asked.append(request)
        page = next(self._pages)
        if isinstance(page, Exception):
            raise page
        return page


def line(number: int, at: datetime = NOW, message: str = "sent") -> dict[str, Any]:
    text = f'{{"message": "{message}", "email_id": "k{number}"}}'
    return {"timestamp": int(at.timestamp() * 1000), "message": text}


def deployment(logs: Logs) -> Deployment:
    account = Account(boto3.Session("a", "b", region_name="eu-west-1"))
    vars(account)["logs"] = logs
    return Deployment(account, "ion", {})


def keys(part: log.Part) -> list[str]:
    return [one.text("email_id") for one in part.events]


def test_all_pages_are_read_empty_ones_too() -> None:
    logs = Logs(
        {"events": [line(1)], "nextToken": "a"},
        {"events": [], "nextToken": "b"},
        {"events": [line(2)]},
    )
    part = log.read(deployment(logs), Wanted(("sent",)), NOW - timedelta(hours=1), NOW)
    assert (keys(part), part.cut) == (["k1", "k2"], False)
    assert [one.get("nextToken") for one in logs.asked] == [None, "a", "b"]
    assert logs.asked[0]["filterPattern"] == '{ (($.message = "sent")) }'


def test_a_read_is_bounded_and_says_how_far_it_came() -> None:
    first = NOW - timedelta(minutes=50)
    logs = Logs(*({"events": [line(n, first)], "nextToken": "more"} for n in range(3)))
    part = log.read(deployment(logs), Wanted(), NOW - timedelta(hours=1), NOW, most_pages=3)
    assert (len(part.events), part.cut, part.until) == (3, True, first)


def test_an_emulator_without_pages_is_asked_from_the_last_line_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "_WHOLE_PAGE", 3)
    second = NOW + timedelta(seconds=1)
    logs = Logs(
        {"events": [line(1), line(2, second), line(3, second)]},
        {"events": [line(2, second), line(3, second), line(4, second)]},
    )
    part = log.read(deployment(logs), Wanted(), NOW, NOW + timedelta(hours=1))
    assert keys(part) == ["k1", "k2", "k3", "k4"]
    assert logs.asked[1]["startTime"] == int(second.timestamp() * 1000)


def test_a_function_that_never_ran_has_no_events() -> None:
    logs = Logs(Logs.exceptions.ResourceNotFoundException())
    assert log.read(deployment(logs), Wanted(), NOW).events == []


def test_the_last_minutes_are_read_first_and_kept_if_there_is_too_much() -> None:
    early = NOW - timedelta(minutes=55)
    logs = Logs({"events": [line(9)]}, {"events": [line(1, early)], "nextToken": "more"})
    span = timedelta(hours=1)
    part = log.read_back(deployment(logs), Wanted(), span, NOW, most_pages=1)
    assert (keys(part), part.cut) == (["k9"], True)
    assert part.since == NOW - timedelta(minutes=10)
    logs = Logs({"events": [line(9)]}, {"events": [line(1, early)]})
    part = log.read_back(deployment(logs), Wanted(), span, NOW)
    assert (keys(part), part.cut, part.since) == (["k1", "k9"], False, NOW - span)


@pytest.mark.parametrize(
    ("wanted", "pattern"),
    [
        (Wanted(), ""),
        (Wanted(("a", "run ended")), '{ (($.message = "a") || ($.message = "run ended")) }'),
        (Wanted(about='k"1\\'), '{ (($.email_id = "k*1*") || ($.message_id = "k*1*")) }'),
        (
            Wanted(("a",), "k"),
            '{ (($.message = "a")) && (($.email_id = "k") || ($.message_id = "k")) }',
        ),
        (Wanted(to="0123456789abcdef"), '"0123456789abcdef"'),
        (Wanted(header_message_id="<a@b>"), '{ ($.header_message_id = "<a@b>") }'),
        (
            Wanted(("sent",), queue_id="4Zx"),
            '{ (($.message = "sent")) && (($.queue_id = "4Zx") || ($.reply = "*4Zx*")) }',
        ),
    ],
)
def test_a_pattern_lets_through_at_least_what_is_wanted(wanted: Wanted, pattern: str) -> None:
    assert wanted.pattern == pattern


def test_what_is_wanted_is_decided_here(relay: Operated) -> None:
    """Ministack lets everything through."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    relay.logged("sent", at, email_id="order-1", message_id="m-1")
    relay.logged("sent", at + timedelta(seconds=1), email_id="order-2", message_id="m-2")
    relay.logged("run ended", at + timedelta(seconds=2), sent=2)
    relay.printed("START RequestId: 1 Version: $LATEST", at)
    relay.printed('{"_aws": {}, "Sent": 1}', at)
    relay.printed('["message"]', at)
    since = at - timedelta(seconds=1)
    for wanted, found in (
        (Wanted(), ["sent", "sent", "run ended"]),
        (Wanted(("run ended",)), ["run ended"]),
        (Wanted(about="order-2"), ["sent"]),
        (Wanted(about="m-1"), ["sent"]),
        (Wanted(("run ended",), "order-1"), []),
    ):
        assert [one.name for one in log.read(relay.deployment, wanted, since).events] == found
    assert log.read(relay.deployment, Wanted(), since, at - timedelta(milliseconds=9)).events == []


def test_the_functions_clock_goes_before_that_of_the_log(relay: Operated) -> None:
    """An emulator writes a run's lines down when it has ended."""
    relay.logged("sent", timestamp="2026-11-28 14:00:00,123+0000")
    (one,) = log.read(relay.deployment, Wanted(), datetime.now(UTC) - timedelta(minutes=1)).events
    assert one.at == NOW.replace(microsecond=123_000)
    relay.logged("sent", timestamp="14 o'clock")
    *_, last = log.read(relay.deployment, Wanted(), datetime.now(UTC) - timedelta(minutes=1)).events
    assert last.at > datetime.now(UTC) - timedelta(minutes=1)


def test_values_of_an_event_are_text_or_numbers() -> None:
    event = log.Event(NOW, {"a": 1, "b": "x", "c": None})
    assert (event.text("a"), event.text("b"), event.text("c"), event.text("d")) == (
        *("1", "x", "", ""),
    )
    assert (event.number("a"), event.number("b"), event.number("d")) == (1, None, None)
