"""What is wrong with a relay."""

from enum import StrEnum

from ionctl.ops.result.base import Result


class Grade(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    SKIPPED = "skipped"
    """It can't be looked at from here; `found` says why."""


class Finding(Result, frozen=True, kw_only=True):
    """One check.

    Args:
        check: its name, stable: "login", "spf", "alarm-listeners" …
        about: what it is about: a server, a domain, an alarm; empty: the relay.
        found: what was found, in a sentence.
        advice: what to do; empty: nothing.
    """

    check: str
    about: str
    grade: Grade
    found: str
    advice: str = ""


class Diagnosis(Result, frozen=True, kw_only=True):
    """All checks. `ok`: none is wrong."""

    name: str
    ok: bool
    findings: list[Finding]
