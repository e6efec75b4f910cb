"""The feedback function's entry: SQS hands it messages of the feedback queue, ten at most."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol, TypedDict

import boto3
from botocore.config import Config

from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.feedback_rows import FeedbackRows
from ion.aws.table import TableError
from ion.feedback.notice import MalformedError
from ion.feedback.receiver import Receiver
from ion.report.telemetry import Telemetry

_LEAST_SECONDS = 15
"""No message is begun with less time left: calls to a table that doesn't answer take so long."""


class Failure(TypedDict):
    """A message that comes again, and lies in the dead-letter queue in the end."""

    itemIdentifier: str


class Answer(TypedDict):
    """What became of a batch: SQS deletes all but these (Lambda, ReportBatchItemFailures)."""

    batchItemFailures: list[Failure]


class Context(Protocol):
    """Lambda's context of an invocation, as far as it is read here."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""


@cache
def _receiver() -> Receiver:
    """Built at the first invocation of an environment, and then kept."""
    config = Config(
        retries={"mode": "standard", "max_attempts": 2},
        connect_timeout=2,
        read_timeout=5,
        user_agent="ion",
    )
    client = boto3.client("dynamodb", config=config)
    table = os.environ["ION_AWS_LEDGER_TABLE"]
    return Receiver(
        AddressKey(client, table),
        Addresses(client, table),
        FeedbackRows(client, table),
        Telemetry(),
    )


def run(event: Mapping[str, Any], context: Context) -> Answer:
    """Take a batch in.

    Args:
        event: of SQS: `Records`, each with `messageId` and `body`.
        context: Lambda's.

    Returns:
        The messages that are not done with.
    """
    failed = asyncio.run(_taken(_receiver(), event["Records"], context))
    return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


async def _taken(
    receiver: Receiver, records: Sequence[Mapping[str, Any]], context: Context
) -> list[str]:
    """Take messages in, one after the other; the ids of those that must come again."""
    failed = []
    for record in records:
        message_id = str(record["messageId"])
        late = context.get_remaining_time_in_millis() < 1000 * _LEAST_SECONDS
        if late or not await _is_taken(receiver, message_id, str(record["body"])):
            failed.append(message_id)
    receiver.telemetry.flush()
    return failed


async def _is_taken(receiver: Receiver, message_id: str, body: str) -> bool:
    telemetry = receiver.telemetry
    try:
        await receiver.take(body)
    except MalformedError as error:
        telemetry.trouble("malformed notice", code=str(error), message_id=message_id)
    except TableError as error:
        telemetry.trouble("notice put off", code=str(error), message_id=message_id)
    except Exception as error:  # noqa: BLE001 - the border of a message: the others go on
        telemetry.fault("notice", error, message_id)
    else:
        return True
    return False
