"""A soak from beginning to end: publish under chaos, then drain in peace, then count."""

import asyncio
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soak.account import Account, ClockedMinistack
from soak.aws_chaos import AwsChaos
from soak.books import Excuses, balance
from soak.clock import Clock
from soak.course import LOOKS_DIVIDED_BY, Course, slowest
from soak.flow import BROUGHT_BACK
from soak.http1 import Upstream
from soak.life import Life, write_secrets
from soak.manner import MIXED, manner
from soak.nursery import Nursery
from soak.orders import NOTHING_IN_FORCE, RESUME, redrive_stopped
from soak.publisher import Post, Publisher
from soak.report import Report, ways
from soak.smtp_chaos import SmtpChaos
from soak.witness import Witness

if TYPE_CHECKING:
    from soak.mail import Mail

_CONFIG = Path(__file__).parents[2] / "config.cfg"
CONCURRENCY = 2
_SPEED, _SPEED_OF_THE_DRAIN = 60, 2000
"""Seconds on the clock for each that passes."""
_QUIET_SECONDS = 0.1
"""In the drain, the clock goes faster once no message has come or gone for so long."""
_LULL_SECONDS = (5, 25)
"""On the clock: longer than a connection may be idle without being asked whether it is still there,
and up to the time that a run waits for more."""
_LINGER_SECONDS = 20
_TICK_SECONDS = 0.05
_INVOCATION_SECONDS, _OF_THE_DRAIN_SECONDS = 900, 4 * 3600
"""The clock can't be turned beyond the end of an invocation that lives. In the drain, where none
dies, they may last longer than Lambda's do."""
_SHORT_SECONDS = (57, 62)
"""What is left of it decides when ion ends an invocation by itself: after two seconds or more."""
_SHORT = 0.15
_MOMENTS = (100, 2500)
"""Before a process is killed: eight or so go into each email."""
_BACKLOG, _FEW = 200, 20
_CHAOS_AFTER_LAST_SECONDS = 2.0
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 120
_LAST_WORDS = 1000


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Args:
        messages: to be published, twins and redrives not counted.
        seed: of everything that is drawn.
        policy: `resend_once` or `park`.
        folder: for the files of it all.
        progress: told what is done: messages published, messages left, phase.
        pipelining: the mode of every life; or one a life, by turns.
    """

    messages: int
    seed: int
    policy: str
    folder: Path
    progress: Callable[[int, int, str], None] = lambda _published, _left, _phase: None
    pipelining: str = MIXED


class Soak:
    """One.

    Args:
        plan: for it.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chance = random.Random(f"{plan.seed}/run")
        self._clock = Clock(plan.folder / "clock")
        self._witness = Witness(self._clock.now)
        self._smtp, self._aws = SmtpChaos(plan.seed), AwsChaos(plan.seed)
        self._mails: dict[str, Mail] = {}
        self._lives: dict[int, Life] = {}
        self._ways: Counter[str] = Counter()
        self._kills = self._invocations = self._lives_lived = 0
        self._draining = self._over = False

    async def run(self) -> Report:
        began = time.monotonic()
        with ClockedMinistack(self._plan.folder, self._clock) as ministack:
            self._account = Account(ministack.endpoint, self._clock)
            self._upstream = Upstream(*self._account.address)
            try:
                async with asyncio.TaskGroup() as group:
                    ticking = group.create_task(self._tick())
                    async with asyncio.TaskGroup() as lives:
                        for number in range(CONCURRENCY):
                            lives.create_task(self._environments(number))
                        await self._publish(lives)
                        await self._until_room(_FEW)
                        await asyncio.sleep(_CHAOS_AFTER_LAST_SECONDS)
                        await self._end_chaos()
                        await self._drained()
                        await self._bring_back()
                        self._over = True
                    ticking.cancel()  # not before: a run waits for more by this clock
            finally:
                self._upstream.close()
            return self._report(time.monotonic() - began)

    # -- time ----------------------------------------------------------------------------

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self._clock.turn(self._speed() * _TICK_SECONDS)
            for life in self._lives.values():
                life.check()

    def _speed(self) -> float:
        if not self._draining:
            return _SPEED
        is_quiet = time.monotonic() - self._witness.busy_at > _QUIET_SECONDS
        return _SPEED_OF_THE_DRAIN if is_quiet else _SPEED

    # -- the relay -----------------------------------------------------------------------

    async def _environments(self, slot: int) -> None:
        """One of the function's concurrent environments, born again after each death."""
        root = self._plan.folder / f"function-{slot}"
        root.mkdir()
        shutil.copy(_CONFIG, root)
        log = self._plan.folder / f"function-{slot}.log"
        async with Nursery(root, log, self._clock.environment) as nursery:
            while not self._over:
                await self._live(slot, root, nursery)

    async def _live(self, slot: int, root: Path, nursery: Nursery) -> None:
        self._lives_lived += 1
        number, moments = self._lives_lived, self._chance.randint(*_MOMENTS)
        way = manner(number, self._plan.seed, self._plan.pipelining)
        life = Life(number, moments, self._witness, self._clock, way)
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(life.mail_server(self._smtp))
            front = await stack.enter_async_context(
                life.front(self._account, self._upstream, self._aws)
            )
            write_secrets(root, server)
            environment = {
                **self._account.environment,
                "AWS_ENDPOINT_URL": front.endpoint,
                "ION_DRAIN_LINGER_SECONDS": str(_LINGER_SECONDS),
                "ION_RETRY_IN_DOUBT": self._plan.policy,
                "ION_SMTP_PIPELINING": way.mode,
                "ION_SMTP_CONNECTIONS": str(way.connections),
                "SOAK_SPEED": str(_SPEED),
                "SOAK_LOOKS_DIVIDED_BY": str(LOOKS_DIVIDED_BY),
            }
            self._lives[slot] = life
            if self._draining:
                life.spare()
            await life.live(nursery, environment, server, front, self._seconds)
            self._ways.update(ways(server, way))
        self._kills += life.was_killed
        self._invocations += life.invocations

    def _seconds(self) -> float | None:
        if self._over:
            return None
        if self._draining:
            return _OF_THE_DRAIN_SECONDS
        if self._chance.random() < _SHORT:
            return self._chance.uniform(*_SHORT_SECONDS)
        return _INVOCATION_SECONDS

    # -- phases --------------------------------------------------------------------------

    async def _publish(self, group: asyncio.TaskGroup) -> None:
        plan = self._plan
        publisher = Publisher(plan.messages, plan.seed, plan.policy, self._clock.now)
        for portion in publisher.portions():
            for mail in portion.mails:
                self._mails[mail.name] = mail
                self._witness.held[mail.name] += 1 + mail.twice
            await self._account.publish(portion.posts)
            if portion.resumed_after:
                group.create_task(self._resume(portion.resumed_after))
            await self._until_room(_BACKLOG)
            if portion.then_a_lull:
                await self._until_room(0)
                await asyncio.sleep(self._chance.uniform(*_LULL_SECONDS) / _SPEED)

    async def _resume(self, after: float) -> None:
        """As an operator does, past the queue."""
        await asyncio.sleep(after / _SPEED)
        self._witness.steered.controlled(NOTHING_IN_FORCE)
        await self._account.resume()
        self._witness.steered.controlled(NOTHING_IN_FORCE)  # if another order came in between

    async def _bring_back(self) -> None:
        """With no stop in force any more, some of what was stopped: it is sent after all."""
        for order in (RESUME, redrive_stopped(BROUGHT_BACK)):
            await self._account.publish([Post(order)])
            await self._drained()

    async def _end_chaos(self) -> None:
        """From now on nothing goes wrong; what is under way is ended by a pause."""
        self._draining = True
        self._smtp.on = self._aws.on = False
        before = {life: life.invocations for life in self._lives.values()}
        for life in before:
            life.spare()
        self._witness.steered.controlled(await self._account.pause())
        async for _ in self._depths("drain"):
            if all(life.invocations != before.get(life) for life in self._lives.values()):
                break
        await self._resume(0)

    async def _until_room(self, most: int) -> None:
        """Until no more than so many are to be received."""
        async for visible, _ in self._depths("chaos"):
            if visible <= most:
                return

    async def _drained(self) -> None:
        """Until all queues are empty, the hidden included."""
        async for depth in self._depths("drain"):
            if not sum(depth):
                return

    async def _depths(self, phase: str) -> AsyncIterator[tuple[int, int]]:
        """What is visible and what is hidden, again and again; fails if they don't change."""
        before, since = (-1, -1), time.monotonic()
        while time.monotonic() - since < _PATIENCE_SECONDS:
            depth = await self._account.depth()
            self._plan.progress(len(self._mails), sum(depth), phase)
            yield depth
            if depth != before:
                before, since = depth, time.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)
        logs = [log.read_text(encoding="utf-8") for log in self._plan.folder.glob("function-*.log")]
        raise AssertionError("\n".join(["nothing gets on", *(log[-_LAST_WORDS:] for log in logs)]))

    # -- the end -------------------------------------------------------------------------

    def _report(self, seconds: float) -> Report:
        witness = self._witness
        course = Course.seen(witness, self._clock.real_at)
        books = balance(
            self._mails,
            witness.copies,
            self._account.letters(),
            self._account.left(),
            Excuses.seen(witness),
            self._plan.policy,
            cancelled=self._account.cancelled(),
            course=course,
        )
        return Report(
            messages=self._plan.messages,
            seed=self._plan.seed,
            policy=self._plan.policy,
            pipelining=self._plan.pipelining,
            books=books,
            witnessed=(*witness.faults, *witness.steered.faults),
            in_doubt_events={sort.value: count for sort, count in witness.sorts.items()},
            smtp_transactions=self._smtp.transactions,
            smtp_faults=self._smtp.faulty_transactions,
            smtp_sorts=dict(self._smtp.faults),
            smtp_ways=dict(self._ways),
            aws_calls=self._aws.calls,
            aws_sorts=dict(self._aws.faults),
            delivered_twice=self._aws.delivered_twice,
            steered=dict(+witness.steered.counts),
            obeyed_within=slowest(self._mails, witness.copies, course),
            kills=self._kills,
            invocations=self._invocations,
            seconds=seconds,
        )
