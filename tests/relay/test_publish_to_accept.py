"""How long an email took: from its publish, or from when it was due, to the server's yes."""

import asyncio
import time

import pytest

from conftest import Log
from emulated import Account
from function import Function, email, guarded, invoke
from ion.drain.progress import Summary
from relay.holding import World, two_runs


def waited(log: Log) -> list[float]:
    return log.metrics.get("PublishToAccept", [])


def published_ago(account: Account, function: Function, seconds: int, **fields: object) -> Summary:
    account.publish(email(1, **fields))
    account.time_passes(seconds)

    async def main() -> Summary:
        async with guarded() as running:
            function.knows(running)
            return await invoke(function.relay())

    return asyncio.run(main())


def test_each_email_that_was_sent_tells_how_long_it_took_from_its_publish(
    account: Account, function: Function, log: Log
) -> None:
    assert published_ago(account, function, 120).sent == 1
    (seconds,) = waited(log)
    assert 120 <= seconds < 180


def test_an_email_that_was_to_wait_is_counted_from_when_it_was_due(
    account: Account, function: Function, log: Log
) -> None:
    due = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 100))
    assert published_ago(account, function, 3600, not_before=due).sent == 1
    (seconds,) = waited(log)
    assert 100 <= seconds < 160


@pytest.mark.parametrize("body", ["{broken", '{"action": "redrive"}', email(1, subject=7)])
def test_what_is_not_sent_has_no_such_time(
    account: Account, function: Function, log: Log, body: str
) -> None:
    two_runs(World(account, function, mail=(body,)))
    assert waited(log) == []
