"""Whatever stops mail is a metric: each way in which a run can't send, by a real run of it."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from emulated import Account, Request
from function import PASSWORD, USER, Context, Function, email, guarded, invoke
from ion.deadline import Deadline
from ion.drain.progress import Progress, Summary
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.report.telemetry import Telemetry
from relay.holding import HOLDS, METRICS, REFUSED, SETTINGS, WITH_MAIL, World, secrets, two_runs
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, Tls, drop, reply


@pytest.mark.parametrize("mail", ["some", "none"])
@pytest.mark.parametrize(("reason", "by", "happens"), HOLDS)
def test_a_run_that_can_send_nothing_is_one_held(  # noqa: PLR0913, PLR0917
    account: Account,
    function: Function,
    log: Log,
    reason: str,
    by: str,
    happens: Callable[[World], None],
    mail: str,
) -> None:
    """Whether anything waits or not: the next email will."""
    world = World(account, function)
    happens(world)
    if mail == "none":
        world.mail = ()
    for summary in two_runs(world):
        assert (summary.sent, summary.held, summary.held_by) == (0, reason, by)
    assert log.metrics["Held"] == [1.0, 1.0]
    assert log.about("Held") == [{"reason": reason, "server": by}] * 2
    assert not (METRICS - {"Held"}) & log.metrics.keys()


@pytest.mark.parametrize(("reason", "by", "happens"), WITH_MAIL)
def test_a_run_that_leaves_mail_for_a_fault_that_is_not_its_own_is_one_held(
    account: Account,
    function: Function,
    log: Log,
    reason: str,
    by: str,
    happens: Callable[[World], None],
) -> None:
    world = World(account, function)
    happens(world)
    for summary in two_runs(world):
        assert (summary.sent, summary.held, summary.held_by) == (0, reason, by)
    assert log.about("Held") == [{"reason": reason, "server": by}] * 2
    assert not (METRICS - {"Held"}) & log.metrics.keys()


@pytest.mark.parametrize("happens", SETTINGS)
def test_a_run_whose_settings_are_wrong_is_one_misconfigured(
    account: Account, function: Function, log: Log, happens: Callable[[World], None]
) -> None:
    world = World(account, function)
    happens(world)
    assert [one.stopped for one in two_runs(world)] == ["settings"] * 2
    assert log.metrics == {"Misconfigured": [1.0, 1.0]}


class BrokenError(BaseException):
    """Passes every except clause."""


def test_a_run_that_breaks_is_one_held(account: Account, function: Function, log: Log) -> None:
    """Lambda counts it as an error, too."""

    def broken(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        raise BrokenError

    async def main() -> None:
        async with guarded() as running:
            function.knows(running)
            relay = function.relay()
            relay.queues = account.queues(account.sqs(receive_message=broken))
            await invoke(relay)

    with pytest.raises(BaseExceptionGroup):
        asyncio.run(main())
    assert log.about("Held") == [{"reason": "error", "server": ""}]
    assert log.events[-1]["held"] == "error"


def test_a_token_endpoint_that_is_down_is_one_held(
    account: Account, function: Function, log: Log
) -> None:
    oauth = (
        "auth = xoauth2\noauth_token_url = https://127.0.0.1:1/\noauth_client_id = a\n"
        "oauth_client_secret = b\noauth_scope = c\n"
    )
    world = World(account, function)
    secrets(f"password = {PASSWORD}\n", oauth)(world)
    two_runs(world)
    assert log.about("Held") == [{"reason": "auth_later", "server": "smtp"}] * 2


def test_a_server_that_is_left_alone_for_an_earlier_refusal_is_one_held_a_run(
    account: Account, function: Function, log: Log
) -> None:
    """Nothing is tried in the second run and the third."""
    refusing = guarded(REFUSED)

    async def main() -> None:
        async with refusing:
            function.knows(refusing)
            for _ in range(3):
                await invoke(function.relay())

    asyncio.run(main())
    assert refusing.auth_commands == 1
    assert log.about("Held") == [{"reason": "auth", "server": "smtp"}] * 3


def test_a_quota_that_ends_a_run_in_the_middle_is_one_held(
    account: Account, function: Function, log: Log
) -> None:
    for number in range(3):
        account.publish(email(number))
    used_up = reply(454, "Daily message quota exceeded")
    running = guarded({Step.DOT: [NORMAL, used_up, used_up]})
    world = World(account, function, running, mail=())
    assert two_runs(world)[0].sent == 1
    assert log.about("Held") == [{"reason": "quota", "server": "smtp"}] * 2


# what costs nothing


def test_an_idle_run_writes_no_metric(account: Account, function: Function, log: Log) -> None:
    """Each metric is paid for by the hour in which it has data."""
    two_runs(World(account, function, mail=()))
    assert log.metrics == {}


@pytest.mark.parametrize(
    "script",
    [
        {},
        {Step.DOT: reply(454, "Throttling failure: Maximum sending rate exceeded.")},
        {Step.RCPT: reply(451, "4.3.0 later")},
        {Step.RCPT: reply(550, "5.1.1 unknown")},
        {Step.DOT: drop()},
    ],
    ids=["sent", "throttled", "deferred", "refused", "in doubt"],
)
def test_what_a_server_says_of_a_message_holds_nothing(
    account: Account, function: Function, log: Log, script: dict[Step, Action]
) -> None:
    (first, _) = two_runs(World(account, function, guarded(script)))
    assert first.stopped == "empty"
    assert not METRICS & log.metrics.keys()


def test_a_run_that_ends_with_its_time_is_no_held_if_it_sent_something(
    account: Account, function: Function, log: Log
) -> None:
    for number in range(3):
        account.publish(email(number))
    now = time.monotonic
    late = [0.0]

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            late[0] = 890.0
        return NORMAL

    async def main() -> Summary:
        offer = Offer(users={USER: PASSWORD})
        async with ScriptedServer(script, tls=Tls.STARTTLS, offer=offer) as running:
            function.knows(running)
            deadline = Deadline.after(900, lambda: now() + late[0])
            return await function.relay().run(deadline)

    summary = asyncio.run(main())
    assert (summary.stopped, summary.sent >= 1) == ("deadline", True)
    assert not METRICS & log.metrics.keys()


@pytest.mark.parametrize(
    "did",
    [
        Summary(sent=1),
        Summary(deferred=1),
        Summary(dead_lettered=1),
        Summary(moved_to_bulk=1),
        Summary(redriven=1),
    ],
)
def test_a_run_that_did_anything_did_not_come_to_nothing(did: Summary) -> None:
    assert not did.came_to_nothing
    assert Summary(received=1, released=1).came_to_nothing


def test_what_held_a_run_first_is_what_it_says() -> None:
    """One fault often brings others with it."""
    progress = Progress(Deadline.after(900), Telemetry(), "smtp")
    progress.hold(Outcome(Stage.DATA, Kind.UNAVAILABLE, Scope.SENDER, Reason.CONFIGURATION))
    progress.fail("queue", "the input queue can't be read")
    summary = progress.summary
    assert (summary.held, summary.held_by, summary.stopped) == ("configuration", "smtp", "queue")


def test_the_function_gives_what_held_it(account: Account, function: Function) -> None:
    """For who invokes it by hand."""

    async def main() -> dict[str, Any]:
        async with guarded(REFUSED) as running:
            function.knows(running)
            run = function.cold().run
            answer: dict[str, Any] = await asyncio.to_thread(run, {}, Context())
            return answer

    answer = json.loads(json.dumps(asyncio.run(main())))
    assert (answer["stopped"], answer["held"], answer["held_by"]) == ("auth", "auth", "smtp")
