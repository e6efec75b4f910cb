"""The world around the relay: SQS, the clock, people who redrive, and the order of it all."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from clock import Clock
from emulated import Account, Held
from ion.contract import Cancel, Lane, Resume
from ion.delivery import InDoubt
from ion.limits import SKEW_SECONDS
from machine.books import Books
from machine.emails import USUAL, Wishes
from machine.faults import Plan
from machine.operators import Operators, Order
from machine.process import Process
from machine.publisher import Publisher
from machine.queues import Backlog
from machine.relay import Kind
from machine.simulated_time import SKEW, START, Loop

if TYPE_CHECKING:
    from moto.sqs.models import Message

LONGEST_STORY_SECONDS = 12 * 24 * 3600
"""After 14 days SQS forgets, and nobody can help it."""
_MOST_ROUNDS = 15
_LANES = (USUAL, USUAL, Wishes(lane=Lane.BULK), Wishes(by_bulk_door=True))


class World:
    """One story: queues that begin empty, a clock that begins at `START`.

    Args:
        kind: of relay.
        account: its AWS.
        clock: SQS's too.
        in_doubt: the configured policy.
    """

    def __init__(self, kind: Kind, account: Account, clock: Clock, in_doubt: InDoubt) -> None:
        self._kind = kind
        self._account = account
        self._clock = clock
        self._in_doubt = in_doubt
        self._clock.seconds = START
        self._loop = Loop(clock)
        self._input, self._dead = Backlog("ion-input"), Backlog("ion-dead")
        self._later, self._bulk = Backlog("ion-later"), Backlog("ion-bulk")
        for queue in (self._input, self._bulk, self._later, self._dead):
            queue.begin()
        self._seen: dict[str, tuple[Backlog, Message]] = {}
        """Messages that have lain in a queue of what is to be sent, by their ids."""
        self.books = Books()
        self.publisher = Publisher(account, clock, self.books, in_doubt)
        self._operators = Operators(kind, account, clock, self.books)

    def end(self) -> None:
        """Close what it holds."""
        self._loop.close()

    # -- people --------------------------------------------------------------------------

    def redrive(self, options: str) -> None:
        """Somebody publishes a redrive."""
        body = f'{{"action": "redrive"{options}}}'
        self.books.commands.add(body)
        self._account.publish(body)

    def order(self, order: Order) -> None:
        """Somebody stops, pauses, resumes or cancels."""
        self._loop.run_until_complete(self._operators.give(order))

    def cancel_ahead(self, *, directly: bool) -> str:
        """Somebody cancels what isn't published yet; returns the key."""
        key = self.publisher.next_key
        self.books.announced.add(key)
        self.order(Order(Cancel(email_id=key), directly=directly))
        return key

    def redrive_natively(self, which: int, *, twice: bool) -> None:
        """Somebody moves a dead letter in SQS's console; perhaps it stays there all the same."""
        letters = self._account.dead()
        letter = letters[which % len(letters)]
        self._account.publish(letter.body, letter.attributes)
        self.books.came_back(letter)
        if twice:
            self._excuse([letter.body])
        else:
            self._dead.take(letter.id)

    # -- SQS -----------------------------------------------------------------------------

    def deliver_twice(self) -> None:
        """What a Lambda has in hand is delivered to others too."""
        queues = (self._input, self._bulk, self._later, self._dead)
        self._excuse([body for queue in queues for body in queue.show()])

    def deliver_deleted(self, which: int) -> None:
        """A message that has been deleted is delivered once more; perhaps a copy of ion's."""
        self._look()
        emails = [one for one in self._seen.values() if self.books.of_body(one[1].body)]
        backlog, message = emails[which % len(emails)]
        if message.id not in backlog.ids:
            backlog.put(message)
            self._excuse([message.body])

    def _look(self) -> None:
        """See what lies in the queues."""
        for backlog in (self._input, self._bulk, self._later):
            for message in backlog.messages:
                self._seen.setdefault(message.id, (backlog, message))

    def _excuse(self, bodies: Sequence[str]) -> None:
        for body in bodies:
            if email := self.books.of_body(body):
                self.books.excuses[email.number] += 1

    # -- time ----------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Nothing happens for a while, unless the story gets too long."""
        if self._clock() + seconds < START + LONGEST_STORY_SECONDS:
            self._clock.passes(seconds)

    def run(
        self,
        *plans: Plan,
        redelivered_after: float | None = None,
        ordered: tuple[float, Order] | None = None,
    ) -> None:
        """As many Lambdas as there are plans, side by side.

        Args:
            plans: what happens to each.
            redelivered_after: seconds, after which SQS delivers twice what they have in hand.
            ordered: what an operator wants meanwhile, after so many seconds.
        """
        self._look()
        attempts = self._attempts()
        processes = [
            Process(self._kind, self._account, self._clock, self.books, plan, self._in_doubt)
            for plan in plans
        ]
        clocks = [plan.skew_seconds for plan in plans]
        for process in processes:
            process.out_of_time = max(clocks) - min(clocks) > 2 * SKEW_SECONDS

        async def main() -> None:
            loop = self._loop
            timer = None
            if redelivered_after is not None:
                timer = loop.call_later(redelivered_after, self.deliver_twice)
            tasks = [loop.create_task(process.live()) for process in processes]
            if ordered is not None:
                tasks.append(loop.create_task(self._order_after(*ordered)))
            try:
                for task in tasks:
                    await task
            finally:
                if timer is not None:
                    timer.cancel()
                for task in tasks:
                    task.cancel()

        session = partial(self._kind.session, now=self._clock)
        with (
            patch.object(time, "time", lambda: self._clock() + SKEW.get()),
            patch("ion.smtp.connect.Session", session),
        ):
            self._loop.run_until_complete(main())
        if all(process.is_countable for process in processes):
            further = self._attempts() - attempts
            if further > sum(process.tries for process in processes):
                self.books.strays.append(f"{further} attempts were counted, fewer were made")

    async def _order_after(self, seconds: float, order: Order) -> None:
        await asyncio.sleep(seconds)
        await self._operators.give(order)

    def _attempts(self) -> int:
        """Attempts by the ledger."""
        return sum(int(row.get("attempts", 0)) for row in self._account.rows())

    def run_in_good_health(self, plan: Plan, burst: int) -> None:
        """Publish some emails, and run: there is no reason why any of them should not be served."""
        self.order(Order(Resume()))
        emails = [
            self.publisher.publish(
                1 + number % 3,
                named=False,
                policy=None,
                malformed=number % 3 == 1,
                wishes=_LANES[number % len(_LANES)],
            )
            for number in range(burst)
        ]
        self.run(plan)
        left = {held.body for held in self.waiting()}
        for email in emails:
            if left & email.bodies:
                self.books.strays.append(f"{email.number} was not served, with nothing wrong")

    # -- the count -----------------------------------------------------------------------

    def check(self) -> None:
        """Nothing is lost, nothing is too much."""
        faults = self.books.faults(
            self.waiting(), self._account.dead(), self._cancelled(), self._queued()
        )
        assert not faults, "\n".join(faults)

    def come_to_an_end(self) -> None:
        """Nothing goes wrong any more, and nothing is held: everything finds its end."""
        self.order(Order(Resume()))
        for _ in range(_MOST_ROUNDS):
            self.run(Plan())
            if not self.waiting():
                break
            queues = (self._input, self._bulk, self._later)
            visible_at = (queue.all_visible_at for queue in queues)
            self._clock.seconds = max(self._clock.seconds, *visible_at) + 1
        faults = self.books.at_the_end(
            self.waiting(), self._account.dead(), self._cancelled(), self._queued()
        )
        assert not faults, "\n".join(faults)

    def _cancelled(self) -> dict[str, str]:
        """Keys that the ledger has as cancelled, with the fates of their recipients."""
        if not self.books.cancelled_at:
            return {}
        rows = (row for row in self._account.rows() if row.get("status") == "cancelled")
        return {str(row["email_id"]): str(row["fates"]) for row in rows}

    def _queued(self) -> set[str]:
        """Keys that the ledger has as never tried."""
        rows = self._account.rows()
        return {str(row["email_id"]) for row in rows if row.get("status") == "queued"}

    def waiting(self) -> list[Held]:
        """What lies in the queues of what is to be sent."""
        return self._account.waiting()

    @property
    def dead(self) -> list[Held]:
        """What lies in the dead-letter queue."""
        return self._account.dead()
