"""A login by access token over whole runs: who asks for tokens, how often, and what a no costs."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import Account
from function import USER, Function, email, guarded, invoke
from ion.relay.relay import Relay
from ion.smtp.tokens import Tokens
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, Tls, drop, reply
from token_endpoint import Answer, TokenEndpoint, answer, issue, refuse, silent, trusting

LADDER_SECONDS = (300, 600, 1200, 2400, 3600)


class World:
    """A server that takes tokens, an endpoint that issues them, and a function that has neither."""

    def __init__(self, account: Account, function: Function) -> None:
        self.account = account
        self.function = function
        self.clock = Clock(time.time())
        self.takes = {USER: "token-1"}
        self.happens: Callable[[Moment], Action] = lambda _moment: NORMAL
        self.server = ScriptedServer(
            self.script,
            tls=Tls.STARTTLS,
            offer=Offer(users=self.takes, mechanisms=("LOGIN", "XOAUTH2")),
        )
        self.backup = guarded()
        self.endpoint = TokenEndpoint(issue("token-1"))
        self._published = 0

    def script(self, moment: Moment) -> Action:
        return self.happens(moment)

    def section(self, client_secret: str = "canary-secret", **changes: str) -> str:
        """Of the secret, for the server."""
        ca_file = f"ca-{self.server.port}.pem"
        shutil.copy(self.server.ca_pem_path, self.function.root / ca_file)
        keys = {
            "server": self.server.host,
            "port": str(self.server.port),
            "ca_file": ca_file,
            "auth": "xoauth2",
            "username": USER,
            "oauth_token_url": self.endpoint.url,
            "oauth_client_id": "canary-id",
            "oauth_client_secret": client_secret,
            "oauth_scope": "a",
        } | changes
        return "[smtp]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())

    def secret(self, text: str | None = None) -> None:
        """AWS has it from now on."""
        ssm: Any = self.account.session.client("ssm")
        value = self.section() if text is None else text
        ssm.put_parameter(Name="/ion", Value=value, Type="SecureString", Overwrite=True)
        arn = ssm.get_parameter(Name="/ion")["Parameter"]["ARN"]
        self.function.monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)

    def relay(self) -> Relay:
        """A new execution environment, which trusts the endpoint's CA."""
        relay = self.function.relay(self.clock)
        relay.tokens = Tokens(trusting, self.clock)
        return relay

    def publish(self, count: int = 1) -> None:
        for _ in range(count):
            self.account.publish(email(self._published))
            self._published += 1

    @property
    def asked(self) -> int:
        """Requests for tokens since this was read last."""
        count = len(self.endpoint.requests)
        self.endpoint.requests.clear()
        return count

    @property
    def logins(self) -> int:
        """AUTH commands since this was read last."""
        count = self.server.auth_commands
        self.server.sessions.clear()
        return count

    @property
    def is_all_untouched(self) -> bool:
        """All that was published waits, and the ledger has counted no attempt at any of it."""
        waiting = self.account.waiting()
        counted = [row for row in self.account.rows() if not str(row["email_id"]).startswith(" ")]
        untouched = all(one.visible for one in waiting) and not counted
        return untouched and len(waiting) == self._published and not self.account.dead()

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            async with self.server, self.backup, self.endpoint:
                await story()

        asyncio.run(main())


@pytest.fixture
def world(account: Account, function: Function) -> World:
    return World(account, function)


def messages(log: Log) -> list[str]:
    return [event["message"] for event in log.events]


def test_one_token_does_for_all_connections_and_for_the_runs_behind(world: World) -> None:
    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "8")
        world.secret()
        relay = world.relay()
        for _ in range(2):
            world.publish(40)
            summary = await invoke(relay)
            assert (summary.sent, summary.stopped) == (40, "empty")
        assert world.logins > 2
        assert world.asked == 1

    world.run(story)


