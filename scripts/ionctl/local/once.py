"""A few messages through the whole relay, and what became of each."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path

from botocore.exceptions import ClientError

from ion.contract import Action, BadInput, OutboxClaim, S3Object, Send, claim_check, parse
from ion.mail import check
from ion.outcome import Reason
from ionctl.local import once_files, show
from ionctl.local.fate import Fate
from ionctl.local.peek import Queued
from ionctl.local.stack import Stack
from ionctl.ops.publishing import not_for_sqs

_FANOUT_SECONDS = 10
_POLL_SECONDS = 0.05
_LOG_SECONDS = 30
"""An invocation's log comes when it has ended: after the drain's time to wait for more."""


def run(
    stack: Stack, files: Sequence[tuple[Path, bytes]], timeout_seconds: float, out: Path
) -> tuple[Fate, ...]:
    """Publish each file as it is, wait until nothing is queued, write down what came of it.

    Args:
        stack: fresh: no other messages.
        files: one message each, as `once_files.read` gives them.
        timeout_seconds: how long to wait; what is queued then is reported so.
        out: folder for `NAME.eml` and `NAME.dead-letter.json`; made by `once_files.make_folder`.

    Raises:
        Problem: `out` can't be written to.
    """
    messages = publish(stack, files)
    stack.wake()
    stack.wait_until_settled(timeout_seconds)
    found = fates(stack, messages)
    deadline = time.monotonic() + _LOG_SECONDS
    while not all(fate.is_told for fate in found) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        found = fates(stack, messages)
    once_files.write(found, out)
    return found


@dataclass(frozen=True, slots=True)
class Published:
    """A file, and the message that it has become."""

    file: Path
    body: str = ""
    message_id: str = ""
    """What SQS called it first."""
    refused: str | None = None
    """Why it has become none."""


def publish(stack: Stack, files: Sequence[tuple[Path, bytes]]) -> list[Published]:
    """Publish each file as it is; no run of the function begins meanwhile."""
    with _paused(stack):
        return [_publish(stack, file, content) for file, content in files]


def fates(stack: Stack, messages: Sequence[Published]) -> tuple[Fate, ...]:
    """Say what has become of each message up to now."""
    first: dict[str, Path] = {}
    return tuple(_fate(stack, message, first) for message in messages)


@contextmanager
def _paused(stack: Stack) -> Iterator[None]:
    """Let no run of the function begin: while messages wait, we can see which is which."""
    functions, name = stack.aws.functions, stack.names.function
    limit = functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=limit)


def _publish(stack: Stack, file: Path, content: bytes) -> Published:
    try:
        body = content.decode()
    except UnicodeDecodeError:
        return Published(file, refused="it isn't UTF-8, and SNS takes only text")
    if not body:  # ministack would take it
        return Published(file, refused="it is empty, and SNS takes no empty message")
    if wrong := not_for_sqs(body):  # ministack would take it, and no dead letter could be made
        return Published(file, refused=wrong)
    before = {queued.message_id for queued in stack.queued()}
    try:
        stack.publish(body)
    except ClientError as error:
        return Published(file, refused=error.response["Error"]["Message"])
    deadline = time.monotonic() + _FANOUT_SECONDS
    while time.monotonic() < deadline:
        for queued in stack.queued():
            if queued.message_id not in before:
                return Published(file, body, queued.message_id)
        time.sleep(_POLL_SECONDS)
    return Published(file, refused="SNS has taken it, but it didn't come onto the queue")


def _fate(stack: Stack, message: Published, first: dict[str, Path]) -> Fate:
    """Say what became of a message; `first` has the first file of each Message-ID so far."""
    if message.refused is not None:
        return Fate(message.file, refused=message.refused)
    own_id = _message_id(stack, message)
    copy_of = first.setdefault(own_id, message.file) if own_id else message.file
    is_copy = copy_of is not message.file
    key = _key(stack, message)
    waiting = [queued for queued in stack.queued() if _came_from(queued, message)]
    events = [_last_event(stack, {message.message_id, one.message_id}) for one in waiting]
    return Fate(
        message.file,
        emails=tuple(
            email
            for email in stack.mailbag.emails
            if own_id and not is_copy and _local_id(email.content) == own_id
        ),
        dead_letters=tuple(dead for dead in stack.dead_letters() if _came_from(dead, message)),
        undecided=tuple(
            f"{_queued_in(one, stack)}: {event or 'not tried yet'}"
            for one, event in zip(waiting, events, strict=True)
        ),
        copy_of=copy_of if is_copy else None,
        report=None if is_copy else _last_event(stack, {message.message_id, key}, is_over=True),
    )


def _queued_in(queued: Queued, stack: Stack) -> str:
    normal = queued.queue == stack.names.queue
    return "still queued" if normal else f"still queued in {queued.queue}"


def _came_from(queued: Queued, message: Published) -> bool:
    first = show.provenance(queued).get("original_message_id", queued.message_id)
    return bool(first == message.message_id)


def _message_id(stack: Stack, message: Published) -> str | None:
    """Give the Message-ID that the email has, up to the @; None: it becomes no email."""
    try:
        action = _action(stack, message.body)
        if not isinstance(action, Send):
            return None
        checked = check(
            action,
            key=action.email_id or message.message_id,
            default_sender="anybody@example.org",  # no matter: it is only after the @
        )
    except BadInput:
        return None
    email = checked.email(datetime.now(tz=UTC), dict.fromkeys(checked.objects, ()))
    return _local_id(email.content)


def _action(stack: Stack, body: str) -> Action:
    """Give what a message asks for; of an item of the outbox: an email under its key.

    Raises:
        BadInput: nothing that ion knows.
    """
    match claim_check(body):
        case OutboxClaim(email_id):
            return Send(recipient="anybody@example.org", email_id=email_id, body_text="")
        case S3Object(bucket=bucket, key=key):
            try:
                content = stack.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                return parse(content.decode())
            except (ClientError, UnicodeDecodeError):
                raise BadInput(Reason.CLAIM_MISSING, "$") from None
        case _:
            return parse(body)


def _local_id(content: bytes) -> str:
    return str(BytesHeaderParser().parsebytes(content)["Message-ID"]).partition("@")[0]


def _last_event(stack: Stack, names: set[str], *, is_over: bool = False) -> str | None:
    """Give what the log says last about a message, by the ids and the key that it has had.

    Of one that is over, what kept it waiting before says nothing.
    """
    last = None
    for record in stack.events():
        is_cancel = record.get("message") in ("cancelled", "too_late")  # has the email's key
        if is_over and record.get("message") == "deferred":
            continue
        if names & {record.get("message_id"), None if is_cancel else record.get("email_id")}:
            last = show.event(record) or last
    return last


def _key(stack: Stack, message: Published) -> str:
    """Give the key of the email that a message is about; of what is none, the message's id."""
    try:
        action = _action(stack, message.body)
    except BadInput:
        return message.message_id
    return (isinstance(action, Send) and action.email_id) or message.message_id
