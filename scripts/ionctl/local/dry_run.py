"""One look into a queue: what ion would do with what is there. Sends nothing, deletes nothing."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.control import ControlRow
from ion.aws.errors import AWS_ERRORS
from ion.aws.objects import Objects
from ion.aws.outbox import Outbox
from ion.aws.queue import Queue, QueueError
from ion.aws.table import Table, TableError
from ion.contract import Redrive
from ion.drain.allowance import Allowance
from ion.drain.claim_checks import ClaimChecks
from ion.drain.memory import Memory
from ion.drain.suppression_list import SuppressionList
from ion.guard_rules import GuardRules
from ion.mail import is_address
from ion.message import Source
from ion.policy.control import Control
from ion.policy.guard import StagingGuard
from ion.relay.relay import template_files
from ion.settings import Settings, SettingsError, load
from ion.template import Renderer
from ionctl.local import forecast
from ionctl.local.place import QUEUE_URL, named, of_local_stack
from ionctl.ops import letters
from ionctl.ops.account import Account
from ionctl.ops.address_rows import known_key
from ionctl.ops.deployment import Deployment
from ionctl.ops.doctor import secret
from ionctl.ops.doctor.check import NotKnownError
from ionctl.ops.result import Moved
from ionctl.printable import printable
from ionctl.problem import Problem

_NEEDLESS = (
    *("ION_AWS_BULK_QUEUE_URL", "ION_AWS_LATER_QUEUE_URL", "ION_AWS_DEAD_LETTER_QUEUE_URL"),
    *("ION_AWS_ALARM_NAME", "ION_AWS_BULK_ALARM_NAME", "ION_AWS_LATER_ALARM_NAME"),
    "ION_AWS_LEDGER_TABLE",
)
"""Settings that the function can't do without, and a look can."""
_MB = 1024 * 1024
_WAIT_SECONDS = 2
"""A short poll asks only some of SQS's servers, and may miss what is there; an emulator has one."""
_SOURCES = {"bulk-queue": Source.BULK, "later-queue": Source.LATER}
_COUNTS = {
    "ApproximateNumberOfMessages": "more can be received now; one look shows at most ten",
    "ApproximateNumberOfMessagesNotVisible": "in flight: received, and not to be seen",
    "ApproximateNumberOfMessagesDelayed": "delayed: not to be seen before they are due",
}


def dry_run(root: Path, queue_url: str | None, endpoint_url: str | None) -> Iterator[str]:
    """Receive up to ten messages of a queue without hiding them, and give a line about each.

    SQS counts the receive all the same: a hundred looks at one message would send it to the
    dead-letter queue.

    Args:
        root: the folder with config.cfg and, perhaps, config-secrets.cfg.
        queue_url: None: as ION_AWSQUEUE_URL says; else the queues of the local stack that is up.
        endpoint_url: of AWS; None: where the queue's address leads.

    Raises:
        Problem: no queue is named, or it can't be read.
    """
    url = queue_url or os.environ.get(QUEUE_URL)
    place = named(url, endpoint_url) if url else of_local_stack()
    deployment: Deployment | None = None
    try:
        deployment = place.deployment()
        environment = deployment.environment
    except Problem as problem:
        yield f"The settings are those of this folder and this shell: {problem}"
        environment = {**dict.fromkeys(_NEEDLESS, "-"), **os.environ, QUEUE_URL: place.urls[0]}
    settings: Settings | None = None
    try:
        settings = load(root, environment, partial(secret.text, place.account), is_address)
    except (SettingsError, NotKnownError) as error:
        yield f"The settings can't be read: {error}. A function that can't either sends nothing"
    relay = _relay(root, place.account, deployment, settings, environment)
    for url in place.urls:
        heading = f"{url.rpartition('/')[2]}: " if len(place.urls) > 1 else ""
        for line in _look(place.account, url, relay):
            yield printable(f"{heading}{line}")


