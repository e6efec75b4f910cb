"""Attributes of a Django message that were meant for ion, and would be left out."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache

from django.core.mail import EmailMessage, EmailMultiAlternatives

from ion.contract import Send
from ion.contract.paths import member
from ion.outcome import Problem, Reason
from ion_publisher.failures import InvalidMessage, invalid

_CALLED = {
    "recipient": "to",
    "sender": "from_email",
    "return_path": "from_email",
    "headers": "extra_headers",
    "not_before": "send_at",
    "body_text": "body",
    "body_html": "attach_alternative",
}
"""What a Django message calls a field of ion's messages, where it isn't the same."""
_PARTS = {"body_text": "text", "body_html": "html"}
_TEMPLATES = ("template", "context", "locale")

_LIKE = 0.8
"""So like is a name to the one that was meant, by difflib: `expires` is, `lang` isn't `lane`."""
_SHORTEST = 4
"""Characters of a known name that others may be like: `two` isn't `to`."""
_LONGEST = 100
"""Characters of a name that is compared: the time taken grows with its square."""


def check_attributes(
    message: EmailMessage, read: Collection[str], bodies: Mapping[str, object]
) -> None:
    """See that no attribute is nearly one that is read, or called as a field of ion's messages.

    A subclass may keep what it has made its bodies of: `context` or `body_html` is refused only if
    the message has no such body.

    Args:
        message: Django's.
        read: attributes that are read, beside Django's own.
        bodies: the message's own, `text` and `html`.

    Raises:
        InvalidMessage: one is.
    """
    known = {*Send.__struct_fields__, *read}
    for name in sorted({*_given(message)} - {*read, *_of_django()}):
        near = _nearest(name, known)
        if near in _TEMPLATES and not any(bodies.values()):
            problem = "can't be sent: a Django message has bodies, and no template of ion's"
            raise InvalidMessage(member("$", name), problem)
        if near and near not in _TEMPLATES and not bodies.get(_PARTS.get(near, "")):
            called = _CALLED.get(near, near)
            raise invalid(Reason.INVALID_SCHEMA, member("$", name), Problem.UNKNOWN, called)


@lru_cache(maxsize=1)
def _of_django() -> frozenset[str]:
    return frozenset(dir(EmailMultiAlternatives()))


def _given(message: EmailMessage) -> Iterator[str]:
    """Names of the values that the message and its classes have.

    None is a value that is left out; methods and properties are a subclass's own matter.
    """
    for owner in (message, *type(message).__mro__):
        for name, value in vars(owner).items():
            if value is not None and not hasattr(value, "__get__") and not name.startswith("_"):
                yield name


def _nearest(name: str, known: Collection[str]) -> str:
    """Empty: there is none. Whether letters are small or large makes no difference."""
    small = name.lower()
    if small in known:
        return small
    others = sorted(one for one in known if len(one) >= _SHORTEST)
    close = get_close_matches(small[:_LONGEST], others, n=1, cutoff=_LIKE)
    return close[0] if close else ""
