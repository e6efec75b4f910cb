"""Whatever happens in whatever order, a published message ends in exactly one place."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from at_length import few
from clock import Clock
from emulated import Account
from ion.delivery import InDoubt
from machine.broken import COARSE, FINE, STUBBORN
from machine.faults import Ill, Plan, SmtpFault
from machine.queues import on_clock
from machine.relay import Kind
from machine.rules import FarMachine, on
from machine.simulated_time import START
from machine.world import World
from smtp_server import Step

EXAMPLES = int(os.environ.get("ION_MACHINE_EXAMPLES", "0"))
"""More stories than CI has time for, and other ones each time."""
_EVERYTHING = tuple(HealthCheck)
CI = settings(
    max_examples=10,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=_EVERYTHING,
)
LONG = settings(CI, max_examples=EXAMPLES or 1, derandomize=False)
UNTIL_FOUND = settings(CI, max_examples=500, phases=[Phase.generate])
UNTIL_FOUND_LATE = settings(UNTIL_FOUND, max_examples=3000)
SOON_SEEN = (
    "claims are always granted",
    "results are not recorded",
    "deleted when received",
    "deleted before it is dead-lettered",
    "cancels are ignored",
)
FOUND = (AssertionError, Flaky)
"""Hypothesis tells a story again before it believes it, and a second time it may end otherwise:
tasks and threads take turns as they like."""


@pytest.fixture
def clock(account: Account, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(START)
    on_clock(monkeypatch, clock)
    return clock


@pytest.mark.timeout(0 if EXAMPLES else 120)
def test_every_message_ends_in_exactly_one_place(account: Account, clock: Clock) -> None:
    run_state_machine_as_test(on(account, clock), settings=LONG if EXAMPLES else CI)


@pytest.mark.row(67)
@pytest.mark.timeout(0 if EXAMPLES else 120)
def test_clocks_that_are_far_apart_cost_a_copy_and_never_an_email(
    account: Account, clock: Clock
) -> None:
    few = settings(LONG if EXAMPLES else CI, max_examples=EXAMPLES // 10 or 3)
    run_state_machine_as_test(on(account, clock, base=FarMachine), settings=few)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("broken", few(COARSE, SOON_SEEN))
def test_a_broken_relay_is_seen_through(account: Account, clock: Clock, broken: str) -> None:
    with pytest.raises(FOUND):
        run_state_machine_as_test(on(account, clock, COARSE[broken]), settings=UNTIL_FOUND)


@pytest.mark.skipif(not EXAMPLES, reason="takes a while: ION_MACHINE_EXAMPLES=1000")
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kind", FINE.values(), ids=FINE)
def test_a_finely_broken_relay_is_seen_through(account: Account, clock: Clock, kind: Kind) -> None:
    with pytest.raises(FOUND):
        run_state_machine_as_test(on(account, clock, kind), settings=UNTIL_FOUND_LATE)


@pytest.mark.parametrize("policy", [InDoubt.PARK, InDoubt.RESEND_ONCE])
@pytest.mark.parametrize("kind", [Kind(), STUBBORN], ids=["right", "stubborn"])
def test_the_claim_lets_no_copy_out_beyond_the_policy(
    account: Account, clock: Clock, kind: Kind, policy: InDoubt
) -> None:
    """Even where the worker would."""
    world = World(kind, account, clock, policy)
    try:
        email = world.publisher.publish(1, named=True, policy=None)
        for _ in range(3):
            world.run(Plan(smtp=(SmtpFault(Step.DOT, Ill.DROP),)))
            world.pass_time(10_000)
        world.come_to_an_end()
        assert world.books.copies[email.recipients[0]] == (1 if policy is InDoubt.PARK else 2)
    finally:
        world.end()


@pytest.mark.row(69)
@pytest.mark.parametrize("policy", [InDoubt.PARK, InDoubt.RESEND_ONCE])
def test_a_redrive_whose_message_died_is_not_acted_on_twice(
    account: Account, clock: Clock, policy: InDoubt
) -> None:
    """A story that the machine found: the redriven message dies, and its twin ends the email."""
    dies = Plan(smtp=(SmtpFault(Step.DOT, Ill.KILLED),))
    deaths = 1 if policy is InDoubt.PARK else 2
    world = World(Kind(), account, clock, policy)
    try:
        world.publisher.publish(1, named=True, policy=None)
        for _ in range(deaths):
            world.run(dies)
            world.pass_time(1000)
        world.run(Plan())
        world.publisher.publish_again(world.books.emails[0], respelt=False)
        world.redrive("")
        for _ in range(deaths):
            world.run(dies)
            world.pass_time(1000)
        world.come_to_an_end()
    finally:
        world.end()
