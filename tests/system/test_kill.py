"""The function is killed with SIGKILL at every named point, runs again, and nothing is lost.

Nothing of it is patched: it is a process, its mail server is the scripted one, its AWS the emulated
one behind a proxy. Either of these sees it reach the point and kills it there.
ION_KILL_RUNS=20 repeats every point so often; 1, as ION_TESTS=long, is all of them once.
"""

import asyncio
import json
from collections import Counter

import pytest

from ion.settings import Pipelining
from kill.books import CRASH_LOOP, IN_DOUBT, PARK, RESEND, RESEND_ONCE, SENT
from kill.points import (
    DEEP_POINTS,
    ENVELOPE_POINTS,
    FEW,
    POINTS,
    REDRIVE_POINTS,
    Behind,
    Place,
    Smtp,
    Trap,
    places,
    some,
)
from kill.world import RUNS_AT_MOST, Maker, World, email
from smtp_server import Step

pytestmark = [pytest.mark.system]

ENVELOPE_FEW = ("before the 354", "third dot seen, no reply", "third dot replied to")
DEEP_FEW = (
    "before the 354",
    "dot and next flight together",
    "after the 250, before the next 354",
)

BROKEN = '{"action": "send", "recipient": '
REDRIVE = '{"action": "redrive"}'


GOOD = [f"good-{number}" for number in range(6)]
BODIES = [
    email("good-0", "a long line of text\n" * 3000),  # more than goes out in one write
    *(email(key) for key in GOOD[1:]),
    email("bounced"),
    email("deferred"),
    BROKEN,
]
TWICE = email("good-3")
"""Published once more, with the same key."""
DUE = {
    **dict.fromkeys(GOOD, SENT),
    "deferred": SENT,
    "bounced": "RCPT_REJECTED",
    BROKEN: "BAD_JSON",
}


async def killed_at(maker: Maker, place: Place, policy: str, bodies: list[str]) -> World:
    refuses = {"bounced"}
    trap = Trap(place, lambda: server.submissions)
    server = maker.server(trap, refuses)
    async with server:
        world = maker.world(server, trap, refuses, policy)
        for body in bodies:
            world.account.publish(body)
        await world.live_until_empty()
        await world.live_until_killed()
        assert trap.sprung == 1, "the point was not reached"
        return world


@pytest.mark.row(28)
@pytest.mark.row(29)
@pytest.mark.row(30)
@places(POINTS, *some(POINTS, 3))
def test_a_kill_loses_nothing_and_copies_only_what_was_open(maker: Maker, place: Place) -> None:
    world = asyncio.run(killed_at(maker, place, RESEND_ONCE, [*BODIES, TWICE]))
    assert world.faults(DUE) == []
    assert not world.pipelined
    broken = [one.body for one in world.account.dead() if one.attributes["reason"] == "BAD_JSON"]
    assert set(broken) == {BROKEN}


@pytest.mark.row(29)
@pytest.mark.row(30)
@places(ENVELOPE_POINTS, *ENVELOPE_FEW * FEW)
def test_nor_does_a_kill_with_a_flight_out(maker: Maker, place: Place) -> None:
    maker.pipelining = Pipelining.ENVELOPE
    world = asyncio.run(killed_at(maker, place, RESEND_ONCE, [*BODIES, TWICE]))
    assert world.faults(DUE) == []
    assert world.pipelined


@pytest.mark.row(29)
@pytest.mark.row(30)
@places(DEEP_POINTS, *DEEP_FEW * FEW)
def test_nor_does_a_kill_with_an_envelope_behind_a_dot(maker: Maker, place: Place) -> None:
    maker.pipelining = Pipelining.DEEP
    world = asyncio.run(killed_at(maker, place, RESEND_ONCE, [*BODIES, TWICE]))
    assert world.faults(DUE) == []
    assert world.pipelined
    if isinstance(place, Behind) and place.then is None:
        assert len(world.lives[0].arrived) == place.nth, "one content at a time"


@pytest.mark.skipif(FEW, reason="minutes: ION_TESTS=long")
@pytest.mark.row(29)
@pytest.mark.parametrize("pipelining", [Pipelining.ENVELOPE, Pipelining.DEEP])
@places(POINTS, "mail", "fourth dot seen, no reply", "before record and delete")
def test_park_sends_no_copy_in_any_mode(maker: Maker, place: Place, pipelining: Pipelining) -> None:
    maker.pipelining = pipelining
    world = asyncio.run(killed_at(maker, place, PARK, BODIES))
    assert world.faults(DUE) == []
    parked = [key for key, reason in world.account.dead_letters() if reason == IN_DOUBT]
    assert {*parked} == frozenset[str]().union(*(life.open for life in world.lives))


