"""The function is killed where mail waits, changes lanes, is paused, stopped or cancelled.

As `test_kill` does it. Two processes at once are there where a cancel meets a claim.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum, auto

import pytest

from ion.contract import Pause, Stop, StopWhere
from ion.policy.control import Control
from kill.account import Account, Emulator
from kill.books import CANCELLED, RESEND_ONCE, SENT
from kill.child import Nursery
from kill.points import (
    BULK_POINTS,
    CANCEL_POINTS,
    DUE_POINTS,
    EARLY_POINTS,
    FEW,
    MOVE_POINTS,
    PAUSE_POINTS,
    REPEATS,
    STOP_POINTS,
    Place,
    Trap,
    places,
    some,
)
from kill.proxy import Call, Phase, Proxy
from kill.world import Maker, World, email

pytestmark = [pytest.mark.system]

WAIT_SECONDS = 2 * 3600
"""Two lives, an hour after each."""
PATIENCE_SECONDS = 30


class Setting:
    """A world whose mail server runs."""

    def __init__(self, maker: Maker, place: Place | None = None) -> None:
        self.trap = Trap(place, lambda: self.server.submissions)
        self._maker = maker
        self.server = maker.server(self.trap, set())

    async def __aenter__(self) -> World:
        await self.server.__aenter__()
        return self._maker.world(self.server, self.trap, set(), RESEND_ONCE)

    async def __aexit__(self, *end: object) -> None:
        await self.server.__aexit__(None, None, None)


def ahead(account: Account, seconds: float = WAIT_SECONDS) -> str:
    return datetime.fromtimestamp(account.clock.now() + seconds, UTC).isoformat()


def cancel(key: str) -> str:
    return json.dumps({"action": "cancel", "email_id": key})


def assert_once(world: World, due: dict[str, str]) -> None:
    """The point was reached, and everything has the fate that it should have."""
    assert world.trap.sprung == 1, "the point was not reached"
    assert world.faults(due) == []


# what waits


WAITING = {"scheduled": SENT, "deferred": SENT, "late": "EXPIRED", "bulk": SENT}


def publish_what_waits(account: Account) -> float:
    """Returns when what is scheduled may be sent."""
    at, too_late = ahead(account), ahead(account, WAIT_SECONDS + 60)
    account.publish(email("scheduled", not_before=at))
    account.publish(email("late", not_before=at, expires_at=too_late))
    account.publish(email("bulk", lane="bulk", not_before=at))
    account.publish(email("deferred"))
    return datetime.fromisoformat(at).timestamp()


def assert_never_early(world: World, due_at: float) -> None:
    scheduled = [at for key, at in world.arrived if key != "deferred"]
    assert min(scheduled) >= due_at


@pytest.mark.row(71)
@pytest.mark.row(74)
@places(MOVE_POINTS, *some(MOVE_POINTS))
def test_a_kill_as_mail_is_moved_out_of_the_way_leaves_one_fate(maker: Maker, place: Place) -> None:
    async def main() -> tuple[World, float]:
        async with Setting(maker, place) as world:
            due_at = publish_what_waits(world.account)
            await world.live_until_empty()
            return world, due_at

    world, due_at = asyncio.run(main())
    assert_once(world, WAITING)
    assert_never_early(world, due_at)


@pytest.mark.row(71)
@pytest.mark.row(74)
@pytest.mark.row(75)
@places(DUE_POINTS, *some(DUE_POINTS))
def test_a_kill_as_mail_falls_due_leaves_one_fate(maker: Maker, place: Place) -> None:
    async def main() -> tuple[World, float]:
        async with Setting(maker) as world:
            due_at = publish_what_waits(world.account)
            assert await world.live()
            assert await world.live()
            world.trap.place = place
            await world.live_until_empty()
            return world, due_at

    world, due_at = asyncio.run(main())
    assert_once(world, WAITING)
    assert_never_early(world, due_at)


@pytest.mark.row(71)
@pytest.mark.row(74)
@places(EARLY_POINTS, *some(EARLY_POINTS))
def test_a_kill_over_what_is_not_due_yet_hurries_nothing(maker: Maker, place: Place) -> None:
    async def main() -> tuple[World, float]:
        async with Setting(maker) as world:
            due_at = publish_what_waits(world.account)
            assert await world.live()
            world.trap.place = place
            assert not await world.live()
            await world.live_until_empty()
            return world, due_at

    world, due_at = asyncio.run(main())
    assert_once(world, WAITING)
    assert_never_early(world, due_at)


# lanes


@pytest.mark.row(73)
@places(BULK_POINTS, *some(BULK_POINTS))
def test_a_kill_as_bulk_changes_doors_leaves_one_fate(maker: Maker, place: Place) -> None:
    keys = [f"bulk-{number}" for number in range(4)]

    async def main() -> World:
        async with Setting(maker, place) as world:
            for key in keys:
                world.account.publish(email(key, lane="bulk"))
            world.account.publish(email("own-door"), by_bulk_door=True)
            await world.live_until_empty()
            return world

    assert_once(asyncio.run(main()), dict.fromkeys([*keys, "own-door"], SENT))


# pauses and stops


@pytest.mark.row(77)
@places(PAUSE_POINTS, *some(PAUSE_POINTS))
def test_a_kill_as_a_pause_releases_what_is_claimed_counts_nothing(
    maker: Maker, place: Place
) -> None:
    keys = [f"good-{number}" for number in range(8)]
    seen = threading.Event()

    def pause() -> None:
        """And wait until the function knows."""
        thread = threading.Thread(target=lambda: change(maker.account, paused))
        thread.start()
        thread.join()
        seen.clear()
        assert seen.wait(PATIENCE_SECONDS)

    async def main() -> World:
        trap = Trap(place, lambda: server.submissions)
        server = maker.server(trap, set(), at_first_dot=pause)
        async with server:
            world = maker.world(server, trap, set(), RESEND_ONCE)
            world.connections = 1

            def watch(call: Call, phase: Phase) -> bool:
                if call is Call.CONTROL and phase is Phase.AFTER:
                    seen.set()
                return trap.at_call(call, phase)

            world.proxy.watch = watch
            for key in keys:
                world.account.publish(email(key))
            assert not await world.live()
            assert len(world.arrived) < len(keys), "it wasn't in the middle of the batch"
            before = len(world.arrived)
            await asyncio.to_thread(change, maker.account, paused)  # an hour has passed
            assert await world.live()
            assert len(world.arrived) == before
            await asyncio.to_thread(change, maker.account, resumed)
            await world.live_until_empty()
            return world

    world = asyncio.run(main())
    assert_once(world, dict.fromkeys(keys, SENT))
    assert max(world.account.attempts().values()) == 1


def change(account: Account, how: Callable[[Control, float], Control]) -> None:
    """Of what operators have asked for."""
    now = account.clock.now()
    asyncio.run(account.control.change(lambda was: how(was, now)))


def paused(was: Control, now: float) -> Control:
    return was.with_pause(Pause(), now)


def stopped(was: Control, now: float) -> Control:
    until = datetime.fromtimestamp(now + 30 * 86_400, UTC).isoformat()
    where = StopWhere(tag={"campaign": "spring"})
    return was.with_stop(Stop(where=where, until=until), now, new_id="stop")


def resumed(_was: Control, _now: float) -> Control:
    return Control()


@pytest.mark.row(77)
@places(STOP_POINTS, *some(STOP_POINTS))
def test_a_kill_as_a_stop_dead_letters_leaves_one_fate_which_a_redrive_undoes(
    maker: Maker, place: Place
) -> None:
    tagged = [f"tagged-{number}" for number in range(5)]

    async def main() -> World:
        async with Setting(maker, place) as world:
            await asyncio.to_thread(change, maker.account, stopped)
            for key in tagged:
                world.account.publish(email(key, tags={"campaign": "spring"}))
            world.account.publish(email("other", tags={"campaign": "autumn"}))
            await world.live_until_empty()
            assert_once(world, dict.fromkeys(tagged, "STOPPED") | {"other": SENT})
            await asyncio.to_thread(change, maker.account, resumed)
            world.account.publish('{"action": "redrive"}')
            await world.live_until_empty()
            return world

    world = asyncio.run(main())
    assert world.account.dead() == ()
    assert_once(world, dict.fromkeys([*tagged, "other"], SENT))


# cancels


@pytest.mark.row(76)
@places(CANCEL_POINTS, *some(CANCEL_POINTS))
def test_a_kill_over_a_cancel_leaves_one_fate(maker: Maker, place: Place) -> None:
    """Of what was sent, of what waits for its time, or for another try, and of what isn't there."""

    async def main() -> World:
        async with Setting(maker) as world:
            account = world.account
            account.publish(email("sent"))
            account.publish(email("scheduled", not_before=ahead(account, 2 * WAIT_SECONDS)))
            assert await world.live()
            account.publish(email("deferred"))
            assert await world.live()
            world.trap.place = place
            for key in ("unseen", "deferred", "scheduled", "sent"):
                account.publish(cancel(key))
            assert not await world.live()
            assert await world.live()
            account.publish(email("unseen"))
            await world.live_until_empty()
            return world

    world = asyncio.run(main())
    late = SENT if "deferred" in dict(world.arrived) else CANCELLED
    due = {"sent": SENT, "scheduled": CANCELLED, "unseen": CANCELLED, "deferred": late}
    assert_once(world, due)


