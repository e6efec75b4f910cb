"""Records of the stand-in, held against those of ministack's own stream."""

import json
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto.events.models import EventPattern

from events.telling import RECORDS, record
from ionctl.local import deploy_events
from ionctl.local.ministack import CREDENTIALS, REGION
from ionctl.local.stream.changes import Changes
from ionctl.local.stream.stand_in import starts_a_run

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]


class Streamed:
    """A table of ministack's with a stream."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session(
            CREDENTIALS["AWS_ACCESS_KEY_ID"],
            CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        make: Any = session.client
        self.dynamodb = make("dynamodb", endpoint_url=endpoint)
        self._streams = make("dynamodbstreams", endpoint_url=endpoint)
        self.name = f"streamed-{uuid4()}"
        table = self.dynamodb.create_table(
            TableName=self.name,
            AttributeDefinitions=[{"AttributeName": "email_id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "email_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={
                "StreamEnabled": True,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        )["TableDescription"]
        self.stream_arn: str = table["LatestStreamArn"]

    def rows(self) -> list[Json]:
        found: list[Json] = self.dynamodb.scan(TableName=self.name)["Items"]
        return found

    def records(self) -> list[Json]:
        """What its stream has."""
        about = self._streams.describe_stream(StreamArn=self.stream_arn)["StreamDescription"]
        found: list[Json] = []
        for shard in about["Shards"]:
            iterator = self._streams.get_shard_iterator(
                StreamArn=self.stream_arn,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]
            found += self._streams.get_records(ShardIterator=iterator)["Records"]
        return found


@pytest.fixture
def table(dynamodb_endpoint: str) -> Streamed:
    return Streamed(dynamodb_endpoint)


def essence(record: Json) -> Json:
    """What a record says, and the names of all else that it has."""
    change = record["dynamodb"]
    return {
        "eventName": record["eventName"],
        "images": {name: change.get(name) for name in ("Keys", "OldImage", "NewImage")},
        "view": change["StreamViewType"],
        "names": {*record, *change} - {"eventSourceARN"},  # which Lambda adds
    }


def test_they_are_as_a_real_streams_for_what_that_one_sees(table: Streamed) -> None:
    changes = Changes(table.stream_arn)
    assert changes.seen(table.rows()) == []
    ours: list[Json] = []
    key = {"email_id": {"S": "order-17"}}
    writes: tuple[Callable[[], object], ...] = (
        lambda: table.dynamodb.put_item(
            TableName=table.name, Item={**key, "fates": {"S": "."}, "attempts": {"N": "0"}}
        ),
        lambda: table.dynamodb.update_item(
            TableName=table.name,
            Key=key,
            UpdateExpression="SET fates = :f, attempts = :a",
            ExpressionAttributeValues={":f": {"S": "s"}, ":a": {"N": "1"}},
        ),
        lambda: table.dynamodb.put_item(TableName=table.name, Item={**key, "x": {"S": ""}}),
        lambda: table.dynamodb.delete_item(TableName=table.name, Key=key),
    )
    for write in writes:
        write()
        ours += changes.seen(table.rows())
    theirs = table.records()
    assert [essence(one) for one in ours] == [essence(one) for one in theirs]
    assert {one["eventSourceARN"] for one in ours} == {table.stream_arn}
    numbers = [int(one["dynamodb"]["SequenceNumber"]) for one in ours]
    assert numbers == sorted(set(numbers))


def test_what_is_written_by_partiql_is_seen_as_well(table: Streamed) -> None:
    changes = Changes(table.stream_arn)
    table.dynamodb.execute_statement(
        Statement=f"INSERT INTO \"{table.name}\" VALUE {{'email_id': 'a', 'timeline': ''}}"
    )
    (one,) = changes.seen(table.rows())
    assert (one["eventName"], one["dynamodb"]["Keys"]) == ("INSERT", {"email_id": {"S": "a"}})
    assert changes.seen(table.rows()) == []


def test_a_record_is_dated_when_it_is_seen() -> None:
    changes = Changes("arn", lambda: 17.9)
    (one,) = changes.seen([{"email_id": {"S": "a"}}])
    assert one["dynamodb"]["ApproximateCreationDateTime"] == 17
    assert Changes("arn").seen([{"email_id": {"S": "a"}}])[0]["dynamodb"][
        "ApproximateCreationDateTime"
    ] <= int(time.time())


STARTING = {
    *("sent", "deferred", "claimed_again", "deferred_again", "released", "bounced"),
    *("some_bounced", "in_doubt", "expired", "stopped", "cancelled", "complained", "delivered"),
    *("bad_input", "poison", "poison_told"),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDS.glob("*.json")))
def test_the_filters_let_through_what_may_be_an_event(name: str) -> None:
    """First claims, rows that aren't an email's, and rows whose time is over start no run."""
    event: Any = record(name)
    patterns = [EventPattern.load(json.dumps(one)) for one in deploy_events.FILTERS]
    matches = any(pattern.matches_event(event) for pattern in patterns)
    assert matches == starts_a_run(record(name)) == (name in STARTING)