def test_one_that_nears_its_end_is_replaced_once_by_all_that_need_another(world: World) -> None:
    """In mid-run: every connection breaks, and all are opened anew."""

    def breaks(moment: Moment) -> Action:
        if moment.step is not Step.DOT or moment.nth_in_session != 1 or moment.session > 4:
            return NORMAL
        world.clock.seconds = began + 3300
        return drop(after=NORMAL)

    async def story() -> None:
        world.secret()
        world.happens = breaks
        world.endpoint.answers(issue("token-1"), issue("token-1"), refuse("invalid_client"))
        world.publish(40)
        summary = await invoke(world.relay())
        assert (summary.sent, summary.stopped) == (40, "empty")
        assert world.asked == 2

    began = world.clock.seconds
    world.run(story)


def test_in_a_run_tokens_are_renewed_as_often_as_they_near_their_end(world: World) -> None:
    """A refused one is replaced once in a run; one that was good for its time, without limit."""

    def breaks(moment: Moment) -> Action:
        if moment.step is not Step.DOT:
            return NORMAL
        if moment.nth in (10, 20, 30, 40):  # more than open connections can still take in between
            world.clock.passes(3300)
        return drop(after=NORMAL) if moment.nth_in_session == 2 else NORMAL

    async def story() -> None:
        world.secret()
        world.happens = breaks
        world.publish(60)
        summary = await invoke(world.relay())
        assert (summary.sent, summary.stopped) == (60, "empty")
        assert world.asked == 5

    world.run(story)


# -- row 87 --------------------------------------------------------------------------------------


@pytest.mark.row(87)
@pytest.mark.parametrize(
    "said",
    [answer(503, b"canary"), answer(200, b"canary"), b"", refuse("temporarily_unavailable")],
    ids=["5xx", "garbage", "closed", "later"],
)
def test_without_an_endpoint_no_login_is_tried_and_mail_waits(
    world: World, log: Log, said: Answer
) -> None:
    async def story() -> None:
        world.secret()
        world.publish(20)
        relay = world.relay()
        world.endpoint.answers(said, said, issue("token-1"))
        for _ in range(2):
            summary = await invoke(relay)
            assert (summary.received, summary.stopped) == (0, "auth_later")
            assert summary.error.startswith("AUTH_LATER at auth: ")
            assert world.is_all_untouched
            assert (world.asked, world.server.sessions) == (1, [])
        assert (await invoke(relay)).sent == 20, "with the next wake-up, since nothing forbids it"

    world.run(story)
    held = [event for event in log.events if event["message"] == "delivery suspended"]
    assert [event["reason"] for event in held] == ["AUTH_LATER"] * 2
    assert "canary" not in log.text


@pytest.mark.row(87)
def test_an_endpoint_that_says_nothing_costs_no_more_than_the_time_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ion.smtp.oauth.REQUEST_SECONDS", 0.3)

    async def story() -> None:
        world.secret()
        world.publish()
        world.endpoint.answers(silent)
        summary = await invoke(world.relay())
        assert summary.error == "AUTH_LATER at auth: token endpoint: timed out"
        assert world.is_all_untouched

    world.run(story)


@pytest.mark.row(87)
@pytest.mark.row(89)
@pytest.mark.parametrize("said", [answer(503, b""), refuse("invalid_client", 401)])
def test_without_a_token_the_next_server_is_used(world: World, said: Answer) -> None:
    async def story() -> None:
        world.secret(world.section() + world.function.secrets(world.backup, section="smtp:backup"))
        world.publish(3)
        world.endpoint.answers(said)
        summary = await invoke(world.relay())
        assert (summary.sent, summary.stopped) == (3, "empty")
        assert (len(world.backup.accepted), world.server.sessions) == (3, [])

    world.run(story)


# -- row 88 --------------------------------------------------------------------------------------


