"""Runs of every kind that alarms, dashboard and queries ask about."""

import json
from datetime import UTC, datetime
from typing import Any

from alarms.world import World
from draining import control_row
from function import PASSWORD, email, guarded
from ion.address_hash import address_hash
from ion.aws.addresses import Addresses
from ion.contract import Pause
from ion.policy.suppression import ALL, Suppression, Why
from smtp_server import NORMAL, ScriptedServer, Step, reply


async def every_kind_of_run(world: World) -> None:
    """Sent, deferred, dead, redriven, suppressed, held, by a stopgap, misconfigured, paused."""
    await _that_send(world)
    await _to_the_suppressed(world)
    await _that_hold(world)
    await _by_a_backup(world)
    async with guarded() as server:
        await previous_login(world, server, 3)
    world.function.monkeypatch.delenv("ION_AWS_SECRET_ARN")
    await _misconfigured(world)
    await _paused(world)


async def _that_send(world: World) -> None:
    world.function.monkeypatch.setenv("ION_SMTP_MAX_RATE", "100")
    later = reply(450, "4.2.1 The mailbox is busy")
    taken = reply(250, "2.0.0 Ok: queued as 4SxY1z2w3vz9rxL")
    async with guarded({Step.RCPT: [NORMAL, later, NORMAL], Step.DOT: taken}) as server:
        world.function.knows(server)
        for body in (email(1), email(2), email(3, recipeint="x"), "not json"):
            world.publish(body)
        await world.pass_minutes(6)
        world.publish(json.dumps({"action": "redrive"}))
        await world.pass_minutes(6)


async def _to_the_suppressed(world: World) -> None:
    world.function.monkeypatch.setenv("ION_SUPPRESSION_LIST", "on")
    hashed = address_hash(await world.account.address_key().get(), "to7@example.org")
    entry = Suppression(ALL, Why.MANUAL, datetime.now(UTC))
    client: Any = world.account.dynamodb()
    await Addresses(client, world.account.table).change(hashed, lambda was: was.suppressed(entry))
    async with guarded() as server:
        world.function.knows(server)
        world.deploy()
        world.publish(email(7))
        await world.pass_minutes(5)


async def _that_hold(world: World) -> None:
    for script in (
        {Step.AUTH: reply(535, "5.7.8 no")},
        {Step.MAIL: reply(530, "5.7.0 Authentication required")},
    ):
        async with guarded(script) as server:
            world.function.knows(server)
            world.deploy()
            world.publish(email(4))
            await world.pass_minutes(20)


async def _by_a_backup(world: World) -> None:
    refusing = guarded({Step.AUTH: reply(535, "5.7.8 no")})
    async with refusing, guarded() as backup:
        world.function.knows(refusing, backup=backup)
        world.deploy()
        world.publish(email(5))
        await world.pass_minutes(5)


async def previous_login(world: World, server: ScriptedServer, emails: int) -> None:
    """A secret with the right login, then one with a wrong one, and so many emails."""
    make: Any = world.account.session.client
    ssm, environment = make("ssm"), world.function.monkeypatch
    for password in (PASSWORD, "misspelt"):
        text = world.function.secrets(server, password)
        ssm.put_parameter(Name="/ion", Value=text, Type="SecureString", Overwrite=True)
        arn = ssm.get_parameter(Name="/ion")["Parameter"]["ARN"]
        environment.setenv("ION_AWS_SECRET_ARN", arn)
        (world.function.root / "config-secrets.cfg").unlink(missing_ok=True)
        if password == PASSWORD:
            world.deploy()
            world.publish(email(6))
            await world.pass_minutes(5)
    for number in range(emails):
        world.publish(email(10 + number))
        await world.pass_minutes(5)


async def _misconfigured(world: World) -> None:
    world.function.monkeypatch.setenv("ION_SMTP_CONECTIONS", "2")
    world.deploy()
    await world.pass_minutes(5)
    world.function.monkeypatch.delenv("ION_SMTP_CONECTIONS")
    world.deploy()


async def _paused(world: World) -> None:
    async with guarded() as server:
        world.function.knows(server)
        world.publish(json.dumps({"action": "pause", "lane": "bulk"}))
        await world.pass_minutes(10)
        pause = Pause(until=datetime.fromtimestamp(world.clock() + 3600, UTC).isoformat())
        await control_row(world.account).change(lambda was: was.with_pause(pause, world.clock()))
        await world.pass_minutes(10)
