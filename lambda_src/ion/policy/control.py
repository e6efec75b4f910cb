"""What operators have asked for, and until when: pauses and stops. Pure."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from ion.contract import Lane, Pause, Send, Stop, StopWhere, read_time
from ion.policy.conditions import is_about

_USUAL_SECONDS = 3600
"""A pause or a stop ends after this, if nothing else was asked for."""
_MOST_STOPS = 50
"""In force at a time: an item of DynamoDB has 400 KB, and each email is held against each stop."""

_MOST_SAID = 200
"""Characters of a stop on its emails' dead letters, as of a server's reply."""
_address = re.compile(r"\S*@\S*")

_Word = Annotated[str, msgspec.Meta(max_length=1000)]


def noted(text: str, most: int) -> str:
    """What a person wrote as a row, a log line or an attribute of SQS keeps it: printable.

    Args:
        text: it.
        most: characters; the rest is cut.
    """
    return "".join(one if one.isprintable() else " " for one in text)[:most]


class TooManyStopsError(Exception):
    """Another stop would be one too many."""

    def __init__(self) -> None:
        super().__init__(f"{_MOST_STOPS} stops are in force: resume ends them")


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was asked for.

    Args:
        until: when it ends.
        by: who asked for it.
        why: in their words.
        at: when.
    """

    until: datetime
    by: _Word = ""
    why: _Word = ""
    at: datetime | None = None


