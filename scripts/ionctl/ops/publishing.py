"""Messages: checked as the relay checks them, and put on the topic."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from botocore.exceptions import ClientError

from ion.aws.errors import code_of
from ion.contract import BadInput, Lane, Send, claim_check, is_given, parse
from ion.contract.hints import hint
from ion.contract.parse import without_mark
from ion.contract.send import NO_BODY, NO_RECIPIENT, NO_TEMPLATE
from ion.limits import MOST_MESSAGE_BYTES
from ion.mail import check as check_email
from ion.mail import is_address
from ion.outcome import Problem as Wrong
from ion.outcome import Reason
from ion.policy.schedule import begins_at, ends_at
from ionctl.ops.json_place import place
from ionctl.ops.result import Checked, Fault, Published
from ionctl.problem import Problem, UsageProblem
from ionctl.program import command

if TYPE_CHECKING:
    from ion.contract import Action
    from ionctl.ops.deployment import Deployment

_NOT_FOR_SQS = re.compile("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""What SendMessage refuses (SQS API reference); SNS takes it, and then can't deliver it."""
_SOMEBODY = "somebody@sender.invalid"
"""The sender of a message that names none, where the relay's own isn't known."""
_MISSING = {
    "$.recipient": NO_RECIPIENT,
    "$.body_text": NO_BODY,
    "$.template": NO_TEMPLATE,
}
"""By path, where one field of several would do: what is missing."""


def check(body: str, source: str = "-", *, default_sender: str | None = None) -> Checked:
    """What the relay would find wrong with a message. Nothing is asked of AWS.

    Attachments and messages in S3, the outbox and templates can't be looked at from here.

    Args:
        body: the message.
        source: where it is from.
        default_sender: From, of emails that name none; None: not known.
    """
    asked: Action | None = None
    faults, warnings = [], list[str]()
    if claim_check(body) is not None:
        warnings.append("it only says where the message is; what is there isn't looked at")
    try:
        asked = _asked(body)
        _judge(asked, body, default_sender)
    except BadInput as bad:
        faults.append(fault(bad, body))
    return Checked(
        source=source,
        ok=not faults,
        action=str(asked.__struct_config__.tag) if asked else "",
        email_id=str(getattr(asked, "email_id", None) or ""),
        bytes=_octets(body),
        faults=faults,
        warnings=warnings + _warnings(asked, default_sender),
    )


def _asked(body: str) -> Action | None:
    """What a message asks for; None: it only says where the message is. Raises BadInput."""
    return None if claim_check(body) is not None else parse(body)


def _judge(asked: Action | None, body: str, default_sender: str | None) -> None:
    """Raises BadInput: the relay would not take it."""
    if isinstance(asked, Send):
        begins_at(asked, 0, time.time())
        check_email(asked, key="k", default_sender=default_sender or _SOMEBODY)
    if _octets(body) > MOST_MESSAGE_BYTES:
        raise BadInput(Reason.TOO_LARGE, "$")


def _octets(body: str) -> int:
    return len(body.encode(errors="replace"))


def fault(bad: BadInput, body: str) -> Fault:
    """What is wrong, with its place in the text."""
    line = column = 0
    if bad.reason == Reason.BAD_JSON:
        if at := re.search(r"line (\d+), column (\d+)", bad.detail):
            line, column = int(at[1]), int(at[2])
    else:
        line, column = place(body, bad.path)
    return Fault(
        reason=bad.reason,
        path=bad.path,
        problem=bad.problem or "",
        did_you_mean=bad.did_you_mean,
        words=in_words(bad),
        line=line,
        column=column,
    )


