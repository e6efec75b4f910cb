"""The function is killed with SIGKILL at every named point, runs again, and nothing is lost.

Nothing of it is patched: it is a process, its mail server is the scripted one, its AWS the emulated
one behind a proxy. Either of these sees it reach the point and kills it there.
ION_KILL_RUNS=20 repeats every point so often; 1 is all of them once.
"""

import asyncio
import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from breaches import breaches
from ion.settings import Pipelining
from kill.account import Account, Emulator
from kill.books import CRASH_LOOP, IN_DOUBT, PARK, RESEND, RESEND_ONCE, SENT, Books, Life
from kill.child import Nursery
from kill.points import (
    DEEP_POINTS,
    ENVELOPE_POINTS,
    POINTS,
    REDRIVE_POINTS,
    Behind,
    Place,
    Smtp,
    Trap,
)
from kill.proxy import Proxy
from smtp_server import Action, Moment, Offer, ScriptedServer, Step, Tls, reply

pytestmark = [pytest.mark.system]

ROOT = Path(__file__).parents[2]
REPEATS = range(int(os.environ.get("ION_KILL_RUNS", "1")))
FEW = "ION_KILL_RUNS" not in os.environ
"""Of the points in other modes only those that have no like among the first."""
RUNS_AT_MOST = 5
"""After the kill, until the queue is empty."""
RUN_SECONDS = 60

OFFER = Offer(users={"ion": "secret"}, pipelining=True, enforces_pipelining=True)

ENVELOPE_FEW = ("before the 354", "third dot seen, no reply", "third dot replied to")
DEEP_FEW = (
    "before the 354",
    "dot and next flight together",
    "after the 250, before the next 354",
)

BROKEN = '{"action": "send", "recipient": '
REDRIVE = '{"action": "redrive"}'


def email(key: str, body: str = "x") -> str:
    return json.dumps(
        {
            "action": "send",
            "email_id": key,
            "recipient": f"{key}@example.org",
            "sender": "ion@example.org",
            "body_text": body,
        }
    )


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


@dataclass
class World:
    """A relay, and what happens to it."""

    account: Account
    proxy: Proxy
    server: ScriptedServer
    nursery: Nursery
    policy: str
    trap: Trap
    refuses: set[str]
    pipelining: Pipelining
    lives: list[Life] = field(default_factory=list)
    _counted: int = 0

    async def live(self) -> bool:
        """One run, to its end or its death; False: it was killed."""
        environment = {
            **self.account.environment,
            "ION_DRAIN_LINGER_SECONDS": "0",
            "ION_RETRY_IN_DOUBT": self.policy,
            "ION_SMTP_PIPELINING": self.pipelining,
        }
        if self.pipelining is not Pipelining.OFF:  # on one connection, it is known who is next
            environment["ION_SMTP_CONNECTIONS"] = "1"
        kills = self.trap.sprung
        child = self.trap.child = self.nursery.child(environment)
        try:
            status = await asyncio.to_thread(child.wait, RUN_SECONDS)
        finally:
            child.end()
        await self.server.settled()  # what was on its way has arrived
        self.proxy.wait_quiet()
        killed = self.trap.sprung > kills
        assert status == (-signal.SIGKILL if killed else 0), self.nursery.log.read_text()
        arrived = [one.recipients[0].partition("@")[0] for one in self.server.accepted]
        self.lives.append(self.account.life(arrived[self._counted :]))
        self._counted = len(arrived)
        self.account.time_passes()
        return not killed

    async def live_until_empty(self) -> None:
        """Runs enough for the kill, and for all that is to be done after it."""
        runs = 0
        while runs < RUNS_AT_MOST and self.account.waiting():
            runs += await self.live()

    async def live_until_killed(self) -> None:
        """For a point that only comes when the queue is empty already."""
        while not self.trap.sprung and len(self.lives) < RUNS_AT_MOST:
            await self.live()

    @property
    def pipelined(self) -> bool:
        """The first email's commands came in one flight; after the kill, who knows."""
        commands = [one for session in self.server.sessions for one in session.commands]
        return next(one.pipelined for one in commands if one.verb == "MAIL")

    def faults(self, due: Mapping[str, str]) -> list[str]:
        left = [one.body for one in self.account.waiting()]
        dead = self.account.dead_letters()
        found = Books(due, self.lives, dead, left, self.policy).faults()
        found += breaches(self.server.sessions, self.pipelining, OFFER, connections=1)
        return found


@pytest.fixture(scope="module")
def proxy(clocked_aws: Emulator) -> Iterator[Proxy]:
    with Proxy(clocked_aws.endpoint.removeprefix("http://")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory, clocked_aws: Emulator) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("kill")
    with Nursery(folder, folder / "log", clocked_aws.clock) as nursery:
        yield nursery


class Maker:
    """Makes a world inside a running loop."""

    def __init__(self, aws: Emulator, proxy: Proxy, nursery: Nursery) -> None:
        self.proxy, self.nursery = proxy, nursery
        self.account = Account(aws, proxy)
        self.pipelining = Pipelining.OFF

    def server(self, trap: Trap, refuses: set[str]) -> ScriptedServer:
        deferred = Counter[str]()

        def script(moment: Moment) -> Action:
            action = trap.at_step(moment)
            key = moment.argument.partition("@")[0]
            if moment.step is Step.RCPT and key in refuses:
                return reply(550, "5.1.1 no such user")
            if moment.step is Step.RCPT and key == "deferred":
                deferred[key] += 1
                return reply(450, "4.2.1 busy") if deferred[key] == 1 else action
            if moment.step is Step.RCPT and key == "throttled":
                deferred[key] += 1
                return reply(454, "4.7.0 Throttling failure") if deferred[key] == 1 else action
            return action

        return ScriptedServer(script, tls=Tls.STARTTLS, offer=OFFER)

    def world(self, server: ScriptedServer, trap: Trap, refuses: set[str], policy: str) -> World:
        shutil.copy(ROOT / "config.cfg", self.nursery.root)
        shutil.copy(server.ca_pem_path, self.nursery.root / "ca.pem")
        secrets = (
            f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
            "username = ion\npassword = secret\n"
        )
        (self.nursery.root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
        self.proxy.watch = trap.at_call
        return World(
            self.account, self.proxy, server, self.nursery, policy, trap, refuses, self.pipelining
        )


@pytest.fixture
def maker(clocked_aws: Emulator, proxy: Proxy, nursery: Nursery) -> Iterator[Maker]:
    maker = Maker(clocked_aws, proxy, nursery)
    yield maker
    maker.account.delete()


def places(points: Mapping[str, Place], *names: str) -> pytest.MarkDecorator:
    cases = [
        pytest.param(points[name], id=f"{name} {number}" if number else name)
        for name in names or points
        for number in REPEATS
    ]
    return pytest.mark.parametrize("place", cases)


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
@places(POINTS)
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
@places(REDRIVE_POINTS)
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
