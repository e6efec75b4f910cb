"""Mail that can't go, goes by a stopgap, or is paused: operators hear in time, and only then."""

from datetime import UTC, datetime

import pytest

from alarms.cloudwatch import ALARM, OK
from alarms.every_kind import previous_login
from alarms.world import SEEN_TOO_OFTEN, World
from at_length import few, only_at_length
from draining import control_row
from function import email, guarded
from ion.contract import Lane, Pause
from smtp_server import NORMAL, Step, reply

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HOUR = 60
WRONG = "misspelt-password"


def first_rung(world: World, key: str) -> int:
    """Minute in which it rang first."""
    return next(minute for minute, told, state in world.watch.told if (told, state) == (key, ALARM))


@pytest.mark.row(42)
@pytest.mark.parametrize("late_minutes", [0, 2])
@pytest.mark.parametrize("more_windows", few([0, 2, 6], ["0", "6"]))
async def test_five_emails_and_a_refused_login_ring_within_15_minutes(
    world: World, late_minutes: int, more_windows: int
) -> None:
    world.watch.late_minutes, world.watch.more_windows = late_minutes, more_windows
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(10)
        world.watch.told.clear()  # until its first run is known, nothing has run
        world.function.knows(server, WRONG)
        world.deploy()
        began = world.minute
        for number in range(5):
            world.publish(email(number))
        await world.pass_minutes(60)
        assert world.told() == [("held", ALARM)]
        assert first_rung(world, "held") <= began + 15
        world.function.knows(server)
        world.deploy()
        await world.pass_minutes(60)
    assert len(server.accepted) == 5
    assert world.told() == [("held", ALARM), ("held", OK)]


async def test_a_server_that_is_down_rings_with_nothing_in_the_queue(world: World) -> None:
    """Told at the deployment, and not to the next publisher."""
    async with guarded() as server:
        world.function.knows(server)
    await world.pass_minutes(15)
    assert world.told() == [("held", ALARM)]


@pytest.mark.parametrize(
    "refusal", [reply(535, "5.7.8 no"), reply(454, "4.7.0 later")], ids=["login", "later"]
)
async def test_a_server_that_refuses_for_one_run_only_rings_nothing(
    world: World, refusal: object
) -> None:
    async with guarded({Step.AUTH: [refusal, NORMAL]}) as server:
        world.function.knows(server)
        world.publish(email())
        await world.pass_minutes(60)
    assert len(server.accepted) == 1
    assert world.told() == []


async def test_an_outage_of_some_minutes_rings_nothing_however_often_ion_is_woken(
    world: World,
) -> None:
    """Windows slide: two runs a minute apart are in two windows, and that isn't ten minutes."""
    async with guarded({Step.CONNECT: [reply(421, "4.3.2 restarting")] * 4 + [NORMAL]}) as server:
        world.function.knows(server)
        world.publish(email())
        for _ in range(60):
            if world.account.waiting() and world.minute % 5:
                await world.run()  # the alarm that wakes
            await world.pass_minutes(1)
    assert len(server.accepted) == 1
    assert world.told() == []


async def test_mail_that_waits_for_hours_rings_although_runs_look_at_it(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server, WRONG)
        world.publish(email())
        await world.pass_minutes(6 * HOUR - 5)
        assert world.watch.rung() == {"held"}
        await world.pass_minutes(10)
    assert world.watch.rung() == {"held", "old-mail"}
    (held,) = world.account.waiting()
    assert held.receives < SEEN_TOO_OFTEN


async def test_a_misspelt_setting_rings(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(10)
        world.function.monkeypatch.setenv("ION_SMTP_CONECTIONS", "2")
        world.deploy()
        await world.pass_minutes(15)
        assert world.told() == [("misconfigured", ALARM)]
        world.function.monkeypatch.delenv("ION_SMTP_CONECTIONS")
        world.deploy()
        await world.pass_minutes(30)
    assert world.told() == [("misconfigured", ALARM), ("misconfigured", OK)]


async def test_mail_by_a_backup_server_rings_and_is_not_held(world: World) -> None:
    refusing = guarded({Step.AUTH: reply(535, "5.7.8 no")})
    async with refusing, guarded() as backup:
        world.function.knows(refusing, backup=backup)
        for number in range(6):
            world.publish(email(number))
            await world.pass_minutes(5)
    assert len(backup.accepted) == 6
    assert world.told() == [("on-backup", ALARM)]
    assert first_rung(world, "on-backup") <= 15


async def test_runs_as_long_as_lambda_lets_them_ring_when_all_go_over_a_backup(
    world: World,
) -> None:
    """A large mailing: one run after the other, and each says so only at its end."""
    refusing = guarded({Step.AUTH: reply(535, "5.7.8 no")})
    async with refusing, guarded() as backup:
        world.function.knows(refusing, backup=backup)
        world.scheduled = False
        for number in range(5):
            world.publish(email(number))
            await world.run()
            await world.pass_minutes(15)
    assert world.told() == [("on-backup", ALARM)]


async def test_a_minute_over_a_backup_server_rings_nothing(world: World) -> None:
    restarting = [reply(421, "4.3.2 restarting")] * 4
    async with guarded({Step.CONNECT: [*restarting, NORMAL]}) as first, guarded() as backup:
        world.function.knows(first, backup=backup)
        for number in range(40):
            world.publish(email(number))
            await world.run()
            await world.pass_minutes(1)
    assert len(backup.accepted) > 1
    assert world.told() == []


@only_at_length
async def test_a_server_that_puts_off_all_mail_rings_after_hours(world: World) -> None:
    async with guarded({Step.MAIL: reply(452, "4.3.1 Insufficient system storage")}) as server:
        world.function.knows(server)
        for number in range(3):
            world.publish(email(number))
        await world.pass_minutes(4 * HOUR)
        assert world.told() == []
        await world.pass_minutes(2 * HOUR)
        assert world.told() == [("deferred", ALARM)]
    async with guarded() as mended:
        world.function.knows(mended)
        world.deploy()
        await world.pass_minutes(2 * HOUR)
    assert len(mended.accepted) == 3
    assert world.told() == [("deferred", ALARM), ("deferred", OK)]


@only_at_length
async def test_one_mailbox_that_is_put_off_for_hours_rings_nothing(world: World) -> None:
    busy = {"to0@example.org": reply(450, "4.2.1 The mailbox is busy")}
    async with guarded(recipients=busy) as server:
        world.function.knows(server)
        world.publish(email(0))
        for number in range(1, 8):
            world.publish(email(number))
            await world.pass_minutes(HOUR)
    assert len(server.accepted) == 7
    assert world.told() == []


async def test_a_login_that_only_the_secret_before_has_rings(world: World) -> None:
    async with guarded() as server:
        await previous_login(world, server, 6)
    assert len(server.accepted) == 7
    assert world.told() == [("on-previous-login", ALARM)]


@only_at_length
@pytest.mark.parametrize("lane", [None, Lane.BULK])
async def test_a_pause_that_was_forgotten_rings_after_a_day(
    world: World, lane: Lane | None
) -> None:
    async with guarded() as server:
        world.function.knows(server)
        until = datetime.fromtimestamp(world.clock() + 3 * 86_400, UTC)
        pause = Pause(lane=lane, until=until.isoformat())
        await control_row(world.account).change(lambda was: was.with_pause(pause, world.clock()))
        await world.pass_minutes(23 * HOUR)
        assert world.told() == []
        await world.pass_minutes(HOUR + 5)
    assert world.told() == [("paused", ALARM)]