class Order(Enum):
    """Of a cancel and a claim, each in a process of its own."""

    CANCEL_FIRST = auto()
    CLAIM_FIRST = auto()
    CLAIM_FIRST_AND_DIES = auto()
    TOGETHER = auto()


class Race:
    """Holds a claim and a cancel so that they are written in an order.

    Args:
        order: that.
        nth: of the writes of either; the second comes when the row has been read.
        proxies: of the process that claims, and of the one that cancels.
    """

    def __init__(self, order: Order, nth: int, claimer: Proxy, canceller: Proxy) -> None:
        self._order = order
        self._nth = nth
        self.claiming, self.claimed = threading.Event(), threading.Event()
        self.cancelling, self.cancelled = threading.Event(), threading.Event()
        self.kill: Callable[[], None] = lambda: None
        self._claims = self._cancels = self._receives = 0
        self._start = threading.Barrier(2)
        claimer.watch, canceller.watch = self._claimer, self._canceller

    def _claimer(self, call: Call, phase: Phase) -> bool:
        if call is Call.RECEIVE and phase is Phase.BEFORE:
            self._receives += 1
            if self._receives > 1:  # the cancel is for the other
                _wait(self.cancelled)
        if call is not Call.CLAIM:
            return True
        self._claims += phase is Phase.BEFORE
        if self._claims != self._nth:
            return True
        if phase is Phase.BEFORE:
            self.claiming.set()
            _wait(self.cancelling)  # both have read the same row
            if self._order is Order.CANCEL_FIRST:
                _wait(self.cancelled)
            elif self._order is Order.TOGETHER:
                self._start.wait(PATIENCE_SECONDS)
            return True
        if self._order is Order.CLAIM_FIRST_AND_DIES:
            self.kill()
        self.claimed.set()
        return self._order is not Order.CLAIM_FIRST_AND_DIES

    def _canceller(self, call: Call, phase: Phase) -> bool:
        if call is not Call.CANCEL:
            return True
        self._cancels += phase is Phase.BEFORE
        if self._cancels != self._nth:
            return True
        if phase is Phase.BEFORE:
            self.cancelling.set()
            if self._order in (Order.CLAIM_FIRST, Order.CLAIM_FIRST_AND_DIES):
                _wait(self.claimed)
            elif self._order is Order.TOGETHER:
                self._start.wait(PATIENCE_SECONDS)
        else:
            self.cancelled.set()
        return True


