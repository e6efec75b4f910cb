"""How often a queue is asked, and how many calls to it may be out."""

from typing import TYPE_CHECKING, cast

from ion.drain.door import Door
from ion.drain.line import Rank
from ion.limits import BATCH
from ion.message import Message

if TYPE_CHECKING:
    from ion.aws.queue import Queue

NOW = 100.0


def door(ahead: int, most_receives: int = 3) -> Door:
    """One that has given all that it was asked for."""
    new = Door(cast("Queue", None), Rank.NORMAL, ahead, most_receives)
    answer(new, BATCH)
    return new


def answer(asked: Door, received: int) -> None:
    asked.ask(0)
    message = Message("m", "r", "{}", {}, 0.0, 1)
    asked.came([message] * received, received, BATCH, NOW)


def may_receive(asked: Door) -> bool:
    return asked.may_receive(NOW, at_once=False)


def calls(asked: Door) -> int:
    """That may be out at a time."""
    while may_receive(asked):
        asked.ask(0)
    return asked.receives


def test_a_deep_queue_is_asked_side_by_side_but_not_without_end() -> None:
    assert calls(door(1000)) == 3
    assert calls(door(1000, most_receives=1)) == 1


def test_no_more_is_asked_for_than_may_be_received_ahead() -> None:
    assert calls(door(3 * BATCH)) == 2, "ten are here, and twenty on their way"
    assert calls(door(BATCH)) == 0


def test_a_queue_that_gave_less_than_it_might_have_is_asked_once_at_a_time() -> None:
    shallow = door(1000)
    answer(shallow, BATCH - 1)
    assert calls(shallow) == 1
