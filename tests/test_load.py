"""The load publisher: so many emails a minute, in few calls, and none twice."""

import asyncio
import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pytest

from draining import control_row
from emulated import Account
from function import Context, Function, guarded, invoke, new_load
from ion.contract import Send, Stop, StopWhere, parse
from ion.load import BATCH, Load, NotPublishedError, emails, publish
from wiring import topic_before

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

SIMULATOR = "success@simulator.amazonses.com"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic"
EVENT = {"id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "source": "aws.events"}


class Clock:
    """Time that passes only by waiting."""

    def __init__(self, call_seconds: float = 0) -> None:
        self.now = 100.0
        self.call_seconds = call_seconds

    def time(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


class Sns:
    """Takes what is published, or refuses some of it."""

    def __init__(self, clock: Clock, refused: frozenset[int] = frozenset()) -> None:
        self.clock = clock
        self.refused = refused
        self.calls: list[tuple[float, int]] = []
        """When, and how many."""

    def publish_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        entries = request["PublishBatchRequestEntries"]
        self.calls.append((self.clock.now - 100, len(entries)))
        self.clock.now += self.clock.call_seconds
        bad = [one["Id"] for one in entries if int(one["Id"]) in self.refused]
        return {"Failed": [{"Id": one, "Code": "InternalError"} for one in bad]}


def load(count: int = 25, **fields: Any) -> Load:  # noqa: ANN401
    usual: dict[str, Any] = {"recipients": (SIMULATOR,), "sender": None, "tag": "ion"}
    return Load(topic_arn=TOPIC, emails=count, **usual | fields)


def published(messages: list[str], sns: Sns, clock: Clock) -> None:
    publish(cast("SNSClient", sns), TOPIC, messages, clock.time, clock.wait)


def test_each_is_an_email_of_its_own_that_the_contract_takes() -> None:
    recipients = (SIMULATOR, "bounce@simulator.amazonses.com")
    parsed = [parse(one) for one in emails(load(recipients=recipients), "minute")]
    assert all(isinstance(one, Send) for one in parsed)
    sends = cast("list[Send]", parsed)
    assert len({one.email_id for one in sends}) == 25
    assert [one.recipient for one in sends[:3]] == [recipients[0], recipients[1], recipients[0]]
    assert {json.dumps(one.tags) for one in sends} == {'{"load": "ion"}'}


def test_a_minute_that_is_published_twice_has_the_same_ids_and_another_has_none_of_them() -> None:
    first, again, other = (
        {json.loads(one)["email_id"] for one in emails(load(), minute)}
        for minute in ("one", "one", "two")
    )
    assert first == again
    assert not first & other


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (1, [(0.0, 1)]),
        (10, [(0.0, 10)]),
        (25, [(0.0, 10), (20.0, 10), (40.0, 5)]),
    ],
)
def test_spread_over_the_minute_ten_a_call(count: int, calls: list[tuple[float, int]]) -> None:
    clock = Clock()
    sns = Sns(clock)
    published(emails(load(count), "minute"), sns, clock)
    assert sns.calls == calls


def test_calls_that_take_long_are_made_up_for() -> None:
    clock = Clock(call_seconds=0.25)
    sns = Sns(clock)
    published(emails(load(6000), "minute"), sns, clock)
    assert len(sns.calls) == 600
    assert clock.now == pytest.approx(100 + 600 * 0.25)  # no waiting besides


def test_what_sns_refuses_is_told_once_all_the_others_are_published() -> None:
    clock = Clock()
    sns = Sns(clock, refused=frozenset({3}))
    with pytest.raises(NotPublishedError, match=r"3 of 25 emails .*InternalError: 3"):
        published(emails(load(), "minute"), sns, clock)
    assert sum(count for _, count in sns.calls) == 25


@pytest.fixture
def publisher(account: Account, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], ModuleType]:
    """A new execution environment of it, in front of the account's input queue."""
    make: Any = account.session.client
    topic = topic_before(account.input_url, make("sqs"), make("sns"), "ion-input-topic")

    def cold(count: int) -> ModuleType:
        for name, value in {
            "LOAD_TOPIC_ARN": topic,
            "LOAD_MESSAGES_PER_MINUTE": str(count),
            "LOAD_RECIPIENTS": f"{SIMULATOR},bounce@simulator.amazonses.com",
            "LOAD_SENDER": "ion@example.org",
            "LOAD_TAG": "ion",
        }.items():
            monkeypatch.setenv(name, value)
        return new_load(monkeypatch)

    return cold


async def test_a_run_of_it_is_sent_by_the_relay_and_a_repeated_one_is_not(
    account: Account, function: Function, publisher: Callable[[int], ModuleType]
) -> None:
    entry = publisher(BATCH)
    async with guarded() as server:
        function.knows(server)
        for _ in range(2):
            assert await asyncio.to_thread(entry.run, EVENT, Context()) == {"published": 10}
            await invoke(function.relay())
        assert len(server.accepted) == 10
        assert {one.sender for one in server.accepted} == {"ion@example.org"}
    assert account.waiting() == []
    assert account.dead() == []


async def test_a_stop_by_its_tag_ends_it(
    account: Account, function: Function, publisher: Callable[[int], ModuleType]
) -> None:
    entry = publisher(BATCH)
    await asyncio.to_thread(entry.run, EVENT, Context())
    stop = Stop(where=StopWhere(tag={"load": "ion"}))
    await control_row(account).change(lambda was: was.with_stop(stop, time.time(), new_id="s1"))
    async with guarded() as server:
        function.knows(server)
        assert (await invoke(function.relay())).by_stop == 10
        assert server.accepted == []


def test_without_a_sender_of_its_own_the_relays_is_taken() -> None:
    """Terraform leaves the variable out then."""
    environment = {
        "LOAD_TOPIC_ARN": TOPIC,
        "LOAD_MESSAGES_PER_MINUTE": "1",
        "LOAD_RECIPIENTS": SIMULATOR,
        "LOAD_TAG": "ion",
    }
    (sent,) = map(parse, emails(Load.of(environment), "minute"))
    assert isinstance(sent, Send)
    assert sent.sender is None


async def test_without_an_event_the_invocations_own_id_is_taken(
    account: Account, publisher: Callable[[int], ModuleType]
) -> None:
    entry = publisher(1)
    await asyncio.to_thread(entry.run, None, Context())
    assert [json.loads(one.body)["email_id"] for one in account.waiting()] == ["load-request-0"]
