"""What is done with a message of the feedback queue: the address first, then the email's row."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.feedback_rows import FeedbackRows
from ion.aws.table import TableError
from ion.feedback import email_fate
from ion.feedback.email_fate import About, reason_of, reply_of
from ion.feedback.notice import Consequence, Kind, Notice, dated
from ion.feedback.notices import notices
from ion.mail import address_of
from ion.policy import timeline
from ion.policy.suppression import ALL, AddressState, Suppression, Why
from ion.report.telemetry import Telemetry

_TRIES = 5
"""Of a row that another writes at the same time."""
BUSY = "RowBusy"
"""The error's text where a run is just sending the email: to be asked again once it has ended."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Takes messages in. Each may come again at any point, and changes nothing the second time.

    Args:
        key: of the hashes of addresses.
        addresses: what is known of them.
        rows: of the emails.
        telemetry: is told each notice.
        now: seconds since the epoch.
    """

    key: AddressKey
    addresses: Addresses
    rows: FeedbackRows
    telemetry: Telemetry
    now: Callable[[], float] = time.time

    async def take(self, body: str) -> None:
        """Let a message have its consequences.

        Raises:
            MalformedError: it can't be read; nothing is done.
            TableError: not all of it is done; to ask again does no harm.
        """
        reading = notices(body)
        if reading.ignored:
            self.telemetry.ignored(reading.ignored)
        if not reading.notices:
            return
        key = await self.key.get()
        now = datetime.fromtimestamp(self.now(), UTC)
        told = [About(dated(one, now), _hashed(key, one.recipient)) for one in reading.notices]
        for one in told:
            await self._change_address(one)
        email_id = await self._write_row(told)
        for one in told:
            self.telemetry.noticed(
                one.notice.kind.value,
                email_id=email_id,
                address=one.address,
                reason=reason_of(one.notice),
                reply=reply_of(one.notice),
                consequence=one.notice.consequence.value,
            )

    async def _change_address(self, about: About) -> None:
        if about.address and about.notice.consequence is not Consequence.NOTHING:
            await self.addresses.change(about.address, partial(changed, about.notice))

    async def _write_row(self, told: Sequence[About]) -> str:
        """Write it into the email's row; the email's key, empty: the ledger has no such email."""
        email_id = await self._email_id(one.notice for one in told)
        for _ in range(_TRIES):
            row = await self.rows.read(email_id, self.now()) if email_id else None
            if row is None:
                return ""
            if row.leased:
                raise TableError(BUSY)
            was = timeline.read(row.timeline), email_fate.read(row.feedback)
            entries, last = email_fate.told(row.recipients, *was, told)
            if (entries, last) == was:
                return email_id
            texts = timeline.written(entries), email_fate.written(last)
            if await self.rows.write(row, *texts, self.now()):
                return email_id
        raise TableError(BUSY)

    async def _email_id(self, told: Iterable[Notice]) -> str:
        """All notices of a message are of one email."""
        notice = next(iter(told))
        if notice.email_id or not notice.message_id:
            return notice.email_id
        return await self.rows.key_of(notice.message_id)


def changed(notice: Notice, state: AddressState) -> AddressState:
    """What is known of an address after a notice; the second time the same."""
    if notice.id in state.notices or notice.consequence is Consequence.NOTHING:
        return state
    if notice.consequence is Consequence.COUNTED:
        return state.soft_bounced(notice.id, notice.at)
    why = Why.COMPLAINT if notice.kind is Kind.COMPLAINED else Why.BOUNCE
    return state.noticed(notice.id).suppressed(Suppression(ALL, why, notice.at, by=_by(notice)))


def _by(notice: Notice) -> str:
    """Who put the address on the list, for people."""
    reason = reason_of(notice)
    parts = ["feedback", *([reason] if reason else [])]
    if notice.candidates > 1:
        parts.append(f"one of {notice.candidates} who may have complained")
    return ": ".join(parts)


def _hashed(key: bytes, address: str) -> str:
    return address_hash(key, address_of(address) or address) if address else ""
