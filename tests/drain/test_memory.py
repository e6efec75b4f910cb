"""What a run holds at a time stays within a budget, and yet everything is sent."""

import asyncio
import json
import platform
import subprocess
import sys
import threading
import weakref
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from at_length import few
from draining import email, recipients, run, wide
from emulated import Account, Request, at_once, only_for
from ion.aws.queue import Queue
from ion.contract import Send, parse
from ion.deadline import Deadline
from ion.delivery import Delivery
from ion.drain.allowance import MB, Allowance, function_bytes
from ion.drain.deliver import Deliverer
from ion.drain.memory import Memory, weight
from ion.drain.progress import Summary
from ion.drain.work_item import Job
from ion.envelope import Email
from ion.mail import Checked, Objects, compose
from ion.message import Attribute, Message
from ion.smtp.pool import Pool
from smtp_server import NORMAL, Action, Moment, ScriptedServer, Step

MANY = 20
PATIENCE_SECONDS = 30
LARGE = 20_000
"""Characters of a body that is large beside the budgets in these tests."""


def message(body: str, **attributes: Attribute) -> Message:
    return Message("id", "receipt", body, attributes, sent_at=0.0, receives=1)


def total(body: str) -> int:
    return sum(weight(message(body)))


def large(number: int) -> str:
    return email(number, body_text="x" * LARGE)


# what a message costs


@pytest.mark.parametrize(
    "text",
    ["x" * LARGE, "é" * LARGE, "€" * LARGE, "x" * LARGE + "€", "🎉" * LARGE, "x" * LARGE + "🎉"],
    ids=["ASCII", "Latin", "euros", "a euro", "emoji", "an emoji"],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_message_costs_at_least_what_is_made_of_it(text: str, escaped: bool) -> None:
    fields = {"action": "send", "recipient": "a@example.org", "body_text": text}
    body = json.dumps(fields, ensure_ascii=escaped)
    send = parse(body)
    assert isinstance(send, Send)
    made = compose(send, key="k", queued_at=datetime.now(UTC), default_sender="ion@example.org")
    cost = weight(message(body))
    assert cost.held >= sys.getsizeof(body) + sys.getsizeof(send.body_text)
    assert cost.work >= 2 * (len(made.content) - 1000)


@pytest.mark.parametrize("octets", [1000, 150_000])
def test_a_file_in_a_message_costs_at_least_what_is_made_of_it(octets: int) -> None:
    content = b64encode(bytes(octets)).decode()
    body = email(0, attachments=[{"filename": "a.bin", "content": content}])
    send = parse(body)
    assert isinstance(send, Send)
    made = compose(send, key="k", queued_at=datetime.now(UTC), default_sender="ion@example.org")
    cost = weight(message(body))
    assert cost.held >= sys.getsizeof(body) + sys.getsizeof(content)
    assert cost.work >= 2 * (made.size - 1000)


@pytest.mark.parametrize("text", ["x" * LARGE, "é" * LARGE, "🎉" * LARGE], ids=ascii)
def test_html_costs_at_least_what_is_made_of_it_and_of_its_text(text: str) -> None:
    body = email(0, body_text=None, body_html=f"<p>{text}")
    send = parse(body)
    assert isinstance(send, Send)
    made = compose(send, key="k", queued_at=datetime.now(UTC), default_sender="ion@example.org")
    content = (made.size - 2000) // 2  # of each of the two
    assert weight(message(body)).work >= sys.getsizeof(text) + content + 2 * content


def test_a_claim_costs_at_least_what_lies_in_the_outbox() -> None:
    """DynamoDB takes 400 KB."""
    item = email(0, body_text="x" * (400 * 1024 - 100))
    assert total('{"email_id": "order-17"}') >= total(item)


@pytest.mark.parametrize("text", ["x" * LARGE, "x" * LARGE + "🎉"], ids=["ASCII", "an emoji"])
def test_a_pointer_costs_at_least_what_it_points_to(text: str) -> None:
    there = email(0, body_text=None, body_html=text)
    size = Attribute("Number", str(len(there.encode())))
    pointer = [
        "software.amazon.payloadoffloading.PayloadS3Pointer",
        {"s3BucketName": "bucket", "s3Key": "k"},
    ]
    body = json.dumps(pointer)
    assert weight(message(body, ExtendedPayloadSize=size)).work >= total(there)


def test_attributes_cost_too() -> None:
    bare, loaded = message("x"), message("x", tenant=Attribute.text("y" * LARGE))
    assert weight(loaded).held >= weight(bare).held + LARGE


# what a function allows


def test_the_larger_the_function_the_more_it_holds() -> None:
    budgets = [Allowance.of(size * MB, 16).budget for size in (128, 256, 512, 1024, 10_240)]
    assert budgets == sorted(set(budgets))


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 10_240])
@pytest.mark.parametrize("connections", [1, 16, 100])
def test_a_budget_leaves_room_for_the_rest_of_the_process(memory_mb: int, connections: int) -> None:
    allowance = Allowance.of(memory_mb * MB, connections)
    assert 0 < allowance.budget < memory_mb * MB * 0.6
    assert allowance.unseen >= 2


