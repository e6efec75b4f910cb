"""An event loop whose time passes only when nothing else is left to do.

One clock for the loop's timers, deadlines, SQS and `time.time`; so a server that is silent for
five minutes costs no time, and the same choices give the same story.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from functools import cached_property, partial
from typing import Any, ParamSpec, TypeVar

from clock import Clock

START = 1_800_000_000.0
"""Seconds since the epoch when each story begins."""
SKEW: ContextVar[float] = ContextVar("SKEW", default=0.0)
"""By how many seconds the clock of the Lambda that asks is fast."""
_PATIENCE_SECONDS = 0.002
"""So long, of real time, bytes may take from one socket of this process to another."""
_TICK_SECONDS = 1e-6
"""Added to each leap, or a timer may be missed by a rounding error."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Later(BaseException):
    """Raised by work in the executor: it takes so many seconds; `then` gives what came of it."""

    def __init__(self, seconds: float, then: Callable[[], Any]) -> None:
        super().__init__()
        self.seconds = seconds
        self.then = then


class Loop(asyncio.SelectorEventLoop):
    """Runs on a `Clock`, and does in line what is meant for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))
        # Times of this size have no finer steps: a timer that is due right now would never run.
        self._clock_resolution = _TICK_SECONDS
        self.set_default_executor(_InLine(self))

    def time(self) -> float:
        return self._clock()


class _Selector(selectors.DefaultSelector):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._silent = False
        """Nothing came through a socket the last time that it was waited for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        at_once = timeout is not None and timeout <= 0
        ready = super().select(0)
        if not ready and not at_once and not self._silent:
            ready = super().select(_PATIENCE_SECONDS)
            self._silent = not ready
        elif any(key.fileobj is not self._loops_own for key, _ in ready):
            self._silent = False
        if not ready and not at_once:
            assert timeout is not None, "everybody waits, and for nothing that could happen"
            self._clock.passes(timeout + _TICK_SECONDS)
        return ready

    @cached_property
    def _loops_own(self) -> object:
        """The socket that the loop wakes itself by, which is the first that it registers."""
        return next(iter(self.get_map().values())).fileobj


class _InLine(ThreadPoolExecutor):
    """Threads would make another story of the same choices."""

    def __init__(self, loop: Loop) -> None:
        super().__init__(max_workers=1)
        self._loop = loop

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()  # what is under way can't be cancelled
        self._work(future, partial(fn, *args, **kwargs))
        return future

    def _work(self, future: Future[_T], work: Callable[[], _T]) -> None:
        try:
            result = work()
        except Later as later:
            self._loop.call_later(later.seconds, self._work, future, later.then)
        except BaseException as error:  # noqa: BLE001 - handed on
            future.set_exception(error)
        else:
            future.set_result(result)
