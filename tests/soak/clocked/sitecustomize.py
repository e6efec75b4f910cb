"""Imported by every Python that has this folder on its path, before anything else: another clock.

`time.time` is the machine's plus what the soak has turned it on by, read from shared memory, so
that the emulated AWS and the function agree on it. `time.monotonic` stays: seconds of work are
real. Only boto3's pauses between its tries are cut short, where asked for.
"""

import mmap
import os
import struct
import time
from pathlib import Path


def _turn(path: Path, sleeps_divided_by: float) -> None:
    real_time, real_sleep = time.time, time.sleep
    with path.open("rb") as file:
        shared = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def shifted() -> float:
        offset: float = struct.unpack_from("d", shared)[0]
        return real_time() + offset

    def shortened(seconds: float) -> None:
        real_sleep(seconds / sleeps_divided_by)

    time.time, time.sleep = shifted, shortened  # type: ignore[assignment]


if "SOAK_CLOCK" in os.environ:
    _turn(Path(os.environ["SOAK_CLOCK"]), float(os.environ.get("SOAK_SLEEPS_DIVIDED_BY", "1")))
