"""The queue of the AWS that only answers does what SQS does, as far as the relay can see."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bench.quick_queue import Held, Queue

PATIENCE_SECONDS = 30.0
SOON_SECONDS = 0.01


def queue(messages: int = 0) -> Queue:
    one = Queue(lambda number: f"made {number}")
    one.fill(Held(number, None) for number in range(messages))
    return one


def receive(
    one: Queue, most: int = 10, hide: float = 600, wait: float = 0
) -> asyncio.Future[Mapping[str, Any]]:
    answer = asyncio.get_running_loop().create_future()
    one.receive(most, hide, wait, answer.set_result)
    return answer


def counts(one: Queue) -> list[int]:
    return [int(text) for text in one.attributes.values()]


async def test_what_is_received_is_hidden_until_it_is_deleted() -> None:
    one = queue(3)
    (first, second) = (await receive(one, most=2))["Messages"]
    assert (first["Body"], first["Attributes"]["ApproximateReceiveCount"]) == ("made 0", "1")
    assert counts(one) == [1, 2, 0]
    one.delete(first["ReceiptHandle"])
    one.hide(second["ReceiptHandle"], 0)
    assert (counts(one), one.left) == ([2, 0, 0], 2)
    again = (await receive(one))["Messages"]
    assert [(it["Body"], it["Attributes"]["ApproximateReceiveCount"]) for it in again] == [
        ("made 2", "1"),
        ("made 1", "2"),
    ]
    assert await receive(one) == {}


async def test_what_was_hidden_for_a_time_comes_back() -> None:
    one = queue(1)
    await receive(one, hide=SOON_SECONDS)
    answer = await asyncio.wait_for(receive(one, wait=PATIENCE_SECONDS), PATIENCE_SECONDS)
    assert [it["Body"] for it in answer["Messages"]] == ["made 0"]


async def test_a_long_poll_waits_for_the_first_message_or_its_time() -> None:
    one = queue()
    first, second = receive(one, wait=PATIENCE_SECONDS), receive(one, wait=SOON_SECONDS)
    one.put(Held(7, "sent"))
    assert [it["Body"] for it in first.result()["Messages"]] == ["sent"]
    assert await asyncio.wait_for(second, PATIENCE_SECONDS) == {}
    one.put(Held(8, "more"))
    assert counts(one) == [1, 1, 0], "no poll is left that would take it"


async def test_what_is_delayed_shows_later() -> None:
    one = queue()
    one.put(Held(1, "later"), SOON_SECONDS)
    assert counts(one) == [0, 0, 1]
    answer = await asyncio.wait_for(receive(one, wait=PATIENCE_SECONDS), PATIENCE_SECONDS)
    assert [it["Body"] for it in answer["Messages"]] == ["later"]
