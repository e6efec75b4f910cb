"""The world around the relay: whoever publishes, SQS, the clock, people who redrive."""

import itertools
import json
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from clock import Clock
from emulated import Account, Held
from ion.delivery import InDoubt
from ion.limits import SKEW_SECONDS
from ion.outcome import Reason
from machine.books import OWN, REDRIVE, Books, Email
from machine.faults import Plan
from machine.process import Kind, Process
from machine.queues import Backlog
from machine.simulated_time import SKEW, START, Loop

if TYPE_CHECKING:
    from moto.sqs.models import Message

LONGEST_STORY_SECONDS = 12 * 24 * 3600
"""After 14 days SQS forgets, and nobody can help it."""
_MOST_ROUNDS = 15
_stories = itertools.count()

BAD = {
    "{broken": Reason.BAD_JSON,
    '{"action": "send", "recipient": "a@b.example"}': Reason.INVALID_SCHEMA,
    '{"action": "send", "recipient": "a b", "body_text": "x"}': Reason.INVALID_ADDRESS,
    '{"action": "send", "recipient": "a@b.example", "body_text": "x", "headers": {"To": "c"}}': (
        Reason.HEADER_NAME
    ),
}


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
        self._sent: list[Message] = []
        self._story = next(_stories)
        self.books = Books()

    def end(self) -> None:
        """Close what it holds."""
        self._loop.close()

    # -- the publisher -------------------------------------------------------------------

    def publish(
        self,
        recipients: int,
        *,
        named: bool,
        policy: InDoubt | None,
        key_of: Email | None = None,
        malformed: bool = False,
    ) -> Email:
        """A new email.

        Args:
            recipients: how many; the last of several is a blind copy.
            named: whether it has an `email_id`.
            policy: its own, if any.
            key_of: another email, whose `email_id` it has.
            malformed: the server can't read the address of the second of several recipients.
        """
        number = len(self.books.emails)
        addresses = [f"e{number}r{i}@example.org" for i in range(recipients)]
        refused = frozenset(addresses[1:2] if malformed else ())
        content: dict[str, Any] = {
            "action": "send",
            "recipient": addresses[:-1] or addresses,
            "subject": f"e{number}",
            "body_text": ".\r\n.x\r\nGrüße",
        }
        if recipients > 1:
            content["bcc"] = addresses[-1]
        if policy is not None:
            content["in_doubt"] = policy.value
        if key_of is not None:
            content["email_id"] = key_of.key
        elif named:
            content["email_id"] = f"story-{self._story}-email-{number}"
        email = Email(
            number,
            {json.dumps(content)},
            tuple(addresses),
            content.get("email_id", ""),
            policy or self._in_doubt,
            malformed=refused,
        )
        self._publish(email, json.dumps(content))
        email.key = email.key or email.ids[0]
        self.books.emails.append(email)
        return email

    def publish_again(self, email: Email, *, respelt: bool) -> None:
        """The publisher isn't sure that it has published this."""
        body = min(email.bodies, key=len)
        if respelt:
            body = json.dumps(json.loads(body), indent=1, ensure_ascii=False, sort_keys=True)
            email.bodies.add(body)
        email.publications += 1
        self._publish(email, body)

    def publish_bad(self, what: str) -> None:
        """What can't become an email."""
        number = len(self.books.emails)
        body = f"{what}{' ' * number}"
        email = Email(number, {body}, (), "", "", bad=BAD[what])
        self._publish(email, body)
        email.key = email.ids[0]
        self.books.emails.append(email)

    def _publish(self, email: Email, body: str) -> None:
        id_ = self._account.publish(body, {"own": OWN})
        email.ids.append(id_)
        self._sent.append(self._input.find(id_))

    # -- people --------------------------------------------------------------------------

    def redrive(self, options: str) -> None:
        """Somebody publishes a redrive."""
        self._account.publish(f'{{"action": "{REDRIVE}"{options}}}')

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
        """A message that has been deleted is delivered once more."""
        message = self._sent[which % len(self._sent)]
        if message.id not in self._input.ids:
            self._input.put(message)
            self._excuse([message.body])

    def _excuse(self, bodies: Sequence[str]) -> None:
        for body in bodies:
            if email := self.books.of_body(body):
                self.books.excuses[email.number] += 1

    # -- time ----------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Nothing happens for a while, unless the story gets too long."""
        if self._clock() + seconds < START + LONGEST_STORY_SECONDS:
            self._clock.passes(seconds)

    def run(self, *plans: Plan, redelivered_after: float | None = None) -> None:
        """As many Lambdas as there are plans, side by side.

        Args:
            plans: what happens to each.
            redelivered_after: seconds, after which SQS delivers twice what they have in hand.
        """
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

    def run_in_good_health(self, plan: Plan, burst: int) -> None:
        """Publish some emails, and run: there is no reason why any of them should not be served."""
        emails = [
            self.publish(1 + number % 3, named=False, policy=None, malformed=number % 3 == 1)
            for number in range(burst)
        ]
        self.run(plan)
        left = {held.body for held in self.waiting()}
        for email in emails:
            if left & email.bodies:
                self.books.strays.append(f"{email.number} was not served, with nothing wrong")

    # -- the count -----------------------------------------------------------------------

    @property
    def named(self) -> list[Email]:
        """Emails that the publisher has named."""
        return [email for email in self.books.emails if email.key not in email.ids]

    def check(self) -> None:
        """Nothing is lost, nothing is too much."""
        faults = self.books.faults(self.waiting(), self._account.dead())
        assert not faults, "\n".join(faults)

    def come_to_an_end(self) -> None:
        """Nothing goes wrong any more: everything finds its end."""
        for _ in range(_MOST_ROUNDS):
            self.run(Plan())
            if not self.waiting():
                break
            visible_at = (self._input.all_visible_at, self._later.all_visible_at)
            self._clock.seconds = max(self._clock.seconds, *visible_at) + 1
        faults = self.books.at_the_end(self.waiting(), self._account.dead())
        assert not faults, "\n".join(faults)

    def waiting(self) -> list[Held]:
        """What lies in the queues of what is to be sent."""
        return self._account.waiting()

    @property
    def dead(self) -> list[Held]:
        """What lies in the dead-letter queue."""
        return self._account.dead()
