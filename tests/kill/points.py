"""Where the function may be killed, by name; and the trap that does it there, once."""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from at_length import AT_LENGTH
from kill.child import Child
from kill.proxy import Call, Phase
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    Reply,
    Step,
    Submission,
    in_body,
    once_behind,
)

_BODY_BYTES = 20_000
"""Read of a body before the kill in its middle."""
_PATIENCE_SECONDS = 30
REPEATS = range(int(os.environ.get("ION_KILL_RUNS", "1")))
FEW = not AT_LENGTH and "ION_KILL_RUNS" not in os.environ
"""Half of the points; in other modes only those that have no like among the first, and of those
where mail waits, is paused or cancelled, a third."""


@dataclass(frozen=True)
class Smtp:
    """A step of the conversation.

    Args:
        step: killed when the server has read it, before it replies; BODY: when 354 has been sent.
        nth: of all such steps, over all connections.
        argument: only those whose argument has this in it are counted.
    """

    step: Step
    nth: int = 1
    argument: str = ""


@dataclass(frozen=True)
class InBody:
    """Part of a body has been read, and not its dot."""


@dataclass(frozen=True)
class Behind:
    """The server has read a dot and, behind it, what didn't wait for its answer.

    Args:
        octets: in what is behind.
        nth: of all dots, over all connections.
        then: killed at the next step of this kind, the dot being answered; None: it isn't.
    """

    octets: bytes
    nth: int = 1
    then: Step | None = None


@dataclass(frozen=True)
class Replied:
    """The server has written its reply to the nth dot."""

    nth: int = 1


@dataclass(frozen=True)
class Aws:
    """A call to AWS.

    Args:
        call: which.
        phase: of it.
        withheld: calls that never reach AWS until then: those that run beside this one.
        nth: of these.
    """

    call: Call
    phase: Phase
    withheld: frozenset[Call] = frozenset()
    nth: int = 1


Place = Smtp | InBody | Behind | Replied | Aws


@dataclass
class Trap:
    """Kills the child that runs when a place is reached; just once for each arming.

    Args:
        place: None: never.
        submissions: of the mail server.
    """

    place: Place | None
    submissions: Callable[[], Sequence[Submission]]
    child: Child | None = None
    sprung: int = 0
    _seen: int = 0
    _dots: int = 0
    _armed: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def arm(self) -> None:
        """For another kill, at the next of its kind."""
        self._armed, self._seen = True, 0

    def _spring(self, nth: int) -> bool:
        """Kill if this is the nth time; True if it is dead now by this."""
        with self._lock:
            self._seen += self._armed
            if not self._armed or self._seen != nth:
                return False
            self._armed = False
        assert self.child is not None
        self.child.kill()
        self.sprung += 1
        return True

    # -- what the mail server and the proxy ask ------------------------------------------

    def at_step(self, moment: Moment) -> Action:
        """The mail server's script."""
        place = self.place
        if isinstance(place, Smtp):
            if moment.step is place.step and place.argument in moment.argument:
                self._spring(place.nth)
        elif isinstance(place, InBody) and moment.step is Step.BODY:
            # 250: should the dot be on its way, the server took the email
            last_words = _LastWords(250, say=lambda: self._spring(1))
            return in_body(_BODY_BYTES, Action(reply=last_words))
        elif isinstance(place, Behind):
            return self._behind(place, moment)
        elif isinstance(place, Replied) and moment.step is Step.DOT:
            self._tasks.append(asyncio.create_task(self._when_replied(len(self._tasks), place.nth)))
        return NORMAL

    def _behind(self, place: Behind, moment: Moment) -> Action:
        """Waits for it at the nth dot."""
        self._dots += moment.step is Step.DOT
        if moment.step is Step.DOT and self._dots == place.nth:
            # 250: the server has the email, whatever becomes of its client meanwhile
            last_words = _LastWords(250, say=lambda: self._spring(1))
            last = place.then is None
            then = Action(reply=last_words) if last else NORMAL
            return once_behind(place.octets, then)
        if moment.step is place.then and self._dots >= place.nth:
            self._spring(1)
        return NORMAL

    async def _when_replied(self, number: int, nth: int) -> None:
        while sum(submission.replied for submission in self.submissions()) <= number:  # noqa: ASYNC110
            await asyncio.sleep(0)  # the server tells nobody when
        self._spring(nth)

    def at_call(self, call: Call, phase: Phase) -> bool:
        """The proxy's watch."""
        place = self.place
        if not isinstance(place, Aws):
            return True
        if call in place.withheld and self._armed:
            assert self.child is not None
            assert self.child.wait_dead(_PATIENCE_SECONDS), f"{place} was never reached"
            return False
        here = call is place.call and phase is place.phase
        return not (here and self._spring(place.nth))


