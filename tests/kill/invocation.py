"""What Lambda does with the package: import it once, then an invocation for each line of input.

Every invocation is a fork, so a cold start as far as the function can tell: nothing of it has been
built before. For each, its pid and then its exit status go to standard output.
"""

import json
import os
import sys
import traceback

from ion.handler import run

_SECONDS = 900
_RAISED = 1


class Context:
    """Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return _SECONDS * 1000


def invoke(environment: dict[str, str]) -> int:
    """In the child: what it prints goes where its errors go."""
    os.dup2(2, 1)
    os.environ.update(environment)
    try:
        print(json.dumps(run(None, Context())))  # noqa: T201 - into the log
    except BaseException:  # noqa: BLE001 - it must not go on as if it were its parent
        traceback.print_exc()
        return _RAISED
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
            os._exit(invoke(json.loads(line)))
        say(pid)
        say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
