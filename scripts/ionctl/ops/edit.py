"""A dead letter corrected: its email goes out under the same id with another content.

Three steps, in this order: the ledger's row agrees, the message goes to the input queue, the
letter is deleted. Whatever dies between two of them, to edit again goes on where it ended: a row
that has agreed agrees again, and of two messages under one key one is sent.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from ion.aws.ledger import Ledger
from ion.aws.queue import Queue
from ion.aws.table import TableError
from ion.contract import BadInput, Send, content_hash
from ion.deadletter.letter import requeue_attributes
from ion.deadletter.look import Look, unbroken
from ion.delivery import InDoubt
from ion.history import for_redrive, resolve
from ion.mail import recipients
from ion.message import Draft
from ion.policy.amendment import Amending, Content
from ion.policy.control import noted
from ion.policy.lease import Claim
from ionctl.ops.letters import woken
from ionctl.ops.looking import dead_letters, found, looking, run
from ionctl.ops.publishing import check
from ionctl.ops.result import Edited
from ionctl.problem import Problem
from ionctl.program import hinted

if TYPE_CHECKING:
    from ion.message import Message
    from ionctl.ops.deployment import Deployment

_MOST_BY = 200
"""Characters of who edits, in the ledger's row."""

_REFUSED = {
    Amending.UNDER_WAY: "it is being sent, or the run that did has died and the next one decides: "
    "try again in a quarter of an hour",
    Amending.WAITING: "other recipients of it are still being tried with the content as it is: "
    "edit it when they have their fate",
    Amending.SENT: "it was sent under this id meanwhile: discard the letter, or publish the "
    "correction under another email_id",
    Amending.CANCELLED: "its id was cancelled: publish it under another email_id",
    Amending.ANOTHER: "the id belongs to an email with another content than the letter's: give "
    "the correction another email_id",
    Amending.SERVED: "the letter is about some of its recipients alone, and those whom it isn't "
    "about must stay as they are, in their places",
    Amending.OVERTAKEN: "the letter has gone back to the queue already: ionctl show tells what "
    "became of it; if that was sent, discard the letter",
}


def edit(deployment: Deployment, message_id: str, body: str, *, by: str) -> Edited:
    """Send a letter's email with another body, under its id.

    Args:
        deployment: whose.
        message_id: SQS's, of the letter.
        body: the whole message as it is to be.
        by: who does it; the ledger's row keeps that.

    Raises:
        Problem: the letter isn't there, the message is wrong, or the ledger doesn't agree.
    """
    return run(_edit(deployment, message_id, body, by))


async def _edit(deployment: Deployment, message_id: str, body: str, by: str) -> Edited:
    checked = check(body, default_sender=deployment.default_sender)
    if not checked.ok:
        raise Problem(f"nothing is sent: {checked.faults[0].words}")
    async with looking(deployment) as look:
        letter = await found(deployment, look, message_id)
        email_id = await _agreed(deployment, letter, body, by)
        words = await unbroken(_send(deployment, look, letter, body))
    if not woken(deployment):
        words += "; the relay could not be woken, and begins at its next schedule"
    return Edited(email_id=email_id, words=words)


async def _agreed(deployment: Deployment, letter: Message, body: str, by: str) -> str:
    """The email's key, once its row agrees that its content is another one.

    Raises:
        Problem: it doesn't, or can't be asked.
    """
    history, asked = resolve(replace(letter, body=body))
    if not isinstance(asked, Send):
        return history.email_id
    to = recipients(asked)
    claim = Claim(
        email_id=history.email_id,
        message_id="",  # SQS will give it one that no other has
        content_hash=content_hash(body),
        recipients=len(to),
        left=history.left,
        in_doubt=asked.in_doubt or InDoubt.RESEND_ONCE,
        token=uuid4().hex,
        lease_until=0,
        redrives=history.redrives,
    )
    ledger = Ledger(deployment.account.dynamodb, deployment.table)
    who = noted(by, _MOST_BY)
    try:
        how = await ledger.amend(claim, _content(letter), to, who, time.time())
    except TableError as error:
        raise Problem(
            f"the ledger can't be asked, so nothing is sent ({error}): edit it again"
        ) from error
    if how in _REFUSED:
        raise Problem(f"nothing is sent: {hinted(_REFUSED[how])}")
    return history.email_id


def _content(letter: Message) -> Content:
    """What the letter says as it is; of what can't be read, nothing is known."""
    try:
        _, asked = resolve(letter)
        if isinstance(asked, Send):
            return Content(content_hash(letter.body), recipients(asked))
    except BadInput:
        pass
    return Content("", ())


async def _send(deployment: Deployment, look: Look, letter: Message, body: str) -> str:
    attributes = requeue_attributes(letter, for_redrive(letter))
    queue = Queue(deployment.account.sqs, deployment.queue_url)
    (sent,) = await queue.send([Draft(body, attributes, group=letter.group)])
    if not sent:
        raise Problem("SQS doesn't take it, so nothing is sent and the letter stays: edit it again")
    if await dead_letters(deployment).delete([letter]):
        return "sent to the input queue; the letter could not be deleted: discard it"
    look.moved([letter])
    return "sent to the input queue under its id, and the letter is gone"
