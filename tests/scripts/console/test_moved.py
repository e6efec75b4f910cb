"""What a redrive or a discard did is a sentence, whatever it is."""

from typing import Any

import pytest

from ionctl.console.moved import discarded, redriven
from ionctl.ops.result import Moved

AGAIN = "somebody else has received them: try again in two minutes"


def moved(chosen: int, done: int, **about: Any) -> Moved:  # noqa: ANN401 - as Moved has it
    usual: dict[str, Any] = {
        "refused": 0,
        "hidden": 0,
        "reasons": [],
        "dry_run": False,
        "woken": True,
    }
    return Moved(chosen=chosen, done=done, **(usual | about))


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (moved(3, 3), "3 of 3 dead letters moved back to the input queue."),
        (
            moved(3, 2, refused=1),
            (
                "2 of 3 dead letters moved back to the input queue; refused: 1, which came back "
                "ten times already: edit or discard."
            ),
        ),
        (
            moved(1, 0, refused=1, woken=False),
            (
                "0 of 1 dead letter moved back to the input queue; refused: 1, which came back "
                "ten times already: edit or discard."
            ),
        ),
        (
            moved(1, 1, hidden=2, woken=False),
            (
                "1 of 1 dead letter moved back to the input queue; the relay could not be woken, "
                f"and begins at its next schedule; hidden: about 2: {AGAIN}."
            ),
        ),
        (
            moved(0, 0, hidden=2, woken=False),
            f"Nothing is moved: about 2 dead letters can't be looked at, since {AGAIN}.",
        ),
        (
            moved(0, 0, woken=False),
            "Nothing is moved: no such letter is in the dead-letter queue any more.",
        ),
    ],
)
def test_a_redrive_says_what_it_did_and_why_not_more(what: Moved, words: str) -> None:
    assert redriven(what) == words


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (moved(2, 2), "2 of 2 dead letters discarded."),
        (moved(1, 1, hidden=1), f"1 of 1 dead letter discarded; hidden: about 1: {AGAIN}."),
        (
            moved(0, 0, hidden=1),
            f"Nothing is discarded: about 1 dead letter can't be looked at, since {AGAIN}.",
        ),
    ],
)
def test_a_discard_says_so_too(what: Moved, words: str) -> None:
    assert discarded(what) == words
