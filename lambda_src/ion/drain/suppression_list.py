"""Recipients who must not be written to: what is known of their addresses, ten emails a look."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.table import TableError
from ion.delivery import Delivery, erased, suppressed
from ion.envelope import Envelope
from ion.history import History
from ion.policy.guard import StagingGuard
from ion.policy.suppression import About, AddressState, Forbidden, forbidden


@dataclass(frozen=True, slots=True)
class Addressed:
    """An email that is about to be claimed, for this look.

    Args:
        recipients: all of them, as the envelope has them.
        targets: indexes of those that the message is about.
        about: what a suppression may be about.
    """

    recipients: tuple[str, ...] = field(repr=False)
    targets: tuple[int, ...]
    about: About


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of a look.

    Args:
        barred: by the email's key: who must not be written to, by index, and why.
        unknown: keys of emails of whose recipients it isn't known, so that they must not be sent.
        code: why not, in AWS's word.
    """

    barred: Mapping[str, Mapping[int, Forbidden]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    code: str = ""


class SuppressionList:
    """The list, and the erasures.

    Args:
        addresses: the rows.
        key: of the hashes that they are found by.
        is_on: `[suppression] list`. Off: only erasures count, and only if there are any.
        guard: whom email goes to in the place of a recipient; None: there are no such rules.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        addresses: Addresses,
        key: AddressKey,
        *,
        is_on: bool,
        guard: StagingGuard | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._addresses = addresses
        self._key = key
        self._is_on = is_on
        self._guard = guard
        self._now = now
        self.has_erasures: Callable[[], bool] = lambda: False
        """True if anybody's data has been erased: the control row says so."""

    async def look(self, emails: Mapping[str, Addressed]) -> Looked:
        """Ask about all recipients of these emails, by key; nothing is asked that needn't be."""
        if not emails or not (self._is_on or self.has_erasures()):
            return Looked()
        try:
            key = await self._key.get()
        except TableError as error:
            return Looked(unknown=frozenset(emails), code=str(error))
        hashes = {
            (name, i): address_hash(key, one.recipients[i])
            for name, one in emails.items()
            for i in one.targets
        }
        states = await self._addresses.look(hashes.values())
        unknown = {name for (name, _), hashed in hashes.items() if hashed in states.unknown}
        barred: dict[str, dict[int, Forbidden]] = {}
        for (name, i), hashed in hashes.items():
            state = states.found.get(hashed)
            if state and (why := self._forbidden(state, emails[name], i)):
                barred.setdefault(name, {})[i] = why
        code = next(iter(states.unknown.values()), "")
        return Looked(barred, frozenset(unknown), code)

    def _forbidden(self, state: AddressState, email: Addressed, index: int) -> Forbidden | None:
        """Why it must not be written to.

        A suppression is about a mailbox, so it isn't about an email that goes to another one: of
        whom the staging guard redirects or leaves out, nothing reaches the mailbox as it is, and
        who tests with a copy of the list wants to see the redirected email. An erasure is about
        what an email says of a person, and holds whoever would get it.
        """
        recipient = email.recipients[index]
        themselves = self._guard is None or self._guard.destination(recipient) == recipient
        if not (self._is_on and themselves):
            state = AddressState(erased_at=state.erased_at)
        return forbidden(state, email.about, datetime.fromtimestamp(self._now(), UTC))


def left_out(barred: Mapping[int, Forbidden]) -> tuple[Delivery, ...]:
    """The fates of recipients who aren't written to, those of one reason together."""

    def words(index: int) -> str:
        by = barred[index].by
        return f"{by.why}, {by.scope}" if by else ""

    deliveries = []
    for why, indexes in groupby(sorted(barred, key=lambda i: (words(i), i)), words):
        some = tuple(indexes)
        deliveries.append(suppressed(some, why) if why else erased(some))
    return tuple(deliveries)


def addressed(envelope: Envelope, targets: Sequence[int], history: History) -> Addressed:
    """An email for the look.

    The domain is the author's, that people read in From.
    """
    domain = envelope.senders[-1].rpartition("@")[2].lower()
    about = About(domain, history.tags or {}, history.first_queued_at)
    return Addressed(envelope.recipients, tuple(targets), about)
