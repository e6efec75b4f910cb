"""A look puts back what it has received, and touches nothing that is in others' hands."""

import asyncio
from collections.abc import Callable
from typing import Any

from emulated import Account, Request
from ion.deadletter.look import Look


def test_a_letter_that_came_back_during_the_look_is_put_back_as_it_was_received_last(
    account: Account,
) -> None:
    """SQS hides it anew with each receive, and the earlier receipt may not count any more."""
    account.publish("{}", url=account.dead_url)
    receipts: list[str] = []

    def and_noted(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        receipts.extend(one["ReceiptHandle"] for one in answer.get("Messages", ()))
        return answer

    sqs = account.sqs(receive_message=and_noted)

    async def look() -> None:
        async with Look(account.dead_letters(sqs), 60) as letters:
            assert len(await letters.more(wait_seconds=0)) == 1
            account.time_passes(60)
            assert await letters.more(wait_seconds=0) == [], "it is known"

    asyncio.run(look())
    ((back,),) = (call["Entries"] for call in sqs.asked("change_message_visibility_batch"))
    assert (len(receipts), back["ReceiptHandle"]) == (2, receipts[-1])
    assert [held.visible for held in account.dead()] == [True]


def test_a_letter_that_somebody_else_has_by_the_end_of_the_look_stays_with_them(
    account: Account,
) -> None:
    account.publish("{}", url=account.dead_url)

    async def look() -> None:
        queue = account.dead_letters()
        async with Look(queue, 0) as letters:  # it is hidden for less than the look takes
            assert len(await letters.more(wait_seconds=0)) == 1
            assert len(await queue.receive(visibility_seconds=60, wait_seconds=0)) == 1

    asyncio.run(look())
    assert [held.visible for held in account.dead()] == [False]
