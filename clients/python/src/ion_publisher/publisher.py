"""The topic, as an application sees it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias, Unpack

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ion.outcome import Reason
from ion_publisher.batches import batches
from ion_publisher.failures import InvalidMessage, PublishFailed
from ion_publisher.message import Email, Letter, letter, steering
from ion_publisher.topics import Topics

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef, PublishInputTypeDef

_TRIES = 4
"""Of a letter that SNS refuses for reasons of its own, such as throttling."""
_FIRST_PAUSE_SECONDS = 0.2
"""Before the second try; doubled for each further one."""
_SEVEN_DIGITS = 1_000_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """SNS has the email, and from now on it isn't lost.

    Args:
        email_id: its name in log, ledger and dead letters.
        message_id: SNS's own name of the publish.
    """

    email_id: str
    message_id: str


Result: TypeAlias = Receipt | InvalidMessage | PublishFailed


class Publisher:
    """Publishes to ion's topic, and bulk to the topic for bulk. Threads may share it.

    Args:
        topic_arn: of ion's input topic; None: the environment variable ION_TOPIC_ARN.
        bulk_topic_arn: of ion's topic for bulk; None: the environment variable ION_BULK_TOPIC_ARN
            if the other is taken from there as well. Without one ion moves bulk itself.
        sns: a boto3 client; None: one of the topic's region, with boto3's own credentials.
        sleep: what pauses between tries, given seconds.

    Raises:
        ValueError: there is no ARN, or it isn't a topic's, or the two regions differ.
    """

    def __init__(
        self,
        topic_arn: str | None = None,
        bulk_topic_arn: str | None = None,
        *,
        sns: "SNSClient | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._topics = Topics.of(topic_arn, bulk_topic_arn)
        # a session of its own, because the default one isn't made for threads
        self._sns = sns or boto3.session.Session().client("sns", region_name=self._topics.region)
        self._sleep = sleep

    def send(self, **email: Unpack[Email]) -> Receipt:
        """Publish one email; see `Email`.

        Raises:
            InvalidMessage: the relay would dead-letter it; nothing was published.
            PublishFailed: SNS didn't confirm that it has it.
        """
        one = letter(email)
        return Receipt(one.email_id, self._publish(one))

    def send_many(self, emails: Iterable[Email]) -> list[Result]:
        """Publish emails, ten a call; what SNS refuses for reasons of its own is tried again.

        Returns:
            For each email, in order: its receipt, or the exception that `send` would have raised.
            The others are published all the same.
        """
        results: list[Result | None] = []
        letters: list[Letter] = []
        for email in emails:
            try:
                letters.append(letter(email))
                results.append(None)
            except InvalidMessage as invalid:
                results.append(invalid)
        published = iter(self.publish(letters))
        return [result or next(published) for result in results]

    def publish(self, letters: Iterable[Letter]) -> list[Receipt | PublishFailed]:
        """Publish what has been checked; see `send_many`."""
        numbered = [*enumerate(letters)]
        results: dict[int, Receipt | PublishFailed] = {}
        down: dict[bool, str] = {}
        for bulk in (False, True):
            for batch in batches(one for one in numbered if one[1].bulk is bulk):
                # boto3 has tried a call that failed as a whole again and again: no other fares
                # better on that topic
                down[bulk] = down.get(bulk) or self._publish_batch(batch, results)
        return [
            results.get(at) or PublishFailed(one.email_id, down[one.bulk]) for at, one in numbered
        ]

    def redrive(  # noqa: PLR0913 - the contract's fields
        self,
        *,
        reason: Reason | str | Sequence[Reason | str] | None = None,
        path: str | None = None,
        recipient_domain: str | None = None,
        older_than: timedelta | str | None = None,
        younger_than: timedelta | str | None = None,
        tag: Mapping[str, str] | None = None,
        sender: str | None = None,
        email_id: str | None = None,
        max: int | None = None,  # noqa: A002 - the contract's name
        rate: float | None = None,
        dry_run: bool | None = None,
    ) -> str:
        """Ask for dead letters to be sent again: those of which all is true; without any, all.

        Args:
            reason: one or several of those on the dead letters.
            path: of what is wrong in the message, as on the dead letter: `$.recipient[0]`.
            recipient_domain: what follows the @.
            older_than: since they were dead-lettered: a timedelta, or `2h`, `7d`.
            younger_than: the same.
            tag: tags that the email has, with their values; one at least.
            sender: an address without a name, in From.
            email_id: of one email.
            max: at most so many.
            rate: so many a second.
            dry_run: count and report, move nothing.

        Returns:
            SNS's id of the message.

        Raises:
            InvalidMessage, PublishFailed: as for `send`.
        """
        asked = {
            "reason": reason,
            "path": path,
            "recipient_domain": recipient_domain,
            "older_than": _age(older_than),
            "younger_than": _age(younger_than),
            "tag": tag,
            "sender": sender,
            "email_id": email_id,
        }
        where = {name: value for name, value in asked.items() if value is not None}
        fields: dict[str, object] = {
            "where": where or None,
            "max": max,
            "rate": rate,
            "dry_run": dry_run,
        }
        return self._publish(steering({"action": "redrive"} | fields))

    def cancel(self, email_id: str) -> str:
        """Ask for an email not to be sent, if it isn't under way yet.

        It takes its turn behind what is queued; the relay's log says whether it came in time.

        Args:
            email_id: the email's name.

        Returns:
            SNS's id of the message.

        Raises:
            InvalidMessage, PublishFailed: as for `send`.
        """
        return self._publish(steering({"action": "cancel", "email_id": email_id}, email_id))

    def _publish(self, one: Letter) -> str:
        request: PublishInputTypeDef = {"TopicArn": self._topic_of(one), "Message": one.body}
        if one.tenant:
            request["MessageGroupId"] = one.tenant
        try:
            answer = self._sns.publish(**request)
        except (BotoCoreError, ClientError) as error:
            raise PublishFailed(one.email_id, _code(error)) from error
        return answer["MessageId"]

    def _topic_of(self, one: Letter) -> str:
        return self._topics.bulk if one.bulk else self._topics.input

    def _publish_batch(
        self, batch: Sequence[tuple[int, Letter]], results: dict[int, Receipt | PublishFailed]
    ) -> str:
        """Fill in the results of a batch, all of it for the same topic.

        Returns:
            The code of a call that failed as a whole; then some have no result.
        """
        left = dict(batch)
        topic_arn = self._topic_of(batch[0][1])
        pause = _FIRST_PAUSE_SECONDS
        for last in (*[False] * (_TRIES - 1), True):
            try:
                answer = self._sns.publish_batch(
                    TopicArn=topic_arn,
                    PublishBatchRequestEntries=[_entry(at, one) for at, one in left.items()],
                )
            except (BotoCoreError, ClientError) as error:
                return _code(error)
            for took in answer.get("Successful", []):
                one = left.pop(int(took["Id"]))
                results[int(took["Id"])] = Receipt(one.email_id, took["MessageId"])
            refused: Mapping[int, tuple[str, bool]] = {
                int(one["Id"]): (one["Code"], one["SenderFault"])
                for one in answer.get("Failed", [])
            }
            for at, one in [*left.items()]:
                code, ours = refused.get(at, ("NoAnswer", False))
                if ours or last:
                    results[at] = PublishFailed(one.email_id, code)
                    del left[at]
            if not left:
                break
            self._sleep(pause)
            pause *= 2
        return ""


def _entry(at: int, one: Letter) -> "PublishBatchRequestEntryTypeDef":
    entry: PublishBatchRequestEntryTypeDef = {"Id": str(at), "Message": one.body}
    if one.tenant:
        entry["MessageGroupId"] = one.tenant  # turns on SQS's fair queues
    return entry


def _age(age: timedelta | str | None) -> str | None:
    """An age as the contract writes it, in the finest unit that has six digits for it."""
    if not isinstance(age, timedelta):
        return age
    seconds = int(age.total_seconds())
    return f"{seconds}s" if seconds < _SEVEN_DIGITS else f"{seconds // 60}m"


def _code(error: BotoCoreError | ClientError) -> str:
    """AWS's code, or the name of what kept the call from AWS; never a text, which may hold data."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"]
    return type(error).__name__
