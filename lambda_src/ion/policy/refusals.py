"""What a server's refusals say of our account: whether it relays for us, and for which senders."""

import re
from collections.abc import Mapping
from dataclasses import replace

from ion.outcome import Kind, Outcome, Reason, Scope

_DENIALS = 3
"""Messages in a row, before any was accepted, after which it isn't about the messages."""
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")


class Refusals:
    """Turns what the server said about messages into what it says about us. Lives as long as a run.

    "Relaying denied" is the recipient's fault if the server relays for us otherwise, and ours (the
    wrong server, a login that it forgot) if it doesn't. "Not verified" is the sender's, and what
    other senders have to say goes out.
    """

    def __init__(self) -> None:
        self._relays = False
        self._denied: set[str] = set()
        self._senders: dict[tuple[str, str], Outcome] = {}

    def of(self, senders: tuple[str, str]) -> Outcome | None:
        """The refusal of an email with these senders earlier in the run, if there was one."""
        return self._senders.get(senders)

    def observe(
        self, message_id: str, senders: tuple[str, str], outcomes: Mapping[str, Outcome]
    ) -> dict[str, Outcome]:
        """The outcomes as they are to be understood.

        Args:
            message_id: of the message that was tried.
            senders: of its envelope, and its author.
            outcomes: by recipient, as `smtp.replies` has them.
        """
        if any(outcome.kind is Kind.ACCEPTED for outcome in outcomes.values()):
            self._relays = True
        return {
            recipient: self._understood(message_id, senders, outcome)
            for recipient, outcome in outcomes.items()
        }

    def _understood(self, message_id: str, senders: tuple[str, str], outcome: Outcome) -> Outcome:
        if outcome.reason is Reason.RELAYING_DENIED and not self._relays:
            self._denied.add(message_id)
            scope = Scope.SITE if len(self._denied) >= _DENIALS else Scope.MESSAGE
            return replace(outcome, kind=Kind.MISCONFIGURED, scope=scope)
        if outcome.kind is Kind.MISCONFIGURED and outcome.scope is Scope.SENDER:
            if not _is_about(senders, outcome):
                return replace(outcome, scope=Scope.MESSAGE)
            self._senders[senders] = outcome
        return outcome


def _is_about(senders: tuple[str, str], outcome: Outcome) -> bool:
    """False if the reply names other addresses only: SES's sandbox minds recipients, too."""
    named = [one.lower() for one in _ADDRESS.findall(outcome.said)]
    return not named or any(sender.lower() in one for sender in senders for one in named)