def in_words(bad: BadInput) -> str:
    """What is wrong and what would be right, in a sentence."""
    field = bad.path.removeprefix("$").removeprefix(".").removeprefix(".") or "the message"
    right = hint(bad.reason, bad.path, bad.problem)
    if bad.reason == Reason.BAD_JSON:
        return "this is no JSON"
    if bad.reason == Reason.TOO_LARGE:
        return f"{field} is too large" + (f": {right}" if right else "")
    if bad.problem is Wrong.UNKNOWN:
        near = f": did you mean {bad.did_you_mean}?" if bad.did_you_mean else ""
        return f"unknown field {field}{near}"
    if bad.problem is Wrong.MISSING:
        return f"the email {_MISSING[bad.path]}" if bad.path in _MISSING else f"{field} is missing"
    if bad.problem is Wrong.DUPLICATE:
        return f"{field} is there twice"
    if right:
        return f"{field} {right}"
    if bad.problem is Wrong.TYPE:
        return f"{field} is of the wrong type"
    return f"{field}: {bad.reason}, see docs/reasons.md"


def see_address(option: str, text: str) -> None:
    """Raise UsageProblem: the option's text is no email address."""
    if not is_address(text):
        raise UsageProblem(f"{option} {text}: is no email address, write name@example.org")


def not_for_sqs(body: str) -> str:
    """Why no queue takes a text, whatever is in it; empty: SQS takes it."""
    found = _NOT_FOR_SQS.search(body)
    if found is None:
        return ""
    return f"it has the character U+{ord(found[0]):04X}, which SQS takes in no message"


def publish(
    deployment: Deployment, body: str, *, bulk: bool = False, as_it_is: bool = False
) -> Published:
    """Put a message on the topic, with an `email_id` of its own if it is an email without one.

    Args:
        deployment: whose.
        body: the message.
        bulk: on the topic for bulk, as a message of that lane is anyway.
        as_it_is: unchecked, and without a name that it hasn't: to see what the relay makes of it.

    Raises:
        Problem: the relay would not take it, or SNS doesn't.
    """
    checked = check(body, default_sender=deployment.default_sender)
    if not (checked.ok or as_it_is):
        raise Problem(f"nothing is published: {checked.faults[0].words}")
    if not checked.ok and (wrong := not_for_sqs(body)):
        raise Problem(f"nothing is published: {wrong}")
    named, email_id, lane = _named(body) if checked.ok else (body, checked.email_id, None)
    if checked.ok:  # JSON has them within strings alone, and may have them escaped
        named = _NOT_FOR_SQS.sub(lambda found: f"\\u{ord(found[0]):04x}", named)
    is_bulk = bulk or lane == Lane.BULK
    topic = deployment.bulk_topic_arn if is_bulk else deployment.topic_arn
    try:
        answer = deployment.account.sns.publish(TopicArn=topic, Message=named)
    except ClientError as error:
        if code_of(error) in ("NotFound", "NotFoundException"):
            raise Problem(f"there is no topic {topic}") from error
        raise
    return Published(email_id=email_id, message_id=answer["MessageId"], topic_arn=topic)


def _named(body: str) -> tuple[str, str, Lane | None]:
    """The message with a name, the name, and the lane. What is no email has none."""
    asked = _asked(body)
    if not isinstance(asked, Send):
        return body, str(getattr(asked, "email_id", None) or ""), None
    if asked.email_id is not None:
        return body, asked.email_id, asked.lane
    email_id = str(uuid4())
    fields = json.loads(without_mark(body)) | {"email_id": email_id}
    return json.dumps(fields, ensure_ascii=False), email_id, asked.lane


def _warnings(send: Action | None, default_sender: str | None) -> list[str]:
    """What is allowed, and probably not meant."""
    if not isinstance(send, Send):
        return []
    warnings = []
    if not is_given(send.sender) and default_sender is None:
        warnings.append("sender: none is given, so it is the relay's ([mail] sender)")
    if send.email_id is None:
        warnings.append("email_id: none is given, so it is sent twice if it is published twice")
    if ends_at(send) <= time.time():
        warnings.append("expires_at: is over, so it is dead-lettered as EXPIRED")
    if send.template is not None:
        warnings.append(
            f"template: not filled in here; {command('render')} {send.template} does it"
        )
    return warnings
