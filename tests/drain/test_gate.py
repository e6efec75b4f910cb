"""Room in the line before the gate, and the order in which messages pass it."""

import asyncio
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from ion.delivery import done
from ion.drain.gate import SendGate
from ion.drain.line import Line, Rank, rank_of
from ion.drain.work_item import WorkItem
from ion.history import carried_history
from ion.message import Message, Source
from ion.policy.rate import Limits, Pace

if TYPE_CHECKING:
    from ion.smtp.pool import Pool

PATIENCE_SECONDS = 30.0


class _Pool:
    size = 1


def gate(rate: float | None = 10.0, seconds: float = 600.0) -> SendGate:
    """Ten emails a second: five of them may be ahead of their turn."""
    now = asyncio.get_running_loop().time
    ends = now() + seconds
    return SendGate(Pace(Limits(rate, 1), now()), cast("Pool", _Pool()), lambda: ends - now())


def item(source: Source = Source.INPUT, lane: str | None = None, id_: str = "m") -> WorkItem:
    message = Message(id_, "r", "{}", {}, 0.0, 1, source)
    history = msgspec.structs.replace(carried_history(message), lane=lane)
    return WorkItem(message, history, done("x"))


NORMAL, DUE = item(), item(Source.LATER)
BULK, DUE_BULK = item(Source.BULK), item(Source.LATER, "bulk")


@pytest.mark.parametrize("came", [0, 3])
async def test_a_receive_that_brought_little_makes_room_for_the_next(came: int) -> None:
    line = gate()
    moved: list[int] = []
    with line.expect(line.most(Rank.NORMAL), Rank.NORMAL) as room:
        line.when_moved = lambda: moved.append(line.most(Rank.NORMAL))
        assert not line.most(Rank.NORMAL), "ten may come, five may be ahead"
        room.came(came)
    assert moved == [10]


async def test_a_receive_that_failed_takes_no_room() -> None:
    line = gate()
    with pytest.raises(LookupError), line.expect(10, Rank.NORMAL):
        raise LookupError
    assert line.most(Rank.NORMAL) == 10


async def test_what_came_takes_room_until_it_stands_in_line_and_has_passed() -> None:
    line = gate()
    with line.expect(10, Rank.NORMAL) as room:
        room.came(10)
    assert not line.most(Rank.NORMAL)
    for _ in range(10):
        line.line_up(NORMAL, 0, Rank.NORMAL)  # they are nothing to send
    assert line.most(Rank.NORMAL)
    line.expected[Rank.NORMAL] += 1
    line.line_up(NORMAL, 6, Rank.NORMAL)
    assert not line.most(Rank.NORMAL)


async def test_bulk_in_line_leaves_room_for_what_goes_before_it() -> None:
    line = gate()
    with line.expect(10, Rank.BULK) as room:
        room.came(10)
    for _ in range(10):
        line.line_up(BULK, 1, Rank.BULK)
    assert [line.most(rank) for rank in Rank] == [10, 10, 10, 0]


async def test_what_is_being_received_as_normal_keeps_no_bulk_waiting() -> None:
    """A long poll for normal mail lasts as long as there is none."""
    line = gate()
    with line.expect(10, Rank.NORMAL):
        assert line.most(Rank.BULK) == 10


async def test_without_a_rate_there_is_always_room() -> None:
    line = gate(None)
    with line.expect(10, Rank.NORMAL):
        assert line.most(Rank.NORMAL) == 10


async def test_the_next_token_is_the_best_messages_whenever_it_came() -> None:
    line = gate()
    for _ in range(3):
        line.expected[Rank.BULK] += 1
        line.line_up(BULK, 1, Rank.BULK)
    assert await line.take() is BULK
    waiting = asyncio.create_task(line.take())
    await asyncio.sleep(0)
    assert not waiting.done(), "there is no token yet"
    line.expected[Rank.NORMAL] += 1
    line.line_up(NORMAL, 1, Rank.NORMAL)
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) is NORMAL


async def test_what_needs_no_token_waits_for_none() -> None:
    line = gate(0.01)
    for recipients in (1, 1, 0):
        line.expected[Rank.NORMAL] += 1
        line.line_up(NORMAL if recipients else DUE, recipients, Rank.NORMAL)
    assert await asyncio.wait_for(line.take(), PATIENCE_SECONDS) is DUE
    assert await asyncio.wait_for(line.take(), PATIENCE_SECONDS) is NORMAL


