"""Messages onto the topic: ten a call, and what wasn't taken is told."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from ion.events.cloud_event import Message
from ion.events.topic import Told, Topic

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

P, F, R = Told.PUBLISHED, Told.FAILED, Told.REFUSED


class Sns:
    """Answers each call with what the next of `answers` makes of its messages."""

    def __init__(self, *answers: Callable[[Sequence[str]], dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.calls: list[list[str]] = []

    def publish_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        entries = request["PublishBatchRequestEntries"]
        self.calls.append([one["Message"] for one in entries])
        answer = self.answers.pop(0) if self.answers else takes()
        return answer([one["Id"] for one in entries])


def takes(*but: str, sender_fault: bool = False) -> Callable[[Sequence[str]], dict[str, Any]]:
    return lambda ids: {
        "Successful": [{"Id": one} for one in ids if one not in but],
        "Failed": [
            {"Id": one, "Code": "Throttled", "SenderFault": sender_fault}
            for one in ids
            if one in but
        ],
    }


def fails(code: str) -> Callable[[Sequence[str]], dict[str, Any]]:
    def answer(_: Sequence[str]) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": code, "Message": "secret"}}, "PublishBatch")

    return answer


def messages(count: int, size: int = 10) -> list[Message]:
    return [Message(f"{number:0{size}}", {"type": "ion.email.sent"}) for number in range(count)]


class World:
    def __init__(self, sns: Sns, *, over_after: int = 99) -> None:
        self.waited: list[float] = []
        self.said: list[str] = []
        self.topic = Topic(
            cast("SNSClient", sns),
            "arn",
            self.waited.append,
            lambda: len(sns.calls) >= over_after,
            self.said.append,
        )


def test_ten_a_call_in_their_order() -> None:
    sns = Sns()
    assert World(sns).topic.publish(messages(23)) == [P] * 23
    assert [len(call) for call in sns.calls] == [10, 10, 3]
    assert [one for call in sns.calls for one in call] == [one.body for one in messages(23)]


def test_no_call_is_larger_than_sns_takes() -> None:
    sns = Sns()
    assert World(sns).topic.publish(messages(7, size=100_000)) == [P] * 7
    assert [len(call) for call in sns.calls] == [2, 2, 2, 1]


def test_nothing_is_no_call() -> None:
    sns = Sns()
    assert World(sns).topic.publish([]) == []
    assert sns.calls == []


def test_what_a_call_left_out_is_tried_again_alone() -> None:
    sns = Sns(takes("1", "3"), takes("3"))
    world = World(sns)
    assert world.topic.publish(messages(5)) == [P] * 5
    assert [len(call) for call in sns.calls] == [5, 2, 1]
    assert world.said == ["Throttled"] * 3
    at_first, *pauses = world.waited
    assert at_first == 0 < pauses[0] < pauses[1]
    assert len(pauses) == 2


@pytest.mark.row(81)
def test_what_is_left_out_again_and_again_has_failed_and_what_follows_waits_for_it() -> None:
    sns = Sns(*[takes("9")] * 9)
    assert World(sns).topic.publish(messages(12)) == [P] * 9 + [F] * 3
    assert [len(call) for call in sns.calls] == [10, 1, 1, 1]


@pytest.mark.row(81)
@pytest.mark.parametrize(
    "code", ["Throttling", "NotFound", "AuthorizationError", "KMSAccessDenied"]
)
def test_a_call_that_fails_is_the_last_one(code: str) -> None:
    sns = Sns(takes(), fails(code))
    world = World(sns)
    assert world.topic.publish(messages(30)) == [P] * 10 + [F] * 20
    assert len(sns.calls) == 2
    assert world.said == [code]


def test_what_sns_calls_wrong_is_not_tried_again_and_keeps_no_other() -> None:
    sns = Sns(takes("0", sender_fault=True))
    assert World(sns).topic.publish(messages(11)) == [R] + [P] * 10
    assert [len(call) for call in sns.calls] == [10, 1]


class Strict(Sns):
    """Refuses each call whole that has a message of more than 1,000 characters in it."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def publish_batch(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        if any(len(one["Message"]) > 1000 for one in request["PublishBatchRequestEntries"]):
            self.answers = [fails(self.code)]
        return super().publish_batch(**request)


@pytest.mark.row(81)
@pytest.mark.parametrize("code", ["InvalidParameter", "BatchRequestTooLong", "ValidationException"])
def test_a_call_that_is_refused_whole_for_one_message_keeps_no_other(code: str) -> None:
    sns = Strict(code)
    bad = Message("x" * 2000, {})
    batch = [*messages(3), bad, *messages(2), *messages(8), bad]
    assert World(sns).topic.publish(batch) == [P] * 3 + [R] + [P] * 10 + [R]
    taken = [one for call in sns.calls if bad.body not in call for one in call]
    assert taken == [one.body for one in batch if one is not bad]


@pytest.mark.row(81)
def test_what_fails_after_a_refused_call_is_not_taken_for_refused() -> None:
    sns = Sns(fails("InvalidParameter"), takes(), fails("Throttling"))
    assert World(sns).topic.publish(messages(11)) == [P] + [F] * 10
    assert len(sns.calls) == 3


@pytest.mark.row(81)
def test_a_message_that_failed_among_others_is_followed_by_no_call_either() -> None:
    """The stream brings all that is behind it once more: what is told now is told twice."""
    sns = Sns(*[takes("3")] * 9)
    assert World(sns).topic.publish(messages(12)) == [P] * 3 + [F] + [P] * 6 + [F] * 2
    assert [len(call) for call in sns.calls] == [10, 1, 1, 1]


def test_without_time_no_second_try_is_begun_either() -> None:
    sns = Sns(takes("1"))
    world = World(sns, over_after=1)
    assert world.topic.publish(messages(3)) == [P, F, P]
    assert len(sns.calls) == 1
    assert world.waited == [0], "nor is it waited for"


def test_without_time_no_call_is_begun() -> None:
    sns = Sns()
    assert World(sns, over_after=1).topic.publish(messages(20)) == [P] * 10 + [F] * 10
    assert len(sns.calls) == 1
