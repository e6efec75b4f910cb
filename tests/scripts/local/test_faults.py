"""The local mail server's switches, over real SMTP; only the clock is the test's."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ionctl.console import switches
from ionctl.local import faults
from ionctl.local.authority import Authority
from ionctl.local.faults import Faults
from ionctl.local.mail_server import MailServer
from ionctl.local.mailbag import Mailbag
from ionctl.local.mode import Mode
from local_mail import connect, encrypted, send

TESTS = Path(__file__).parents[2]


class Time:
    """Stands still but where it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def mailbag() -> Mailbag:
    return Mailbag()


@pytest.fixture
def server(tmp_path: Path, mailbag: Mailbag, time: Time) -> Iterator[MailServer]:
    on_request = Faults(time.clock, time.sleep)
    with MailServer(Authority(tmp_path), mailbag.put, faults=on_request) as running:
        yield running


def reply_to_mail(server: MailServer) -> str:
    with connect(server) as client:
        code, text = client.mail("ion@example.org")
    return f"{code} {text.decode()}"


def test_the_console_has_a_switch_for_each_mode() -> None:
    assert [mode.name for mode in switches.MODES] == [*Mode]


@pytest.mark.parametrize(
    ("reply", "stage", "kind"),
    [
        (faults.DISK_FULL, "mail", "transient"),
        (faults.QUOTA_EXCEEDED, "mail", "quota"),
        (faults.RATE_EXCEEDED, "dot", "throttled"),
    ],
)
def test_its_words_are_those_of_real_servers(reply: str, stage: str, kind: str) -> None:
    corpus = (TESTS / "smtp" / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    known = [json.loads(line) for line in corpus]
    assert (reply, stage, kind) in [(one["reply"], one["stage"], one["kind"]) for one in known]


def test_it_is_well_at_first(server: MailServer) -> None:
    assert server.mode is Mode.WELL


def test_a_name_that_is_no_mode_changes_nothing(server: MailServer) -> None:
    with pytest.raises(ValueError, match="upside_down"):
        server.mode = "upside_down"
    assert server.mode is Mode.WELL


def test_wrong_login_refuses_the_right_one(server: MailServer) -> None:
    server.mode = Mode.WRONG_LOGIN
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        connect(server)


def test_down_cuts_what_is_connected_and_what_connects(server: MailServer) -> None:
    client = connect(server)
    server.mode = Mode.DOWN
    assert client.sock is not None
    assert not client.sock.recv(1)  # the cut, as soon as the server's thread has come to it
    client.close()
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        encrypted(server)


def test_slow_is_a_second_a_reply(server: MailServer, time: Time) -> None:
    server.mode = Mode.SLOW
    with connect(server) as client:
        assert send(client, "ann@example.org") == 250
        # greeting, EHLO, STARTTLS, EHLO, AUTH, MAIL, RCPT, DATA, the dot
        assert time.slept == [1.0] * 9


@pytest.mark.parametrize(
    ("mode", "reply"),
    [
        (Mode.FULL, "452 4.3.1 Insufficient system storage"),
        (Mode.QUOTA, "454 Throttling failure: Daily message quota exceeded."),
    ],
)
def test_full_and_quota_refuse_each_email(server: MailServer, mode: Mode, reply: str) -> None:
    server.mode = mode
    assert reply_to_mail(server) == reply


def test_throttle_takes_one_email_a_second(server: MailServer, time: Time) -> None:
    server.mode = Mode.THROTTLE
    with connect(server) as client:
        assert [send(client, "ann@example.org") for _ in range(3)] == [250, 454, 454]
        time.now += 1
        assert [send(client, "ann@example.org") for _ in range(2)] == [250, 454]


@pytest.mark.parametrize("mode", list(Mode))
def test_well_again_it_takes_email(server: MailServer, mailbag: Mailbag, mode: Mode) -> None:
    server.mode = mode
    server.mode = Mode.WELL
    with connect(server) as client:
        assert send(client, "ann@example.org") == 250
    assert len(mailbag.wait(1, timeout_seconds=10)) == 1
