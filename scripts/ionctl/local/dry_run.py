"""One look into a queue: what ion would do with what is there. Sends nothing, deletes nothing."""

import asyncio
import os
import re
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from ion.aws.queue import Queue, QueueError
from ion.aws.secrets import read_secret
from ion.contract import BadInput, Redrive, S3Object, Send, Where, claim_check, given_tags
from ion.contract.hints import hint
from ion.drain.templating import filled
from ion.envelope import Email
from ion.guard_rules import GuardRules
from ion.history import History, resolve
from ion.limits import MOST_RECEIVES
from ion.mail import check, is_address
from ion.message import Message
from ion.outcome import Reason
from ion.policy.guard import StagingGuard
from ion.relay.relay import template_files
from ion.settings import SettingsError, TemplateBucket, load
from ion.template import FilesUnavailableError, Renderer
from ionctl.local import deployed
from ionctl.local.deployed import Session
from ionctl.local.ministack import REGION
from ionctl.local.show import printable
from ionctl.problem import Problem

_QUEUE_URL = "ION_AWS_QUEUE_URL"
_NEEDLESS = (
    *("ION_AWS_BULK_QUEUE_URL", "ION_AWS_LATER_QUEUE_URL", "ION_AWS_DEAD_LETTER_QUEUE_URL"),
    *("ION_AWS_ALARM_NAME", "ION_AWS_BULK_ALARM_NAME", "ION_AWS_LATER_ALARM_NAME"),
    "ION_AWS_LEDGER_TABLE",
)
"""Settings that the function can't do without, and a look can."""
_NOT_KNOWN = "not-known@sender.invalid"
_FRESH_SECONDS = 60
_WAIT_SECONDS = 2
"""A short poll asks only some of SQS's servers, and may miss what is there."""


def dry_run(root: Path, queue_url: str | None, endpoint_url: str | None) -> Iterator[str]:
    """Receive up to ten messages without hiding them, and give a line about each.

    SQS counts the receive all the same: a hundred looks at one message would send it to the
    dead-letter queue.

    Args:
        root: the folder with config.cfg and, perhaps, config-secrets.cfg.
        queue_url: None: as ION_AWS_QUEUE_URL says.
        endpoint_url: of AWS; None: where the queue's address leads.

    Raises:
        Problem: no queue is named, or it can't be read.
    """
    url = queue_url or os.environ.get(_QUEUE_URL)
    if not url:
        raise Problem(f"which queue? Say so with --queue-url, or in {_QUEUE_URL}")
    if not urlsplit(url).netloc:
        raise Problem(
            f"{url} is no queue's URL: those begin with https:// (aws sqs get-queue-url "
            "--queue-name NAME tells it)"
        )
    session = Session(region_name=_region(url))
    session.endpoint_url = endpoint_url or _emulator(url)
    try:
        environment = deployed.environment(session, url)
    except Problem as problem:
        yield f"The settings are those of this folder and this shell: {problem}"
        environment = {**dict.fromkeys(_NEEDLESS, "-"), **os.environ, _QUEUE_URL: url}
    bucket: TemplateBucket | None = None
    rules = GuardRules()
    try:
        settings = load(root, environment, partial(read_secret, session), is_address)
        sender, bucket, rules = settings.sender, settings.templates, settings.guard
    except SettingsError as error:
        yield f"The settings can't be read: {error}. A function that can't either sends nothing"
        given = environment.get("ION_MAIL_SENDER", "")
        sender = given if is_address(given) else _NOT_KNOWN
    queue = Queue(session.client("sqs"), url)
    try:
        messages = asyncio.run(queue.receive(visibility_seconds=0, wait_seconds=_WAIT_SECONDS))
    except QueueError as error:
        raise Problem(
            f"{url} can't be read: {error}. Are the address and the AWS credentials right "
            "(AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)?"
        ) from error
    seen = {message.id: message for message in messages}  # not hidden, one may come twice
    renderer = Renderer(template_files(bucket, root, lambda: session.client("s3")))
    guard = StagingGuard(rules)
    for message in seen.values():
        yield printable(f"{message.id}  {_would(message, sender, renderer, guard)}")
    if (more := _visible(session, url) - len(seen)) > 0:
        yield f"{more} more can be received now; one look shows at most ten."
    if not seen:
        yield (
            "Nothing to send: no message is visible now. Deferred ones are hidden until due, or "
            "in NAME-later-queue."
        )


