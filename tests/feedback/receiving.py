"""A ledger with emails in it, and the feedback function that reads notices about them."""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest

from aws.claiming import claim
from emulated import Account, Between
from feedback.published import example
from function import Context
from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.feedback_rows import INDEX, FeedbackRows
from ion.aws.ledger import Ledger, Result
from ion.delivery import Delivery, Status
from ion.feedback import email_fate
from ion.feedback.email_fate import Last
from ion.feedback.receiver import Receiver
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy import timeline
from ion.policy.lease import Row, conclude
from ion.policy.suppression import AddressState
from ion.policy.timeline import Entry
from ion.report.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ANN, BOB = "ann@example.org", "bob@example.org"
MESSAGE_ID = "<0d0e5c77@example.com>"
ACCEPTED = Outcome(Stage.DOT, Kind.ACCEPTED, Scope.MESSAGE, Reason.ACCEPTED)


def index_message_ids(dynamodb: "DynamoDBClient | Between", table: str) -> None:
    """The index that the module makes."""
    dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "header_message_id", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": INDEX,
                    "KeySchema": [{"AttributeName": "header_message_id", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )


def bounce(address: str = ANN, message_id: str = MESSAGE_ID, **fields: Any) -> str:  # noqa: ANN401
    """SES's notification of a bounce; `fields` of its bounce object."""
    message = example("event-bounce")
    (recipient,) = message["bounce"]["bouncedRecipients"]
    recipient["emailAddress"] = address
    message["bounce"] |= {"feedbackId": str(uuid4())} | fields
    return _about(message, message_id)


def transient(address: str = ANN, **fields: Any) -> str:  # noqa: ANN401
    return bounce(address, **{"bounceType": "Transient", "bounceSubType": "MailboxFull"} | fields)


def complaint(address: str = ANN, message_id: str = MESSAGE_ID, **fields: Any) -> str:  # noqa: ANN401
    message = example("event-complaint")
    message["complaint"]["complainedRecipients"] = [{"emailAddress": address}]
    message["complaint"] |= {"feedbackId": str(uuid4())} | fields
    return _about(message, message_id)


def delivery(address: str = ANN, message_id: str = MESSAGE_ID) -> str:
    message = example("event-delivery")
    message["delivery"]["recipients"] = [address]
    return _about(message, message_id)


def _about(message: dict[str, Any], message_id: str) -> str:
    headers = message["mail"]["headers"]
    kept = [one for one in headers if one["name"] != "Message-ID"]
    message["mail"]["headers"] = [*kept, {"name": "Message-ID", "value": message_id}]
    return json.dumps(message)


@dataclass
class Feedback:
    """The function's parts, over the table of an account."""

    account: Account
    monkeypatch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        index_message_ids(self.account.dynamodb(), self.account.table)
        self.key = asyncio.run(AddressKey(self._client(), self.account.table).get())

    def _client(self, dynamodb: Between | None = None) -> "DynamoDBClient":
        return cast("DynamoDBClient", dynamodb or self.account.dynamodb())

    def receiver(self, dynamodb: Between | None = None) -> Receiver:
        client, table = self._client(dynamodb), self.account.table
        return Receiver(
            AddressKey(client, table),
            Addresses(client, table),
            FeedbackRows(client, table),
            Telemetry(),
        )

    def take(self, *bodies: str, dynamodb: Between | None = None) -> None:
        receiver = self.receiver(dynamodb)
        for body in bodies:
            asyncio.run(receiver.take(body))

    def batch(self, *bodies: str, context: Context | None = None) -> list[str]:
        """A batch of SQS, as Lambda hands it over; the numbers of those that come again."""
        self.monkeypatch.setenv("ION_AWS_LEDGER_TABLE", self.account.table)
        self.monkeypatch.delitem(sys.modules, "ion.feedback.handler", raising=False)
        answer = importlib.import_module("ion.feedback.handler").run(
            {"Records": records(bodies)}, context or Context()
        )
        assert answer.keys() == {"batchItemFailures"}
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    # -- what the relay has written --------------------------------------------------------

    def leased(self, *recipients: str, email_id: str = "order-1", seconds: float = 900) -> None:
        """An email that a run is just sending, until so many seconds from now."""
        self.claimed(*recipients, email_id=email_id, seconds=seconds)

    def sent(
        self,
        *recipients: str,
        email_id: str = "order-1",
        message_id: str = MESSAGE_ID,
        left: tuple[int, ...] = (),
    ) -> None:
        """An email that a server has taken for all of these, but for those `left` for later."""
        row = self.claimed(*recipients, email_id=email_id)
        to = tuple(i for i in range(len(recipients)) if i not in left)
        delivery = Delivery(Status.SENT, ACCEPTED, recipients=to)
        done = conclude(row, "m", [delivery], time.time())
        about = {
            "header_message_id": message_id,
            "recipients": " ".join(map(self.hashed, recipients)),
        }
        result = Result(email_id, done, about)
        assert asyncio.run(self.account.ledger().record([result], time.time())) == []

    def claimed(
        self,
        *recipients: str,
        email_id: str = "order-1",
        seconds: float = 900,
        ledger: Ledger | None = None,
        token: str = "one",
    ) -> Row:
        """The row of an email once a run has taken its lease."""
        until = time.time() + seconds
        asked = claim(email_id, token, lease_until=until, recipients=len(recipients))
        (judged,) = asyncio.run((ledger or self.account.ledger()).claim([asked], time.time()))
        assert judged.row is not None
        return judged.row

    # -- what is there then ------------------------------------------------------------------

    def hashed(self, address: str) -> str:
        return address_hash(self.key, address)

    def state(self, address: str = ANN) -> AddressState:
        read = Addresses(self._client(), self.account.table).read([self.hashed(address)])
        return asyncio.run(read).get(self.hashed(address), AddressState())

    def row(self, email_id: str = "order-1") -> Mapping[str, str | int]:
        (row,) = [row for row in self.account.rows() if row["email_id"] == email_id]
        return row

    def timeline(self, email_id: str = "order-1") -> tuple[Entry, ...]:
        return timeline.read(str(self.row(email_id)["timeline"]))

    def statuses(self, email_id: str = "order-1") -> list[str]:
        return [one.status for one in self.timeline(email_id)]

    def last(self, email_id: str = "order-1") -> dict[str, Last]:
        return email_fate.read(str(self.row(email_id).get("feedback", "")))


def records(bodies: Sequence[str]) -> list[dict[str, str]]:
    """As they are in an event of SQS, each under its number."""
    return [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
