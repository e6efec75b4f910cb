"""What emails of a run share: what stays when it is out of use, and what it has of the budget."""

import asyncio
from contextlib import suppress

from ion.contract import S3Object
from ion.drain.allowance import Allowance
from ion.drain.memory import Memory
from ion.drain.shelf import Pieces, Shelf
from ion.message import Message

FIRST, SECOND, THIRD, FOURTH = (S3Object(bucket="bucket", key=key) for key in "abcd")


PATIENCE_SECONDS = 30


def received(memory: Memory, count: int) -> list[Message]:
    messages = [Message("id", "receipt", "x", {}, sent_at=0.0, receives=1) for _ in range(count)]
    memory.expect(count)
    memory.came(messages, count)
    return messages


async def load(one: S3Object) -> Pieces:
    return (one.key.encode(),)


async def use(shelf: Shelf, one: S3Object, octets: int) -> None:
    async with shelf.lend({one: octets}, load) as lent:
        assert lent == {one: (one.key.encode(),)}


async def test_of_what_is_out_of_use_the_last_used_stays_longest() -> None:
    shelf = Shelf(Memory(Allowance(budget=4 * 30, unseen=10)))
    for one in (FIRST, SECOND, THIRD, FIRST, FOURTH):
        await use(shelf, one, 10)
    there = [one for one in (FIRST, SECOND, THIRD, FOURTH) if shelf.size(one)]
    assert there == [FIRST, THIRD, FOURTH], "a quarter of the budget, of 10 each"


async def test_who_waits_for_what_another_loads_is_not_in_its_way() -> None:
    """Both emails need one object, for which there is only room once nothing else is under way."""
    memory = Memory(Allowance(budget=100_000, unseen=10))
    shelf = Shelf(memory)
    both = asyncio.Barrier(2)

    async def work(message: Message) -> None:
        async with memory.work(message):
            await both.wait()
            await use(shelf, FIRST, 200_000)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*map(work, received(memory, 2)))


async def test_room_that_was_waited_for_in_vain_is_not_given_back() -> None:
    """It would be there twice."""
    memory = Memory(Allowance(budget=100_000, unseen=10))
    shelf = Shelf(memory)
    here = received(memory, 2)

    async def wait() -> None:
        async with memory.work(here[1]):
            await use(shelf, SECOND, 60_000)

    async with memory.work(here[0]), shelf.lend({FIRST: 60_000}, load):
        waiting = asyncio.create_task(wait())
        while shelf.size(SECOND) is None:  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert shelf.size(SECOND) is None
        assert memory._kept == 60_000  # noqa: SLF001 - nobody else counts them
