"""A webhook that hears of outcomes, over real HTTP, as far as the emulated AWS goes.

It has API destinations, but no pipe from a queue to one; so a rule takes the event there, and the
pipe's own part, from the queue to the destination, is AWS's to be trusted with.
"""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from ionctl.local.ministack import CREDENTIALS, REGION

EVENT = Path(__file__).parents[2] / "docs" / "examples" / "events" / "bounced.json"
TOKEN = "the receiver's own"


class Receiver(HTTPServer):
    """Keeps what is posted to it, with the headers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: queue.Queue[tuple[dict[str, str], dict[str, Any]]] = queue.Queue()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/email"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.put((dict(self.headers), json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.fixture
def make(dynamodb_endpoint: str) -> Any:  # noqa: ANN401 - boto3's session.client
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
    )
    return lambda service: session.client(service, endpoint_url=dynamodb_endpoint)


def test_an_api_destination_posts_the_event_with_the_header_that_proves_who_calls(
    receiver: Receiver,
    make: Any,  # noqa: ANN401
) -> None:
    events = make("events")
    connection = events.create_connection(
        Name="outcomes",
        AuthorizationType="API_KEY",
        AuthParameters={
            "ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": TOKEN}
        },
    )
    destination = events.create_api_destination(
        Name="outcomes",
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=receiver.url,
        HttpMethod="POST",
        InvocationRateLimitPerSecond=50,
    )
    events.put_rule(Name="outcomes", EventPattern=json.dumps({"source": ["ion"]}))
    target = {
        "Id": "hook",
        "Arn": destination["ApiDestinationArn"],
        "RoleArn": "arn:aws:iam::123456789012:role/hook",
        "InputPath": "$.detail",
    }
    events.put_targets(Rule="outcomes", Targets=[target])
    event = EVENT.read_text(encoding="utf-8")
    put = events.put_events(Entries=[{"Source": "ion", "DetailType": "outcome", "Detail": event}])
    assert put["FailedEntryCount"] == 0
    headers, body = receiver.posted.get()
    assert body == json.loads(event)
    assert headers["Authorization"] == TOKEN


def test_sns_posts_to_an_endpoint_that_has_confirmed(
    receiver: Receiver,
    make: Any,  # noqa: ANN401
) -> None:
    sns = make("sns")
    topic = sns.create_topic(Name="webhook-outcome-topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    _, asked = receiver.posted.get()
    assert asked["Type"] == "SubscriptionConfirmation"
    sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])
    event = EVENT.read_text(encoding="utf-8")
    sns.publish(TopicArn=topic, Message=event)
    _, told = receiver.posted.get()
    assert told["Type"] == "Notification"
    assert json.loads(told["Message"]) == json.loads(event)
