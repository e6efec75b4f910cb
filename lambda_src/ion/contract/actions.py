"""The messages a publisher may send, as frozen types. Unknown fields are refused."""

from typing import Annotated, Any, TypeGuard

import msgspec

from ion.delivery import InDoubt
from ion.outcome import Reason

NO_BODY = "needs body_text, body_html or template"
NO_RECIPIENT = "needs recipient, cc or bcc"
NO_TEMPLATE = "context and locale are a template's"

BLANKS = " \t"
"""What means nothing around an address or a name."""


class Mailbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address with its parts apart, so that no name needs quoting."""

    email: str
    name: str | None = None


Address = str | Mailbox
"""`a@b`, `Name <a@b>`, or an object {"email": …, "name": …}."""

Addresses = Address | list[Address | None]


def is_given(address: Address | None) -> TypeGuard[Address]:
    """False for null, and for a text of nothing but blanks.

    Serializers write either where there is no address; in a list, too.
    """
    return address.strip(BLANKS) != "" if isinstance(address, str) else address is not None


EmailId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[!-~]{1,256}\Z",
        description="Idempotency key: 1-256 printable ASCII characters without spaces",
    ),
]

TemplateName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,7}\Z",
        description="A folder of the templates: letters, digits, - and _",
    ),
]
Locale = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8}){0,7}\Z",
        description="A language tag (BCP 47): de, de-AT; de_AT is taken, too",
    ),
]


class Send(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="send",
):
    """One email. At least one recipient must be there, and one of the bodies or a template.

    null is the same as a field that is left out.
    """

    recipient: Addresses | None = None
    email_id: EmailId | None = None
    cc: Addresses | None = None
    bcc: Addresses | None = None
    sender: Address | None = None
    reply_to: Addresses | None = None
    return_path: Address | None = None
    subject: str | None = None
    body_text: str | None = None
    body_html: str | None = None
    template: TemplateName | None = None
    context: dict[str, Any] | None = None
    locale: Locale | None = None
    headers: dict[str, str | None] | None = None
    in_doubt: InDoubt | None = None

    def __post_init__(self) -> None:
        if not any(map(_names_somebody, (self.recipient, self.cc, self.bcc))):
            raise ValueError(NO_RECIPIENT)
        if self.template is not None:
            return
        if self.body_text is None and self.body_html is None:
            raise ValueError(NO_BODY)
        if self.context is not None or self.locale is not None:
            raise ValueError(NO_TEMPLATE)


def _names_somebody(field: Addresses | None) -> bool:
    return any(map(is_given, field)) if isinstance(field, list) else is_given(field)


_AGE_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Age = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{1,6}[smhd]\Z", description="An age: 90s, 30m, 12h, 7d"),
]


def seconds_of(age: Age) -> int:
    """The age in seconds."""
    return int(age[:-1]) * _AGE_SECONDS[age[-1]]


class Where(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters: those of which all is true that is said here.

    Ages count from when a message was dead-lettered to when the redrive was published.
    """

    reason: Reason | list[Reason] | None = None
    recipient_domain: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^[^\s@]{1,255}\Z", description="What follows the @, subdomains apart"
            ),
        ]
        | None
    ) = None
    older_than: Age | None = None
    younger_than: Age | None = None

    def __post_init__(self) -> None:
        older, younger = self.older_than, self.younger_than
        if older and younger and seconds_of(older) >= seconds_of(younger):
            raise ValueError("nothing is older_than and younger_than that")


class Redrive(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="redrive",
):
    """Put what the dead-letter queue holds now back onto the input queue.

    Args:
        where: only these; None: all.
        max: at most so many.
        rate: so many a second.
        dry_run: count and report, move nothing.
    """

    where: Where | None = None
    max: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None
    rate: Annotated[float, msgspec.Meta(ge=0.01, le=10_000)] | None = None
    dry_run: bool | None = None


Action = Send | Redrive
