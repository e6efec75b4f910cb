"""How long an email took: from its publish, or from when it was due, to the server's yes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from emulated import Account, Request
from function import PASSWORD, USER, Function, email, guarded, invoke
from ion.drain.progress import Summary
from relay.holding import World, two_runs
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, Tls, reply


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


def test_it_ends_with_the_servers_yes(
    account: Account, function: Function, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when the dead letter for the recipient that it refused is written."""
    really, late = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: really() + late[0])
    account.publish(email(1, recipient=["taken@example.org", "refused@example.org"]))
    recipients = iter([NORMAL, reply(550, "5.1.1 unknown")])

    def slow_server(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            late[0] += 50
        return next(recipients) if moment.step is Step.RCPT else NORMAL

    def slow_queue(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        late[0] += 500
        return real(**request)

    async def main() -> Summary:
        offer = Offer(users={USER: PASSWORD})
        async with ScriptedServer(slow_server, tls=Tls.STARTTLS, offer=offer) as running:
            function.knows(running)
            relay = function.relay()
            relay.queues = account.queues(account.sqs(send_message_batch=slow_queue))
            return await invoke(relay)

    summary = asyncio.run(main())
    assert (summary.sent, summary.dead_lettered) == (1, 1)
    (seconds,) = waited(log)
    assert 50 <= seconds < 110


@pytest.mark.parametrize("body", ["{broken", '{"action": "redrive"}', email(1, subject=7)])
def test_what_is_not_sent_has_no_such_time(
    account: Account, function: Function, log: Log, body: str
) -> None:
    two_runs(World(account, function, mail=(body,)))
    assert waited(log) == []
