"""ionctl status: the first two lines, the rest of the screen, JSON, and exit statuses."""

import asyncio
import io
import os
import pty
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from ion.contract import Pause, Stop
from ion.policy.backoff import Backoff
from ionctl.cli.status import age, conditions, picture
from ionctl.ops.result import Status
from ionctl.ops.status import status
from ionctl_program import Ended, command, ionctl, printed
from relays import Operated


def look(stack: Path, *words: str, columns: int = 80) -> Ended:
    return ionctl("--local", "status", *words, stack=stack, columns=columns)


@pytest.fixture
def held(relay: Operated) -> Operated:
    now = datetime.now(UTC)
    about = {"server": "smtp", "reason": "AUTH", "reply": "535 5.7.8 no \x1b[31m", "stage": "auth"}
    relay.logged("delivery suspended", now - timedelta(seconds=61), **about)
    relay.ran(now - timedelta(seconds=60), stopped="auth", held="auth", held_by="smtp", received=10)
    backoff = Backoff("auth", "AUTH at auth: 535 no", 1, int(time.time()) + 300, "00")
    asyncio.run(relay.server_states.write("smtp", backoff))
    for _ in range(30):
        relay.queued("{}")
    relay.queued("{}", relay.names.dead_letter_queue_url, attributes={"reason": "STOPPED"})
    return relay


def test_a_well_relay_is_status_0(stack: Path) -> None:
    ended = look(stack)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[0].rstrip() == "IDLE  Nothing waits."


@pytest.mark.usefixtures("held")
def test_whether_it_is_stuck_why_and_what_to_do_are_the_first_lines(stack: Path) -> None:
    ended = look(stack, columns=120)
    first, second, *rest = [line.rstrip() for line in ended.out.splitlines()]
    assert first.startswith(
        "HELD  30 emails wait: the mail server smtp refuses the login: 535 5.7.8 no"
    )
    assert second.startswith(
        "→ Put the right login into the secret, then ionctl --local wake; next try"
    )
    assert ended.status == 1
    screen = "\n".join(rest)
    assert "\x1b" not in ended.out
    assert "dead letters  STOPPED 1" in screen
    assert "nothing sent in 1.0 s, ended by auth" in screen


def test_the_screen_has_at_most_24_lines_of_80_columns(held: Operated) -> None:
    now = time.time()
    for change in (
        lambda was: was.with_stop(Stop(), now, by="bob", why="wrong", new_id="a1"),
        lambda was: was.with_pause(Pause(), now, by="ann", why="a typo in the newsletter"),
    ):
        asyncio.run(held.control.change(change))
    for _ in range(3):
        held.ran(sent=3)
    screen = io.StringIO()
    Console(file=screen, width=80).print(picture(status(held.deployment)))
    lines = screen.getvalue().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("PAUSED  30 emails wait: everything is paused until ")


@pytest.mark.usefixtures("held")
def test_json_is_the_status_as_ops_has_it(stack: Path) -> None:
    ended = look(stack, "--json")
    printed("status", ended.out)
    seen = msgspec.json.decode(ended.out, type=Status, strict=True)
    assert (seen.verdict, seen.queues.input.visible, seen.ok) == ("held", 30, False)
    assert (ended.status, ended.err) == (1, "")


def test_without_a_stack_one_line_says_what_to_do(tmp_path: Path) -> None:
    ended = ionctl("--local", "status", stack=tmp_path / "none.json")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (
        "ionctl: no local relay runs: start one with ./run.sh, in another terminal\n"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_ages_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_the_conditions_of_a_stop_are_told_in_words() -> None:
    where: dict[str, object] = {"tag": {"campaign": "spring"}, "recipient_domain": "example.org"}
    assert conditions(where) == "tag campaign=spring, recipient domain example.org"
    assert conditions(None) == "every email"


def test_a_watch_looks_again_until_it_is_interrupted(relay: Operated, stack: Path) -> None:
    words, environment = command("--local", "status", "--watch", stack=stack)
    screen, terminal = pty.openpty()
    with subprocess.Popen(words, env=environment | {"TERM": "xterm"}, stdout=terminal) as running:
        _read_until(screen, b"Nothing waits")
        relay.queued("{}")
        _read_until(screen, b"1 email on the way")
        running.send_signal(signal.SIGINT)
    os.close(terminal)
    os.close(screen)
    assert running.returncode in (1, 130)


def _read_until(screen: int, said: bytes) -> None:
    seen = b""
    while said not in seen:
        seen += os.read(screen, 65_536)
