"""A command that is run leaves nothing behind when we are interrupted or killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ionctl.local.command import run
from ionctl.local.stack import ROOT
from ionctl.problem import Problem

US = """
import sys
from pathlib import Path
from ionctl.local import interrupt
from ionctl.local.command import run
interrupt.listen()
run(["sh", "-c", "echo begun >&2; sleep 1000 & wait"], folder=Path("/"), timeout_seconds=1000,
    show_stderr=True)
"""


@pytest.mark.parametrize(
    ("signum", "said"), [(signal.SIGTERM, "Interrupted: Terminated"), (signal.SIGKILL, "")]
)
def test_a_command_ends_with_us_and_so_does_what_it_has_started(
    signum: signal.Signals, said: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", US],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}"},
        stderr=subprocess.PIPE,
        text=True,
    ) as us:
        assert us.stderr is not None
        assert us.stderr.readline() == "begun\n"
        us.send_signal(signum)
        # the pipe ends when no process writes to it any more, what was started included
        assert said in us.stderr.read()


KILLED_AT_ONCE = """
import os, signal, subprocess
class Popen(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__(command, **options)
        if "echo begun >&2; sleep 1000 & wait" in command:
            os.kill(os.getpid(), signal.SIGKILL)
subprocess.Popen = Popen
"""


def test_a_command_ends_with_us_even_if_we_are_killed_the_moment_that_it_begins() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_AT_ONCE + US],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}"},
        stderr=subprocess.PIPE,  # it is read to its end: until no process writes to it any more
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL


def test_a_command_that_takes_too_long_is_a_problem() -> None:
    with pytest.raises(Problem, match=r"sleep took longer than 0\.1 s"):
        run(["sleep", "1000"], folder=Path("/"), timeout_seconds=0.1)
