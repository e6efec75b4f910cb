"""Each way in which mail stops, to be met by real runs: what the server, AWS or the settings do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from botocore.client import BaseClient

from emulated import Account, Request, at_once, error, failing, only_for
from function import Function, email, guarded
from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.deadline import Deadline
from ion.drain import intake
from ion.drain.progress import Summary
from ion.relay.relay import Relay
from smtp_server import Certificate, ScriptedServer, Step, Tls, reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REFUSED = {Step.AUTH: reply(535, "5.7.8 no")}
METRICS = {"Held", "Misconfigured", "OnBackup", "OnPreviousLogin", "Paused"}
"""Those that tell a person."""


@dataclass
class World:
    """A deployment with one server, and what the run meets."""

    account: Account
    function: Function
    server: ScriptedServer = field(default_factory=guarded)
    seconds: float = 900
    mail: tuple[str, ...] = (email(1),)
    fails: Callable[[Relay], None] = lambda _relay: None

    def set(self, name: str, value: str) -> None:
        self.function.monkeypatch.setenv(name, value)

    def replace_in_secrets(self, old: str, new: str) -> None:
        path = self.function.root / "config-secrets.cfg"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    async def run(self) -> Summary:
        relay = self.function.relay()
        self.fails(relay)
        return await relay.run(Deadline.after(self.seconds))


def two_runs(world: World) -> list[Summary]:
    """Two runs of two execution environments, as a hold is for all of them."""

    async def main() -> list[Summary]:
        async with world.server:
            world.function.knows(world.server)
            for body in world.mail:
                world.account.publish(body)
            first = await world.run()
            world.account.time_passes(3600)
            return [first, await world.run()]

    return asyncio.run(main())


# what they meet


def server(script: dict[Step, Any] | None = None, **parts: Any) -> Callable[[World], None]:  # noqa: ANN401
    """A server of this manner."""

    def happens(world: World) -> None:
        world.server = guarded(script) if not parts else ScriptedServer(script, **parts)

    return happens


def secrets(old: str, new: str) -> Callable[[World], None]:
    """The secret has another text once the server's port is known."""

    def happens(world: World) -> None:
        world.fails = lambda _relay: world.replace_in_secrets(old.format(world.server), new)

    return happens


def sqs(name: str, code: str = "AccessDenied") -> Callable[[World], None]:
    """One of the queues can't be read."""

    def happens(world: World) -> None:
        url = getattr(world.account, f"{name}_url")
        receive = only_for(url, failing(code), at_once)

        def fails(relay: Relay) -> None:
            relay.queues = world.account.queues(world.account.sqs(receive_message=receive))

        world.fails = fails
        if name == "dead":
            world.mail = ('{"action": "redrive"}',)

    return happens


def client(world: World, **answers: Any) -> "DynamoDBClient":  # noqa: ANN401
    return cast("DynamoDBClient", world.account.dynamodb(**answers))


def no_claims(world: World) -> None:
    """Rights to write are gone, and one email doesn't make three failures in a row."""

    def fails(relay: Relay) -> None:
        ill = client(world, batch_execute_statement=failing("AccessDenied"))
        relay.ledger = Ledger(ill, world.account.table)

    world.fails = fails


def no_control_row(world: World) -> None:
    def fails(relay: Relay) -> None:
        ill = client(world, batch_get_item=failing("AccessDenied"))
        relay.control = ControlRow(ill, world.account.table)

    world.fails = fails


def no_table(world: World) -> None:
    world.set("ION_AWS_LEDGER_TABLE", "nowhere")


