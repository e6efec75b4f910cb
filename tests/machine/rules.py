"""The machine: what may happen next, and what must be true whatever did."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clock import Clock
from emulated import Account
from ion.delivery import InDoubt
from ion.limits import SKEW_SECONDS
from machine import choices
from machine.emails import Wishes
from machine.faults import Plan
from machine.operators import Order
from machine.relay import Kind
from machine.world import World

_FAR_SECONDS = 600.0


class RelayMachine(RuleBasedStateMachine):
    """Subclassed with an account and a clock by `on`."""

    account: ClassVar[Account]
    clock: ClassVar[Clock]
    kind: ClassVar[Kind] = Kind()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.kind, self.account, self.clock, InDoubt.RESEND_ONCE)

    @initialize(in_doubt=choices.POLICIES)
    def configure(self, in_doubt: InDoubt) -> None:
        self.world.end()
        self.world = World(self.kind, self.account, self.clock, in_doubt)

    # -- the publisher -------------------------------------------------------------------

    @rule(
        recipients=st.integers(1, 3),
        named=st.booleans(),
        policy=choices.OWN_POLICIES,
        malformed=st.booleans(),
        wishes=choices.WISHES,
    )
    def publish(
        self,
        recipients: int,
        named: bool,
        policy: InDoubt | None,
        malformed: bool,
        wishes: Wishes,
    ) -> None:
        self.world.publisher.publish(
            recipients, named=named, policy=policy, malformed=malformed, wishes=wishes
        )

    @precondition(lambda self: self.world.publisher.named)
    @rule(which=choices.WHICH, respelt=st.booleans(), by_bulk_door=st.booleans())
    def publish_again(self, which: int, respelt: bool, by_bulk_door: bool) -> None:
        publisher = self.world.publisher
        email = publisher.named[which % len(publisher.named)]
        publisher.publish_again(email, respelt=respelt, by_bulk_door=by_bulk_door)

    @precondition(lambda self: self.world.publisher.named)
    @rule(which=choices.WHICH)
    def publish_other_content_under_the_same_name(self, which: int) -> None:
        publisher = self.world.publisher
        namesake = publisher.named[which % len(publisher.named)]
        publisher.publish(1, named=True, policy=None, key=namesake.key)

    @rule(what=choices.BAD_INPUT)
    def publish_bad_input(self, what: str) -> None:
        self.world.publisher.publish_bad(what)

    # -- the function --------------------------------------------------------------------

    @rule(
        plan=choices.plans(SKEW_SECONDS) | choices.blind(),
        pause=choices.PAUSES,
        fresh=choices.FRESH,
    )
    def run(self, plan: Plan, pause: float, fresh: int) -> None:
        self._prepare(pause, fresh)
        self.world.run(plan)

    @rule(plan=choices.healthy(), burst=choices.BURSTS, pause=choices.PAUSES)
    def run_in_good_health(self, plan: Plan, burst: int, pause: float) -> None:
        self._prepare(pause, fresh=0)
        self.world.run_in_good_health(plan, burst)

    @rule(plan=choices.doubtful(), times=st.integers(1, 3), pause=choices.PAUSES)
    def run_in_doubt(self, plan: Plan, times: int, pause: float) -> None:
        for number in range(times):
            self._prepare(pause, fresh=number == 0)
            self.world.run(plan)

    @rule(plan=choices.deadly(), pause=choices.PAUSES, fresh=choices.FRESH)
    def run_and_die(self, plan: Plan, pause: float, fresh: int) -> None:
        self._prepare(pause, fresh)
        self.world.run(plan)

    @rule(
        one=choices.slow(SKEW_SECONDS),
        other=choices.plans(SKEW_SECONDS),
        redelivered_after=choices.REDELIVERIES,
        pause=choices.PAUSES,
        fresh=choices.FRESH,
    )
    def run_two(
        self,
        one: Plan,
        other: Plan,
        redelivered_after: float | None,
        pause: float,
        fresh: int,
    ) -> None:
        self._prepare(pause, fresh)
        self.world.run(one, other, redelivered_after=redelivered_after)

    @rule(
        plan=choices.slow(SKEW_SECONDS) | choices.healthy(),
        ordered=choices.MEANWHILE,
        which=choices.WHICH,
        pause=choices.PAUSES,
        fresh=choices.FRESH,
    )
    def run_and_give_an_order(
        self, plan: Plan, ordered: tuple[float, Order], which: int, pause: float, fresh: int
    ) -> None:
        self._prepare(pause, fresh)
        seconds, order = ordered
        self.world.run(plan, ordered=(seconds, order.of(self._key(which))))

    def _prepare(self, pause: float, fresh: int) -> None:
        self.world.pass_time(pause)
        for number in range(fresh):
            wishes = choices.FRESH_WISHES[number]
            self.world.publisher.publish(
                1 + number % 2, named=number != 1, policy=None, wishes=wishes
            )

    def _key(self, which: int) -> str:
        """Of an email; of one that there will never be, if there is none."""
        keys = [email.key for email in self.world.books.emails if not email.bad]
        return keys[-1 - which % len(keys)] if keys else "none"

    # -- SQS -----------------------------------------------------------------------------

    @rule()
    def deliver_twice(self) -> None:
        self.world.deliver_twice()

    @precondition(lambda self: self.world.books.emails)
    @rule(which=choices.WHICH)
    def deliver_deleted(self, which: int) -> None:
        self.world.deliver_deleted(which)

    # -- people --------------------------------------------------------------------------

    @rule(options=choices.REDRIVES, plan=choices.plans(SKEW_SECONDS), pause=choices.PAUSES)
    def redrive(self, options: str, plan: Plan, pause: float) -> None:
        self._prepare(pause, fresh=0)
        self.world.redrive(options)
        self.world.run(plan)

    @precondition(lambda self: self.world.dead)
    @rule(which=choices.WHICH, twice=st.booleans())
    def redrive_natively(self, which: int, twice: bool) -> None:
        self.world.redrive_natively(which, twice=twice)

    @rule(order=choices.HOLDS, plan=choices.plans(SKEW_SECONDS), pause=choices.PAUSES)
    def hold_or_let_go(self, order: Order, plan: Plan, pause: float) -> None:
        self.world.order(order)
        self._prepare(pause, fresh=3)
        self.world.run(plan)

    @precondition(lambda self: self.world.books.emails)
    @rule(order=choices.CANCELS, which=choices.WHICH)
    def cancel(self, order: Order, which: int) -> None:
        self.world.order(order.of(self._key(which)))

    @rule(
        directly=st.booleans(),
        wishes=choices.WISHES,
        plan=st.none() | choices.plans(SKEW_SECONDS),
        pause=choices.PAUSES,
    )
    def cancel_and_publish(
        self, directly: bool, wishes: Wishes, plan: Plan | None, pause: float
    ) -> None:
        key = self.world.cancel_ahead(directly=directly)
        if plan is not None:
            self._prepare(pause, fresh=0)
            self.world.run(plan)
        self.world.publisher.publish(1, named=True, policy=None, wishes=wishes, key=key)

    # -- what must be true ---------------------------------------------------------------

    @invariant()
    def the_books_balance(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        try:
            self.world.come_to_an_end()
        finally:
            self.world.end()


class FarMachine(RelayMachine):
    """Clocks may be further apart than leases allow for."""

    @rule(
        one=choices.slow(_FAR_SECONDS),
        other=choices.plans(_FAR_SECONDS),
        redelivered_after=choices.REDELIVERIES,
        fresh=choices.FRESH,
    )
    def run_two_far_apart(
        self, one: Plan, other: Plan, redelivered_after: float | None, fresh: int
    ) -> None:
        self._prepare(0, fresh)
        self.world.run(one, other, redelivered_after=redelivered_after)


def on(
    account: Account,
    clock: Clock,
    kind: Kind | None = None,
    base: type[RelayMachine] = RelayMachine,
) -> type[RelayMachine]:
    """The machine for this account, with this kind of relay in it."""
    parts = {"account": account, "clock": clock, "kind": kind or Kind()}
    return type(base.__name__, (base,), parts)
