"""Emails that have arrived at the local mail server, the last 500 of them."""

from __future__ import annotations

import secrets
import threading
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Protocol

import msgspec

from ionctl.console.mime import Mime, mime

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

MOST = 500
_MOST_BYTES = 256 * 1024 * 1024
"""Of all together; the newest is kept in any case."""
_PARSED = 4
"""Emails that stay parsed after they were looked at: a reader asks for parts of the same one."""
_SEARCHED_CHARACTERS = 20_000


class ArrivedEmail(Protocol):
    """An email as the mail server took it: `ionctl.local.mail_server.Arrived`."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def sender(self) -> str:
        """The envelope's."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope's."""

    @property
    def content(self) -> bytes:
        """Header and body, as they came."""

    @property
    def confirmed(self) -> bool:
        """False: the client never got the reply."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of emails needs, and a search in it.

    Args:
        searched: header and text, as they are compared.
    """

    author: str
    to: list[str]
    subject: str
    marks: list[str]
    message_id: str
    searched: str


class Kept:
    """An email of the inbox.

    Args:
        arrived: it.
    """

    def __init__(self, arrived: ArrivedEmail) -> None:
        self.id = secrets.token_hex(16)  # who knows it may read the email
        self.arrived = arrived

    @property
    def mime(self) -> Mime:
        """Its header and parts."""
        return _parsed(self)

    @cached_property
    def overview(self) -> Overview:
        """Made when it is first asked for, and kept."""
        parts = mime(self.arrived.content)
        marks = {
            "html": parts.html,
            "text": parts.text,
            "attachments": any(not one.inline for one in parts.attachments),
            "unsubscribe": parts.field("list-unsubscribe"),
            "unconfirmed": not self.arrived.confirmed,
        }
        subject = parts.field("subject")
        searched = (parts.author, *parts.to, *self.arrived.recipients, subject, parts.text)
        return Overview(
            author=parts.author or self.arrived.sender,
            to=parts.to,
            subject=subject,
            marks=[name for name, is_so in marks.items() if is_so],
            message_id=parts.field("message-id"),
            searched="\n".join(searched)[:_SEARCHED_CHARACTERS].casefold(),
        )


@lru_cache(maxsize=_PARSED)
def _parsed(kept: Kept) -> Mime:
    return mime(kept.arrived.content)


class Inbox:
    """Filled by the mail server's thread, read by any other."""

    def __init__(self) -> None:
        self._emails: dict[str, Kept] = {}
        self._bytes = 0
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def put(self, email: ArrivedEmail) -> None:
        """Add one, and forget the oldest where there are too many."""
        kept = Kept(email)
        with self._lock:
            self._emails[kept.id] = kept
            self._bytes += len(email.content)
            while len(self._emails) > 1 and (len(self._emails) > MOST or self._bytes > _MOST_BYTES):
                oldest = self._emails.pop(next(iter(self._emails)))
                self._bytes -= len(oldest.arrived.content)
        self._tell()

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._emails.clear()
            self._bytes = 0
        _parsed.cache_clear()
        self._tell()

    def newest_first(self) -> list[Kept]:
        """All of them."""
        with self._lock:
            return list(reversed(self._emails.values()))

    def count_and_newest(self) -> tuple[int, str | None]:
        """How many there are, and the newest one's id."""
        with self._lock:
            return len(self._emails), next(reversed(self._emails), None)

    def get(self, kept_id: str) -> Kept | None:
        """The one of that id; None: there is none, or it was forgotten."""
        with self._lock:
            return self._emails.get(kept_id)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after each change, by any thread; give what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return end

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()
