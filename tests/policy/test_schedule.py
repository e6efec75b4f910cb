"""When an email may go, and when it is too late for it."""

import math
from datetime import UTC, datetime

import pytest

from ion.contract import BadInput, Send
from ion.limits import SKEW_SECONDS
from ion.policy.schedule import begins_at, ends_at

NOW = 1_800_000_000.0
DAY = 86_400


def send(**times: float) -> Send:
    written = {
        name: datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        for name, at in times.items()
    }
    return Send(recipient="a@b.example", body_text="x", **written)  # type: ignore[arg-type]


@pytest.mark.row(74)
@pytest.mark.parametrize(
    ("not_before", "now", "due"),
    [
        (NOW - 5, NOW, None),
        (NOW, NOW, None),
        (NOW + 60, NOW, NOW + 60),
        (NOW + 60, NOW + 60, NOW + 60),  # the clock may be fast
        (NOW + 60, NOW + 60 + SKEW_SECONDS - 1, NOW + 60),
        (NOW + 60, NOW + 60 + SKEW_SECONDS, None),
        (NOW + 13 * DAY, NOW, NOW + 13 * DAY),
    ],
)
def test_when_it_begins(not_before: float, now: float, due: float | None) -> None:
    assert begins_at(send(not_before=not_before), NOW, now) == due


@pytest.mark.row(74)
def test_further_ahead_than_a_queue_keeps_it_is_refused() -> None:
    with pytest.raises(BadInput) as bad:
        begins_at(send(not_before=NOW + 13 * DAY + 1), NOW, NOW)
    assert (bad.value.reason, bad.value.path) == ("INVALID_SCHEMA", "$.not_before")


def test_without_times_it_begins_at_once_and_never_ends() -> None:
    assert (begins_at(send(), NOW, NOW), ends_at(send())) == (None, math.inf)
    assert ends_at(send(expires_at=NOW)) == NOW
