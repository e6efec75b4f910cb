"""Mail goes, though not as it is meant to: that is a metric of its own, and no hold."""

import asyncio
import time
from typing import Any

import pytest

from conftest import Log
from draining import control_row
from emulated import Account
from function import PASSWORD, Function, email, guarded, invoke
from ion.contract import Lane, Pause
from ion.drain.progress import Summary
from relay.holding import METRICS, REFUSED
from smtp_server import NORMAL, ScriptedServer, Step, reply


def with_backup(
    function: Function,
    first: ScriptedServer,
    backup: ScriptedServer,
    runs: int = 1,
) -> list[Summary]:
    async def main() -> list[Summary]:
        async with first, backup:
            function.knows(first, backup=backup)
            return [await invoke(function.relay()) for _ in range(runs)]

    return asyncio.run(main())


@pytest.mark.parametrize("mail", [1, 0])
def test_a_run_over_the_backup_server_is_no_held(
    account: Account, function: Function, log: Log, mail: int
) -> None:
    for number in range(mail):
        account.publish(email(number))
    summaries = with_backup(function, guarded(REFUSED), guarded(), runs=2)
    assert [one.sent for one in summaries] == [mail, 0]
    assert log.about("OnBackup") == [{"server": "smtp:backup"}] * 2, "idle runs, too"
    assert not (METRICS - {"OnBackup"}) & log.metrics.keys()


def test_a_run_that_goes_on_over_the_backup_server_is_on_it(
    account: Account, function: Function, log: Log
) -> None:
    for number in range(5):
        account.publish(email(number))
    used_up = reply(454, "Daily message quota exceeded")
    first = guarded({Step.DOT: [NORMAL, *[used_up] * 4]})
    (summary,) = with_backup(function, first, guarded())
    assert (summary.sent, summary.held) == (5, "")
    assert log.metrics["OnBackup"] == [1.0]


def test_a_backup_server_that_has_enough_after_some_emails_was_used_and_holds_the_others(
    account: Account, function: Function, log: Log
) -> None:
    for number in range(3):
        account.publish(email(number))
    used_up = reply(454, "Daily message quota exceeded")
    backup = guarded({Step.DOT: [NORMAL, *[used_up] * 2]})
    (summary,) = with_backup(function, guarded(REFUSED), backup)
    assert (summary.sent, summary.held) == (1, "auth")
    assert (log.metrics["OnBackup"], log.metrics["Held"]) == ([1.0], [1.0])


def test_a_run_that_asked_no_server_is_not_on_the_backup(
    account: Account, function: Function, log: Log
) -> None:
    """The first is left alone since an earlier run, and then everything is paused."""

    async def main() -> None:
        async with guarded(REFUSED) as first, guarded() as backup:
            function.knows(first, backup=backup)
            await invoke(function.relay())
            await control_row(account).change(lambda was: was.with_pause(Pause(), time.time()))
            assert (await invoke(function.relay())).stopped == "paused"

    asyncio.run(main())
    assert (log.metrics["OnBackup"], log.metrics["Paused"]) == ([1.0], [1.0])


def test_where_no_server_lets_us_that_is_one_held_by_the_first(
    account: Account, function: Function, log: Log
) -> None:
    account.publish(email(1))
    away = {Step.CONNECT: reply(554, "5.7.1 go away", close=True)}
    with_backup(function, guarded(REFUSED), guarded(away), runs=2)
    assert log.about("Held") == [{"reason": "auth", "server": "smtp"}] * 2
    assert not (METRICS - {"Held"}) & log.metrics.keys()


def test_a_run_with_the_login_before_is_no_held(
    account: Account, function: Function, log: Log
) -> None:
    """The secret was changed before the server was; mail goes, until someone locks the old one."""
    ssm: Any = account.session.client("ssm")

    async def main() -> None:
        async with guarded() as running:
            for password in (PASSWORD, "new"):
                text = function.secrets(running, password)
                ssm.put_parameter(Name="/ion", Value=text, Type="SecureString", Overwrite=True)
            arn = ssm.get_parameter(Name="/ion")["Parameter"]["ARN"]
            function.monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)
            account.publish(email(1))
            for sent in (1, 0):
                assert (await invoke(function.relay())).sent == sent

    asyncio.run(main())
    assert log.about("OnPreviousLogin") == [{"server": "smtp"}] * 2
    assert not (METRICS - {"OnPreviousLogin"}) & log.metrics.keys()
    warnings = [event for event in log.events if event["message"] == "the previous login is used"]
    assert [(event["level"], event["server"]) for event in warnings] == [("WARNING", "smtp")] * 2


@pytest.mark.parametrize(
    ("lane", "lanes"), [(None, "bulk, normal"), (Lane.NORMAL, "normal"), (Lane.BULK, "bulk")]
)
def test_a_run_in_which_a_lane_was_paused_is_one_paused(
    account: Account, function: Function, log: Log, lane: Lane | None, lanes: str
) -> None:
    async def main() -> None:
        await control_row(account).change(lambda was: was.with_pause(Pause(lane=lane), time.time()))
        async with guarded() as running:
            function.knows(running)
            await invoke(function.relay())

    asyncio.run(main())
    assert log.metrics == {"Paused": [1.0]}
    assert log.about("Paused") == [{"lanes": lanes}]
