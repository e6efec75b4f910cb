"""The relay's AWS account: moto emulates it in this process, but for the ledger's table.

That one lies in a ministack beside us, since moto knows no batches of conditional statements.
Faults that neither can make are put between a client and what it calls.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import uuid4

import boto3
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import SQSBackend, sqs_backends

from ion.aws.address_key import AddressKey
from ion.aws.alarm import Alarm
from ion.aws.ledger import Ledger
from ion.aws.objects import Objects
from ion.aws.outbox import Outbox
from ion.aws.queue import Queue
from ion.drain.queues import Queues
from ion.message import Source
from ion.report.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

REGION: Final = "eu-west-1"
AWS_SECRET_TEXT = "text-of-aws-canary"
"""What AWS says in its errors; it may repeat what was sent, so it must not be passed on."""
_MOST_BYTES = 1_048_576
"""Of a message and of a call, attributes included (SQS)."""

Request = dict[str, Any]
Answer = Callable[[Callable[..., Any], Request], Any]
"""Answers a call, given the real method and what it was asked."""


class Between:
    """A boto3 client with a hand in between: records each call and answers some of them itself."""

    def __init__(self, client: object, answers: Mapping[str, Answer]) -> None:
        self._client = client
        self._answers = answers
        self.calls: list[tuple[str, Request]] = []

    def asked(self, name: str) -> list[Request]:
        """What a method was called with, each time."""
        return [request for called, request in self.calls if called == name]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:  # noqa: ANN401 - whatever boto3 takes and gives
            self.calls.append((name, request))
            answer = self._answers.get(name)
            return real(**request) if answer is None else answer(real, request)

        return call


class OneByOne:
    """A boto3 client of moto's queues, used by one thread at a time.

    A delete of moto's copies the queue's list and puts the copy in its place: what another thread
    deletes meanwhile is there again.
    """

    def __init__(self, client: object) -> None:
        self._client = client
        self._turn = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real = getattr(self._client, name)

        def call(**request: Any) -> Any:  # noqa: ANN401 - whatever boto3 takes and gives
            with self._turn:
                return real(**request)

        return call


def at_once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """A long poll that isn't waited for: nothing new ever comes here, and moto would sleep."""
    return real(**request | {"WaitTimeSeconds": 0})


_receive = SQSBackend.receive_message


def without_waiting(backend: SQSBackend, queue_name: str, count: int, *others: Any) -> Any:  # noqa: ANN401 - moto's
    """The same for clients that the function makes itself."""
    _wait_seconds, *rest = others
    return _receive(backend, queue_name, count, 0, *rest)


