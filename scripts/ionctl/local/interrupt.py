"""Which signals end the stack, and when they have to wait.

A signal raises `Interrupted` in the main thread, so that every `with` takes down what it put up.
Inside `held()` it waits: between starting a process and noting that it has to be ended, and while
ending it, an exception out of the blue would leave something behind.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """The person, or the system, wants us to go. No `except Exception` may stop it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.strsignal(signum))
        self.signum = signum


class _Desk:
    """Takes signals in, and hands them on when nobody holds them."""

    def __init__(self) -> None:
        self.holders = 0
        self.waiting: int | None = None

    def take(self, signum: int, _frame: FrameType | None) -> None:
        if self.holders:
            self.waiting = signum
        else:
            raise Interrupted(signum)


_desk = _Desk()


def listen() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into `Interrupted`. Main thread only."""
    for signum in _SIGNALS:
        if signum is signal.SIGHUP and signal.getsignal(signum) is signal.SIG_IGN:
            continue  # nohup
        signal.signal(signum, _desk.take)


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until this ends. Without `listen()` it changes nothing."""
    _desk.holders += 1
    try:
        yield
    finally:
        _desk.holders -= 1
        if not _desk.holders and _desk.waiting is not None:
            signum, _desk.waiting = _desk.waiting, None
            raise Interrupted(signum)
