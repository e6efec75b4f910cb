"""The secret, read again: how often, and what follows from it."""

from pathlib import Path
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import Account, Between, failing
from ion.aws.secrets import SecretStore
from ion.relay.configuration import READ_AGAIN_SECONDS, Configuration
from ion.report.telemetry import Telemetry
from ion.settings import SettingsError, Smtp

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    f"ION_AWS_{which}{name}": "x"
    for name in ("QUEUE_URL", "ALARM_NAME")
    for which in ("", "BULK_", "LATER_")
} | {
    "ION_AWS_DEAD_LETTER_QUEUE_URL": "x",
    "ION_AWS_LEDGER_TABLE": "x",
    "ION_AWS_SECRET_ARN": "arn",
}


def text(password: str, server: str = "mail.example.org", more: str = "") -> str:
    return f"[smtp]\nserver = {server}\nport = 587\nusername = ion\npassword = {password}\n{more}"


class World:
    """A configuration, its secret and its clock."""

    def __init__(self, account: Account, *texts: str) -> None:
        self.clock = Clock()
        self._ssm = Between(account.session.client("ssm"), {})
        for one in texts:
            self.change(one)
        self._parameter = self._ssm.get_parameter(Name="/ion")["Parameter"]
        self._ssm.calls.clear()
        self._answers: dict[str, Any] = {}
        store = SecretStore(self, self._parameter["ARN"])  # type: ignore[arg-type]
        environment = ENVIRONMENT
        self.configuration = Configuration(ROOT, environment, store, Telemetry(), self.clock)

    def client(self, _service: str, **_how: object) -> Between:
        """As boto3's session makes it."""
        return Between(self._ssm, self._answers)

    def change(self, to: str) -> None:
        self._ssm.put_parameter(Name="/ion", Value=to, Type="SecureString", Overwrite=True)

    def fails(self, code: str | None) -> None:
        self._answers.clear()
        if code is not None:
            self._answers["get_parameter"] = failing(code)

    @property
    def reads(self) -> int:
        return len(self._ssm.asked("get_parameter"))

    @property
    def login(self) -> Smtp:
        return self.configuration.settings().servers[0]

    @property
    def password(self) -> str | None:
        return self.login.password


@pytest.mark.row(92)
def test_a_secret_is_read_again_after_five_minutes_and_not_before(account: Account) -> None:
    world = World(account, text("one"))
    assert (world.password, world.reads) == ("one", 1)
    world.change(text("two"))
    world.clock.passes(READ_AGAIN_SECONDS - 1)
    assert (world.password, world.reads) == ("one", 1)
    world.clock.passes(1)
    assert (world.password, world.password, world.reads) == ("two", "two", 2)
    assert READ_AGAIN_SECONDS == 300


@pytest.mark.row(92)
def test_a_version_that_is_the_same_changes_nothing(account: Account) -> None:
    world = World(account, text("one"))
    before = world.configuration.settings()
    for _ in range(3):
        world.clock.passes(READ_AGAIN_SECONDS)
        assert world.configuration.settings() is before
    assert world.reads == 4
    assert world.configuration.latest(before.servers[0]) == before.servers[0]


def test_another_version_of_the_same_settings_changes_nothing(account: Account) -> None:
    world = World(account, text("one"))
    before = world.configuration.settings()
    world.change(text("one") + "# a comment\n")
    assert world.configuration.settings(again=True) is before


@pytest.mark.row(42)
def test_after_a_refusal_it_is_read_at_once(account: Account) -> None:
    world = World(account, text("one"))
    assert world.password == "one"
    world.change(text("two"))
    assert world.configuration.settings(again=True).servers[0].password == "two"


