"""One run over an emulated queue, to a scripted SMTP server: put together in one place."""

import asyncio
import json
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from emulated import (
    Account,
    Answer,
    Between,
    Held,
    Request,
    at_once,
)
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.control import ControlRow
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt
from ion.drain.admission import Admission
from ion.drain.allowance import Allowance, function_bytes
from ion.drain.claim_checks import ClaimChecks
from ion.drain.deliver import Deliverer
from ion.drain.memory import Memory
from ion.drain.progress import Summary
from ion.drain.run import Drain
from ion.drain.suppression_list import SuppressionList
from ion.drain.templating import Templates
from ion.drain.work_item import Job
from ion.limits import LONGEST_DELAY_SECONDS
from ion.message import Message
from ion.policy.guard import StagingGuard
from ion.policy.rate import Pace
from ion.report.telemetry import Telemetry
from ion.settings import Security, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.template import Files, Renderer
from ion.unsubscribe.links import Links
from smtp_server import (
    ScriptedServer,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PLAIN_TLS = ssl.create_default_context()


def email(number: int = 0, **fields: object) -> str:
    least = {"action": "send", "recipient": f"to{number}@example.org", "body_text": "x"}
    return json.dumps(least | fields)


def control_row(account: Account, dynamodb: Between | None = None) -> ControlRow:
    """What operators have asked for; over a client of its own, which behaves."""
    return ControlRow(cast("DynamoDBClient", dynamodb or account.dynamodb()), account.table)


def suppression_list(
    account: Account,
    dynamodb: Between | None = None,
    *,
    is_on: bool = True,
    guard: StagingGuard | None = None,
    now: Callable[[], float] = time.time,
) -> SuppressionList:
    """Who must not be written to, as the relay asks; over a client of its own, which behaves."""
    client = cast("DynamoDBClient", dynamodb or account.dynamodb())
    addresses, key = Addresses(client, account.table), AddressKey(client, account.table)
    return SuppressionList(addresses, key, is_on=is_on, guard=guard, now=now)


async def drain(  # noqa: PLR0913 - a run has so many parts
    account: Account,
    server: ScriptedServer,
    *,
    sqs: Between | None = None,
    dynamodb: Between | None = None,
    control: Between | None = None,
    address_key: Between | None = None,
    s3: Between | None = None,
    in_doubt: InDoubt = InDoubt.RESEND_ONCE,
    now: Callable[[], float] = time.time,
    deadline: Deadline | None = None,
    smtp: Smtp | None = None,
    relay: Callable[[Pool], Deliverer] | None = None,
    telemetry: Telemetry | None = None,
    linger_seconds: int = 0,
    memory: Memory | None = None,
    pace: Pace | None = None,
    workers: int | None = None,
    events: bool = False,
    templates: Files | None = None,
    suppressing: SuppressionList | None = None,
    unsubscribe_url: str = "",
) -> Summary:
    """One run; by default a plain connection for one worker."""
    sqs = sqs or account.sqs()
    smtp = replace(smtp or wide(1), port=server.port)
    connections = pace.connections(asyncio.get_running_loop().time()) if pace else smtp.connections
    deadline = deadline or Deadline.after(900)
    ledger = account.ledger(dynamodb)
    telemetry = telemetry or Telemetry()
    memory = memory or Memory(Allowance.of(function_bytes({}), smtp.connections))
    objects = account.objects(s3)
    claim_checks = ClaimChecks(objects, account.outbox(dynamodb), memory)
    key = account.address_key(address_key)
    tls = PLAIN_TLS if smtp.security is Security.NONE else server.client_context()
    async with Pool(
        partial(connect, smtp, tls, Deadline.after(600), Logins()), connections
    ) as pool:
        return await Drain(
            queues=account.queues(sqs, now),
            ledger=ledger,
            control=control_row(account, control),
            objects=objects,
            admission=Admission(
                ledger,
                telemetry,
                "ion@example.org",
                in_doubt,
                lease_until=now() + 960,
                now=now,
                address_key=key,
                claim_checks=claim_checks,
                suppression_list=suppressing,
                links=Links(unsubscribe_url, key) if unsubscribe_url else None,
                templates=(
                    Templates(Renderer(templates), telemetry, deadline, now) if templates else None
                ),
            ),
            pool=pool,
            workers=workers or smtp.connections,
            deliverer=relay(pool) if relay else Deliverer(pool, 345_600),
            telemetry=telemetry,
            linger_seconds=linger_seconds,
            deadline=deadline,
            memory=memory,
            pace=pace,
            events=events,
        ).run()


def run(account: Account, server: ScriptedServer | None = None, **parts: Any) -> Summary:  # noqa: ANN401
    async def main() -> Summary:
        async with server or ScriptedServer() as running:
            return await drain(account, running, **parts)

    return asyncio.run(main())


def wide(connections: int) -> Smtp:
    return Smtp("127.0.0.1", 0, Security.NONE, connections=connections)


def recipients(server: ScriptedServer) -> Counter[str]:
    """How often each was sent to, by the dots that the server saw."""
    return Counter(address for one in server.accepted for address in one.recipients)


def delays(sqs: Between) -> list[int]:
    """How long each message is to wait, where it is or in the queue of what waits.

    Beyond SQS's longest delay it is known to ten seconds only.
    """
    asked = sqs.asked("change_message_visibility_batch")
    found = [entry["VisibilityTimeout"] for one in asked for entry in one["Entries"]]
    for request in sqs.asked("send_message_batch"):
        for entry in request["Entries"] if "later" in request["QueueUrl"] else ():
            due = json.loads(entry["MessageAttributes"]["ion"]["StringValue"])["due"]
            left = datetime.fromisoformat(due).timestamp() - time.time()
            exact = entry["DelaySeconds"] < LONGEST_DELAY_SECONDS
            found.append(entry["DelaySeconds"] if exact else round(left, -1))
    return found


def ion_of(held: Held) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(held.attributes["ion"][1])
    return record


def reasons(account: Account) -> list[str | bytes]:
    return [held.attributes["reason"][1] for held in account.dead()]


GOOD_ION = {
    "email_id": "x",
    "first_queued_at": "2026-11-22T08:30:15Z",
    "original_message_id": "y",
}


ONCE = {"to1@example.org": 1}


def only_updates(answer: Answer) -> Answer:
    """Results can't be written; new emails can be claimed."""

    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        update = any(one["Statement"].startswith("UPDATE") for one in request["Statements"])
        return answer(real, request) if update else real(**request)

    return choose


def later(hours: float) -> Callable[[], float]:
    """The claims' clock."""
    return lambda: time.time() + 3600 * hours


class KilledError(BaseException):
    """The process dies here."""


class Dying(Deliverer):
    """Dies over each email, before it is sent."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        raise KilledError


async def killed(
    account: Account,
    server: ScriptedServer,
    relay: type[Deliverer],
    **parts: Any,  # noqa: ANN401
) -> None:
    """A run that dies; then the visibility time-out runs out."""
    polled: set[str] = set()

    def no_poll_outlives_it(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if request["QueueUrl"] in polled:
            return {}
        polled.add(request["QueueUrl"])
        return at_once(real, request)

    sqs = account.sqs(receive_message=no_poll_outlives_it)
    with pytest.raises(BaseExceptionGroup) as caught:
        await drain(account, server, sqs=sqs, relay=lambda pool: relay(pool, 345_600), **parts)
    assert caught.group_contains(KilledError)
    account.time_passes(3600)