def _wait(event: threading.Event) -> None:
    assert event.wait(PATIENCE_SECONDS), "the other never came so far"


@pytest.fixture
def second_proxy(clocked_aws: Emulator, maker: Maker) -> Iterator[Proxy]:
    with Proxy(clocked_aws.endpoint.removeprefix("http://")) as proxy:
        proxy.queues = maker.proxy.queues
        yield proxy


@pytest.fixture
def second_nursery(maker: Maker, clocked_aws: Emulator) -> Iterator[Nursery]:
    nursery = maker.nursery
    with Nursery(nursery.root, nursery.log, clocked_aws.clock) as second:
        yield second


@pytest.mark.row(76)
@pytest.mark.parametrize("key", ["fresh", "deferred"])
@pytest.mark.parametrize(
    "order",
    [
        one
        for one in Order
        for _ in REPEATS
        for _ in range(3 if one is Order.TOGETHER and not FEW else 1)
    ],
)
def test_of_a_cancel_and_a_claim_in_two_processes_one_wins(
    maker: Maker, second_proxy: Proxy, second_nursery: Nursery, order: Order, key: str
) -> None:
    async def main() -> World:
        async with Setting(maker) as world:
            world.account.publish(email(key))
            if key == "deferred":
                assert await world.live()
            race = Race(order, 2 if key == "deferred" else 1, world.proxy, second_proxy)
            claimer = world.nursery.child(world.environment)
            race.kill = claimer.kill
            other = world.environment | {"AWS_ENDPOINT_URL": second_proxy.endpoint}
            try:
                await asyncio.to_thread(_wait, race.claiming)
                world.account.publish(cancel(key))
                canceller = second_nursery.child(other)
                try:
                    status = await asyncio.to_thread(canceller.wait, PATIENCE_SECONDS)
                finally:
                    canceller.end()
                assert status == 0, second_nursery.log.read_text()
                await asyncio.to_thread(claimer.wait, PATIENCE_SECONDS)
            finally:
                claimer.end()
            await world.server.settled()
            world.proxy.wait_quiet()
            second_proxy.wait_quiet()
            world.close_life()
            world.proxy.watch = world.trap.at_call
            await world.live_until_empty()
            return world

    world = asyncio.run(main())
    won = world.account.having("cancelled") == {key}
    if order is not Order.TOGETHER:
        assert won == (order is Order.CANCEL_FIRST)
    assert world.faults({key: CANCELLED if won else SENT}) == []
