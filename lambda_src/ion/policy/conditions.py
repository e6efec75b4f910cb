"""Which emails a query is about, that of a `stop` or of a `redrive`."""

from collections.abc import Collection

from ion.contract import BadInput, Send, StopWhere, given_tags
from ion.mail import author, recipients
from ion.mail.addresses import parse_address
from ion.mail.domains import wire_domain


def asks_of_emails(where: StopWhere) -> bool:
    """False if it says nothing of tags, sender or recipients, and so holds of any email."""
    return bool(given_tags(where.tag) or where.sender or where.recipient_domain)


def is_about(
    where: StopWhere,
    send: Send,
    *,
    key: str | None = None,
    left: Collection[int] = (),
    default_sender: str | None = None,
) -> bool:
    """True if all that `where` says of emails is true of this one.

    An address that can't be read is none: the email goes to no domain, or comes from no mailbox.

    Args:
        where: the query.
        send: what was published.
        key: of the email, if it is known: its own `email_id`, or the one that ion gave it.
        left: indexes of the recipients that are left; empty: all.
        default_sender: From, of emails that name none.
    """
    try:
        return (
            where.email_id in (None, key)
            and given_tags(where.tag).items() <= given_tags(send.tags).items()
            and (where.sender is None or _is_from(send, where.sender, default_sender))
            and (where.recipient_domain is None or _goes_to(send, where.recipient_domain, left))
        )
    except BadInput:
        return False


def _is_from(send: Send, sender: str, default_sender: str | None) -> bool:
    return author(send, default_sender).mailbox == parse_address(sender, "$.where.sender").mailbox


def _goes_to(send: Send, domain: str, left: Collection[int]) -> bool:
    everybody = recipients(send)
    wanted = (wire_domain(domain) or domain).lower()
    return any(
        everybody[i].rpartition("@")[2].lower() == wanted
        for i in left or range(len(everybody))
        if i < len(everybody)
    )
