"""What a Django message says beyond Django's own fields: attributes, named as django-anymail's."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import cast

from django.core.mail import EmailMessage
from django.utils.functional import Promise
from django.utils.timezone import is_naive, make_aware

from ion.outcome import Problem, Reason
from ion_publisher.failures import InvalidMessage, invalid
from ion_publisher.message import Email

ATTRIBUTES = (
    *("email_id", "in_doubt", "lane", "tenant", "send_at", "expires_at", "tags", "metadata"),
    *("unsubscribe", "ion_receipt"),
)
"""Those that are read here, and the one that is written when a message has been published."""


def options_of(message: EmailMessage) -> Email:
    """The parts that attributes of the message give; those that are None are left out.

    Raises:
        InvalidMessage: an attribute is of a type that has no meaning here.
    """
    options = {
        "email_id": _text(getattr(message, "email_id", None)),
        "in_doubt": _text(getattr(message, "in_doubt", None)),
        "lane": _text(getattr(message, "lane", None)),
        "tenant": _text(getattr(message, "tenant", None)),
        "send_at": _moment(getattr(message, "send_at", None), "$.send_at"),
        "expires_at": _moment(getattr(message, "expires_at", None), "$.expires_at"),
        "tags": _tags(message),
        "unsubscribe": _text(getattr(message, "unsubscribe", None)),
    }
    return cast("Email", {name: value for name, value in options.items() if value is not None})


def _text(value: object) -> object:
    return str(value) if isinstance(value, Promise) else value


def _moment(value: object, path: str) -> object:
    """A time as anymail reads `send_at`; a text is left as it is.

    One without a zone is in Django's current one, a date is its midnight, a number is POSIX's.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    try:
        if isinstance(value, datetime):
            return make_aware(value) if is_naive(value) else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise invalid(Reason.INVALID_SCHEMA, path, Problem.VALUE) from None
    return _text(value)


def _tags(message: EmailMessage) -> dict[str, str | None] | None:
    """Of `metadata`, as anymail calls names with values, and of `tags`."""
    found: dict[str, str | None] = {}
    for attribute in ("metadata", "tags"):
        given = getattr(message, attribute, None)
        if isinstance(given, Mapping):
            found |= {str(name): None if one is None else str(one) for name, one in given.items()}
        elif given:
            raise InvalidMessage(f"$.{attribute}", "must be a mapping: ion's tags have names")
    return found or None