def in_flight(world: World) -> None:
    world.function.monkeypatch.setattr(intake, "NEARLY_ALL_IN_FLIGHT", 1)
    world.mail = (email(1), email(2))
    url = world.account.input_url

    def nothing(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        return {}

    def fails(relay: Relay) -> None:
        world.account.sqs().receive_message(QueueUrl=url, VisibilityTimeout=600)
        receive = only_for(url, nothing, at_once)
        relay.queues = world.account.queues(world.account.sqs(receive_message=receive))

    world.fails = fails


def too_little_time(world: World) -> None:
    world.seconds = 50


def no_time_for_a_second_email(world: World) -> None:
    """Each is put back, as the server takes all the time there is."""
    world.seconds = 20


def a_fault_of_ions_own(world: World) -> None:
    def broken(*_: object) -> object:
        raise LookupError

    world.function.monkeypatch.setattr("ion.drain.deliver.Deliverer.deliver", broken)


def s3(operation: str) -> Callable[[World], None]:
    """S3 is out of order."""

    def happens(world: World) -> None:
        really = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

        def call(client: BaseClient, name: str, request: dict[str, object]) -> object:
            if name == operation:
                raise error("InternalError")
            return really(client, name, request)

        world.function.monkeypatch.setattr(BaseClient, "_make_api_call", call)
        if operation == "HeadObject":
            s3 = world.account.store("invoice.pdf", b"octets")
            world.mail = (email(1, attachments=[{"filename": "invoice.pdf", "s3": s3}]),)
        else:
            world.set("ION_TEMPLATES_S3", "s3://mine/mail")
            world.mail = (email(1, template="hello", body_text=None),)

    return happens


def misspelt(name: str, value: str) -> Callable[[World], None]:
    return lambda world: world.set(name, value)


def no_secret(world: World) -> None:
    world.set("ION_AWS_SECRET_ARN", "arn:aws:ssm:eu-west-1:123456789012:parameter/none")


HOLDS = [
    # nothing is received: no server lets us
    ("auth", "smtp", server(REFUSED)),
    ("auth_later", "smtp", server({Step.AUTH: reply(454, "4.7.0 later")})),
    ("auth_missing", "smtp", server(tls=Tls.STARTTLS)),
    ("connect", "smtp", secrets("server = 127.0.0.1", "server = no-such-host.invalid")),
    ("connect", "smtp", secrets("port = {0.port}", "port = 1")),
    ("greeting", "smtp", server({Step.CONNECT: reply(554, "5.7.1 go away", close=True)})),
    ("greeting", "smtp", server({Step.CONNECT: reply(421, "4.3.2 busy", close=True)})),
    ("ehlo", "smtp", server({Step.EHLO: reply(550, "5.7.1 no")})),
    ("tls_required", "smtp", server(tls=Tls.NONE)),
    ("tls_cert", "smtp", server(tls=Tls.STARTTLS, certificate=Certificate.EXPIRED)),
    # nothing can be known, or nothing can be had
    ("ledger", "", no_table),
    ("ledger", "", no_control_row),
    ("queue", "", sqs("input")),
    ("queue", "", sqs("bulk")),
    ("queue", "", sqs("later", "OverLimit")),
    ("deadline", "", too_little_time),
    ("deadline", "", no_time_for_a_second_email),
]
WITH_MAIL = [
    # what the server says to an email is about us
    ("quota", "smtp", server({Step.DOT: reply(454, "Daily message quota exceeded.")})),
    ("auth", "smtp", server({Step.MAIL: reply(535, "5.7.3 not authenticated")})),
    ("configuration", "smtp", server({Step.MAIL: reply(554, "Access denied: x")})),
    ("configuration", "smtp", server({Step.DOT: reply(554, "Email address is not verified.")})),
    ("relaying_denied", "smtp", server({Step.RCPT: reply(550, "5.7.1 relaying denied")})),
    # something else has to be mended first
    ("ledger", "", no_claims),
    ("queue", "", sqs("dead")),
    ("in_flight_limit", "", in_flight),
    ("storage", "", s3("HeadObject")),
    ("template_unavailable", "", s3("GetObject")),
    ("error", "", a_fault_of_ions_own),
]
SETTINGS = [
    misspelt("ION_SMTP_CONNECTIONS", "many"),
    misspelt("ION_GUARD_REQUIRED", "true"),
    misspelt("ION_AWS_SECRET_ARN", "none"),
    no_secret,
]
