"""The messages a publisher may send, as frozen types. Unknown fields are refused."""

from typing import Annotated

import msgspec

from ion.outcome import InDoubt


class Mailbox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An address with its parts apart, so that no name needs quoting."""

    email: str
    name: str | None = None


Address = str | Mailbox
"""`a@b`, `Name <a@b>`, or an object {"email": …, "name": …}."""

Addresses = Address | list[Address]

EmailId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[!-~]{1,256}\Z",
        description="Idempotency key: 1-256 printable ASCII characters without spaces",
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
    """One email. At least one of the bodies must be there."""

    recipient: Addresses
    email_id: EmailId | None = None
    cc: Addresses = []
    bcc: Addresses = []
    sender: Address | None = None
    reply_to: Address | None = None
    subject: str = ""
    body_text: str | None = None
    body_html: str | None = None
    headers: dict[str, str] = {}
    in_doubt: InDoubt | None = None

    def __post_init__(self) -> None:
        if self.body_text is None and self.body_html is None:
            raise ValueError("needs body_text or body_html")


class Redrive(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="action", tag="redrive"
):
    """Put what the dead-letter queue holds now back onto the input queue."""


Action = Send | Redrive
