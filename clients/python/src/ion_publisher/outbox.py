"""What an application has published, as the emails that ion makes of it; for tests."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from typing import Any, overload

from ion.contract import BadInput, Redrive, Send, parse
from ion.envelope import Email
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
    """

    email_id: str
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    template: str | None = None
    context: Mapping[str, Any] | None = None

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


class Outbox(Sequence[Sent]):
    """The emails that have been published, oldest first; looked up whenever it is asked.

    Args:
        bodies: gives the messages that were published since it was called last.
    """

    def __init__(self, bodies: Callable[[], Iterable[str]]) -> None:
        self._bodies = bodies
        self._sent: list[Sent] = []
        self._redrives: list[Redrive] = []

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

    def clear(self) -> None:
        """Forget what has been published so far."""
        self._look()
        self._sent.clear()
        self._redrives.clear()

    def _look(self) -> None:
        """Read what is new.

        Raises:
            InvalidMessage: ion would dead-letter it. The library doesn't publish such a message;
                the application has done so without it.
        """
        for body in self._bodies():
            try:
                action = parse(body)
                if isinstance(action, Redrive):
                    self._redrives.append(action)
                    continue
                name = action.email_id or ""
                now = datetime.now(UTC)
                email = compose(action, key=name, queued_at=now, default_sender=DEFAULT_SENDER)
            except BadInput as bad:
                raise InvalidMessage.of(bad) from None
            self._sent.append(_sent(action, email))


def _sent(send: Send, email: Email) -> Sent:
    # the parser of bytes takes UTF-8 in a header (RFC 6532) for damage; the one of text doesn't
    parsed = (
        message_from_string(email.content.decode(), policy=policy.default)
        if email.envelope.smtputf8
        else message_from_bytes(email.content, policy=policy.default)
    )
    envelope = email.envelope
    return Sent(
        email_id=send.email_id or "",
        sender=envelope.sender,
        recipients=envelope.recipients,
        message=parsed,
        template=send.template,
        context=send.context,
    )