@pytest.mark.row(88)
def test_a_token_that_is_refused_is_replaced_by_another_one(world: World, log: Log) -> None:
    """It was revoked: what was kept of it is of no use any more."""

    async def story() -> None:
        world.secret()
        relay = world.relay()
        world.endpoint.answers(issue("token-1"), issue("token-2"))
        world.publish()
        assert (await invoke(relay)).sent == 1
        assert (world.asked, world.logins) == (1, 1)
        world.takes[USER] = "token-2"
        world.publish(30)
        summary = await invoke(relay)
        assert (summary.received, summary.sent, summary.stopped) == (30, 30, "empty")
        assert world.asked == 1
        refused = [one for one in world.server.sessions if one.username is None]
        assert [one.auth_commands for one in refused] == [1]

    world.run(story)
    assert "token refused, another one is tried" in messages(log)
    assert "delivery suspended" not in messages(log)


@pytest.mark.row(88)
def test_where_the_new_one_is_refused_too_the_login_is_left_alone_as_a_refused_password(
    world: World, log: Log
) -> None:
    async def story() -> None:
        world.secret()
        relay = world.relay()
        world.endpoint.answers(*(issue(f"other-{n}") for n in range(20)))
        world.publish(20)
        for seconds in (*LADDER_SECONDS, 3600):
            summary = await invoke(relay)
            assert (summary.received, summary.stopped) == (0, "auth")
            assert (world.logins, world.asked) == (2, 2)
            assert world.is_all_untouched
            for _ in range(2):  # wake-ups meanwhile
                assert (await invoke(relay)).stopped == "auth"
                assert (world.logins, world.asked) == (0, 0)
            passes(world, seconds)
        world.endpoint.answers(issue("token-1"))
        assert (await invoke(relay)).sent == 20

    world.run(story)
    assert messages(log).count("delivery suspended") == len(LADDER_SECONDS) + 1


def passes(world: World, seconds: float) -> None:
    """The hold's row is that much older; nothing else has a say in how long it lasts."""
    client: Any = world.account.dynamodb()
    key = {"email_id": {"S": " hold smtp"}}
    row = client.get_item(TableName=world.account.table, Key=key)["Item"]
    until = int(row["until"]["N"])
    assert abs(until - time.time() - seconds) < 60, "as long as the ladder has it"
    client.put_item(
        TableName=world.account.table, Item=row | {"until": {"N": str(int(until - seconds - 60))}}
    )


@pytest.mark.row(88)
def test_a_token_revoked_in_mid_run_costs_no_message_anything(world: World) -> None:
    def revoked(moment: Moment) -> Action:
        if moment.step is not Step.DOT or moment.nth != 2:
            return NORMAL
        world.takes[USER] = "token-2"
        return drop(after=NORMAL)

    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "1")
        world.secret()
        world.endpoint.answers(issue("token-1"), issue("token-2"))
        world.happens = revoked
        world.publish(6)
        summary = await invoke(world.relay())
        assert (summary.received, summary.sent, summary.stopped) == (6, 6, "empty")
        assert world.asked == 2

    world.run(story)


# -- row 89 --------------------------------------------------------------------------------------


@pytest.mark.row(89)
@pytest.mark.parametrize("error", ["invalid_client", "invalid_grant"])
def test_refused_credentials_are_shown_once_a_backoff(world: World, log: Log, error: str) -> None:
    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "8")
        world.secret()
        world.endpoint.answers(refuse(error))
        world.publish(20)
        for seconds in LADDER_SECONDS:
            for asked in (1, 0, 0):  # each in a new environment: nothing is kept but the row
                summary = await invoke(world.relay())
                assert (summary.received, summary.stopped) == (0, "auth")
                assert summary.error == f"AUTH at auth: token refused: {error}"
                assert (world.asked, world.server.sessions) == (asked, [])
            passes(world, seconds)
        assert world.is_all_untouched

    world.run(story)
    assert messages(log).count("delivery suspended") == len(LADDER_SECONDS)
    assert "canary" not in log.text