@pytest.mark.parametrize(
    ("environment", "memory_mb"),
    [
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256"}, 256),
        ({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": ""}, 512),
        ({}, 512),
    ],
)
def test_lambda_says_how_much_memory_there_is(environment: dict[str, str], memory_mb: int) -> None:
    assert function_bytes(environment) == memory_mb * MB


FREES = """
import os
from ion.drain.allowance import return_what_is_freed

def resident():
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000

return_what_is_freed()
seen = b"x" * 20_000_000  # from now on glibc would keep blocks up to that size
del seen
blocks = [bytes([number]) * 1_000_000 for number in range(1, 31)]
last = blocks[-1]
before = resident()
del blocks
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's allocator")
def test_what_is_freed_goes_back_to_the_system() -> None:
    environment = {"PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", FREES]
    freed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert int(freed.stdout) >= 28


# who may receive


def received(memory: Memory, bodies: Iterable[str]) -> list[Message]:
    messages = [message(body) for body in bodies]
    memory.expect(len(messages))
    memory.came(messages, len(messages))
    return messages


def used_to(body: str, allowance: Allowance) -> Memory:
    """One that has seen many of such a size, and holds none."""
    memory = Memory(allowance)
    for _ in range(30):
        (one,) = received(memory, [body])
        memory.done(one)
    return memory


def test_small_emails_come_by_tens_in_a_function_of_256_mb() -> None:
    memory = Memory(Allowance.of(256 * MB, 16))
    calls = 0
    waiting = 200
    while waiting:
        calls += 1
        waiting -= len(received(memory, ["x" * 4000] * min(waiting, memory.room())))
    assert calls <= 22  # the first few are smaller, until their size is known


def test_large_ones_come_as_others_go() -> None:
    body = "x" * LARGE
    memory = used_to(body, Allowance(6 * total(body), 100))
    here: list[Message] = []
    while room := memory.room():
        here += received(memory, [body] * room)
    assert len(here) == 6
    memory.done(here.pop())
    assert memory.room() == 1


def test_what_is_asked_for_counts_until_it_came() -> None:
    body = "x" * LARGE
    memory = used_to(body, Allowance(25 * total(body), 100))
    first = memory.room()
    memory.expect(first)
    second = memory.room()
    memory.expect(second)
    assert (first, second, memory.room()) == (10, 10, 0)
    memory.came([], first)
    assert memory.room() == 10


@pytest.mark.parametrize(("memory_mb", "rooms"), [(512, [10, 1, 1]), (256, [1, 1, 1])])
def test_no_queue_waits_for_another_one_to_be_asked_at_all(
    memory_mb: int, rooms: list[int]
) -> None:
    """A long poll of an empty queue takes a second, and nothing is known of the sizes."""
    memory = Memory(Allowance.of(memory_mb * MB, 4))
    asked = []
    for others in (2, 1, 0):
        asked.append(memory.room(first=True, kept=others))
        memory.expect(asked[-1])
    assert asked == rooms
    assert memory.room() == 0


def test_where_there_is_room_for_one_message_only_queues_are_asked_in_turns() -> None:
    memory = Memory(Allowance.of(128 * MB, 4))
    assert memory.room(first=True, kept=2) == 1
    memory.expect(1)
    assert memory.room(first=True, kept=1) == 0


def test_one_that_is_larger_than_the_budget_may_come_alone() -> None:
    memory = Memory(Allowance(1000, 10))
    assert memory.room() == 1
    (huge,) = received(memory, ["x" * LARGE])
    assert memory.room() == 0
    memory.done(huge)
    assert memory.room() == 1


def test_what_templates_cost_is_expected_of_those_to_come() -> None:
    body = "x" * LARGE
    memory = used_to(body, Allowance(8 * total(body), 100))
    (one,) = received(memory, [body])
    assert memory.room() == 7
    memory.grows(one, 2 * total(body))
    assert memory.room() == 1, "of three times that size, where there is room for five of the old"
    memory.done(one)
    assert memory.room() == 2


async def test_what_emails_share_is_no_room_for_others() -> None:
    body = "x" * LARGE
    memory = used_to(body, Allowance(8 * total(body), 100))
    await memory.grow(3 * total(body))
    assert memory.room() == 5
    memory.shrink(3 * total(body))
    assert memory.room() == 8
    async with memory.more(3 * total(body)):
        assert memory.room() == 5
    assert memory.room() == 8


def test_no_more_is_asked_for_at_a_time_than_the_function_survives() -> None:
    """However small the emails were that came before."""
    memory = used_to("x", Allowance(100 * MB, 25))
    for expected in (10, 10, 0):
        assert memory.room() == expected
        memory.expect(expected)


def test_a_redrive_leaves_room_for_what_it_brings_back() -> None:
    for size in (128, 256, 512):
        allowance = Allowance.of(size * MB, 16)
        memory = Memory(allowance)
        with memory.redrive() as most:
            assert most >= 1
            room = memory.room()
            assert 1 <= room <= allowance.unseen - most
        assert memory.room() >= room


def test_a_redrive_leaves_room_for_letters_as_large_as_others_are() -> None:
    body = "x" * LARGE
    memory = used_to(body, Allowance(15 * total(body), 100))
    with memory.redrive() as most:
        assert most == 10
        assert memory.room() == 5


# who may work


def at_work(memory: Memory, messages: Iterable[Message]) -> tuple[int, list[int]]:
    """Work on all of them at a time: the most bytes at work, and the order they began in."""
    working, most, order = 0, 0, list[int]()

    async def work(number: int, one: Message) -> None:
        nonlocal working, most
        async with memory.work(one):
            order.append(number)
            working += weight(one).work
            most = max(most, working)
            await asyncio.sleep(0)
            working -= weight(one).work
        memory.done(one)

    async def main() -> None:
        await asyncio.gather(*(work(number, one) for number, one in enumerate(messages)))

    asyncio.run(main())
    return most, order


def test_work_waits_its_turn_where_more_came_than_there_is_room_for() -> None:
    bodies = ["x" * LARGE] * 5 + ["x"] * 5
    each = weight(message(bodies[0]))
    memory = Memory(Allowance(5 * each.held + 3 * each.work, 100))
    most, order = at_work(memory, received(memory, bodies))
    assert 2 * each.work <= most <= 3 * each.work
    assert order == list(range(10))


def test_work_goes_on_one_by_one_where_there_is_no_room_at_all() -> None:
    memory = Memory(Allowance(1, 100))
    most, order = at_work(memory, received(memory, ["x" * LARGE] * 5))
    assert most == weight(message("x" * LARGE)).work
    assert order == list(range(5))


async def test_files_take_no_more_in_a_large_function_than_a_small_one_has() -> None:
    memory = Memory(Allowance(10_000 * MB, 1000))
    sender, other = received(memory, ["x", "x"])
    async with memory.work(sender):
        await memory.grow(100 * MB)
        async with memory.work(other):
            waits = asyncio.create_task(memory.grow(100 * MB))
            for _ in range(20):
                await asyncio.sleep(0)
            assert not waits.done()
            memory.shrink(100 * MB)
            await waits
    assert memory.spare <= 40 * MB


async def test_work_that_needs_more_goes_before_work_that_has_not_begun() -> None:
    """Or what is small would keep it waiting for ever."""
    memory = Memory(Allowance(100_000, 100))
    first, second, third = received(memory, ["x"] * 3)
    order: list[str] = []

    async def grow() -> None:
        async with memory.work(second):
            await memory.grow(60_000)
            order.append("grown")
            memory.shrink(60_000)

    async def begin() -> None:
        async with memory.work(third):
            order.append("begun")

    async with memory.work(first):
        await memory.grow(60_000)
        tasks = [asyncio.create_task(grow()), asyncio.create_task(begin())]
        for _ in range(20):
            await asyncio.sleep(0)
        assert order == []
        memory.shrink(60_000)
        await asyncio.gather(*tasks)
    assert order == ["grown", "begun"]


async def test_work_that_fits_begins_beside_work_that_has_grown() -> None:
    """It stood back while two asked for more, and begins before they are done."""
    bodies = ["x", "x", "x", "x" * LARGE]
    most = weight(message(bodies[3])).work
    memory = Memory(Allowance(sum(map(total, bodies)) + most, 100))
    first, second, third, last = received(memory, bodies)
    begun = asyncio.Event()

    async def begin() -> None:
        async with memory.work(last):
            begun.set()

    async def grow() -> None:
        await memory.grow(most // 2)
        await begun.wait()

    async with memory.work(first), memory.work(second), memory.work(third):
        await memory.grow(2 * most)
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for task in (begin(), grow(), grow()):
                group.create_task(task)
            for _ in range(20):
                await asyncio.sleep(0)
            assert not begun.is_set()
            memory.shrink(2 * most)


@given(
    st.lists(st.integers(0, LARGE), min_size=1, max_size=60),
    st.integers(1, 20 * LARGE),
    st.integers(2, 30),
)
@settings(max_examples=200)
def test_whatever_comes_is_worked_on_and_the_budget_is_kept(
    sizes: list[int], budget: int, unseen: int
) -> None:
    """Unless one email alone breaks it, or those that nobody could know to be so large."""
    memory = Memory(Allowance(budget, unseen))
    waiting = [message("x" * size) for size in sizes]
    held = working = 0

    async def work(one: Message) -> None:
        nonlocal held, working
        cost = weight(one)
        async with memory.work(one):
            assert not working or held + working + cost.work <= budget
            working += cost.work
            await asyncio.sleep(0)
            working -= cost.work
        held -= cost.held
        memory.done(one)

    async def main() -> None:
        nonlocal held
        tasks: set[asyncio.Task[None]] = set()
        async with asyncio.timeout(60):
            while waiting or tasks:
                if waiting and (room := memory.room()):
                    came = [waiting.pop(0) for _ in range(min(room, len(waiting)))]
                    memory.expect(room)
                    memory.came(came, room)
                    held += sum(weight(one).held for one in came)
                    tasks |= {asyncio.create_task(work(one)) for one in came}
                _, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)

    asyncio.run(main())
    assert memory.room() >= 1


# a whole run


class Tracked(Message):
    """A received message of which can be told whether anything still refers to it."""

    __slots__ = ("__weakref__",)


class Tracking(Queue):
    """Knows which of the messages that it gave out are still held."""

    _given: ClassVar[list[weakref.ref[Tracked]]] = []

    async def receive(self, **how: Any) -> list[Message]:  # noqa: ANN401 - as its parent's
        found = [
            Tracked(*(getattr(one, field.name) for field in fields(one)))
            for one in await super().receive(**how)
        ]
        self._given.extend(map(weakref.ref, found))
        return list[Message](found)

    @classmethod
    def held(cls) -> list[Message]:
        return [one for one in (reference() for reference in cls._given) if one is not None]


@pytest.fixture(autouse=True)
def tracked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulated.Queue", Tracking)
    monkeypatch.setattr(Tracking, "_given", [])


class Counting(Deliverer):
    """Sends, and notes what the messages that are held meanwhile cost."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, 345_600)
        self.held: list[int] = []

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        self.held.append(sum(sum(weight(one)) for one in Tracking.held()))
        return await super().deliver(job, message, deadline)


def counted(account: Account, **parts: Any) -> tuple[Counting, Summary]:  # noqa: ANN401
    counting: list[Counting] = []

    def relay(pool: Pool) -> Counting:
        counting.append(Counting(pool))
        return counting[0]

    summary = run(account, relay=relay, **parts)
    return counting[0], summary


def test_a_run_holds_no_more_than_its_budget(account: Account) -> None:
    for number in range(MANY):
        account.publish(large(number))
    each = total(large(MANY))
    server = ScriptedServer()
    memory = Memory(Allowance(6 * each, 100))
    counting, summary = counted(account, server=server, smtp=wide(8), memory=memory)
    assert (summary.sent, summary.stopped) == (MANY, "empty")
    assert set(recipients(server).values()) == {1}
    assert 2 * each < max(counting.held) <= 6 * each


def test_emails_larger_than_the_budget_are_sent_one_by_one(account: Account) -> None:
    for number in range(5):
        account.publish(large(number))
    counting, summary = counted(account, smtp=wide(8), memory=Memory(Allowance(LARGE, 100)))
    assert (summary.sent, summary.stopped) == (5, "empty")
    assert max(counting.held) == total(large(0))


def test_a_run_works_on_fewer_if_a_receive_brings_larger_ones_than_before(account: Account) -> None:
    for number in range(10):
        account.publish(large(number))
    cost = weight(message(large(0)))
    allowance = Allowance(10 * cost.held + 2 * cost.work, 100)
    working, most = 0, 0

    class Sending(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            nonlocal working, most
            working += cost.work
            most = max(most, working + sum(weight(one).held for one in Tracking.held()))
            try:
                return await super().deliver(job, message, deadline)
            finally:
                working -= cost.work

    memory = used_to("x", allowance)
    relay = lambda pool: Sending(pool, 345_600)  # noqa: E731 - as short as that
    assert run(account, smtp=wide(8), relay=relay, memory=memory).sent == 10
    assert 10 * cost.held < most <= allowance.budget


def test_a_large_email_does_not_wait_for_a_redrive_to_end(account: Account) -> None:
    """That may take as long as the run; it has letters of its own to make room for."""
    account.publish('{"action": "redrive"}')
    account.publish(large(0))
    sent = threading.Event()
    in_time: list[bool] = []

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            sent.set()
        return NORMAL

    def look(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        in_time.append(sent.wait(PATIENCE_SECONDS))
        return at_once(real, request)

    summary = run(
        account,
        ScriptedServer(script),
        sqs=account.sqs(receive_message=only_for(account.dead_url, look, otherwise=at_once)),
        smtp=wide(2),
        memory=used_to("x", Allowance(LARGE, 100)),
    )
    assert summary.sent == 1
    assert all(in_time)


def test_contents_are_made_by_the_workers(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by what claims ahead of them."""
    for number in range(MANY):
        account.publish(email(number))
    waiting, most, real = 0, 0, Checked.email

    def make(self: Checked, queued_at: datetime, objects: Objects) -> Email:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        return real(self, queued_at, objects)

    class Sending(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            nonlocal waiting
            try:
                return await super().deliver(job, message, deadline)
            finally:
                waiting -= 1

    monkeypatch.setattr(Checked, "email", make)
    summary = run(account, smtp=wide(3), relay=lambda pool: Sending(pool, 345_600))
    assert summary.sent == MANY
    assert 1 <= most <= 3


def test_nothing_is_kept_of_what_is_done(account: Account) -> None:
    """By a worker that has nothing to do, for instance."""
    for number in range(MANY):
        account.publish(email(number))

    class Last(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            if job.email.envelope.recipients == ("to0@example.org",):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while Tracking.held() != [message]:  # noqa: ASYNC110 - nobody tells
                        await asyncio.sleep(0.1)
            return await super().deliver(job, message, deadline)

    summary = run(account, smtp=wide(4), relay=lambda pool: Last(pool, 345_600))
    assert summary.sent == MANY


@pytest.mark.parametrize("connections", few([1, 30], ["30"]))
def test_small_emails_cost_no_more_calls_than_without_a_budget(
    account: Account, connections: int
) -> None:
    for number in range(100):
        account.publish(email(number))
    asked = []
    for memory in (Memory(Allowance(10_000 * MB, 10_000)), Memory(Allowance.of(512 * MB, 16))):
        sqs = account.sqs()
        run(account, smtp=wide(connections), sqs=sqs, memory=memory)
        receives = sqs.asked("receive_message")
        receives = [one for one in receives if one["QueueUrl"] == account.input_url]
        asked.append([one["MaxNumberOfMessages"] for one in receives])
        for number in range(100):
            account.publish(email(number + 100))
    assert all(most == 10 for calls in asked for most in calls)
