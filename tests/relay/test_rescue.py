"""A login is refused for two weeks: what waits is seen so seldom that its age still shows."""

import asyncio
import os
import time

import pytest

from clock import Clock
from conftest import Log
from emulated import Account
from function import Function, email, guarded, invoke
from machine.queues import Backlog, on_clock
from relay.holding import REFUSED

MINUTE, HOUR, DAY = 60, 3600, 86_400
WAKE_MINUTES = int(os.environ.get("ION_RETENTION_WAKE_MINUTES", "60"))
"""Between two runs. One every five minutes, as the schedule has it, takes minutes."""
THRICE = 3
"""CloudWatch's age of the oldest message leaves out what was received so often (SQS)."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(time.time())
    on_clock(monkeypatch, clock)
    return clock


@pytest.mark.timeout(900)
@pytest.mark.row(24)
@pytest.mark.row(42)
def test_five_emails_behind_a_refused_login_are_seen_once_and_then_rescued(
    account: Account, function: Function, log: Log, clock: Clock
) -> None:
    Backlog("ion-input").begin()
    runs, rescued_after = 0, float("inf")
    began = clock()

    async def main() -> None:
        nonlocal runs, rescued_after
        async with guarded(REFUSED) as server:
            function.knows(server)
            relay = function.relay(clock)
            for number in range(5):
                account.publish(email(number))
            while clock() < began + 13 * DAY:
                runs += 1
                assert (await invoke(relay)).held == "auth"
                if account.dead():
                    rescued_after = min(rescued_after, clock() - began)
                assert all(held.receives < THRICE - 1 for held in account.waiting())
                clock.passes(WAKE_MINUTES * MINUTE)

    asyncio.run(main())
    assert 12 * DAY < rescued_after < 13 * DAY
    assert [held.attributes["reason"][1] for held in account.dead()] == ["EXPIRED"] * 5
    assert account.waiting() == []
    assert log.metrics["Held"] == [1.0] * runs