def test_what_a_run_notes_of_a_throttle_is_no_email(maker: Maker) -> None:
    async def main() -> World:
        trap = Trap(None, lambda: server.submissions)
        server = maker.server(trap, {"bounced"})
        async with server:
            world = maker.world(server, trap, set(), RESEND_ONCE)
            world.account.publish(email("throttled"))
            await world.live_until_empty()
            return world

    world = asyncio.run(main())
    assert len(world.lives) == 2
    assert world.faults({"throttled": SENT}) == []


@places(POINTS, "dot seen, no reply", "before record and delete")
def test_the_copy_is_real_where_it_cannot_be_helped(maker: Maker, place: Place) -> None:
    """Or the tests above would show nothing (RFC 1047)."""
    world = asyncio.run(killed_at(maker, place, RESEND_ONCE, [*BODIES, TWICE]))
    copies = Counter(key for life in world.lives for key in life.arrived)
    assert [count for count in copies.values() if count == 2]


@pytest.mark.row(29)
@pytest.mark.row(30)
@places(
    POINTS,
    "mail",
    "dot seen, no reply",
    "fourth dot replied to",
    "after claim",
    "before record and delete",
    "after record, delete lost",
    "after delete, record lost",
    "after dead-letter",
)
def test_park_sends_no_copy_and_leaves_the_doubt_to_a_person(maker: Maker, place: Place) -> None:
    world = asyncio.run(killed_at(maker, place, PARK, BODIES))
    assert world.faults(DUE) == []
    doubtful = frozenset[str]().union(*(life.open for life in world.lives))
    parked = [key for key, reason in world.account.dead_letters() if reason == IN_DOUBT]
    assert sorted(parked) == sorted(doubtful)


@pytest.mark.row(12)
@places(POINTS, "before record and delete")
def test_park_sends_no_copy_of_what_was_published_twice(maker: Maker, place: Place) -> None:
    world = asyncio.run(killed_at(maker, place, PARK, [*BODIES, TWICE]))
    assert world.faults(DUE) == []


@pytest.mark.row(69)
@places(REDRIVE_POINTS, *some(REDRIVE_POINTS, 2))
def test_a_kill_in_a_redrive_loses_nothing_and_copies_nothing(maker: Maker, place: Place) -> None:
    async def main() -> World:
        refuses = set(GOOD)
        trap = Trap(place, lambda: server.submissions)
        server = maker.server(trap, refuses)
        async with server:
            world = maker.world(server, trap, refuses, RESEND_ONCE)
            for key in GOOD:
                world.account.publish(email(key))
            assert await world.live()
            assert sorted(key for key, _ in world.account.dead_letters()) == GOOD
            refuses.clear()
            world.account.publish(REDRIVE)
            await world.live_until_empty()
            assert trap.sprung == 1, "the point was not reached"
            return world

    world = asyncio.run(main())
    assert world.account.dead() == ()
    assert world.faults(dict.fromkeys(GOOD, SENT)) == []


async def poisoned(maker: Maker, policy: str, company: list[str]) -> World:
    """One message kills whoever sends its MAIL, as often as it is tried."""
    trap = Trap(Smtp(Step.MAIL, argument="poison"), lambda: server.submissions)
    server = maker.server(trap, set())
    async with server:
        world = maker.world(server, trap, set(), policy)
        poison = json.loads(email("poison")) | {"sender": "poison@example.org"}
        for body in [json.dumps(poison), *(email(key) for key in company)]:
            world.account.publish(body)
        while world.account.waiting() and len(world.lives) < RUNS_AT_MOST:
            trap.arm()
            await world.live()
        return world


@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("policy", "deaths", "reason"),
    [(RESEND, 3, CRASH_LOOP), (RESEND_ONCE, 2, IN_DOUBT), (PARK, 1, IN_DOUBT)],
)
def test_what_kills_again_and_again_is_dead_lettered(
    maker: Maker, policy: str, deaths: int, reason: str
) -> None:
    world = asyncio.run(poisoned(maker, policy, []))
    assert world.trap.sprung == deaths
    assert world.faults({"poison": reason}) == []


@pytest.mark.parametrize("policy", [RESEND, RESEND_ONCE])
def test_what_kills_takes_nobody_with_it_without_a_letter(maker: Maker, policy: str) -> None:
    world = asyncio.run(poisoned(maker, policy, GOOD))
    reason = CRASH_LOOP if policy == RESEND else IN_DOUBT
    assert world.faults(dict.fromkeys(GOOD, SENT) | {"poison": reason}) == []


@pytest.mark.row(31)
def test_what_kills_harms_no_other(maker: Maker) -> None:
    world = asyncio.run(poisoned(maker, RESEND_ONCE, GOOD))
    assert [key for key, _ in world.account.dead_letters()] == ["poison"]
