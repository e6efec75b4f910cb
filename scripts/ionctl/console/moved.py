"""What a redrive or a discard did, in a sentence. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ionctl.ops.result import Moved


def redriven(moved: Moved) -> str:
    """What came of a redrive."""
    if not moved.chosen:
        return f"Nothing is moved: {_none(moved)}."
    words = f"{moved.done} of {_letters(moved.chosen)} moved back to the input queue"
    if moved.refused:
        words += f"; refused: {moved.refused}, which came back ten times already: edit or discard"
    if moved.done and not moved.woken:
        words += "; the relay could not be woken, and begins at its next schedule"
    return f"{words}{_hidden(moved)}."


def discarded(moved: Moved) -> str:
    """What came of a discard; where its file is, `moved.file` says."""
    if not moved.chosen:
        return f"Nothing is discarded: {_none(moved)}."
    return f"{moved.done} of {_letters(moved.chosen)} discarded{_hidden(moved)}."


def _none(moved: Moved) -> str:
    """Why none was found of those that were asked for."""
    if moved.hidden:
        return f"about {_letters(moved.hidden)} can't be looked at, since {_ELSEWHERE}"
    return "no such letter is in the dead-letter queue any more"


_ELSEWHERE = "somebody else has received them: try again in two minutes"


def _hidden(moved: Moved) -> str:
    return f"; hidden: about {moved.hidden}: {_ELSEWHERE}" if moved.hidden else ""


def _letters(count: int) -> str:
    return f"{count} dead letter{'' if count == 1 else 's'}"
