"""kill -9 of the function's process between what it publishes and its answer to Lambda."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from events.telling import RELAY, Json, record
from ionctl.local.ministack import CREDENTIALS, ISOLATION, REGION
from ionctl.local.peek import peek
from ionctl.local.stream.mapping import Delivery, InvocationError, Record, Rules
from wiring import topic_before

ROOT = Path(__file__).parents[2]
PROCESS = """
import json, os, signal, sys
from ion.events import handler

class Context:
    def get_remaining_time_in_millis(self):
        return 60_000

answer = handler.run(json.load(sys.stdin), Context())
if os.environ["KILLED"] == "before the answer":
    os.kill(os.getpid(), signal.SIGKILL)
print(json.dumps(answer))
"""


class Lambda:
    """Runs the function in processes of its own; the first so many are killed."""

    def __init__(self, environment: dict[str, str], kills: int) -> None:
        self._environment = environment
        self.kills = kills
        self.runs = 0

    def __call__(self, records: Sequence[Record]) -> list[str]:
        self.runs += 1
        killed = "before the answer" if self.runs <= self.kills else ""
        done = subprocess.run(
            [sys.executable, "-c", PROCESS],
            input=json.dumps({"Records": records}),
            capture_output=True,
            text=True,
            check=False,
            env={**self._environment, "KILLED": killed},
        )
        if done.returncode == -signal.SIGKILL:
            raise InvocationError
        assert done.returncode == 0, done.stderr
        return [one["itemIdentifier"] for one in json.loads(done.stdout)["batchItemFailures"]]


@pytest.fixture
def world(dynamodb_endpoint: str) -> tuple[dict[str, str], Callable[[], list[Json]]]:
    """Environment of the function, and what is heard."""
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
    )
    sns = session.client("sns", endpoint_url=dynamodb_endpoint)
    sqs = session.client("sqs", endpoint_url=dynamodb_endpoint)
    name = f"killed-{uuid4()}"
    heard, failures = (
        sqs.create_queue(QueueName=f"{name}-{which}")["QueueUrl"] for which in ("heard", "failures")
    )
    environment = {
        **CREDENTIALS,
        **ISOLATION,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "lambda_src"),
        "AWS_ENDPOINT_URL": dynamodb_endpoint,
        "EVENTS_TOPIC_ARN": topic_before(heard, sqs, sns, name),
        "EVENTS_FAILURE_QUEUE_URL": failures,
        "EVENTS_SOURCE": RELAY,
    }

    def events() -> list[Json]:
        return [json.loads(one.body) for one in peek(dynamodb_endpoint, heard)]

    return environment, events


@pytest.mark.row(81)
@pytest.mark.row(82)
def test_the_batch_comes_again_and_its_events_have_the_same_ids(
    world: tuple[dict[str, str], Callable[[], list[Json]]],
) -> None:
    environment, heard = world
    function = Lambda(environment, kills=1)
    batch = [record(name) for name in ("sent", "bounced")]
    given_up: list[str] = []
    delivery = Delivery(
        Rules(bisect=False),
        function,
        lambda _, why: given_up.append(why),
        time.time,
        lambda _: True,
    )
    assert delivery.deliver(batch) == []
    assert function.runs == 2
    ids = [one["id"] for one in heard()]
    assert len(ids) == 4
    assert sorted(ids[:2]) == sorted(ids[2:])
    assert given_up == []
