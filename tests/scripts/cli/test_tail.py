"""ionctl tail."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ionctl_program import command, ionctl
from relays import Operated


@pytest.fixture
def told(relay: Operated) -> Operated:
    about: dict[str, Any] = {"message_id": "m-1", "server": "smtp", "reply": "250 Ok \x1b[2J"}
    relay.logged("sent", email_id="order-17", **about)
    relay.logged("sent", email_id="order-18", **about)
    relay.logged("a fault", level="ERROR", error="KeyError", traceback="  File 1\n  File 2\n")
    return relay


@pytest.mark.usefixtures("told")
def test_the_log_is_told_in_lines(stack: Path) -> None:
    ended = ionctl("--local", "tail", stack=stack)
    assert (ended.status, ended.err) == (0, "")
    assert [one[10:] for one in ended.out.splitlines()] == [
        "sent order-17 over smtp: 250 Ok \ufffd[2J",
        "sent order-18 over smtp: 250 Ok \ufffd[2J",
        "a fault KeyError",
    ]


@pytest.mark.usefixtures("told")
def test_it_may_be_of_one_email_or_of_errors_alone(stack: Path) -> None:
    one = ionctl("--local", "tail", "--id", "order-18", stack=stack)
    assert "order-18" in one.out
    assert len(one.out.splitlines()) == 1
    errors = ionctl("--local", "tail", "--errors", stack=stack)
    assert errors.out.splitlines()[0].endswith("a fault KeyError")
    assert errors.out.splitlines()[1:] == ["  File 1", "  File 2"]
    json_ = ionctl("--local", "tail", "--json", stack=stack)
    assert [json.loads(one)["message"] for one in json_.out.splitlines()] == [
        *("sent", "sent", "a fault"),
    ]


def test_it_goes_on_until_it_is_interrupted(told: Operated, stack: Path) -> None:
    words, environment = command("--local", "tail", "--follow", stack=stack)
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = [running.stdout.readline() for _ in range(3)]
        told.logged("sent", email_id="order-19", server="smtp", reply="250 Ok")
        lines.append(running.stdout.readline())
        os.kill(running.pid, signal.SIGINT)
    assert "order-17" in lines[0]
    assert lines[3].endswith("sent order-19 over smtp: 250 Ok\n")
    assert running.returncode in (1, 130)
