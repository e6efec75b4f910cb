"""The manners of speaking that the relay is tried in, and how much of it there is to be."""

import configparser
import os
from pathlib import Path

LONG = os.environ.get("ION_REAL") == "long"
"""Everything, for an hour; otherwise what finds most, for a minute."""


def _modes() -> tuple[str | None, ...]:
    config = configparser.RawConfigParser()
    config.read(Path(__file__).parents[2] / "config.cfg", encoding="utf-8")
    if not config.has_option("smtp", "pipelining"):
        return (None,)
    return ("envelope", "deep", "off") if LONG else ("envelope",)


MODES = _modes()
"""Values of [smtp] pipelining; None: there is no such setting."""
EMAILS = 200 if LONG else 32
"""For each server and mode."""
