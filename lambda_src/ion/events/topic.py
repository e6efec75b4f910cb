"""The outcome topic: messages published ten a call, and those told that weren't."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS, code_of
from ion.events.cloud_event import Message
from ion.limits import BATCH, MOST_MESSAGE_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

_INVALID = frozenset(
    {
        "BatchRequestTooLong",
        "InvalidParameter",
        "InvalidParameterValue",
        "ParameterValueInvalid",
        "ValidationException",
    }
)
"""By which SNS refuses a whole call for what is in it, such as a message that is too large."""
_PAUSES_SECONDS = (0.1, 0.5, 2.0)
"""Before the second try of what a call left out, and the third, and the last."""


class Told(StrEnum):
    """How it went with a message."""

    PUBLISHED = "published"
    FAILED = "failed"
    """Not now: the topic is throttled, gone, or can't be reached."""
    REFUSED = "refused"
    """SNS calls it wrong, and always will."""


class Topic:
    """One topic.

    Args:
        client: boto3's, which itself tries a call again that failed.
        arn: the topic's.
        wait: so many seconds.
        is_over: whether there is no time for another call.
        say: told AWS's code of what failed.
    """

    def __init__(
        self,
        client: "SNSClient",
        arn: str,
        wait: Callable[[float], None],
        is_over: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._arn = arn
        self._wait = wait
        self._is_over = is_over
        self._say = say

    def publish(self, messages: Sequence[Message]) -> list[Told]:
        """Publish them in order; how it went with each. Once one has failed no call follows."""
        told: list[Told] = []
        for batch in _batches(messages):
            if Told.FAILED in told:
                told += [Told.FAILED] * len(batch)
            else:
                told += self._call(batch)
        return told

    def _call(self, batch: Sequence[Message]) -> list[Told]:
        told = [Told.FAILED] * len(batch)
        for pause in (0.0, *_PAUSES_SECONDS):
            left = [place for place, how in enumerate(told) if how is Told.FAILED]
            if not left or self._is_over():
                break
            self._wait(pause)
            try:
                answer = self._client.publish_batch(
                    TopicArn=self._arn,
                    PublishBatchRequestEntries=[_entry(place, batch[place]) for place in left],
                )
            except AWS_ERRORS as error:  # boto3 has tried it again already
                self._say(code_of(error))
                if code_of(error) in _INVALID:
                    self._call_alone(batch, left, told)
                break
            for one in answer.get("Successful", []):
                told[int(one["Id"])] = Told.PUBLISHED
            for failure in answer.get("Failed", []):
                self._say(failure["Code"])
                if failure["SenderFault"]:
                    told[int(failure["Id"])] = Told.REFUSED
        return told

    def _call_alone(self, batch: Sequence[Message], left: Sequence[int], told: list[Told]) -> None:
        """Publish each of a call that was refused whole, so that what is wrong keeps no other.

        Args:
            batch: of the call.
            left: places in it of what was in the call.
            told: how it went with each of the batch; it is brought up to date.
        """
        if len(left) == 1:
            told[left[0]] = Told.REFUSED
            return
        for place in left:
            (told[place],) = self._call([batch[place]])
            if told[place] is Told.FAILED:
                return


def _entry(place: int, message: Message) -> "PublishBatchRequestEntryTypeDef":
    return {
        "Id": str(place),
        "Message": message.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in message.attributes.items()
        },
    }


def _batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """As many a call as it takes: ten, and 256 KiB together."""
    batch: list[Message] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == BATCH or size + message.size > MOST_MESSAGE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