def _relay(
    root: Path,
    account: Account,
    deployment: Deployment | None,
    settings: Settings | None,
    environment: Mapping[str, str],
) -> forecast.Relay:
    """Give what the relay goes by, as far as it is known."""
    if settings is None:
        given = environment.get("ION_MAIL_SENDER", "")
        sender = given if is_address(given) else forecast.NOT_KNOWN
        files, rules = template_files(None, root, lambda: account.s3), StagingGuard(GuardRules())
        return forecast.Relay(sender, Renderer(files), rules)
    files = template_files(settings.templates, root, lambda: account.s3)
    known = forecast.Relay(settings.sender, Renderer(files), StagingGuard(settings.guard))
    if deployment is None:
        return known
    memory = Memory(
        Allowance.of(deployment.configuration["MemorySize"] * _MB, settings.servers[0].connections)
    )
    control = _control(deployment)
    outbox = Outbox(account.dynamodb, settings.aws.outbox_table)
    claim_checks = ClaimChecks(Objects(lambda: account.s3), outbox, memory)
    return forecast.Relay(
        settings.sender,
        known.renderer,
        known.guard,
        control,
        claim_checks,
        partial(_count, deployment),
        partial(_states, deployment),
        _suppression_list(deployment, settings, control, known.guard),
    )


def _suppression_list(
    deployment: Deployment, settings: Settings, control: Control, guard: StagingGuard
) -> SuppressionList | None:
    """None: no address has been hashed yet, so nobody is on it; a look makes no key."""
    dynamodb, table = deployment.account.dynamodb, deployment.table
    if known_key(deployment) is None:
        return None
    found = SuppressionList(
        Addresses(dynamodb, table),
        AddressKey(dynamodb, table),
        is_on=settings.suppression_list,
        guard=guard,
    )
    found.has_erasures = lambda: control.erasures
    return found


def _control(deployment: Deployment) -> Control:
    row = ControlRow(deployment.account.dynamodb, deployment.table)
    try:
        return asyncio.run(row.read())
    except TableError as error:
        raise Problem(f"what is paused or stopped can't be read: {error}") from error


def _states(deployment: Deployment, keys: Sequence[str]) -> dict[str, str]:
    try:
        table = Table(deployment.account.dynamodb, deployment.table)
        rows = asyncio.run(table.read(keys))
    except TableError:
        return {}
    return {key: str(row["status"]) for key, row in rows.items() if "status" in row}


def _count(deployment: Deployment, query: Redrive) -> Moved:
    return letters.redrive(deployment, query.where, maximum=query.max, dry_run=True)


def _look(account: Account, url: str, relay: forecast.Relay) -> Iterator[str]:
    source = next((kind for end, kind in _SOURCES.items() if url.endswith(end)), Source.INPUT)
    queue = Queue(account.sqs, url, source)
    wait_seconds = _WAIT_SECONDS if account.endpoint_url is None else 0
    try:
        messages = asyncio.run(queue.receive(visibility_seconds=0, wait_seconds=wait_seconds))
    except QueueError as error:
        raise Problem(
            f"{url} can't be read: {error}. Are the address and the AWS credentials right "
            "(AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)?"
        ) from error
    seen = {message.id: message for message in messages}  # not hidden, one may come twice
    for message in seen.values():
        yield f"{message.id}  {forecast.would(message, relay)}"
    for words, count in _unseen(account, url, len(seen)).items():
        yield f"{count} {words}."
    if not seen:
        yield "Nothing to send: no message is visible now."


def _unseen(account: Account, url: str, seen: int) -> dict[str, int]:
    """Give about how many messages aren't seen, and why; nothing: none, or we may not know."""
    try:
        asked = account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    except AWS_ERRORS:
        return {}
    attributes = {str(name): value for name, value in asked["Attributes"].items()}
    counts = {words: int(attributes.get(name, "0")) for name, words in _COUNTS.items()}
    visible = _COUNTS["ApproximateNumberOfMessages"]
    counts[visible] -= seen
    return {words: count for words, count in counts.items() if count > 0}