@dataclass(frozen=True)
class _LastWords(Reply):
    """A reply at whose writing something happens."""

    say: Callable[[], object] = lambda: None

    def encode(self) -> bytes:
        self.say()
        return super().encode()


def _aws(call: Call) -> dict[str, Place]:
    return {f"{phase.value} {call.value}": Aws(call, phase) for phase in Phase}


def places(points: Mapping[str, Place], *names: str) -> pytest.MarkDecorator:
    """A test for each of them, or for those named."""
    cases = [
        pytest.param(points[name], id=f"{name} {number}" if number else name)
        for name in names or points
        for number in REPEATS
    ]
    return pytest.mark.parametrize("place", cases)


def some(points: Mapping[str, Place], step: int = 4) -> tuple[str, ...]:
    """Names of one in `step`, those after a call mostly; in long runs of all."""
    return tuple(points)[1::step] if FEW else tuple(points)


POINTS: dict[str, Place] = {
    "connect": Smtp(Step.CONNECT),
    "second connect": Smtp(Step.CONNECT, nth=2),
    "ehlo": Smtp(Step.EHLO),
    "starttls": Smtp(Step.STARTTLS),
    "ehlo under tls": Smtp(Step.EHLO, nth=2),
    "auth": Smtp(Step.AUTH),
    "mail": Smtp(Step.MAIL),
    "fifth mail": Smtp(Step.MAIL, nth=5),
    "rcpt": Smtp(Step.RCPT),
    "rcpt that is refused": Smtp(Step.RCPT, argument="bounced"),
    "rcpt that is deferred": Smtp(Step.RCPT, argument="deferred"),
    "data": Smtp(Step.DATA),
    "354 sent": Smtp(Step.BODY),
    "in the body": InBody(),
    "dot seen, no reply": Smtp(Step.DOT),
    "fourth dot seen, no reply": Smtp(Step.DOT, nth=4),
    "last dot seen, no reply": Smtp(Step.DOT, nth=6),
    "dot replied to": Replied(),
    "fourth dot replied to": Replied(nth=4),
    "rset": Smtp(Step.RSET),
    "quit": Smtp(Step.QUIT),
    "second quit": Smtp(Step.QUIT, nth=2),
    **_aws(Call.RECEIVE),
    "before second receive": Aws(Call.RECEIVE, Phase.BEFORE, nth=2),
    **_aws(Call.CLAIM),
    **_aws(Call.LOOK),
    "after claim by update": Aws(Call.CLAIM, Phase.AFTER, nth=2),
    **_aws(Call.RECORD),
    **_aws(Call.DELETE),
    "before record and delete": Aws(
        Call.RECORD, Phase.BEFORE, withheld=frozenset({Call.DELETE, Call.POSTPONE})
    ),
    "after record, delete lost": Aws(Call.RECORD, Phase.AFTER, withheld=frozenset({Call.DELETE})),
    "after delete, record lost": Aws(Call.DELETE, Phase.AFTER, withheld=frozenset({Call.RECORD})),
    **_aws(Call.DEAD_LETTER),
    "before second dead-letter": Aws(Call.DEAD_LETTER, Phase.BEFORE, nth=2),
    **_aws(Call.POSTPONE),
    **_aws(Call.ALARM),
}
"""In a run over ten fresh messages, or in the one after it."""

REDRIVE_POINTS: dict[str, Place] = {
    **_aws(Call.REDRIVE_RECEIVE),
    **_aws(Call.REQUEUE),
    **_aws(Call.REDRIVE_DELETE),
}
"""In a run that brings dead letters back."""

_RECORD_AND_DELETE_LOST = POINTS["before record and delete"]

