"""Amazon SES's notifications, of an identity (`notificationType`) and of events (`eventType`).

Both have the same objects in them (Amazon SES Developer Guide, "Amazon SNS notification contents
for Amazon SES" and "Contents of event data that Amazon SES publishes to Amazon SNS"). SES may add
fields, and those that ion doesn't need aren't looked at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from ion.feedback.notice import (
    Consequence,
    Kind,
    MalformedError,
    Notice,
    Reading,
    bracketed,
    utc,
    with_id,
)

VALIDATION = "Successfully validated SNS topic for Amazon SES event publishing."
"""The whole text of the message, no JSON, that SES sends to a topic as it becomes a destination."""
_TYPES = ("notificationType", "eventType")
_KNOWN_WITHOUT_MEANING = frozenset(
    {
        "AmazonSnsSubscriptionSucceeded",  # the topic was set for an identity
        "Send",
        "DeliveryDelay",
        "Open",
        "Click",
        "Rendering Failure",  # of SES's own templates, which ion doesn't use
        "Subscription",
    }
)
_UNKNOWN = "unknown"
_OF_THE_EMAIL = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
"""Sub-types of transient bounces that say nothing of the mailbox."""
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure"})
"""Types of reports (RFC 5965 section 7.3, RFC 6591 section 3.1) by which nobody complains."""


class _Header(msgspec.Struct):
    name: str
    value: str = ""


class _CommonHeaders(msgspec.Struct, rename="camel"):
    message_id: str | None = None


class _Mail(msgspec.Struct, rename="camel"):
    timestamp: datetime
    message_id: str
    headers: list[_Header] | None = None
    common_headers: _CommonHeaders | None = None

    @property
    def header_message_id(self) -> str:
        """The Message-ID that we wrote; SES's own id (`message_id`) is another one.

        The list of headers has it as it was sent. `commonHeaders` has SES's own id in its place
        where an email had none.
        """
        for header in self.headers or ():
            if header.name.lower() == "message-id" and header.value:
                return bracketed(header.value)
        common = self.common_headers.message_id if self.common_headers else ""
        return bracketed(common or "")


class _Recipient(msgspec.Struct, rename="camel"):
    email_address: str
    action: str | None = None
    status: str | None = None
    diagnostic_code: str | None = None

    @property
    def has_report(self) -> bool:
        """Whether the bounce came with a report on this recipient (RFC 3464)."""
        return bool(self.action or self.status or self.diagnostic_code)

    @property
    def said(self) -> str:
        """What the recipient's server said: without the kind of the words before them."""
        text = self.diagnostic_code or self.status or ""
        kind, semicolon, rest = text.partition(";")
        return rest.strip() if semicolon and kind.strip().isalpha() else text


class _Bounce(msgspec.Struct, rename="camel"):
    bounce_type: str
    bounced_recipients: list[_Recipient]
    timestamp: datetime
    bounce_sub_type: str = ""
    feedback_id: str = ""


class _Complaint(msgspec.Struct, rename="camel"):
    complained_recipients: list[_Recipient]
    timestamp: datetime
    feedback_id: str = ""
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None


class _Delivery(msgspec.Struct, rename="camel"):
    timestamp: datetime
    recipients: list[str]
    smtp_response: str | None = None


class _Reject(msgspec.Struct, rename="camel"):
    reason: str = ""


class _Notification(msgspec.Struct, rename="camel"):
    mail: _Mail
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    delivery: _Delivery | None = None
    reject: _Reject | None = None


def is_from_ses(message: Mapping[str, Any]) -> bool:
    """True for either form of SES's notifications."""
    return any(name in message for name in _TYPES)


