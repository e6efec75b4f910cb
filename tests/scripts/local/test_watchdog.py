"""The watchdog clears away what a killed process leaves, and nothing of one that ended well."""

import signal
import subprocess
from pathlib import Path

from ionctl.local.watchdog import Watchdog


def begun(watchdog: Watchdog) -> subprocess.Popen[bytes]:
    """A process in a group of its own, which the watchdog has heard of, and which runs for long."""
    command = watchdog.announced(["sh", "-c", "echo begun; exec sleep 3600"])
    group = subprocess.Popen(
        command, stdin=watchdog.pipe, stdout=subprocess.PIPE, start_new_session=True
    )
    assert group.stdout
    assert group.stdout.readline() == b"begun\n"
    return group


def test_stopped_it_kills_and_removes_nothing(tmp_path: Path) -> None:
    watchdog = Watchdog(tmp_path)
    watchdog.start()
    with begun(watchdog) as group:
        watchdog.stop()
        assert group.poll() is None
        assert tmp_path.is_dir()
        group.kill()


def test_once_our_end_of_the_pipe_is_closed_it_kills_and_then_removes(
    tmp_path: Path,
) -> None:
    folders = tmp_path / "one", tmp_path / "two words"
    for folder in folders:
        folder.mkdir()
    watchdog = Watchdog(*folders)
    watchdog.start()
    with begun(watchdog) as group:
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