@pytest.mark.row(89)
def test_credentials_refused_in_mid_run_are_shown_once_however_many_connections_open(
    world: World,
) -> None:
    def breaks(moment: Moment) -> Action:
        if moment.step is not Step.DOT or moment.nth_in_session != 1:
            return NORMAL
        world.clock.seconds = began + 3300  # the token has to be replaced
        return drop(after=NORMAL)

    async def story() -> None:
        world.function.monkeypatch.setenv("ION_SMTP_CONNECTIONS", "8")
        world.secret()
        world.endpoint.answers(issue("token-1"), refuse("invalid_client"))
        world.happens = breaks
        world.publish(40)
        summary = await invoke(world.relay())
        assert summary.stopped == "auth"
        assert summary.deferred == 0
        assert world.asked == 2
        assert world.account.dead() == []

    began = world.clock.seconds
    world.run(story)


@pytest.mark.row(89)
@pytest.mark.parametrize("mended", ["in the secret", "at the endpoint"])
def test_other_credentials_are_shown_at_once(world: World, mended: str) -> None:
    async def story() -> None:
        world.secret()
        relay = world.relay()
        world.endpoint.answers(refuse("invalid_client"))
        world.publish()
        assert (await invoke(relay)).stopped == "auth"
        world.endpoint.answers(issue("token-1"))
        if mended == "in the secret":
            world.secret(world.section("another-canary"))
        else:
            passes(world, 300)
        assert (await invoke(relay)).sent == 1

    world.run(story)


# -- rows 90-92 ----------------------------------------------------------------------------------


@pytest.mark.row(90)
@pytest.mark.parametrize("text", ["5.7.30 Basic authentication is not supported", "5.7.3 no"])
def test_where_passwords_are_switched_off_a_secret_with_oauth_is_used_at_once(
    world: World, text: str
) -> None:
    """The change that Exchange Online asks for."""

    async def story() -> None:
        world.secret(world.function.secrets(world.server, "token-1"))
        relay = world.relay()
        world.happens = lambda moment: (
            reply(550, text)
            if moment.step is Step.AUTH and moment.argument.startswith("LOGIN")
            else NORMAL
        )
        world.publish(5)
        assert (await invoke(relay)).stopped == "auth"
        assert world.is_all_untouched
        world.secret()
        summary = await invoke(relay)
        assert (summary.received, summary.sent, summary.stopped) == (5, 5, "empty")

    world.run(story)


@pytest.mark.row(91)
def test_where_the_new_credentials_are_refused_those_before_go_on_to_be_used(
    world: World, log: Log
) -> None:
    async def story() -> None:
        world.secret()
        world.secret(world.section("new-canary"))
        world.endpoint.answers(refuse("invalid_client"), issue("token-1"))
        relay = world.relay()
        for asked in (2, 0):  # the new ones are left alone, and the token for the others is kept
            world.publish(3)
            summary = await invoke(relay)
            assert (summary.received, summary.sent, summary.stopped) == (3, 3, "empty")
            assert world.asked == asked

    world.run(story)
    assert "login refused, another one is tried" in messages(log)
    assert "canary" not in log.text


@pytest.mark.row(91)
def test_where_both_are_refused_no_more_than_three_logins_are(world: World) -> None:
    """A token, a new one, and one for the credentials before; then none at all."""

    async def story() -> None:
        world.secret()
        world.secret(world.section("new-canary"))
        world.endpoint.answers(*(issue(f"other-{n}") for n in range(9)))
        world.publish(20)
        for logins in (3, 0):
            assert (await invoke(world.relay())).stopped == "auth"
            assert (world.logins, world.asked) == (logins, logins)
        assert world.is_all_untouched

    world.run(story)


@pytest.mark.row(92)
def test_other_credentials_are_used_within_five_minutes(world: World) -> None:
    async def story() -> None:
        world.secret()
        relay = world.relay()
        shown = []
        for seconds in (0, 299, 1):
            world.clock.passes(seconds)
            world.publish()
            assert (await invoke(relay)).sent == 1
            shown += [one.form["client_secret"] for one in world.endpoint.requests]
            world.endpoint.requests.clear()
            world.secret(world.section("new-canary"))
        assert shown == ["canary-secret", "new-canary"]

    world.run(story)
