"""The replies of a server that behaves, to MAIL, RCPT, DATA and a content."""

from typing import Final

from smtp_server.actions import Reply
from smtp_server.envelope import Path, Transaction
from smtp_server.offer import Offer
from smtp_server.record import Session, Submission

TEXT_LINE_LIMIT_BYTES: Final = 998  # without its CRLF (RFC 5321 4.5.3.1.6)

BAD_SEQUENCE: Final = Reply(503, ("5.5.1 Bad sequence of commands",))
SYNTAX: Final = Reply(501, ("5.5.4 Syntax error in parameters",))
TOO_LONG: Final = Reply(500, ("5.5.6 Line too long",))
UNKNOWN_PARAMETER: Final = Reply(555, ("5.5.4 Parameter not recognized",))
NOT_ASCII: Final = Reply(553, ("5.6.7 SMTPUTF8 required",))
NO_RECIPIENTS: Final = Reply(554, ("5.5.1 No valid recipients",))
TOO_MANY_EMAILS: Final = Reply(452, ("4.5.3 Too many recipients: Too many messages sent",))
"""OpenSMTPD's words, when there have been too many emails on a connection."""
OK: Final = Reply(250, ("2.0.0 OK",))


def judge_mail(path: Path | None, offer: Offer, session: Session) -> Reply:
    """The reply to a MAIL in sequence."""
    if offer.require_tls and not session.tls:
        return Reply(530, ("5.7.0 Must issue a STARTTLS command first",))
    if offer.users and session.username is None:
        return Reply(530, ("5.7.0 Authentication required",))
    if path is None or not (path.value("SIZE") or "0").isdecimal():
        return SYNTAX
    if not path.keywords <= offer.mail_parameters():
        return UNKNOWN_PARAMETER
    if not path.address.isascii() and "SMTPUTF8" not in path.keywords:
        return NOT_ASCII
    if offer.max_emails is not None and session.taken >= offer.max_emails:
        return TOO_MANY_EMAILS
    size_bytes = int(path.value("SIZE") or "0")
    return judge_size(size_bytes, offer) or success("2.1.0 Sender OK", offer)


def judge_rcpt(path: Path | None, offer: Offer, transaction: Transaction) -> Reply:
    """The reply to a RCPT in sequence."""
    if path is None:
        return SYNTAX
    if path.parameters:
        return UNKNOWN_PARAMETER
    if not path.address.isascii() and "SMTPUTF8" not in transaction.mail.keywords:
        return NOT_ASCII
    if len(transaction.recipients) >= offer.max_recipients:
        return Reply(452, ("4.5.3 Too many recipients",))
    return success("2.1.5 Recipient OK", offer)


def judge_data(argument: str, transaction: Transaction | None) -> Reply:
    """The reply to DATA."""
    if argument:
        return SYNTAX
    if transaction is None:
        return BAD_SEQUENCE
    if not transaction.recipients:
        return NO_RECIPIENTS
    return Reply(354, ("End data with <CR><LF>.<CR><LF>",))


def judge_content(submission: Submission, offer: Offer) -> Reply:
    """The reply to the dot."""
    if not submission.recipients:
        return NO_RECIPIENTS
    if max(map(len, submission.content.split(b"\r\n"))) > TEXT_LINE_LIMIT_BYTES:
        return TOO_LONG
    return judge_size(len(submission.content), offer) or success("2.0.0 Accepted", offer)


def success(text: str, offer: Offer) -> Reply:
    """A 250 that tells what it is about, or doesn't."""
    return OK if offer.terse else Reply(250, (text,))


def judge_size(size_bytes: int, offer: Offer) -> Reply | None:
    """A refusal if the offer is smaller."""
    if offer.size_bytes is None or size_bytes <= offer.size_bytes:
        return None
    return Reply(552, ("5.3.4 Message size exceeds limit",))
