"""What changes, told to every page that listens, as server-sent events.

One task looks for all of them, and only while somebody listens. Each kind of event is a state, not
a story: a page that is slow, or an inbox that fills quickly, gets the last one of each kind, at
most four times a second.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from starlette.exceptions import HTTPException

from ion.aws.errors import AWS_ERRORS
from ion.aws.table import TableError
from ionctl.console.answers import OWN_FAULT
from ionctl.ops.deployment import said
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ionctl.console.inbox import Inbox
    from ionctl.console.outcomes import Outcomes
    from ionctl.console.switches import Switches
    from ionctl.console.threads import Threads
    from ionctl.ops.result import Status

_logger = logging.getLogger(__name__)
_HEARTBEAT_SECONDS = 15
"""A comment, so that a connection that has died is noticed."""
_LEAST_SECONDS = 0.25
"""Between two messages to one page."""
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class _Event(NamedTuple):
    """A state that was told.

    Args:
        version: the later, the higher.
        told: what the next one is held against.
        octets: as they are sent.
    """

    version: int
    told: object
    octets: bytes


class Changes:
    """Used in the server's event loop, `look_now` aside.

    Args:
        look: gives the relay's state, without its dead letters; it takes a while.
        seconds: between two looks.
        inbox, switches: None: there is none.
        threads: for the looks.
        outcomes: None: the relay tells none, or elsewhere.
    """

    def __init__(
        self,
        look: Callable[[], Status],
        seconds: float,
        inbox: Inbox | None,
        switches: Switches | None,
        threads: Threads,
        outcomes: Outcomes | None = None,
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._inbox = inbox
        self._switches = switches
        self._threads = threads
        self._outcomes = outcomes
        self._state: dict[str, _Event] = {}
        self._version = 0
        self._listeners: set[asyncio.Event] = set()
        self._due = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def look_now(self) -> None:
        """Something was changed from here: don't wait for the next look."""
        self._due.set()

    def close(self) -> None:
        """End every stream."""
        self._ended.set()
        self._wake_all()

    async def stream(self) -> AsyncIterator[bytes]:
        """Events for one page, the present state first."""
        changed = asyncio.Event()
        changed.set()
        self._listeners.add(changed)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        seen = 0
        try:
            while not self._ended.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _HEARTBEAT_SECONDS)
                changed.clear()
                news = [one.octets for one in self._state.values() if one.version > seen]
                seen = self._version
                yield b"".join(news) or b":\n\n"
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), _LEAST_SECONDS)
        finally:
            self._listeners.remove(changed)
            if not self._listeners:
                self._watching.cancel()
                self._watching = None
                self._state.clear()  # it would be old when somebody listens again

    async def _watch(self) -> None:
        """Look again and again."""
        loop = asyncio.get_running_loop()

        def arrived() -> None:
            loop.call_soon_threadsafe(self._tell_inbox)

        end = self._inbox.listen(arrived) if self._inbox else lambda: None
        try:
            self._tell_inbox()
            while not self._ended.is_set():
                self._due.clear()
                self._tell_switches()
                self._tell_outcomes()
                await self._tell_status()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._due.wait(), self._seconds)
        finally:
            end()

    async def _tell_status(self) -> None:
        try:
            status = await self._threads.run(self._look)
        except HTTPException:
            return  # the console ends
        except (Problem, TableError) as error:
            self._tell_error(str(error))
        except AWS_ERRORS as error:
            self._tell_error(f"AWS refuses: {said(error)}")
        except Exception:  # the next look may do better, and nobody else would hear of it
            _logger.exception("a look at the relay has failed")
            self._tell_error(OWN_FAULT)
        else:
            self._state.pop("error", None)
            self._tell("status", status, alike=msgspec.structs.replace(status, at=_SOME_TIME))
            self._tell("dead", {"visible": status.queues.dead_letter.visible})

    def _tell_error(self, words: str) -> None:
        """The relay can't be looked at: the next status is news, whether it has changed or not."""
        self._state.pop("status", None)
        self._tell("error", {"error": words})

    def _tell_inbox(self) -> None:
        if self._inbox is not None:
            count, newest_id = self._inbox.count_and_newest()
            self._tell("inbox", {"count": count, "newest_id": newest_id})

    def _tell_switches(self) -> None:
        if self._switches is not None:
            self._tell("switches", {"mode": str(self._switches.mode)})

    def _tell_outcomes(self) -> None:
        if self._outcomes is not None:
            self._tell("outcomes", {"latest": self._outcomes.latest()})

    def _tell(self, name: str, state: object, *, alike: object = None) -> None:
        """Tell all who listen, if it is news.

        Args:
            name: of the event.
            state: its data.
            alike: what has changed if this has; None: the state itself.
        """
        told = state if alike is None else alike
        last = self._state.get(name)
        if last is None or last.told != told:
            self._version += 1
            octets = b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(state))
            self._state[name] = _Event(self._version, told, octets)
            self._wake_all()

    def _wake_all(self) -> None:
        for changed in self._listeners:
            changed.set()
