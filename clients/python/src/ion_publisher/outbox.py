"""What an application has published, as the emails that ion makes of it; for tests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from typing import Any, overload

from ion.contract import (
    BadInput,
    Cancel,
    Lane,
    Pause,
    Redrive,
    Resume,
    Send,
    Stop,
    given_tags,
    parse,
    read_time,
)
from ion.mail import compose
from ion_publisher.failures import InvalidMessage

DEFAULT_SENDER = "relay@example.org"
"""From of messages that name no sender; outside of tests it is a setting of the relay."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An email as a mail server would be given it.

    Args:
        email_id: its name.
        sender: the envelope's, where bounces go.
        recipients: the envelope's: to, cc and bcc, each once.
        message: parsed.
        template, context: what the relay renders; here the email has no body then.
        lane: bulk if it was published as such, or to the topic for bulk.
        tenant: the MessageGroupId; None: it has none.
        send_at, expires_at: when it may go.
        tags: by name.
        unsubscribe: whether the relay puts a link to unsubscribe into it; here it has none.
    """

    email_id: str
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    template: str | None = None
    context: Mapping[str, Any] | None = None
    lane: Lane = Lane.NORMAL
    tenant: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    unsubscribe: bool = False

    @property
    def text(self) -> str | None:
        """The text body, its line ends as LF; None: it has none."""
        return self._body("plain")

    @property
    def html(self) -> str | None:
        """The HTML body, likewise."""
        return self._body("html")

    def _body(self, kind: str) -> str | None:
        part = self.message.get_body(preferencelist=(kind,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True, slots=True)
class Published:
    """A message as a queue has it.

    Args:
        body: JSON text.
        bulk: it came by the topic for bulk.
        tenant: the MessageGroupId; None: it has none.
    """

    body: str
    bulk: bool = False
    tenant: str | None = None


class Outbox(Sequence[Sent]):
    """The emails that have been published, oldest first; looked up whenever it is asked.

    Of those that are looked up together the bulk ones come last.

    Args:
        published: gives the messages that were published since it was called last.
    """

    def __init__(self, published: Callable[[], Iterable[Published]]) -> None:
        self._published = published
        self._sent: list[Sent] = []
        self._redrives: list[Redrive] = []
        self._cancels: list[Cancel] = []

    @overload
    def __getitem__(self, index: int) -> Sent: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sent]: ...
    def __getitem__(self, index: int | slice) -> Sent | list[Sent]:
        self._look()
        return self._sent[index]

    def __len__(self) -> int:
        self._look()
        return len(self._sent)

    @property
    def redrives(self) -> list[Redrive]:
        """The redrives that were asked for."""
        self._look()
        return self._redrives

    @property
    def cancels(self) -> list[Cancel]:
        """The cancels that were asked for. The emails are here all the same."""
        self._look()
        return self._cancels

    def clear(self) -> None:
        """Forget what has been published so far."""
        self._look()
        self._sent.clear()
        self._redrives.clear()
        self._cancels.clear()

    def _look(self) -> None:
        """Read what is new.

        Raises:
            InvalidMessage: ion would dead-letter it. The library doesn't publish such a message;
                the application has done so without it.
        """
        for one in self._published():
            try:
                match parse(one.body):
                    case Send() as send:
                        self._sent.append(_sent(send, one))
                    case Redrive() as redrive:
                        self._redrives.append(redrive)
                    case Cancel() as cancel:
                        self._cancels.append(cancel)
                    case Stop() | Pause() | Resume():  # an operator's, and nothing of an email
                        pass
            except BadInput as bad:
                raise InvalidMessage.of(bad) from None


def _sent(send: Send, published: Published) -> Sent:
    name, now = send.email_id or "", datetime.now(UTC)
    email = compose(send, key=name, queued_at=now, default_sender=DEFAULT_SENDER)
    # the parser of bytes takes UTF-8 in a header (RFC 6532) for damage; the one of text doesn't
    parsed = (
        message_from_string(email.content.decode(), policy=policy.default)
        if email.envelope.smtputf8
        else message_from_bytes(email.content, policy=policy.default)
    )
    envelope = email.envelope
    return Sent(
        email_id=name,
        sender=envelope.sender,
        recipients=envelope.recipients,
        message=parsed,
        template=send.template,
        context=send.context,
        lane=Lane.BULK if published.bulk else send.lane or Lane.NORMAL,
        tenant=published.tenant,
        send_at=read_time(send.not_before) if send.not_before else None,
        expires_at=read_time(send.expires_at) if send.expires_at else None,
        tags=given_tags(send.tags),
        unsubscribe=bool(send.unsubscribe),
    )
