"""The function's execution environments: forks, each of which runs invocations one after another.

What Lambda does with the package: import it once; a cold start is a fork of that. For each line of
input (its environment) one lives, its pid and then its exit status going to standard output.
"""

import json
import os
import socket
import sys
import traceback

from ion.drain import steering
from ion.handler import run
from ion.smtp import session


class Context:
    """Lambda's."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


def live(environment: dict[str, str]) -> int:
    """In the fork: an invocation for each line that it is told how long it may last."""
    os.dup2(2, 1)
    os.environ.update(environment)
    # A session measures how long it was idle by time.monotonic, which is real (`clocked`). A lull
    # is so many seconds on the soak's clock, which is that much faster.
    session.IDLE_SECONDS /= float(environment["SOAK_SPEED"])
    # Between two looks at the control row the real seconds are less.
    steering.LOOK_SECONDS /= float(environment["SOAK_LOOKS_DIVIDED_BY"])  # type: ignore[assignment]
    try:
        address = ("127.0.0.1", int(environment["SOAK_CONTROL_PORT"]))
        with socket.create_connection(address) as control, control.makefile("rw") as lines:
            while line := lines.readline():
                lines.write(json.dumps(run(None, Context(float(line)))) + "\n")
                lines.flush()
    except BaseException:  # noqa: BLE001 - it must not go on as if it were its parent
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os._exit(live(json.loads(line)))
        say(pid)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
