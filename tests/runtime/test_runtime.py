"""The package as Lambda runs it: AWS's own runtime client calls the handler, cold, warm, thawed."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

import emf
from at_length import only_at_length
from function import PASSWORD, Function, email, guarded
from ionctl.local.bare import Resources, clients, create
from ionctl.local.ministack import CREDENTIALS, REGION
from ionctl.local.peek import peek
from runtime.api import Answer
from runtime.execution import Execution, build, runtime_python, target
from runtime.line import Line
from smtp_server import ScriptedServer
from wiring import topic_before

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

FROZEN_SECONDS = 20
Starter = Callable[..., "World"]
SNS_EVENT = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": email()}}]}


@dataclass(frozen=True, slots=True)
class Lambda:
    """What the package is run with."""

    package: Path
    python: Path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Lambda:
    architecture, python = target()
    package = tmp_path_factory.mktemp("package") / f"ion-{architecture}.zip"
    try:
        prepared = Lambda(package, runtime_python(python))
    except AssertionError as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"AWS's runtime client can't be had: {problem}")
    build(architecture, package)
    return prepared


class World:
    """An execution environment between an emulated AWS and a mail server.

    Attributes:
        line: between the function and AWS.
    """

    def __init__(self, execution: Execution, line: Line, names: Resources, endpoint: str) -> None:
        self.execution = execution
        self.line = line
        self.names = names
        self.endpoint = endpoint

    def knows(self, server: ScriptedServer, password: str = PASSWORD) -> None:
        Function(self.execution.root, pytest.MonkeyPatch()).knows(server, password)

    def publish(self, *numbers: int) -> None:
        sqs, _, _ = clients(self.endpoint)
        for number in numbers:
            sqs.send_message(QueueUrl=self.names.input_url, MessageBody=email(number))

    def queued(self) -> int:
        return sum(len(peek(self.endpoint, url)) for url in self.names.queue_urls)

    async def invoke(self, *, seconds: float = 900) -> Answer:
        return await asyncio.to_thread(self.execution.invoke, SNS_EVENT, seconds=seconds)

    async def sends(self, emails: int) -> None:
        """An invocation sends so many."""
        answer = await self.invoke()
        assert answer.function_error is None
        assert answer.payload["error"] == ""
        assert answer.payload["sent"] == emails


@pytest.fixture
def start(prepared: Lambda, dynamodb_endpoint: str, tmp_path: Path) -> Iterator[Starter]:
    """Starts an execution environment; those of a test are over the same queues."""
    url = urlsplit(dynamodb_endpoint)
    names = create(dynamodb_endpoint, f"runtime-{uuid4()}")
    with ExitStack() as exits:

        def start(
            environment: Mapping[str, str] = names.environment,
            handler: str = "ion.handler.run",
            **settings: str,
        ) -> World:
            line = exits.enter_context(Line((str(url.hostname), int(url.port or 80))))
            environment = {
                **environment,
                "AWS_ENDPOINT_URL": line.endpoint,
                "ION_DRAIN_LINGER_SECONDS": "0",  # nothing comes later here
                **settings,
            }
            execution = Execution(
                prepared.package, tmp_path / handler, prepared.python, environment, handler
            )
            return World(exits.enter_context(execution), line, names, dynamodb_endpoint)

        yield start


def recipients(server: ScriptedServer) -> list[str]:
    return sorted(address for one in server.accepted for address in one.recipients)


def expected(*numbers: int) -> list[str]:
    return [f"to{number}@example.org" for number in numbers]


def all_over(server: ScriptedServer) -> bool:
    """Nothing is left open for a freeze to break: every session was ended by a QUIT."""
    return all(session.verbs[-1] == "QUIT" for session in server.sessions)


def measured(world: World) -> set[str]:
    """Names of all metrics so far, each of a line that CloudWatch takes."""
    found = [line for line in world.execution.lines if "_aws" in line]
    for line in found:
        emf.check(line)
        assert line["service"] == "ion"
    return {name for line in found for name in emf.metrics(line)}


def sns(endpoint: str) -> Any:  # noqa: ANN401 - boto3's
    credentials = CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
    session = boto3.Session(*credentials, region_name=REGION)
    return session.client("sns", endpoint_url=endpoint, config=Config(proxies={}))


async def test_cold_start_sends_what_waits_and_logs_what_cloudwatch_reads(
    start: Starter,
) -> None:
    world = start()
    async with guarded() as server:
        world.knows(server)
        world.publish(1, 2, 3)
        await world.sends(3)
        assert recipients(server) == expected(1, 2, 3)
    assert world.queued() == 0
    lines = world.execution.lines
    assert [line["message"] for line in lines if "_aws" not in line] == [
        "sent",
        "sent",
        "sent",
        "run ended",
    ]
    assert {"Sent", "SmtpTime", "PublishToAccept"} <= measured(world)


async def test_warm_start_is_the_same_process_and_opens_nothing_new_to_aws(
    start: Starter,
) -> None:
    world = start()
    async with guarded() as server:
        world.knows(server)
        world.publish(1)
        await world.sends(1)
        opened = world.line.opened
        world.publish(2)
        await world.sends(1)
        assert world.line.opened == opened
        await server.settled()
        assert len(server.sessions) == 2
        assert all_over(server)
        assert recipients(server) == expected(1, 2)


@only_at_length
@pytest.mark.row(35)
@pytest.mark.parametrize("death", [Line.close_all, Line.forget_all])
async def test_thawed_after_its_connections_to_aws_have_died_it_sends(
    start: Starter, death: Callable[[Line], int]
) -> None:
    world = start()
    async with guarded() as server:
        world.knows(server)
        world.publish(1, 2, 3)
        await world.sends(3)
        await server.settled()
        assert all_over(server)
        world.execution.freeze()
        assert death(world.line)
        await asyncio.sleep(FROZEN_SECONDS)
        world.execution.thaw()
        world.publish(4, 5)
        await world.sends(2)
        assert recipients(server) == expected(1, 2, 3, 4, 5)
    assert world.queued() == 0


@pytest.mark.row(27)
async def test_no_time_left_receives_nothing_and_the_next_invocation_sends(
    start: Starter,
) -> None:
    world = start()
    async with guarded() as server:
        world.knows(server)
        world.publish(1)
        for seconds in (-1, 0, 5):
            answer = await world.invoke(seconds=seconds)
            assert answer.function_error is None
            assert answer.payload["received"] == 0
        assert recipients(server) == []
        await world.sends(1)
        assert recipients(server) == expected(1)


@pytest.mark.row(42)
async def test_refused_login_is_no_error_of_the_function_and_is_mended_without_a_new_start(
    start: Starter,
) -> None:
    world = start()
    async with guarded() as server:
        world.knows(server, "wrong")
        world.publish(1)
        answer = await world.invoke()
        assert answer.function_error is None
        assert answer.payload["stopped"] == "auth"
        assert answer.payload["received"] == 0
        assert "Held" in measured(world)
        world.knows(server)
        await world.sends(1)


async def test_misspelt_setting_is_no_error_of_the_function_and_is_counted(start: Starter) -> None:
    world = start(ION_SMTP_CONECTIONS="4")
    async with guarded() as server:
        world.knows(server)
        answer = await world.invoke()
        assert answer.function_error is None
        assert answer.payload["stopped"] == "settings"
        assert measured(world) >= {"Misconfigured"}
        assert not server.sessions


async def test_error_of_the_function_is_reported_as_one_at_each_invocation(
    start: Starter,
) -> None:
    world = start({})  # none of the names that the module gives
    for _ in range(2):
        answer = await world.invoke()
        assert answer.function_error is not None
        assert answer.function_error["errorType"] == "SettingsError"
        assert "[aws] queue_url: is missing" in answer.function_error["errorMessage"]


async def test_load_publisher_of_the_same_package_has_its_emails_sent(start: Starter) -> None:
    relay = start()
    sqs, _, _ = clients(relay.endpoint)
    topic = topic_before(relay.names.input_url, sqs, sns(relay.endpoint), relay.names.name)
    load = start(
        {
            "LOAD_TOPIC_ARN": topic,
            "LOAD_MESSAGES_PER_MINUTE": "10",
            "LOAD_RECIPIENTS": "success@simulator.amazonses.com",
            "LOAD_SENDER": "ion@example.org",
            "LOAD_TAG": "ion",
        },
        "ion.load.run",
    )
    answer = await load.invoke()
    assert answer.function_error is None
    assert answer.payload == {"published": 10}
    assert load.execution.text == ""
    async with guarded() as server:
        relay.knows(server)
        await relay.sends(10)
        assert set(recipients(server)) == {"success@simulator.amazonses.com"}
