"""One check of a diagnosis, and how checks are run: each ends in time, none breaks another."""

from __future__ import annotations

import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS, code_of
from ion.aws.table import TableError
from ionctl.ops.deployment import said
from ionctl.ops.result import Finding, Grade
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_GONE = frozenset(
    {
        *("ResourceNotFoundException", "NotFound", "NotFoundException", "NoSuchEntity"),
        *("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    }
)
"""Codes by which AWS's services say that there is no such thing."""
SECONDS = 10.0
"""For one check. A mail server, a DNS server or AWS may never answer."""


class NotKnownError(Exception):
    """A check can't be made from here. The text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        name: as in `Finding.check`, of what is found if it can't be made.
        says: what is looked at, for the person who waits.
        look: makes it, in a thread of its own.
        about: as in `Finding.about`, likewise.
        seconds: how long it may take.
    """

    name: str
    says: str
    look: Callable[[], Iterable[Finding]]
    about: str = ""
    seconds: float = SECONDS


def ok(check: str, found: str, *, about: str = "") -> Finding:
    """All is well."""
    return Finding(check=check, about=about, grade=Grade.OK, found=found)


def warning(check: str, found: str, advice: str = "", *, about: str = "") -> Finding:
    """Mail goes, or it is meant to be so; a person should know."""
    return Finding(check=check, about=about, grade=Grade.WARNING, found=found, advice=advice)


def wrong(check: str, found: str, advice: str, *, about: str = "") -> Finding:
    """Mail doesn't go, or may get lost, or a fault of it would not be heard of."""
    return Finding(check=check, about=about, grade=Grade.WRONG, found=found, advice=advice)


def skipped(check: str, found: str, advice: str = "", *, about: str = "") -> Finding:
    """It can't be looked at from here."""
    return Finding(check=check, about=about, grade=Grade.SKIPPED, found=found, advice=advice)


def run(checks: Iterable[Check], progress: Callable[[str], None]) -> list[Finding]:
    """Make one check after the other.

    Args:
        checks: the next one is asked for when the one before has ended, and may depend on it.
        progress: told what is looked at.
    """
    found: list[Finding] = []
    for check in checks:
        progress(check.says)
        found += _made(check)
    return found


def _made(check: Check) -> list[Finding]:
    found: list[Finding] = []

    def look() -> None:
        try:
            for one in check.look():
                found.append(one)  # noqa: PERF402 - what was found before an error counts
        except NotKnownError as error:
            found.append(skipped(check.name, str(error), about=check.about))
        except Problem as problem:
            found.append(wrong(check.name, str(problem), "", about=check.about))
        except (*AWS_ERRORS, TableError) as error:
            found.append(_refused(check, error))
        except Exception as error:  # noqa: BLE001 - a fault in one check spares the others
            words = f"{check.says}: a fault of ionctl's own, {_where(error)}"
            found.append(warning(check.name, words, "please report it", about=check.about))

    # a daemon: the program doesn't wait for it, if it never ends
    thread = threading.Thread(target=look, name=check.name, daemon=True)
    thread.start()
    thread.join(check.seconds)
    made = list(found)
    if thread.is_alive():
        words = f"{check.says}: no answer within {check.seconds:g} s"
        made.append(warning(check.name, words, "try again", about=check.about))
    return made


def _refused(check: Check, error: Exception) -> Finding:
    if isinstance(error, TableError) and isinstance(error.__cause__, AWS_ERRORS):
        error = error.__cause__
    if code_of(error) in _GONE:
        words = f"{check.says}: something is gone ({code_of(error)})"
        return wrong(check.name, words, "terraform apply makes it anew", about=check.about)
    why = str(error) if isinstance(error, TableError) else said(error)
    return skipped(check.name, f"{check.says} can't be looked at: {why}", about=check.about)


def _where(error: Exception) -> str:
    """Which error, and where; not its text, which may have an address or a secret in it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