async def test_workers_that_can_go_on_do_so_together() -> None:
    """What they send together is settled in fewer calls."""
    line = gate(None)
    taking = [asyncio.create_task(line.take()) for _ in range(3)]
    await asyncio.sleep(0)
    for _ in range(3):
        line.line_up(NORMAL, 1, Rank.NORMAL)
    await asyncio.sleep(0)
    assert [one.done() for one in taking] == [True] * 3


async def test_the_turn_of_a_worker_that_was_cancelled_is_the_next_ones() -> None:
    line = gate(None)
    first, second = (asyncio.create_task(line.take()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    line.line_up(NORMAL, 1, Rank.NORMAL)
    assert await asyncio.wait_for(second, PATIENCE_SECONDS) is NORMAL


async def test_further_recipients_are_not_overtaken() -> None:
    line = gate()
    line.line_up(NORMAL, 1, Rank.NORMAL)
    await line.take()
    further = asyncio.create_task(line.further_turns(1))
    taking = asyncio.create_task(line.take())
    line.line_up(NORMAL, 1, Rank.NORMAL)
    done, _ = await asyncio.wait([further, taking], return_when=asyncio.FIRST_COMPLETED)
    assert done == {further}
    assert await asyncio.wait_for(taking, PATIENCE_SECONDS) is NORMAL


async def test_further_recipients_take_room_until_their_turn_has_come() -> None:
    line = gate()
    line.line_up(NORMAL, 1, Rank.NORMAL)
    await line.take()
    room: list[int] = []
    line.when_moved = lambda: room.append(line.most(Rank.NORMAL))
    line.expected[Rank.NORMAL] = 0
    further = asyncio.create_task(line.further_turns(6))
    await asyncio.sleep(0)
    assert not line.most(Rank.NORMAL)
    await asyncio.wait_for(further, PATIENCE_SECONDS)
    assert room == [10]


async def test_a_message_that_passes_makes_room_for_the_next() -> None:
    line = gate()
    line.expected[Rank.NORMAL] += 1
    line.line_up(NORMAL, 6, Rank.NORMAL)
    room: list[int] = []
    line.when_moved = lambda: room.append(line.most(Rank.NORMAL))
    assert not line.most(Rank.NORMAL)
    await line.take()
    assert room == [10]


async def test_a_turn_that_would_come_after_the_last_moment_comes_then() -> None:
    """To be put back, while there is time for it."""
    line = gate(0.01, seconds=0.1)
    for _ in range(2):
        line.line_up(NORMAL, 1, Rank.NORMAL)
    await line.take()
    assert await asyncio.wait_for(line.take(), PATIENCE_SECONDS) is NORMAL


async def test_once_nothing_will_be_sent_any_more_all_pass() -> None:
    line = gate(0.01)
    taking = [asyncio.create_task(line.take()) for _ in range(2)]
    for _ in range(2):
        line.expected[Rank.NORMAL] += 1
        line.line_up(NORMAL, 1, Rank.NORMAL)
    await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
    line.open()
    assert await asyncio.wait_for(asyncio.gather(*taking), PATIENCE_SECONDS) == [NORMAL, NORMAL]


def test_ranks() -> None:
    assert [rank_of(one) for one in (NORMAL, DUE, DUE_BULK, BULK)] == [*Rank]
    assert [rank.is_bulk for rank in Rank] == [False, False, True, True]


def order(*items: WorkItem) -> list[WorkItem]:
    line = Line()
    for one in items:
        line.add(one, 1)
    return [taken[0] for taken in iter(line.take, None)]


def test_the_best_goes_first() -> None:
    assert order(BULK, DUE_BULK, DUE, NORMAL) == [NORMAL, DUE, DUE_BULK, BULK]


@pytest.mark.parametrize("better", [NORMAL, DUE])
def test_one_of_ten_is_bulk(better: WorkItem) -> None:
    found = order(*[BULK] * 3, *[better] * 30)
    assert [number for number, one in enumerate(found) if one is BULK] == [9, 19, 29]


def test_bulk_has_no_turn_saved_up_from_when_there_was_none() -> None:
    line = Line()
    for _ in range(20):
        line.add(NORMAL, 1)
    for _ in range(15):
        line.take()
    line.add(BULK, 1)
    taken = [line.take() for _ in range(6)]
    assert [one and one[0] for one in taken] == [*[NORMAL] * 5, BULK]


def test_the_line_counts_recipients_by_rank() -> None:
    line = Line()
    line.add(BULK, 5)
    line.add(NORMAL, 2)
    line.add(DUE, 0)
    assert [line.recipients(rank) for rank in Rank] == [2, 2, 2, 7]
    line.take()
    assert [line.recipients(rank) for rank in Rank] == [0, 0, 0, 5]
