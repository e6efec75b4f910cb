"""The watchdog clears away what a killed process leaves, and nothing of one that ended well."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ionctl.local.watchdog import Watchdog


@pytest.fixture
def group() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which runs for long."""
    with subprocess.Popen(["sleep", "3600"], start_new_session=True) as running:
        yield running
        running.kill()


def test_stopped_it_kills_and_removes_nothing(
    group: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    watchdog = Watchdog(tmp_path)
    watchdog.start()
    watchdog.watch(group.pid)
    watchdog.stop()
    assert group.poll() is None
    assert tmp_path.is_dir()


def test_once_our_end_of_the_pipe_is_closed_it_kills_and_then_removes(
    group: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    folders = tmp_path / "one", tmp_path / "two words"
    for folder in folders:
        folder.mkdir()
    watchdog = Watchdog(*folders)
    watchdog.start()
    watchdog.watch(group.pid)
    ours = watchdog._process  # noqa: SLF001 - the kernel closes its pipe when we are killed
    assert ours is not None
    ours.communicate()
    assert group.wait() == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_was_started_it_removes_nothing(tmp_path: Path) -> None:
    watchdog = Watchdog(tmp_path)
    watchdog.start()
    ours = watchdog._process  # noqa: SLF001
    assert ours is not None
    ours.communicate()
    assert tmp_path.is_dir()
