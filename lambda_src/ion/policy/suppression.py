"""What is known of an address by its hash: whom ion may not write to, and for which mail.

A suppression has a scope: all mail, that of one sender domain, or that with one tag. An erasure is
about the past: what was published before it isn't sent to that address any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

ALL = "all"
_DOMAIN = "domain:"
_TAG = "tag:"
SOFT_BOUNCES = 3
"""Transient bounces that make a suppression …"""
SOFT_BOUNCE_DAYS = 30
"""… if they are no further apart."""
_MOST_NOTICES = 20
"""Ids of notices that are remembered: a provider repeats one within hours."""


class Why(StrEnum):
    """Why an address is on the list."""

    BOUNCE = "bounce"
    """A permanent bounce, or transient ones again and again."""
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"
    IMPORT = "import"


class Suppression(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of an address.

    Args:
        scope: of `all_mail`, `sender_domain` or `tagged`.
        why: it is there.
        since: UTC.
        until: UTC; None: for good.
        by: who put it there, for people; no address.
    """

    scope: str
    why: Why
    since: datetime
    until: datetime | None = None
    by: str = ""


class AddressState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that is kept of one address, under its hash.

    Args:
        suppressions: at most one a scope.
        soft_bounces: times of transient bounces, the latest last.
        notices: ids of the provider's notices that have been counted, the latest last.
        erased_at: nothing that was published before is sent to it any more.
    """

    suppressions: tuple[Suppression, ...] = ()
    soft_bounces: tuple[datetime, ...] = ()
    notices: tuple[str, ...] = ()
    erased_at: datetime | None = None

    def suppressed(self, one: Suppression) -> "AddressState":
        """With that entry; an earlier one of its scope stays, unless this one is for longer."""
        for was in self.suppressions:
            if was.scope == one.scope and _lasts(was, one):
                return self
        others = tuple(was for was in self.suppressions if was.scope != one.scope)
        return msgspec.structs.replace(self, suppressions=(*others, one))

    def lifted(self, scope: str | None = None) -> "AddressState":
        """Without the entry of that scope, or without any; its bounces are forgiven."""
        left = tuple(one for one in self.suppressions if scope not in (None, one.scope))
        return msgspec.structs.replace(self, suppressions=left, soft_bounces=())

    def soft_bounced(self, notice: str, at: datetime, scope: str = ALL) -> "AddressState":
        """With one transient bounce more; the third within 30 days suppresses it.

        Notices may come in another order than the bounces did.
        """
        if notice in self.notices:
            return self
        every = sorted((*self.soft_bounces, at))
        oldest = every[-1] - timedelta(days=SOFT_BOUNCE_DAYS)
        bounces = tuple(when for when in every if when > oldest)[-SOFT_BOUNCES:]
        state = msgspec.structs.replace(self.noticed(notice), soft_bounces=bounces)
        if len(bounces) < SOFT_BOUNCES:
            return state
        return state.suppressed(Suppression(scope, Why.BOUNCE, at))

    def noticed(self, notice: str) -> "AddressState":
        """With the id of a notice among those that have been counted."""
        if notice in self.notices:
            return self
        return msgspec.structs.replace(self, notices=(*self.notices, notice)[-_MOST_NOTICES:])

    def erased(self, at: datetime) -> "AddressState":
        """With nothing left but suppressions, and the moment; a later one stays."""
        at = max(at, self.erased_at or at)
        bare = tuple(msgspec.structs.replace(one, by="") for one in self.suppressions)
        return AddressState(suppressions=bare, erased_at=at)


@dataclass(frozen=True, slots=True)
class About:
    """What decides whether a suppression is about an email.

    Args:
        sender_domain: of From, as A-labels, lower-cased.
        tags: the publisher's.
        published_at: aware.
    """

    sender_domain: str
    tags: Mapping[str, str]
    published_at: datetime


class Forbidden(msgspec.Struct, frozen=True):
    """Why an email doesn't go to a recipient: by which entry, or by an erasure (None)."""

    by: Suppression | None


def forbidden(state: AddressState, about: About, now: datetime) -> Forbidden | None:
    """Why that email doesn't go there; None: it does."""
    if state.erased_at is not None and about.published_at <= state.erased_at:
        return Forbidden(None)
    scopes = set(_scopes(about))
    for one in state.suppressions:
        if one.scope in scopes and (one.until is None or now < one.until):
            return Forbidden(one)
    return None


def sender_domain(domain: str) -> str:
    """The scope of all mail from that domain."""
    return _DOMAIN + domain.lower()


def tagged(name: str, value: str) -> str:
    """The scope of all mail with that tag."""
    return f"{_TAG}{name}={value}"


def is_scope(text: str) -> bool:
    """True for `all`, `domain:example.com` and `tag:name=value`."""
    if text.startswith(_TAG):
        name, equals, value = text.removeprefix(_TAG).partition("=")
        return bool(name and equals and value)
    return text == ALL or (text.startswith(_DOMAIN) and "." in text)


def _scopes(about: About) -> Iterable[str]:
    yield ALL
    yield sender_domain(about.sender_domain)
    for name, value in about.tags.items():
        yield tagged(name, value)


def _lasts(was: Suppression, other: Suppression) -> bool:
    """True if `was` ends no sooner than `other`."""
    return was.until is None or (other.until is not None and other.until <= was.until)
