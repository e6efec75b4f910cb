"""ionctl as this person runs it, for hints that name one of its commands.

From a clone that is `./ionctl`, with `--local` or `--name shop` if the relay was chosen so; a hint
that leaves these out would be about another relay.
"""

from __future__ import annotations

import os
import re
import shlex

PROGRAM_VARIABLE = "ION_PROGRAM"
"""Environment variable in which a clone's ./ionctl and ./run.sh say how ionctl is run."""
_USUAL = "ionctl"
_COMMAND = re.compile(rf"\b{_USUAL} (?=[a-z])")


class _Run:
    """How this process was started.

    Attributes:
        program: what the person types first.
        options: which relay was chosen, by option; a flag has no value.
    """

    def __init__(self) -> None:
        self.program = _USUAL
        self.options: dict[str, str] = {}


_run = _Run()


def begin(program: str | None = None) -> None:
    """Start anew, with no relay chosen.

    Args:
        program: what the person types; None: as the environment says.
    """
    _run.program = program or os.environ.get(PROGRAM_VARIABLE) or _USUAL
    _run.options = {}


def chose(option: str, value: str = "") -> None:
    """Note an option by which the person has chosen the relay, such as `--name` and `shop`."""
    _run.options[option] = value


def command(words: str = "") -> str:
    """A command as the person would type it: of "wake" `./ionctl --local wake`."""
    options = [part for pair in _run.options.items() for part in pair if part]
    prefix = " ".join(map(shlex.quote, (_run.program, *options)))
    return f"{prefix} {words}" if words else prefix


def hinted(text: str) -> str:
    """A text of this program's own, with each `ionctl COMMAND` in it as the person would type it.

    Not for texts with words of others in them: an email may speak of ionctl, too.
    """
    return _COMMAND.sub(lambda _found: command() + " ", text)