class LanePause(Order, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing is received; with a lane, nothing of that lane."""

    lane: Lane | None = None


class EmailStop(Order, frozen=True, kw_only=True, omit_defaults=True):
    """Emails are dead-lettered.

    Args:
        id: names it where it is counted.
        where: which emails; None: all.
        stopped: how many there were, as far as runs have ended since.
    """

    id: str
    where: StopWhere | None = None
    stopped: int = 0

    @property
    def said(self) -> str:
        """For its emails' dead letters, the ledger and the log: which stop it was, whose, and why.

        No address, and nothing that SQS refuses in an attribute.
        """
        text = f"stop {self.id}"
        if self.by and self.id not in self.by:  # a published one has its message's id
            text += f" by {self.by}"
        text = _address.sub("<address>", f"{text}: {self.why}" if self.why else text)
        return noted(text, _MOST_SAID)


class Control(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is in force; what has ended drops out with the next change.

    Args:
        pauses: at most one for everything and one a lane.
        stops: at most one for each condition.
        resumed_at: when everything was ended last. What was published before that has no effect,
            however late it comes.
        resumed_by: who did it.
        erasures: somebody's data has been erased, so that each recipient is looked up before
            anything is sent. It stays: what was published before may be redriven much later.
    """

    pauses: tuple[LanePause, ...] = ()
    stops: tuple[EmailStop, ...] = ()
    resumed_at: datetime | None = None
    resumed_by: _Word = ""
    erasures: bool = False

    @classmethod
    def read(cls, text: str) -> "Control":
        """What `text` has written.

        Raises:
            ValueError: it is something else. The text isn't in the error.
        """
        try:
            control = msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError:
            raise ValueError("no control") from None
        orders = (*control.pauses, *control.stops)
        times = [control.resumed_at, *(time for one in orders for time in (one.until, one.at))]
        if any(one.tzinfo is None for one in filter(None, times)):
            raise ValueError("a time without a zone")
        return control

    @property
    def text(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()

    # -- what is in force ----------------------------------------------------------------

    def pauses_at(self, now: float) -> tuple[LanePause, ...]:
        """Those that haven't ended; `now` in seconds since the epoch, as everywhere here."""
        return tuple(one for one in self.pauses if one.until.timestamp() > now)

    def stops_at(self, now: float) -> tuple[EmailStop, ...]:
        """Those that haven't ended."""
        return tuple(one for one in self.stops if one.until.timestamp() > now)

    def paused_until(self, now: float) -> datetime | None:
        """When mail goes again, where a pause of everything, or of each lane, is in force; or None.

        Args:
            now: seconds since the epoch.
        """
        for_all = [one.until for one in self.pauses_at(now) if one.lane is None]
        if for_all:
            return max(for_all)
        ends = {one.lane: one.until for one in self.pauses_at(now)}
        return min(ends.values()) if ends.keys() >= set(Lane) else None

    def paused_lanes(self, now: float) -> frozenset[Lane]:
        """Lanes of which nothing is to be sent now."""
        lanes = [one.lane for one in self.pauses_at(now)]
        return frozenset(lane for lane in Lane if lane in lanes or None in lanes)

    def stop_about(
        self,
        send: Send,
        now: float,
        *,
        key: str,
        left: Collection[int],
        default_sender: str | None,
    ) -> EmailStop | None:
        """The first stop that is about an email, if there is one.

        Args:
            send: what was published.
            now: seconds since the epoch.
            key: of the email.
            left: indexes of the recipients that are left.
            default_sender: From, of emails that name none.
        """
        for stop in self.stops:
            if stop.until.timestamp() > now and (
                stop.where is None
                or is_about(stop.where, send, key=key, left=left, default_sender=default_sender)
            ):
                return stop
        return None

    # -- changes -------------------------------------------------------------------------

    def with_pause(self, pause: Pause, now: float, *, by: str = "", why: str = "") -> "Control":
        """With one pause more, in the place of an earlier one of that lane."""
        new = LanePause(
            lane=pause.lane, until=_until(pause.until, now), by=by, why=why, at=_moment(now)
        )
        others = tuple(one for one in self.pauses_at(now) if one.lane != pause.lane)
        return self._with((*others, new), self.stops_at(now))

    def with_stop(
        self, stop: Stop, now: float, *, by: str = "", why: str = "", new_id: str
    ) -> "Control":
        """With one stop more; an earlier one of that condition goes on instead, and counts on.

        Raises:
            TooManyStopsError: there are as many as there may be.
        """
        stops = self.stops_at(now)
        same = next((one for one in stops if one.where == stop.where), None)
        if same is None and len(stops) >= _MOST_STOPS:
            raise TooManyStopsError
        new = EmailStop(
            id=same.id if same else new_id,
            where=stop.where,
            stopped=same.stopped if same else 0,
            until=_until(stop.until, now),
            by=by,
            why=why,
            at=_moment(now),
        )
        others = tuple(one for one in stops if one is not same)
        return self._with(self.pauses_at(now), (*others, new))

    def counted(self, stopped: Mapping[str, int]) -> "Control":
        """With so many more emails for each stop, by its id; one that has gone isn't counted."""
        stops = tuple(
            msgspec.structs.replace(one, stopped=one.stopped + stopped.get(one.id, 0))
            for one in self.stops
        )
        return self._with(self.pauses, stops)

    def without_pause(self, lane: Lane | None) -> "Control":
        """With no pause of that lane; None: with none that is of everything."""
        return self._with(tuple(one for one in self.pauses if one.lane != lane), self.stops)

    def without_stop(self, stop_id: str) -> "Control":
        """With no stop of that id."""
        return self._with(self.pauses, tuple(one for one in self.stops if one.id != stop_id))

    def with_erasures(self) -> "Control":
        """With somebody's data erased."""
        return msgspec.structs.replace(self, erasures=True)

    def resumed(self, at: float, by: str = "") -> "Control":
        """With no pause and no stop in force any more.

        Args:
            at: when it was asked for, seconds since the epoch.
            by: who did.
        """
        last = self.resumed_at.timestamp() if self.resumed_at else 0.0
        return Control(resumed_at=_moment(max(at, last)), resumed_by=by, erasures=self.erasures)

    def why_without_effect(self, order: Pause | Stop, published_at: float, now: float) -> str:
        """Why an order that comes by the topic changes nothing, in words; empty: it does.

        Args:
            order: it.
            published_at: when, seconds since the epoch.
            now: the same.
        """
        if self.resumed_at is not None and published_at < self.resumed_at.timestamp():
            return "a later resume has ended it"
        return over_already(order, now)

    def _with(self, pauses: tuple[LanePause, ...], stops: tuple[EmailStop, ...]) -> "Control":
        return msgspec.structs.replace(self, pauses=pauses, stops=stops)


def over_already(order: Pause | Stop, now: float) -> str:
    """In words, where an order has ended before it begins; empty: it hasn't."""
    return "over already" if _until(order.until, now).timestamp() <= now else ""


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _until(asked: str | None, now: float) -> datetime:
    return _moment(now + _USUAL_SECONDS) if asked is None else read_time(asked)