def test_a_secret_that_can_not_be_read_again_goes_on_to_be_used(account: Account, log: Log) -> None:
    world = World(account, text("one"))
    assert world.password == "one"
    world.fails("ThrottlingException")
    for _ in range(3):
        world.clock.passes(READ_AGAIN_SECONDS)
        assert (world.password, world.password) == ("one", "one")
    troubles = [event for event in log.events if event["level"] == "WARNING"]
    assert [one["message"] for one in troubles] == ["the secret can't be read again"] * 3
    assert troubles[0]["code"].endswith("can't be read: ThrottlingException")
    world.fails(None)
    world.change(text("two"))
    world.clock.passes(READ_AGAIN_SECONDS)
    assert world.password == "two"


@pytest.mark.row(32)
def test_a_secret_that_was_changed_into_nonsense_is_an_error_until_it_is_mended(
    account: Account,
) -> None:
    """A new process could not begin with it either."""
    world = World(account, text("one"))
    login = world.login
    world.change("canary")
    world.clock.passes(READ_AGAIN_SECONDS)
    for _ in range(2):
        with pytest.raises(SettingsError, match="line 1"):
            world.configuration.settings()
        assert world.configuration.latest(login) == login, "what is under way goes on"
    world.change(text("two"))
    assert world.password == "two"


@pytest.mark.row(32)
def test_nonsense_is_not_read_again_for_each_connection(account: Account) -> None:
    world = World(account, text("one"))
    login = world.login
    world.change("nonsense")
    world.clock.passes(READ_AGAIN_SECONDS)
    assert world.configuration.latest(login) == login
    before = world.reads
    assert [world.configuration.latest(login) for _ in range(9)] == [login] * 9
    assert world.reads == before


@pytest.mark.row(32)
def test_the_first_time_it_must_be_read(account: Account) -> None:
    world = World(account, text("one"))
    world.fails("AccessDeniedException")
    with pytest.raises(SettingsError, match="can't be read: AccessDeniedException"):
        world.configuration.settings()


@pytest.mark.row(91)
def test_the_logins_of_a_server_are_the_one_in_force_and_the_one_before(account: Account) -> None:
    world = World(account, text("one"))
    one = world.login
    assert world.configuration.others(one) == []
    world.change(text("two"))
    (two,) = world.configuration.others(one)
    assert (two.password, world.configuration.is_in_force(two)) == ("two", True)
    assert world.configuration.others(two) == [one]
    assert not world.configuration.is_in_force(one)
    world.change(text("three"))
    assert [login.password for login in world.configuration.others(one)] == ["three", "two"]


@pytest.mark.row(91)
@pytest.mark.parametrize(
    ("before", "now"),
    [
        (text("canary", server="other.example.org"), text("two")),
        (text("canary").replace("587", "465"), text("two")),
        (
            text("canary", more="[smtp:backup]\nserver = b.example.org\nport = 587\n"),
            text("canary"),
        ),
        ("canary", text("two")),
    ],
    ids=["another host", "another port", "the same login", "no configuration"],
)
def test_no_server_is_shown_a_password_that_was_for_another(
    account: Account, before: str, now: str, log: Log
) -> None:
    world = World(account, before, now)
    assert world.configuration.previous(world.login) is None
    assert "canary" not in log.text


def test_each_server_has_its_own_earlier_login(account: Account) -> None:
    backup = "[smtp:backup]\nserver = b.example.org\nport = 587\nusername = b\npassword = {}\n"
    world = World(
        account, text("one", more=backup.format("b1")), text("two", more=backup.format("b2"))
    )
    servers = world.configuration.settings().servers
    earlier = [world.configuration.previous(smtp) for smtp in servers]
    assert [one and one.password for one in earlier] == ["one", "b1"]


def test_in_a_package_there_is_nothing_to_read_again(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text((ROOT / "config.cfg").read_text())
    (tmp_path / "config-secrets.cfg").write_text(text("one"))
    environment = ENVIRONMENT | {"ION_AWS_SECRET_ARN": ""}
    clock = Clock()
    configuration = Configuration(tmp_path, environment, None, Telemetry(), clock)
    before = configuration.settings()
    (tmp_path / "config-secrets.cfg").unlink()
    clock.passes(10 * READ_AGAIN_SECONDS)
    assert configuration.settings() is before
    assert configuration.previous(before.servers[0]) is None
