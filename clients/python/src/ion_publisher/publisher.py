"""The topic, as an application sees it."""

import os
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
from ion_publisher.message import Email, Letter, checked, letter

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

TOPIC_ARN = "ION_TOPIC_ARN"
"""The environment variable with the topic's ARN."""

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
    """Publishes to one topic. Threads may share it.

    Args:
        topic_arn: of ion's input topic; None: the environment variable ION_TOPIC_ARN.
        sns: a boto3 client; None: one of the topic's region, with boto3's own credentials.
        sleep: what pauses between tries, given seconds.

    Raises:
        ValueError: there is no ARN, or it isn't a topic's.
    """

    def __init__(
        self,
        topic_arn: str | None = None,
        *,
        sns: "SNSClient | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._topic_arn = topic_arn or os.environ.get(TOPIC_ARN) or ""
        parts = self._topic_arn.split(":")
        if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns":  # arn:aws:sns:REGION:ACCOUNT:
            raise ValueError(f"topic_arn or {TOPIC_ARN} must be the ARN of ion's input topic")
        # a session of its own, because the default one isn't made for threads
        self._sns = sns or boto3.session.Session().client("sns", region_name=parts[3])
        self._sleep = sleep

    def send(self, **email: Unpack[Email]) -> Receipt:
        """Publish one email; see `Email`.

        Raises:
            InvalidMessage: the relay would dead-letter it; nothing was published.
            PublishFailed: SNS didn't confirm that it has it.
        """
        one = letter(email)
        return Receipt(one.email_id, self._publish(one.body, one.email_id))

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
        down = ""
        for batch in batches(numbered):
            # boto3 has tried a call that failed as a whole again and again: no other fares better
            down = down or self._publish_batch(batch, results)
        return [results.get(at) or PublishFailed(one.email_id, down) for at, one in numbered]

    def redrive(  # noqa: PLR0913 - the contract's fields
        self,
        *,
        reason: Reason | str | Sequence[Reason | str] | None = None,
        recipient_domain: str | None = None,
        older_than: timedelta | str | None = None,
        younger_than: timedelta | str | None = None,
        max: int | None = None,  # noqa: A002 - the contract's name
        rate: float | None = None,
        dry_run: bool | None = None,
    ) -> str:
        """Ask for dead letters to be sent again: those of which all is true; without any, all.

        Args:
            reason: one or several of those on the dead letters.
            recipient_domain: what follows the @.
            older_than: since they were dead-lettered: a timedelta, or `2h`, `7d`.
            younger_than: the same.
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
            "recipient_domain": recipient_domain,
            "older_than": _age(older_than),
            "younger_than": _age(younger_than),
        }
        where = {name: value for name, value in asked.items() if value is not None}
        fields: dict[str, object] = {
            "where": where or None,
            "max": max,
            "rate": rate,
            "dry_run": dry_run,
        }
        return self._publish(checked({"action": "redrive"} | fields), "")

    def _publish(self, body: str, email_id: str) -> str:
        try:
            answer = self._sns.publish(TopicArn=self._topic_arn, Message=body)
        except (BotoCoreError, ClientError) as error:
            raise PublishFailed(email_id, _code(error)) from error
        return answer["MessageId"]

    def _publish_batch(
        self, batch: Sequence[tuple[int, Letter]], results: dict[int, Receipt | PublishFailed]
    ) -> str:
        """Fill in the results of a batch.

        Returns:
            The code of a call that failed as a whole; then some have no result.
        """
        left = dict(batch)
        pause = _FIRST_PAUSE_SECONDS
        for last in (*[False] * (_TRIES - 1), True):
            try:
                answer = self._sns.publish_batch(
                    TopicArn=self._topic_arn,
                    PublishBatchRequestEntries=[
                        {"Id": str(at), "Message": one.body} for at, one in left.items()
                    ],
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
