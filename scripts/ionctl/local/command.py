"""A command run to its end, of which nothing is left if we are interrupted, or killed."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ionctl.local.interrupt import held
from ionctl.local.watchdog import Watchdog
from ionctl.problem import Problem


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    timeout_seconds: float,
    environment: Mapping[str, str] | None = None,
    show_stderr: bool = False,
) -> tuple[int, str]:
    """Give the exit status and the output.

    Args:
        command: and its arguments.
        folder: where it runs.
        timeout_seconds: how long it may take.
        environment: None: our own.
        show_stderr: the person sees stderr at once; otherwise it is part of the output.

    Raises:
        Problem: it took too long.
    """
    process: subprocess.Popen[str] | None = None
    watchdog = Watchdog()
    try:
        with held():
            watchdog.start()
            process = subprocess.Popen(
                watchdog.announced(command),
                cwd=folder,
                env=environment,
                stdin=watchdog.pipe,
                stdout=subprocess.PIPE,
                stderr=None if show_stderr else subprocess.STDOUT,
                text=True,
                # a group of its own, so that what it starts can be ended with it
                start_new_session=True,
            )
        output, _ = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        raise Problem(f"{command[0]} took longer than {timeout_seconds:g} s") from None
    finally:
        with held():
            if process is not None and process.poll() is None:
                with suppress(ProcessLookupError):  # it has ended between the two lines
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            watchdog.stop()
    return process.returncode, output
