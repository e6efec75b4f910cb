"""One invocation of the function in a process for which every disk is full.

The limit on file sizes is 0, which the kernel holds every process to that this one starts as well:
not an octet gets into any regular file, be it in /tmp or in memory (pipes and sockets aren't
files). What is opened for writing all the same is noted, the empty files among it.

Standard input: the environment, as JSON. Standard output: the function's own lines, then a report.
"""

import json
import os
import resource
import sys
from pathlib import Path

_SECONDS = 900
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC

attempts: list[str] = []


class Context:
    """Lambda's."""

    def get_remaining_time_in_millis(self) -> int:
        return _SECONDS * 1000


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Of Python's own events: what is opened, and how (PEP 578)."""
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(flags, int) and flags & _WRITES
        if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
            attempts.append(str(path))


def bites() -> list[str]:
    """What happens to whoever writes, by the name of the error; and was it noted?"""
    errors = []
    folders = (os.environ["TMPDIR"], "/dev/shm")  # on a disk, and in memory
    for folder in filter(os.path.isdir, folders):
        path = Path(folder) / f"full-disk-{os.getpid()}"
        try:
            path.write_bytes(b"x")
            errors.append("none")
        except OSError as error:
            errors.append(os.strerror(error.errno or 0))
        finally:
            path.unlink(missing_ok=True)
        assert attempts.pop() == str(path)
    return errors


if __name__ == "__main__":
    os.environ.update(json.loads(sys.stdin.readline()))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # Python ignores the signal: EFBIG it is
    sys.addaudithook(note)
    before = bites()
    from ion.handler import run  # a cold start has no disk either

    answer = run(None, Context())
    report = {"answer": answer, "attempts": attempts.copy(), "bites": [before, bites()]}
    sys.stdout.write(f"\n{json.dumps(report)}\n")
