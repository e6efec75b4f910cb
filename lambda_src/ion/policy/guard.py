"""The staging guard: whom email may reach, and in whose name it may go out. Pure.

It judges addresses as they go out in the envelope, so that nothing that makes an email, a template,
a claim check or a redrive, can get round it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ion.envelope import Envelope
from ion.guard_rules import GuardRules
from ion.mail.addresses import parse_address
from ion.mail.domains import wire_domain


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways of an email's recipients, by index.

    Args:
        themselves: those that it may reach.
        redirected: those in whose place the redirect's mailbox gets one copy.
        left_out: those to whom nothing goes.
    """

    themselves: tuple[int, ...]
    redirected: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()


class StagingGuard:
    """Applies the rules of [guard] to envelopes.

    Args:
        rules: checked by the settings.
    """

    def __init__(self, rules: GuardRules) -> None:
        self._only = _Mailboxes(rules.only)
        self._senders = _Mailboxes(rules.senders)
        self.redirect_to = (
            parse_address(rules.redirect_to, "$").address if rules.redirect_to else None
        )
        """The mailbox that gets what others may not get, as the envelope has it."""
        self._lets_everybody_through = not rules.only and self.redirect_to is None

    def destination(self, recipient: str) -> str | None:
        """The address that an email for this one goes to: its own, the redirect's, or none.

        Args:
            recipient: as `Envelope` has it.
        """
        if self._lets_everybody_through or recipient in self._only:
            return recipient
        return self.redirect_to

    def routes(self, recipients: Sequence[str], targets: Iterable[int]) -> Routes:
        """The ways of those recipients whose indexes are `targets`.

        The redirect's own mailbox gets one copy, marked or not: if it stands in for others and is
        a recipient as well, it is among the redirected.
        """
        if self._lets_everybody_through:
            return Routes(tuple(targets))
        destinations = {i: self.destination(recipients[i]) for i in targets}
        redirect = _key(self.redirect_to) if self.redirect_to else None
        there = {i for i, to in destinations.items() if to and _key(to) == redirect}
        if all(_key(recipients[i]) == redirect for i in there):
            there.clear()
        return Routes(
            tuple(i for i, to in destinations.items() if to and i not in there),
            tuple(i for i in destinations if i in there),
            tuple(i for i, to in destinations.items() if to is None),
        )

    def forbidden_sender(self, envelope: Envelope) -> str:
        """JSONPath of the field whose sender may not be used; empty: both may be."""
        if not self._senders:
            return ""
        reverse_path, author = envelope.senders
        if author not in self._senders:
            return "$.sender"
        return "" if reverse_path in self._senders else "$.return_path"


class _Mailboxes:
    """Mailboxes by patterns: an address, or all of a domain (`*@example.org`, `example.org`).

    Each pattern means what it says and no more: a domain is without its subdomains, and an address
    without its subaddresses (`ann+x@…`), since what "+" means is known to the domain alone.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._keys = frozenset(map(_pattern_key, patterns))

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __contains__(self, address: str) -> bool:
        key = _key(address)
        return key in self._keys or key[key.rindex("@") :] in self._keys


def _pattern_key(pattern: str) -> str:
    local_part, _, domain = pattern.rpartition("@")
    if local_part in ("", "*"):
        return f"@{wire_domain(domain) or domain}".lower()
    return _key(parse_address(pattern, "$").address)


def _key(address: str) -> str:
    """An address for comparison: the case of ASCII letters doesn't count.

    Only the domain knows whether the case of a local part counts; hardly any lets it. Beyond ASCII
    it does count here, since letters that fold into one may be of different mailboxes.
    """
    return address.encode().lower().decode()  # octets know the case of ASCII letters alone
