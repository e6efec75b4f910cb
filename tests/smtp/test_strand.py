"""What goes on at once, in which order, and what a cancellation leaves behind."""

import asyncio
from collections import deque
from typing import Any

import pytest

from ion.smtp.bell import Bell
from ion.smtp.strand import Line, Pause, Strand
from ion.smtp.turn import Turn
from smtp.client import until


def begun(coroutine: Any, line: Line | None = None) -> asyncio.Task[Any]:  # noqa: ANN401
    strand: Strand[Any] = Strand(coroutine, deque() if line is None else line)
    return asyncio.ensure_future(strand.result())


def nothing_broke() -> None:
    raise AssertionError("nobody was thrown out while it was theirs")


async def settle_down() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_strand_goes_on_before_anything_else_that_is_ready() -> None:
    async def main() -> None:
        pause, heard = Pause(), []

        async def answer() -> str:
            await pause
            heard.append("strand")
            return "done"

        task = begun(answer())
        await settle_down()
        asyncio.get_running_loop().call_soon(heard.append, "loop")
        pause.over()
        heard.append("here")
        assert heard == ["strand", "here"]
        assert await task == "done"
        assert heard == ["strand", "here", "loop"]

    asyncio.run(main())


def test_a_strand_that_never_waits_needs_no_loop() -> None:
    async def main() -> None:
        async def nothing() -> int:
            return 7

        coroutine = Strand(nothing(), deque()).result()
        with pytest.raises(StopIteration) as ended:
            coroutine.send(None)
        assert ended.value.value == 7

    asyncio.run(main())


def test_strands_of_a_connection_never_run_inside_one_another() -> None:
    async def main() -> None:
        line: Line = deque()
        pauses = [Pause() for _ in range(2_000)]
        heard: list[str] = []

        async def chain(number: int) -> None:
            await pauses[number]
            heard.append(f"{number} begins")
            if number + 1 < len(pauses):
                pauses[number + 1].over()
            heard.append(f"{number} ends")

        tasks = [begun(chain(number), line) for number in range(len(pauses))]
        await settle_down()
        pauses[0].over()
        assert heard == [f"{n} {what}" for n in range(2_000) for what in ("begins", "ends")]
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_what_a_strand_raises_is_raised_in_its_task() -> None:
    async def main() -> None:
        pause = Pause()

        async def fails() -> None:
            await pause
            raise RuntimeError("a fault of ours")

        task = begun(fails())
        await settle_down()
        pause.over()  # and not here
        with pytest.raises(RuntimeError, match="a fault of ours"):
            await task

    asyncio.run(main())


def test_who_is_cancelled_cancels_the_strand_which_may_still_clean_up() -> None:
    async def main() -> None:
        pause, tidied, said = Pause(), Pause(), []

        async def waits() -> None:
            try:
                await pause
            finally:
                await tidied
                said.append("tidied")

        task = begun(waits())
        await settle_down()
        task.cancel()
        await settle_down()
        pause.over()  # too late: nobody waits there
        assert (said, task.done()) == ([], False)
        tidied.over()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert said == ["tidied"]

    asyncio.run(main())


def test_a_turn_goes_round_in_the_order_in_which_it_was_asked_for() -> None:
    async def main() -> None:
        turn, had = Turn(nothing_broke), []

        async def have(name: str) -> None:
            async with turn:
                had.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(*(have(name) for name in "abcde"))
        assert had == list("abcde")

    asyncio.run(main())


@pytest.mark.parametrize("strands", [False, True])
@pytest.mark.parametrize("handed_over", [False, True])
def test_who_is_cancelled_while_waiting_for_a_turn_takes_it_from_nobody(
    *, strands: bool, handed_over: bool
) -> None:
    async def main() -> None:
        turn, had = Turn(nothing_broke), []

        async def have(name: str) -> None:
            async with turn:
                had.append(name)

        await turn.take()
        begin: Any = begun if strands else asyncio.ensure_future
        first, second = begin(have("first")), begin(have("second"))
        await settle_down()
        if handed_over:
            turn.pass_on()
        first.cancel()
        if not handed_over:
            turn.pass_on()
        await asyncio.wait([first, second])
        assert first.cancelled()
        assert had[-1] == "second"
        await asyncio.wait_for(turn.take(), 1)

    asyncio.run(main())


def test_who_is_thrown_out_of_a_turn_breaks_off_before_the_next_one_acts() -> None:
    async def main() -> None:
        heard: list[str] = []
        turn, line = Turn(lambda: heard.append("broken off")), deque[Strand[Any]]()

        async def have(name: str) -> None:
            async with turn:
                heard.append(name)
                await Pause()

        first, second = begun(have("first"), line), begun(have("second"), line)
        await settle_down()
        first.cancel()
        await asyncio.wait([first])
        assert heard == ["first", "broken off", "second"]
        second.cancel()
        await asyncio.wait([second])

    asyncio.run(main())


def test_a_bell_rings_for_all_and_at_the_earliest_time_that_anybody_asked_for() -> None:
    async def main() -> None:
        bell = Bell()
        late = asyncio.ensure_future(bell.heard(bell.now() + 60))
        await settle_down()
        soon = asyncio.ensure_future(bell.heard(bell.now() + 0.01))
        await until(soon.done)
        assert late.done(), "woken, and to look again"
        again = asyncio.ensure_future(bell.heard(bell.now() + 60))
        await settle_down()
        assert not again.done()
        bell.ring()
        await again
        bell.stop()

    asyncio.run(main())
