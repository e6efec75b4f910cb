"""What throttles teach one invocation, the next one knows."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from conftest import Log
from emulated import Account, failing
from function import Function, email, guarded, invoke, once
from ion.aws.server_state import ServerStates
from ion.drain.progress import Summary
from smtp_server import NORMAL, Step, reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


SLOWER = reply(454, "Throttling failure: Maximum sending rate exceeded.")


def rates(log: Log) -> list[tuple[float | None, int]]:
    """What was in force at the end of each run, as its last event says."""
    ends = [event for event in log.events if event["message"] == "run ended"]
    return [(event.get("rate"), event.get("connections", 0)) for event in ends]


def runs(function: Function, account: Account, *settings: dict[str, str]) -> list[Summary]:
    """One run with each of these settings; the first is throttled at its second email."""

    async def main() -> list[Summary]:
        summaries = []
        async with guarded({Step.DOT: [NORMAL, SLOWER]}) as server:
            function.knows(server)
            for environment in settings:
                for number in range(2):
                    account.publish(email(number))
                for name, value in environment.items():
                    function.monkeypatch.setenv(name, value)
                summaries.append(await invoke(function.relay()))
                account.time_passes(5)
        return summaries

    return asyncio.run(main())


@pytest.mark.row(62)
def test_a_lower_rate_outlives_the_run_until_its_limit_is_another(
    account: Account, function: Function, log: Log
) -> None:
    limit, other = {"ION_SMTP_MAX_RATE": "1000"}, {"ION_SMTP_MAX_RATE": "2000"}
    summaries = runs(function, account, limit, limit, other)
    assert [summary.deferred for summary in summaries] == [1, 0, 0]
    assert rates(log) == [(480, 4), (480, 4), (1920, 4)]
    assert log.metrics["Rate"] == [480, 480, 1920]
    assert log.metrics["Connections"] == [4, 4, 4]
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(62)
def test_a_limit_that_nobody_told_outlives_the_run_too(
    account: Account, function: Function, log: Log
) -> None:
    runs(function, account, {}, {})
    (first, _), (second, _) = rates(log)
    assert first == second == pytest.approx(0.96)


def test_the_runs_share_what_is_allowed(account: Account, function: Function, log: Log) -> None:
    function.monkeypatch.setenv("ION_SMTP_MAX_RATE", "3000")
    function.monkeypatch.setenv("ION_AWS_CONCURRENCY", "3")
    account.publish(email())
    assert once(function, account).sent == 1
    assert rates(log) == [(960, 4)]


def test_a_run_that_is_not_throttled_writes_nothing_down(
    account: Account, function: Function
) -> None:
    account.publish(email())
    once(function, account)
    assert [str(row["email_id"])[:1] for row in account.rows()] != [" "]
    assert len(account.rows()) == 1


@pytest.mark.row(39)
async def test_a_server_that_has_no_room_for_us_gets_fewer_connections_next_time(
    account: Account, function: Function, log: Log
) -> None:
    account.publish(email())
    full = reply(421, "Too many concurrent SMTP connections", close=True)

    async with guarded({Step.CONNECT: [full]}) as server:
        function.knows(server)
        for _ in range(2):
            await invoke(function.relay())
    assert rates(log) == [(None, 2), (None, 2)]


@pytest.mark.row(64)
@pytest.mark.parametrize("method", ["batch_get_item", "batch_execute_statement"])
def test_without_the_table_a_run_learns_for_itself(
    account: Account, function: Function, log: Log, method: str
) -> None:
    async def main() -> Summary:
        async with guarded({Step.DOT: [SLOWER]}) as server:
            function.knows(server)
            relay = function.relay()
            ill = account.dynamodb(**{method: failing("AccessDenied")})
            relay.server_states = ServerStates(cast("DynamoDBClient", ill), account.table)
            account.publish(email())
            return await invoke(relay)

    summary = asyncio.run(main())
    assert (summary.deferred, summary.stopped) == (1, "empty")
    assert rates(log) == [(10, 4)]
    troubles = [event["message"] for event in log.events if event.get("code") == "AccessDenied"]
    expected = "read" if method == "batch_get_item" else "written"
    assert [trouble.split()[-1] for trouble in troubles] == [expected]


@pytest.mark.parametrize(("memory_mb", "first"), [("128", 1), ("512", 10)])
def test_how_much_is_received_depends_on_the_functions_memory(
    account: Account,
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
    memory_mb: str,
    first: int,
) -> None:
    """Before it knows how large the emails are; of small ones it takes more later."""
    for number in range(30):
        account.publish(email(number))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mb)
    sqs = account.sqs()

    async def main() -> Summary:
        async with guarded() as server:
            function.knows(server)
            relay = function.relay()
            relay.queues = account.queues(sqs)
            return await invoke(relay)

    assert asyncio.run(main()).sent == 30
    asked = [request["MaxNumberOfMessages"] for request in sqs.asked("receive_message")]
    assert asked[0] == first
    assert max(asked) > 5
