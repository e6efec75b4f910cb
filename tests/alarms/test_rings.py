"""Each alarm rings when it should, by the metrics of real runs, and no other one does."""

import pytest

from alarms.cloudwatch import ALARM, OK, series
from alarms.world import World
from function import email, guarded

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

FAULTY = "not json"


async def test_mail_that_goes_rings_nothing(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        for number in range(12):
            world.publish(email(number))
            await world.pass_minutes(10)
    assert len(server.accepted) == 12
    assert world.told() == []


async def test_a_second_dead_letter_rings_while_the_first_still_lies_there(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        for _ in range(2):
            world.publish(FAULTY)
            await world.pass_minutes(30)
    assert len(world.account.dead()) == 2
    assert world.told() == [("dead-letters", ALARM), ("dead-letters", OK)] * 2


async def test_dead_letters_that_sqs_is_about_to_delete_ring(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        world.publish(FAULTY)
        await world.pass_minutes(30)
        world.watch.told.clear()
        world.skip(10 * 24 * 60 - 60)
        await world.pass_minutes(25)
        assert "dead-letters-old" not in world.watch.rung()
        await world.pass_minutes(25)
    assert world.watch.states["dead-letters-old"] == ALARM


async def test_a_function_that_is_not_started_rings(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(11)
        world.scheduled = False
        await world.pass_minutes(29)
        assert world.told() == []
        await world.pass_minutes(6)
        assert world.told() == [("no-run", ALARM)]
        world.scheduled = True
        await world.pass_minutes(10)
    assert world.told() == [("no-run", ALARM), ("no-run", OK)]


async def test_from_the_first_apply_to_the_first_run_it_rings_too(world: World) -> None:
    """Silence is all that there is to go by; the first sweep ends it."""
    async with guarded() as server:
        world.function.knows(server)
        world.scheduled = False
        await world.pass_minutes(4)
        world.scheduled = True
        await world.pass_minutes(4)
    assert world.told() == [("no-run", ALARM), ("no-run", OK)]


async def test_a_run_that_is_killed_by_its_timeout_rings(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(20)
        world.ran(900, errors=1)
        await world.pass_minutes(5)
    assert world.watch.rung() == {"function-errors", "function-timeout"}


async def test_a_run_that_ends_by_itself_as_late_as_it_may_rings_nothing(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(20)
        world.ran(890)
        await world.pass_minutes(20)
    assert world.told() == []


async def test_a_run_that_fails_rings(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(20)
        world.ran(0.1, errors=1)
        await world.pass_minutes(5)
    assert world.told() == [("function-errors", ALARM)]


@pytest.mark.row(10)
@pytest.mark.parametrize("topic", ["input", "bulk"])
@pytest.mark.parametrize(
    ("metric", "end"),
    [
        ("NumberOfNotificationsRedrivenToDlq", "redriven"),
        ("NumberOfNotificationsFailedToRedriveToDlq", "failed"),
    ],
)
async def test_what_sns_could_not_deliver_rings(
    world: World, topic: str, metric: str, end: str
) -> None:
    """No emulator acts on a subscription's redrive policy: the count is put as SNS would."""
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(10)
        world.measured(series("AWS/SNS", metric, TopicName=f"ion-{topic}-topic"), 1)
        await world.pass_minutes(5)
    assert world.told() == [(f"undelivered-{topic}-{end}", ALARM)]