ENVELOPE_POINTS: dict[str, Place] = {
    "flight read": Smtp(Step.MAIL),
    "third flight read": Smtp(Step.MAIL, nth=3),
    "before the 354": Smtp(Step.DATA, nth=3),
    "354 sent, body not": Smtp(Step.BODY, nth=3),
    "in the body": InBody(),
    "third dot seen, no reply": Smtp(Step.DOT, nth=3),
    "third dot replied to": Replied(nth=3),
    "flight that is refused": Smtp(Step.RCPT, argument="bounced"),
    "rset": Smtp(Step.RSET),
    "before record and delete": _RECORD_AND_DELETE_LOST,
}
"""The same, where MAIL, RCPT and DATA go out in one flight, once the dot before is answered."""

DEEP_POINTS: dict[str, Place] = {
    "flight read": Smtp(Step.MAIL),
    "third flight read": Smtp(Step.MAIL, nth=3),
    "before the 354": Smtp(Step.DATA, nth=3),
    "354 sent, body not": Smtp(Step.BODY, nth=3),
    "dot and next flight together": Behind(b"DATA\r\n"),
    "fourth dot and next flight together": Behind(b"DATA\r\n", nth=4),
    "after the 250, before the next 354": Behind(b"DATA\r\n", nth=2, then=Step.DATA),
    "after the 250, next 354 sent": Behind(b"DATA\r\n", nth=2, then=Step.BODY),
    "flight that is refused": Smtp(Step.RCPT, argument="bounced"),
    "before record and delete": _RECORD_AND_DELETE_LOST,
}
"""The same, where they go out behind the dot of the email before."""

MOVE_POINTS: dict[str, Place] = {
    **_aws(Call.LATER_SEND),
    **_aws(Call.DELETE),
    "after record, copy lost": Aws(Call.RECORD, Phase.AFTER, withheld=frozenset({Call.LATER_SEND})),
}
"""In a run over what has to wait: the copy goes out, and then the original is deleted."""

DUE_POINTS: dict[str, Place] = {
    **_aws(Call.LATER_RECEIVE),
    **_aws(Call.CLAIM),
    "dot seen, no reply": Smtp(Step.DOT),
    "dot replied to": Replied(),
    **_aws(Call.RECORD),
    **_aws(Call.LATER_DELETE),
    "after record, delete lost": Aws(
        Call.RECORD, Phase.AFTER, withheld=frozenset({Call.LATER_DELETE})
    ),
    "after delete, record lost": Aws(
        Call.LATER_DELETE, Phase.AFTER, withheld=frozenset({Call.RECORD})
    ),
}
"""In a run over what has fallen due."""

EARLY_POINTS: dict[str, Place] = {**_aws(Call.LATER_RECEIVE), **_aws(Call.LATER_POSTPONE)}
"""In a run that finds what isn't due yet."""

BULK_POINTS: dict[str, Place] = {
    **_aws(Call.BULK_SEND),
    **_aws(Call.DELETE),
    **_aws(Call.BULK_RECEIVE),
    "after second bulk-receive": Aws(Call.BULK_RECEIVE, Phase.AFTER, nth=2),
    **_aws(Call.CLAIM),
    "dot seen, no reply": Smtp(Step.DOT),
    **_aws(Call.BULK_DELETE),
}
"""In a run over bulk, some of which came by the door for normal mail."""

PAUSE_POINTS: dict[str, Place] = {
    **_aws(Call.RECORD),
    **_aws(Call.POSTPONE),
    "before record and postpone": Aws(
        Call.RECORD, Phase.BEFORE, withheld=frozenset({Call.POSTPONE, Call.DELETE})
    ),
}
"""In a run that is paused in the middle of a batch: what is claimed is being released."""

STOP_POINTS: dict[str, Place] = {
    **_aws(Call.DEAD_LETTER),
    "after third dead-letter": Aws(Call.DEAD_LETTER, Phase.AFTER, nth=3),
    **_aws(Call.RECORD),
    **_aws(Call.DELETE),
    "before record and delete": _RECORD_AND_DELETE_LOST,
    "after record, delete lost": POINTS["after record, delete lost"],
    "after delete, record lost": POINTS["after delete, record lost"],
}
"""In a run over emails that a stop is about."""

CANCEL_POINTS: dict[str, Place] = {
    **_aws(Call.CANCEL),
    "after third cancel": Aws(Call.CANCEL, Phase.AFTER, nth=3),
    **_aws(Call.DELETE),
}
"""In a run that is told to cancel."""
