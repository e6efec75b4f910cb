"""Ctrl-C while ionctl is being loaded."""

import signal
import subprocess
from pathlib import Path

import pytest

from ionctl_program import command


@pytest.mark.parametrize("module", ["ionctl", "ionctl.cli"])
def test_ctrl_c_while_it_is_loaded_ends_it_without_a_word(tmp_path: Path, module: str) -> None:
    (tmp_path / "typer.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n",
        encoding="utf-8",
    )
    line, environment = command("status")
    environment["PYTHONPATH"] = f"{tmp_path}:{environment['PYTHONPATH']}"
    line[line.index("ionctl.cli")] = module
    done = subprocess.run(line, env=environment, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")
