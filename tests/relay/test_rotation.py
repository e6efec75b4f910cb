"""The secret changes while mail is sent: which login is tried when, and how often."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import Account
from function import PASSWORD, USER, Function, email, invoke
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    reply,
)

OLD, NEW = "old-password", "new-password"


class World:
    """A server that knows a password, and a secret that may have another."""

    def __init__(self, account: Account, function: Function, service: str) -> None:
        self.account = account
        self.function = function
        self.clock = Clock(time.time())
        self.passwords = {USER: OLD}
        """What the server takes."""
        self.server = ScriptedServer(
            self.script, tls=Tls.STARTTLS, offer=Offer(users=self.passwords)
        )
        self.happens: Callable[[Moment], Action] = lambda _moment: NORMAL
        function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "1")
        make: Any = account.session.client
        self._client = make(service)
        self._ssm = service == "ssm"
        self._arn = ""
        self._published = 0

    def script(self, moment: Moment) -> Action:
        return self.happens(moment)

    def secret(self, password: str) -> None:
        """The secret has this one from now on."""
        text = self.function.secrets(self.server, password)
        client = self._client
        if self._ssm:
            client.put_parameter(Name="/ion", Value=text, Type="SecureString", Overwrite=True)
            self._arn = client.get_parameter(Name="/ion")["Parameter"]["ARN"]
        elif self._arn:
            client.put_secret_value(SecretId=self._arn, SecretString=text)
        else:
            self._arn = client.create_secret(Name="ion", SecretString=text)["ARN"]
        self.function.monkeypatch.setenv("ION_AWS_SECRET_ARN", self._arn)

    def publish(self, count: int = 1) -> None:
        for _ in range(count):
            self.account.publish(email(self._published))
            self._published += 1

    @property
    def arrived(self) -> Counter[str]:
        return Counter(to for one in self.server.accepted for to in one.recipients)

    @property
    def refused_logins(self) -> int:
        accepted = sum(session.username is not None for session in self.server.sessions)
        return self.server.auth_commands - accepted

    @property
    def is_all_there_once(self) -> bool:
        due = {f"to{number}@example.org": 1 for number in range(self._published)}
        return self.arrived == due and not self.account.waiting() and not self.account.dead()

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            async with self.server:
                await story()

        asyncio.run(main())


@pytest.fixture(params=["ssm", "secretsmanager"])
def world(account: Account, function: Function, request: pytest.FixtureRequest) -> World:
    return World(account, function, request.param)


@pytest.mark.row(92)
def test_a_secret_that_was_changed_while_the_old_login_works_is_used_within_five_minutes(
    world: World,
) -> None:
    async def story() -> None:
        world.secret(OLD)
        relay = world.function.relay(world.clock)
        world.publish()
        assert (await invoke(relay)).sent == 1
        world.secret(NEW)
        world.clock.passes(299)
        world.publish()
        assert (await invoke(relay)).sent == 1, "with the old one"
        world.passwords[USER] = NEW
        world.clock.passes(1)
        world.publish()
        assert (await invoke(relay)).sent == 1

    world.run(story)
    assert world.server.auth_commands == 3, "none was refused"
    assert world.is_all_there_once


def after_two(happens: Callable[[], None]) -> Callable[[Moment], Action]:
    """With the second email something happens, and the connection ends behind its reply."""

    def script(moment: Moment) -> Action:
        if moment.step is not Step.DOT or moment.nth != 2:
            return NORMAL
        happens()
        return drop(after=NORMAL)

    return script


@pytest.mark.row(92)
def test_a_long_run_uses_it_within_five_minutes_too(world: World) -> None:
    def rotated() -> None:
        world.secret(NEW)
        world.passwords[USER] = NEW
        world.clock.passes(300)

    async def story() -> None:
        world.secret(OLD)
        world.happens = after_two(rotated)
        world.publish(4)
        summary = await invoke(world.function.relay(world.clock))
        assert (summary.sent, summary.stopped) == (4, "empty")

    world.run(story)
    # behind the break two emails open a connection each, where one would do
    assert (world.server.auth_commands, world.refused_logins) == (3, 0)
    assert world.is_all_there_once


@pytest.mark.row(91)
def test_a_secret_that_is_rotated_in_mid_run_costs_one_login_and_no_message(
    world: World, log: Log
) -> None:
    def rotated() -> None:
        world.secret(NEW)
        world.passwords[USER] = NEW

    async def story() -> None:
        world.secret(OLD)
        world.happens = after_two(rotated)
        world.publish(6)
        summary = await invoke(world.function.relay(world.clock))
        assert (summary.received, summary.sent, summary.stopped) == (6, 6, "empty")

    world.run(story)
    assert (world.server.auth_commands, world.refused_logins) == (4, 1), "the one rotated away"
    assert world.is_all_there_once
    assert "login refused, another one is tried" in [event["message"] for event in log.events]
    assert "password" not in log.text


@pytest.mark.row(91)
def test_where_the_new_password_is_refused_the_old_one_is_used(world: World, log: Log) -> None:
    """The secret was changed before the server was: each run goes on as before."""

    async def story() -> None:
        world.secret(OLD)
        world.secret(NEW)
        for auths in (2, 1):  # the new one is left alone, as a login is that was refused
            world.server.sessions.clear()
            world.publish(3)
            summary = await invoke(world.function.relay(world.clock))
            assert (summary.received, summary.sent, summary.stopped) == (3, 3, "empty")
            assert world.server.auth_commands == auths

    world.run(story)
    assert world.is_all_there_once
    assert [
        event["reason"] for event in log.events if event["message"] == "delivery still suspended"
    ] == ["auth"]


@pytest.mark.row(91)
def test_once_the_server_knows_the_new_password_it_is_used_again(world: World) -> None:
    async def story() -> None:
        world.secret(OLD)
        world.secret(NEW)
        world.publish()
        assert (await invoke(world.function.relay(world.clock))).sent == 1
        world.passwords[USER] = NEW
        world.publish()
        assert (await invoke(world.function.relay(world.clock))).sent == 1
        world.publish()
        assert (await invoke(world.function.relay(world.clock))).sent == 1

    world.run(story)
    assert world.server.auth_commands == 5, "the old one was refused once, when it was news"
    assert world.is_all_there_once


@pytest.mark.row(42)
@pytest.mark.row(91)
def test_where_both_are_refused_two_logins_are_tried_and_then_none(world: World, log: Log) -> None:
    world.passwords[USER] = PASSWORD

    async def story() -> None:
        world.secret(OLD)
        world.secret(NEW)
        world.publish(30)
        for auths in (2, 0):
            world.server.sessions.clear()
            summary = await invoke(world.function.relay(world.clock))
            assert (summary.received, summary.stopped) == (0, "auth")
            assert world.server.auth_commands == auths
        world.secret(PASSWORD)
        assert (await invoke(world.function.relay(world.clock))).sent == 30

    world.run(story)
    assert world.is_all_there_once
    assert [event["message"] for event in log.events].count("delivery suspended") == 1


@pytest.mark.row(42)
@pytest.mark.row(91)
def test_a_rotation_into_a_wrong_password_is_no_more_than_two_refused_logins(world: World) -> None:
    """The first connection is in by then, and seven more are to be opened."""

    def rotated(moment: Moment) -> Action:
        if moment.step is Step.MAIL and moment.nth == 1:
            world.secret(NEW)
            world.passwords[USER] = PASSWORD
        return NORMAL

    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "8")
        world.secret(OLD)
        world.happens = rotated
        world.publish(40)
        summary = await invoke(world.function.relay(world.clock))
        assert (summary.sent, summary.stopped) == (40, "empty"), "over the one that is in"

    world.run(story)
    logins = [session for session in world.server.sessions if session.auth_commands]
    assert [session.username for session in logins if session.username] == [USER]
    assert len(logins) <= 3
    assert world.is_all_there_once


@pytest.mark.row(91)
def test_connections_that_are_refused_together_all_go_on_with_the_new_login(
    world: World, log: Log
) -> None:
    """While one of them asks for it, the others wait; the pool would make do without them."""

    def rotated(moment: Moment) -> Action:
        if moment.step is Step.MAIL and moment.nth == 1:
            world.secret(NEW)
            world.passwords[USER] = NEW
        return NORMAL

    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "8")
        world.secret(OLD)
        world.happens = rotated
        world.publish(40)
        summary = await invoke(world.function.relay(world.clock))
        assert (summary.sent, summary.stopped) == (40, "empty")

    world.run(story)
    assert world.is_all_there_once
    (ended,) = [event for event in log.events if event["message"] == "run ended"]
    assert ended["connections"] == 8


@pytest.mark.row(91)
def test_a_login_that_worked_again_begins_anew_with_the_patience_for_it(
    world: World, log: Log
) -> None:
    """What it was refused for before is over, and says nothing about the next time."""

    async def story() -> None:
        world.secret(OLD)
        world.secret(NEW)
        for knows in (OLD, NEW, PASSWORD, PASSWORD):
            world.passwords[USER] = knows
            world.publish()
            await invoke(world.function.relay(world.clock))

    world.run(story)
    still = [event for event in log.events if event["message"] == "delivery still suspended"]
    latest = datetime.fromisoformat(still[-1]["next_try"])
    assert latest.timestamp() <= time.time() + 300, "as after a first refusal"


@pytest.mark.row(63)
def test_a_quota_that_is_used_up_is_not_got_round_with_the_login_before(world: World) -> None:
    async def story() -> None:
        world.secret(OLD)
        world.secret(NEW)
        world.passwords[USER] = NEW
        world.happens = lambda moment: (
            reply(454, "4.7.0 Daily message quota exceeded") if moment.step is Step.DOT else NORMAL
        )
        world.publish()
        for auths in (1, 0):
            world.server.sessions.clear()
            summary = await invoke(world.function.relay(world.clock))
            assert (summary.sent, summary.stopped) == (0, "quota")
            assert world.server.auth_commands == auths
        assert [held.visible for held in world.account.waiting()] == [True]

    world.run(story)
