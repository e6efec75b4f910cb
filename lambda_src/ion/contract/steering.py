"""What a publisher or an operator may ask for beside an email. Unknown fields are refused."""

from typing import Annotated

import msgspec

from ion.contract.send import EmailId, Lane
from ion.contract.tags import NO_TAG, AskedTags, given_tags
from ion.contract.times import Time, given_time
from ion.outcome import Reason

_AGE_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Age = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{1,6}[smhd]\Z", description="An age: 90s, 30m, 12h, 7d"),
]


def seconds_of(age: Age) -> int:
    """The age in seconds."""
    return int(age[:-1]) * _AGE_SECONDS[age[-1]]


class StopWhere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which emails: those of which all is true that is said here; without any of it, all.

    Args:
        tag: tags that the email has, with these values; one at least.
        sender: the mailbox in From, without its name; of an email without a sender, the relay's.
        recipient_domain: what follows the @ of one of its recipients.
        email_id: its key.
    """

    tag: AskedTags | None = None
    sender: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^[^<>]{1,130}@[^\s@<>]{1,255}\Z",
                description="An address without a name: a@b",
            ),
        ]
        | None
    ) = None
    recipient_domain: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^[^\s@]{1,255}\Z", description="What follows the @, subdomains apart"
            ),
        ]
        | None
    ) = None
    email_id: EmailId | None = None

    def __post_init__(self) -> None:
        if self.tag is not None and not given_tags(self.tag):
            raise ValueError(NO_TAG)


class Where(StopWhere, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which dead letters: those of which all is true that is said here.

    Ages count from when a message was dead-lettered to when the redrive was published. Reason and
    path are those that are written on it.
    """

    reason: Reason | list[Reason] | None = None
    path: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^[$].{0,1000}\Z",
                description="The path on a dead letter: $.recipient[0]",
            ),
        ]
        | None
    ) = None
    older_than: Age | None = None
    younger_than: Age | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
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


class Cancel(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="cancel",
):
    """Don't send an email, if it isn't under way yet."""

    email_id: EmailId


class Stop(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="stop",
):
    """Dead-letter the emails that are queued, and those to come; a redrive sends them after all.

    Args:
        where: only these; None: all.
        until: no longer than this; None: for an hour.
    """

    where: StopWhere | None = None
    until: Time | None = None

    def __post_init__(self) -> None:
        given_time("until", self.until)


class Pause(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="pause",
):
    """Receive nothing: mail waits in its queue.

    Args:
        lane: only that lane's; None: none at all.
        until: no longer than this; None: for an hour.
    """

    lane: Lane | None = None
    until: Time | None = None

    def __post_init__(self) -> None:
        given_time("until", self.until)


class Resume(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="action",
    tag="resume",
):
    """End every pause and every stop."""