def _visible(session: Session, url: str) -> int:
    """Give about how many messages can be received now; 0: we may not know, or there are none."""
    try:
        asked = session.client("sqs").get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
    except ClientError:
        return 0
    return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def _emulator(queue_url: str) -> str | None:
    """Give the address of the emulated AWS that a queue is in; None: the real one."""
    address = urlsplit(queue_url)
    if re.search(r"\.amazonaws\.com(\.cn)?$", address.hostname or ""):
        return None
    return f"{address.scheme}://{address.netloc}"


def _region(queue_url: str) -> str | None:
    named = re.match(r"https://(?:sqs\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.", queue_url)
    if named:
        return named[1]
    # boto3 wants one, whatever it is for; None: as the person's own configuration says
    return None if boto3.Session().region_name else REGION


def _would(
    message: Message, default_sender: str | None, renderer: Renderer, guard: StagingGuard
) -> str:
    if message.receives >= MOST_RECEIVES - 1:  # the next receive is the function's
        return f"would be dead-lettered: {Reason.POISON}"
    if claim := claim_check(message.body):
        where = "in S3" if isinstance(claim, S3Object) else "in the outbox, if there is one"
        return f"would be fetched first: it says only where the message is, {where}"
    try:
        history, action = resolve(message)
        if isinstance(action, Redrive):
            return _would_redrive(action, history)
        if not isinstance(action, Send):
            return f"would be carried out: {type(action).__name__.lower()}"
        if action.template:
            renderer.files.refresh(time.time() - _FRESH_SECONDS)
        action = filled(action, renderer)
        checked = check(action, key=history.email_id, default_sender=default_sender)
    except BadInput as bad:
        right = hint(bad.reason, bad.path, bad.problem)
        return f"would be dead-lettered: {bad}" + (f" ({right})" if right else "")
    except FilesUnavailableError as error:
        return f"would wait: {Reason.TEMPLATE_UNAVAILABLE}, {error}"
    everybody = checked.envelope.recipients
    left = [i for i in history.left if i < len(everybody)] or range(len(everybody))
    email = checked.email(history.first_queued_at, dict.fromkeys(checked.objects, ()))
    return _would_go(email, len(checked.objects), left, guard)


def _would_go(email: Email, objects: int, left: Iterable[int], guard: StagingGuard) -> str:
    everybody = email.envelope.recipients
    if path := guard.forbidden_sender(email.envelope):
        return f"would be dead-lettered: {BadInput(Reason.GUARDED, path)}"
    routes = guard.routes(everybody, left)
    goes_to = [everybody[i] for i in routes.themselves]
    if routes.redirected:
        originals = ", ".join(everybody[i] for i in routes.redirected)
        goes_to.append(f"{guard.redirect_to} (in place of {originals})")
    left_out = ", ".join(everybody[i] for i in routes.left_out)
    buried = f"be dead-lettered for {left_out}: {Reason.GUARDED}" if left_out else ""
    if not goes_to:
        return f"would {buried}"
    _, sender = email.envelope.senders
    if sender == _NOT_KNOWN:
        sender = "a sender that isn't known here"
    files = f" and {objects} object{'s'[: objects > 1]} of S3" if objects else ""
    return (
        f"would go from {sender} to {', '.join(goes_to)}: {email.subject!r}, "
        f"{email.size} bytes{files}"
    ) + (f"; and {buried}" if buried else "")


def _would_redrive(query: Redrive, history: History) -> str:
    where = query.where or Where()
    reasons = where.reason if isinstance(where.reason, list) else [where.reason]
    conditions = {
        "reason": " or ".join(filter(None, reasons)),
        "recipient_domain": where.recipient_domain,
        "sender": where.sender,
        "tag": " and ".join(f"{name}={value}" for name, value in given_tags(where.tag).items()),
        "email_id": where.email_id,
        "older_than": where.older_than,
        "younger_than": where.younger_than,
    }
    which = [f"{name} {value}" for name, value in conditions.items() if value]
    if query.max is not None:
        which.append(f"at most {max(0, query.max - history.moved)}")
    if query.rate is not None:
        which.append(f"{query.rate:g} a second")
    does = "count dead letters" if query.dry_run else "move dead letters back to the input queue"
    return f"would {does}: {', '.join(which) or 'all'}"