def read(message: Mapping[str, Any]) -> Reading:
    """What a notification says.

    Raises:
        MalformedError: it isn't one, though it looks so.
    """
    what = next(message[name] for name in _TYPES if name in message)
    if what not in ("Bounce", "Complaint", "Delivery", "Reject"):
        return Reading(ignored=what if what in _KNOWN_WITHOUT_MEANING else _UNKNOWN)
    try:
        one = msgspec.convert(message, _Notification)
    except msgspec.ValidationError as error:
        raise MalformedError(str(error)) from None
    match what:
        case "Bounce" if one.bounce:
            return Reading(tuple(_bounced(one.mail, one.bounce)))
        case "Complaint" if one.complaint:
            return _complained(one.mail, one.complaint)
        case "Delivery" if one.delivery:
            return Reading(tuple(_delivered(one.mail, one.delivery)))
        case "Reject" if one.reject:
            return Reading((_rejected(one.mail, one.reject),))
    raise MalformedError(f"Object missing required field `{what.lower()}`")


def _bounced(mail: _Mail, bounce: _Bounce) -> Iterable[Notice]:
    notice = _notice(mail, Kind.BOUNCED, bounce.timestamp)
    reason = "/".join(filter(None, (bounce.bounce_type, bounce.bounce_sub_type)))
    for one in bounce.bounced_recipients or (_Recipient(""),):
        consequence = _of_bounce(bounce, one) if one.email_address else Consequence.NOTHING
        yield with_id(
            replace(
                notice,
                recipient=_address(one.email_address),
                consequence=consequence,
                reason=reason,
                said=one.said,
            ),
            bounce.feedback_id,
        )


def _of_bounce(bounce: _Bounce, recipient: _Recipient) -> Consequence:
    """What a bounce means for an address.

    One of which SES can't tell what it is ("Undetermined") counts as transient. An automatic reply
    (out of office) comes as a transient one without a report, and its mailbox is well.
    """
    if bounce.bounce_type == "Permanent":
        return Consequence.SUPPRESSED
    if bounce.bounce_sub_type in _OF_THE_EMAIL:
        return Consequence.NOTHING
    if (bounce.bounce_type, bounce.bounce_sub_type) == ("Transient", "General"):
        return Consequence.COUNTED if recipient.has_report else Consequence.NOTHING
    return Consequence.COUNTED


def _complained(mail: _Mail, complaint: _Complaint) -> Reading:
    """Of several recipients SES doesn't know which complained; each of them may be the one."""
    kind = complaint.complaint_feedback_type or ""
    if kind in _NO_COMPLAINT:
        return Reading(ignored=kind)
    reason = complaint.complaint_sub_type or kind
    people = complaint.complained_recipients
    notice = _notice(mail, Kind.COMPLAINED, complaint.timestamp)
    return Reading(
        tuple(
            with_id(
                replace(
                    notice,
                    recipient=_address(one.email_address),
                    consequence=(
                        Consequence.SUPPRESSED if one.email_address else Consequence.NOTHING
                    ),
                    reason=reason,
                    candidates=max(1, len(people)),
                ),
                complaint.feedback_id,
            )
            for one in people or (_Recipient(""),)
        )
    )


def _delivered(mail: _Mail, delivery: _Delivery) -> Iterable[Notice]:
    notice = _notice(mail, Kind.DELIVERED, delivery.timestamp)
    for address in delivery.recipients:
        whole = replace(notice, recipient=_address(address), said=delivery.smtp_response or "")
        yield with_id(whole, "")


def _rejected(mail: _Mail, reject: _Reject) -> Notice:
    """SES took it, found a virus in it, and sent it to nobody."""
    notice = _notice(mail, Kind.BOUNCED, mail.timestamp)
    return with_id(replace(notice, reason="Reject", said=reject.reason), "")


def _notice(mail: _Mail, kind: Kind, at: datetime) -> Notice:
    return Notice("", kind, utc(at), recipient="", message_id=mail.header_message_id)


def _address(text: str) -> str:
    """The bare address: a report may have it between angle brackets, with a name before them."""
    return text.rpartition("<")[2].partition(">")[0].strip()
