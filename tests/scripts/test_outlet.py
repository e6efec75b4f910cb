"""A program whose output has no reader, or no room, ends in a line at the most."""

import errno
import subprocess
from pathlib import Path

import pytest

from ionctl import outlet
from ionctl_program import command


@pytest.mark.parametrize("words", [("--help",), ("check", "-")])
def test_a_full_disk_is_one_line(words: tuple[str, ...]) -> None:
    line, environment = command(*words)
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            line, env=environment, stdout=full, stderr=subprocess.PIPE, input=b"{}", check=False
        )
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "ionctl: the output, or a temporary file: No space left on device; make room, or name "
        "another folder for temporary files in TMPDIR\n"
    )


def test_a_reader_that_has_gone_is_no_error_of_ours() -> None:
    line, environment = command("--help")
    with subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


def test_the_file_that_has_no_room_is_named(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def program() -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "kept.zip", None, "/tmp/ion.zip")

    monkeypatch.setattr("ionctl.outlet._drop_output", lambda: None)
    assert outlet.run("ion", program) == 1
    assert capfd.readouterr().err.startswith("ion: /tmp/ion.zip: No space left on device; make")


def test_any_other_error_is_a_fault_of_the_program() -> None:
    def program() -> int:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        outlet.run("ion", program)
