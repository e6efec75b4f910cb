"""The emulated AWS as a process: whatever its end breaks, its end is what a person reads."""

import http.client
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
from botocore.exceptions import ConnectionClosedError

from ionctl.local.ministack import Ministack
from ionctl.problem import Problem


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[Ministack]:
    """A process in its place that answers nobody, which takes as long as none."""
    program = tmp_path / "ministack"
    program.write_text("#!/bin/sh\necho out of memory; exec sleep 3600\n")
    program.chmod(0o755)
    running = Ministack(tmp_path / "python", tmp_path)
    running.start()
    while "out of memory" not in running.log.read_text():
        running.check(0.01)
    yield running
    running.end()


def kill(ministack: Ministack) -> None:
    assert ministack._process is not None  # noqa: SLF001
    os.kill(ministack._process.pid, signal.SIGKILL)  # noqa: SLF001


@pytest.mark.parametrize(
    "error",
    [
        http.client.RemoteDisconnected("peek reads from it"),
        URLError("the same, which doesn't get that far"),
        ConnectionClosedError(endpoint_url="boto3"),
        KeyError("half an answer"),
        Problem("0 of 1 emails within 30 s"),
    ],
)
def test_whatever_its_end_has_broken_its_end_is_told(
    ministack: Ministack, error: Exception
) -> None:
    kill(ministack)
    if isinstance(error, Problem):  # waits for nothing
        with pytest.raises(Problem):
            ministack.check(60)
    with pytest.raises(Problem, match=r"has ended by itself:\n  out of memory"):
        ministack.__exit__(type(error), error, None)


def test_an_error_while_it_runs_is_not_its_own(ministack: Ministack) -> None:
    error = Problem("out can't be written to")
    ministack.__exit__(Problem, error, None)
    assert ministack._process is None  # noqa: SLF001 - it is ended all the same


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="ended as soon as it had begun"):
        Ministack(tmp_path / "python", tmp_path).__enter__()