def as_strict_as_sqs(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """A send that is refused where SQS refuses it; moto takes nearly everything."""
    if sum(map(_size, request["Entries"])) > _MOST_BYTES:
        raise error("AWS.SimpleQueueService.BatchRequestTooLong")
    refused = [entry["Id"] for entry in request["Entries"] if _is_wrong(entry)]
    good = [entry for entry in request["Entries"] if entry["Id"] not in refused]
    answer = real(**request | {"Entries": good}) if good else {"Successful": []}
    failed = [{"Id": one, "SenderFault": True, "Code": "InvalidParameterValue"} for one in refused]
    return {**answer, "Failed": failed}


def failing(code: str = "InternalError") -> Answer:
    """AWS answers each call with an error."""

    def answer(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        raise error(code)

    return answer


def unreachable(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    """AWS can't be reached."""
    raise EndpointConnectionError(endpoint_url=f"https://{AWS_SECRET_TEXT}")


def only_for(url: str, answer: Answer, otherwise: Answer) -> Answer:
    """Another answer for one of the queues."""

    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return (answer if request["QueueUrl"] == url else otherwise)(real, request)

    return choose


def error(code: str) -> ClientError:
    """What boto3 raises for an answer that isn't 200."""
    return ClientError({"Error": {"Code": code, "Message": AWS_SECRET_TEXT}}, "Operation")


def _size(entry: Mapping[str, Any]) -> int:
    attributes = sum(
        len(name) + len(value["DataType"]) + len(_octets(value))
        for name, value in entry["MessageAttributes"].items()
    )
    return len(entry["MessageBody"].encode()) + attributes


def _octets(value: Mapping[str, Any]) -> bytes:
    octets: bytes = value.get("BinaryValue") or value["StringValue"].encode()
    return octets


def _is_wrong(entry: Mapping[str, Any]) -> bool:
    values = entry["MessageAttributes"].values()
    texts = [entry["MessageBody"], *(value.get("StringValue", "") for value in values)]
    return (
        len(values) > 10
        or not all(_octets(value) for value in values)
        or any(not is_character_of_sqs(character) for text in texts for character in text)
    )


def is_character_of_sqs(character: str) -> bool:
    """What SQS takes in a body or a value: XML 1.0's characters."""
    return character in "\t\n\r" or (character >= " " and character not in "\ufffe\uffff")


@dataclass(frozen=True)
class Held:
    """A message as it lies in a queue; nothing is received to see it."""

    id: str
    body: str
    attributes: dict[str, tuple[str, str | bytes]]
    receives: int
    visible: bool
    delayed: bool
    group: str = ""


def _plain(value: Mapping[str, Any]) -> str | int:
    """A text or a number, as DynamoDB has it."""
    ((kind, inner),) = value.items()
    return int(float(inner)) if kind == "N" else str(inner)


@cache
def _clients() -> "tuple[boto3.Session, SQSClient, CloudWatchClient, S3Client]":
    """Made once: each costs a tenth of a second, and moto changes behind them."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    sqs = cast("SQSClient", OneByOne(session.client("sqs")))
    return session, sqs, session.client("cloudwatch"), session.client("s3")


@cache
def _dynamodb(endpoint: str) -> "DynamoDBClient":
    return boto3.Session("test", "test", region_name=REGION).client(
        "dynamodb", endpoint_url=endpoint
    )


def _age(attributes: dict[str, Any], seconds: int) -> None:
    """The times that ion wrote on a copy of a message are so much earlier."""
    written = attributes.get("ion", {}).get("StringValue", "{}")
    with suppress(ValueError):
        record = json.loads(written)
        if "since" in record:
            earlier = datetime.fromisoformat(record["since"]) - timedelta(seconds=seconds)
            record |= {"since": earlier.isoformat(), "due": None}
            attributes["ion"]["StringValue"] = json.dumps(record)


class Account:
    """The queues, the alarms and the ledger of one relay. Exists while moto does.

    Args:
        dynamodb_endpoint: of the ministack that holds the ledger's table.
    """

    def __init__(self, dynamodb_endpoint: str) -> None:
        self._real_dynamodb = _dynamodb(dynamodb_endpoint)
        self.session, self._real_sqs, self._real_cloudwatch, self.real_s3 = _clients()
        self.input_url, self.bulk_url, self.later_url, self.dead_url = (
            self._real_sqs.create_queue(
                QueueName=name, Attributes={"MessageRetentionPeriod": str(14 * 86_400)}
            )["QueueUrl"]
            for name in ("ion-input", "ion-bulk", "ion-later", "ion-dead")
        )
        self.alarm_name = "ion-visible"
        self.bulk_alarm_name, self.later_alarm_name = "ion-bulk-visible", "ion-later-visible"
        for name in (self.alarm_name, self.bulk_alarm_name, self.later_alarm_name):
            self._real_cloudwatch.put_metric_alarm(
                AlarmName=name,
                ComparisonOperator="GreaterThanThreshold",
                EvaluationPeriods=1,
                MetricName="ApproximateNumberOfMessagesVisible",
                Namespace="AWS/SQS",
                Period=60,
                Statistic="Maximum",
                Threshold=0,
            )

    # -- as the relay has them -----------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """The names of all of it, as the function is told them."""
        return {
            "ION_AWS_QUEUE_URL": self.input_url,
            "ION_AWS_BULK_QUEUE_URL": self.bulk_url,
            "ION_AWS_LATER_QUEUE_URL": self.later_url,
            "ION_AWS_DEAD_LETTER_QUEUE_URL": self.dead_url,
            "ION_AWS_ALARM_NAME": self.alarm_name,
            "ION_AWS_BULK_ALARM_NAME": self.bulk_alarm_name,
            "ION_AWS_LATER_ALARM_NAME": self.later_alarm_name,
            "ION_AWS_LEDGER_TABLE": self.table,
        }

    def sqs(self, **answers: Answer) -> Between:
        """An SQS client that behaves, but for the answers given."""
        usual = {"receive_message": at_once, "send_message_batch": as_strict_as_sqs}
        return Between(self._real_sqs, usual | answers)

    def cloudwatch(self, **answers: Answer) -> Between:
        """A CloudWatch client that behaves, but for the answers given."""
        return Between(self._real_cloudwatch, answers)

    def input_queue(self, sqs: Between | None = None) -> Queue:
        return Queue(cast("SQSClient", sqs or self.sqs()), self.input_url)

    def dead_letters(self, sqs: Between | None = None) -> Queue:
        return Queue(cast("SQSClient", sqs or self.sqs()), self.dead_url, Source.DEAD_LETTERS)

    def queues(self, sqs: Between | None = None, now: Callable[[], float] = time.time) -> Queues:
        """All of them, over one client."""
        client = cast("SQSClient", sqs or self.sqs())
        return Queues(
            input=Queue(client, self.input_url, Source.INPUT),
            bulk=Queue(client, self.bulk_url, Source.BULK),
            later=Queue(client, self.later_url, Source.LATER),
            dead_letters=Queue(client, self.dead_url, Source.DEAD_LETTERS),
            telemetry=Telemetry(),
            now=now,
        )

    def alarm(self, cloudwatch: Between | None = None) -> Alarm:
        return Alarm(cast("CloudWatchClient", cloudwatch or self.cloudwatch()), self.alarm_name)

    def dynamodb(self, **answers: Answer) -> Between:
        """A DynamoDB client that behaves, but for the answers given."""
        return Between(self._real_dynamodb, answers)

    def ledger(self, dynamodb: Between | None = None) -> Ledger:
        return Ledger(cast("DynamoDBClient", dynamodb or self.dynamodb()), self.table)

    def address_key(self, dynamodb: Between | None = None) -> AddressKey:
        """The key of the hashes of addresses; each has yet to read it."""
        return AddressKey(cast("DynamoDBClient", dynamodb or self.dynamodb()), self.table)

    def s3(self, **answers: Answer) -> Between:
        """An S3 client that behaves, but for the answers given."""
        return Between(self.real_s3, answers)

    def objects(self, s3: Between | None = None) -> Objects:
        return Objects(lambda: cast("S3Client", s3 or self.s3()))

    def outbox(self, dynamodb: Between | None = None) -> Outbox:
        """None, until `leave` makes one."""
        client = cast("DynamoDBClient", dynamodb or self.dynamodb())
        return Outbox(client, self.__dict__.get("outbox_table", ""))

    @cached_property
    def outbox_table(self) -> str:
        """Name of the outbox; nobody else has it. Made when it is first asked for."""
        return self._new_table("ion-outbox")

    @cached_property
    def table(self) -> str:
        """Name of the ledger's table; nobody else has it. Made when it is first asked for."""
        return self._new_table("ion-ledger")

    def _new_table(self, prefix: str) -> str:
        name = f"{prefix}-{uuid4()}"
        self._real_dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    # -- from outside --------------------------------------------------------------------

    def store(self, key: str, octets: bytes, bucket: str = "bucket") -> dict[str, str]:
        """Put an object into a bucket; returns its name as a message has it."""
        with suppress(self.real_s3.exceptions.BucketAlreadyOwnedByYou):
            self.real_s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        self.real_s3.put_object(Bucket=bucket, Key=key, Body=octets)
        return {"bucket": bucket, "key": key}

    def leave(self, item: Mapping[str, Any]) -> None:
        """Put an item into the outbox, in DynamoDB's types."""
        self._real_dynamodb.put_item(TableName=self.outbox_table, Item=item)

    def publish(
        self,
        body: str,
        attributes: Mapping[str, tuple[str, str | bytes]] | None = None,
        url: str | None = None,
        group: str = "",
    ) -> str:
        """Put a message into a queue (the input queue); returns its id."""
        values: dict[str, MessageAttributeValueTypeDef] = {}
        for name, (kind, value) in (attributes or {}).items():
            if isinstance(value, bytes):
                values[name] = {"DataType": kind, "BinaryValue": value}
            else:
                values[name] = {"DataType": kind, "StringValue": value}
        more: Any = {"MessageGroupId": group} if group else {}
        sent = self._real_sqs.send_message(
            QueueUrl=url or self.input_url, MessageBody=body, MessageAttributes=values, **more
        )
        return sent["MessageId"]

    def waiting(self) -> list[Held]:
        """What is to be sent some time: what the input queue, bulk and later hold."""
        return [*self.held_in("input"), *self.held_in("bulk"), *self.held_in("later")]

    def held_in(self, queue: str) -> list[Held]:
        """What one of them holds: "input", "bulk", "later"."""
        return self._held(f"ion-{queue}")

    def dead(self) -> list[Held]:
        """What the dead-letter queue holds."""
        return self._held("ion-dead")

    def time_passes(self, seconds: int = 43_200) -> None:
        """Every message was sent so much earlier; timeouts and delays have run out, all of them."""
        for queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.values():
            for message in queue._messages:  # noqa: SLF001 - moto has no clock to turn
                message.visible_at = message.delayed_until = 0
                message.sent_timestamp -= seconds * 1000  # type: ignore[assignment,operator]
                _age(message.message_attributes, seconds)

    def shown(self, queue: str) -> None:
        """Delays of that queue are over, and nothing else changes."""
        for message in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[queue]._messages:  # noqa: SLF001
            message.visible_at = message.delayed_until = 0

    def clear(self, queue: str) -> None:
        """That queue is empty."""
        sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[queue]._messages.clear()  # noqa: SLF001

    def ring(self) -> None:
        """The alarms of all queues go off."""
        for name in (self.alarm_name, self.bulk_alarm_name, self.later_alarm_name):
            self._real_cloudwatch.set_alarm_state(
                AlarmName=name, StateValue="ALARM", StateReason="test"
            )

    def rows(self) -> list[dict[str, str | int]]:
        """What the ledger's table holds, by key; but for the key of the hashes of addresses."""
        pages = self._real_dynamodb.get_paginator("scan").paginate(TableName=self.table)
        rows = [
            {name: _plain(value) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
            if item["email_id"] != {"S": " address-key "}
        ]
        return sorted(rows, key=lambda row: str(row["email_id"]))

    @property
    def alarm_state(self) -> str:
        return self.alarm_states[0]

    @property
    def alarm_states(self) -> tuple[str, ...]:
        """Of the alarms of the input queue, of bulk, and of what waits."""
        alarms = self._real_cloudwatch.describe_alarms()["MetricAlarms"]
        states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
        names = (self.alarm_name, self.bulk_alarm_name, self.later_alarm_name)
        return tuple(states[name] for name in names)

    def _held(self, name: str) -> list[Held]:
        queue = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[name]
        return [
            Held(
                id=message.id,
                body=message.body,
                attributes={
                    name: (value["DataType"], value.get("BinaryValue") or value["StringValue"])
                    for name, value in message.message_attributes.items()
                },
                receives=message.approximate_receive_count,
                visible=message.visible and not message.delayed,
                delayed=message.delayed,
                group=message.group_id or "",
            )
            for message in queue._messages  # noqa: SLF001 - as above
        ]
