"""An email as a publisher asks for it, as a frozen type. Unknown fields are refused."""

from enum import StrEnum
from typing import Annotated, Any, TypeGuard

import msgspec

from ion.contract.attachment import Attachment
from ion.contract.tags import TagName, Tags, given_tags
from ion.contract.times import Time, given_time
from ion.delivery import InDoubt

NO_BODY = "needs body_text, body_html or template"
NO_RECIPIENT = "needs recipient, cc or bcc"
NO_TEMPLATE = "context and locale are a template's"
NEVER = "expires_at must be after not_before"
NO_WAY_OUT = "unsubscribe needs one recipient in all, and to know which tag it is about"

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


class Lane(StrEnum):
    """Which of two emails goes first."""

    NORMAL = "normal"
    BULK = "bulk"
    """When nothing normal is there to go, and now and then beside it."""


class Send(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="send",
):
    """One email. A recipient must be there, and a body, a template or an attachment.

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
    attachments: list[Attachment] | None = None
    headers: dict[str, str | None] | None = None
    in_doubt: InDoubt | None = None
    lane: Lane | None = None
    not_before: Time | None = None
    expires_at: Time | None = None
    tags: Tags | None = None
    unsubscribe: bool | TagName | None = None

    def __post_init__(self) -> None:
        if not any(map(_names_somebody, (self.recipient, self.cc, self.bcc))):
            raise ValueError(NO_RECIPIENT)
        begins = given_time("not_before", self.not_before)
        ends = given_time("expires_at", self.expires_at)
        if begins and ends and ends <= begins:
            raise ValueError(NEVER)
        if self.unsubscribe and not (self._is_to_one and self._has_tag_to_unsubscribe_from):
            raise ValueError(NO_WAY_OUT)
        if self.template is not None:
            return
        if self.body_text is None and self.body_html is None and not self.attachments:
            raise ValueError(NO_BODY)
        if self.context is not None or self.locale is not None:
            raise ValueError(NO_TEMPLATE)

    @property
    def unsubscribe_tag(self) -> str | None:
        """Name of the tag that `unsubscribe` is about; None: it is about all mail."""
        if isinstance(self.unsubscribe, str):
            return self.unsubscribe
        return next(iter(given_tags(self.tags)), None)

    @property
    def _is_to_one(self) -> bool:
        """The link is the recipient's own: no other may get it."""
        fields = (self.recipient, self.cc, self.bcc)
        lists = [field if isinstance(field, list) else [field] for field in fields]
        return sum(is_given(one) for field in lists for one in field) == 1

    @property
    def _has_tag_to_unsubscribe_from(self) -> bool:
        tags = given_tags(self.tags)
        if isinstance(self.unsubscribe, str):
            return self.unsubscribe in tags
        return len(tags) <= 1  # of several it must be said which


def _names_somebody(field: Addresses | None) -> bool:
    return any(map(is_given, field)) if isinstance(field, list) else is_given(field)
