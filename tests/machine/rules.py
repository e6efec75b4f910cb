"""The machine: what may happen next, and what must be true whatever did."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clock import Clock
from emulated import Account
from ion.delivery import InDoubt
from ion.limits import SKEW_SECONDS
from machine import choices
from machine.faults import Plan
from machine.process import Kind
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
    )
    def publish(
        self, recipients: int, named: bool, policy: InDoubt | None, malformed: bool
    ) -> None:
        self.world.publish(recipients, named=named, policy=policy, malformed=malformed)

    @precondition(lambda self: self.world.named)
    @rule(which=choices.WHICH, respelt=st.booleans())
    def publish_again(self, which: int, respelt: bool) -> None:
        named = self.world.named
        self.world.publish_again(named[which % len(named)], respelt=respelt)

    @precondition(lambda self: self.world.named)
    @rule(which=choices.WHICH)
    def publish_other_content_under_the_same_name(self, which: int) -> None:
        named = self.world.named
        self.world.publish(1, named=True, policy=None, key_of=named[which % len(named)])

    @rule(what=choices.BAD_INPUT)
    def publish_bad_input(self, what: str) -> None:
        self.world.publish_bad(what)

    # -- the function --------------------------------------------------------------------

    @rule(plan=choices.plans(SKEW_SECONDS), pause=choices.PAUSES, fresh=choices.FRESH)
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

    def _prepare(self, pause: float, fresh: int) -> None:
        self.world.pass_time(pause)
        for number in range(fresh):
            self.world.publish(1 + number % 2, named=number != 1, policy=None)

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
