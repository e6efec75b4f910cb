"""What a paused relay costs: its alarms aren't set back, so that nothing wakes it for nothing."""

import asyncio
import time
from pathlib import Path

import pytest

from draining import control_row
from emulated import Account
from function import deployed, email, guarded, invoke
from ion.contract import Lane, Pause
from ion.drain.progress import Summary


def invoked(account: Account, root: Path, monkeypatch: pytest.MonkeyPatch, pause: Pause) -> Summary:
    function = deployed(account, root, monkeypatch)

    async def main() -> Summary:
        await control_row(account).change(lambda was: was.with_pause(pause, time.time()))
        account.ring()
        async with guarded() as server:
            function.knows(server)
            return await invoke(function.relay())

    return asyncio.run(main())


@pytest.mark.row(77)
@pytest.mark.parametrize(
    ("lane", "stopped", "alarms", "sent"),
    [
        (None, "paused", ("ALARM", "ALARM", "ALARM"), 0),
        (Lane.NORMAL, "empty", ("ALARM", "OK", "ALARM"), 1),
        (Lane.BULK, "empty", ("OK", "ALARM", "ALARM"), 1),
    ],
)
def test_what_is_paused_wakes_nobody(  # noqa: PLR0913, PLR0917
    account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lane: Lane | None,
    stopped: str,
    alarms: tuple[str, ...],
    sent: int,
) -> None:
    account.publish(email(1))
    account.publish(email(2), url=account.bulk_url)
    summary = invoked(account, tmp_path, monkeypatch, Pause(lane=lane))
    assert (summary.stopped, summary.sent, account.alarm_states) == (stopped, sent, alarms)
    assert len(account.waiting()) == 2 - sent


@pytest.mark.row(77)
def test_what_is_paused_for_long_is_kept_from_being_forgotten(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS removes a message after 14 days, paused or not."""
    account.publish(email())
    account.time_passes(13 * 86_400)
    summary = invoked(account, tmp_path, monkeypatch, Pause())
    assert (summary.stopped, summary.dead_lettered) == ("paused", 1)
    assert [held.attributes["reason"][1] for held in account.dead()] == ["EXPIRED"]
