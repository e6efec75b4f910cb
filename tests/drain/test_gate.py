"""Room in the line before the gate: kept for a receive, and free again whatever came of that."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from ion.drain.gate import SendGate
from ion.policy.rate import Limits, Pace

if TYPE_CHECKING:
    from ion.smtp.pool import Pool

PATIENCE_SECONDS = 30.0


class _Pool:
    size = 1


def gate() -> SendGate:
    """Ten emails a second: five of them may be ahead of their turn."""
    now = asyncio.get_running_loop().time()
    return SendGate(Pace(Limits(10.0, 1), now), cast("Pool", _Pool()))


@pytest.mark.parametrize("came", [0, 3])
async def test_a_receive_that_brought_little_makes_room_for_the_next(came: int) -> None:
    line = gate()
    with await line.room() as first:
        second = asyncio.create_task(line.room())
        await asyncio.sleep(0)
        assert not second.done(), "ten may come, five may be ahead"
        first.came(came)
    assert (await asyncio.wait_for(second, PATIENCE_SECONDS)).most == first.most


async def test_a_receive_that_failed_takes_no_room() -> None:
    line = gate()
    with pytest.raises(LookupError), await line.room():
        raise LookupError
    assert (await asyncio.wait_for(line.room(), PATIENCE_SECONDS)).most


async def test_room_that_is_not_asked_for_is_given_back() -> None:
    line = gate()
    (await line.room()).shrink(0)
    assert (await asyncio.wait_for(line.room(), PATIENCE_SECONDS)).most


async def test_what_came_takes_room_until_it_stands_in_line_and_has_passed() -> None:
    line = gate()
    with await line.room() as first:
        first.came(first.most)
    second = asyncio.create_task(line.room())
    await asyncio.sleep(0)
    assert not second.done()
    for _ in range(first.most):
        line.line_up(0)  # they are nothing to send
    assert (await asyncio.wait_for(second, PATIENCE_SECONDS)).most
