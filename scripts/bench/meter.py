"""What a sender spent between its first emails and its last: time, and CPU of its own process."""

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class Sample:
    """One run of one sender.

    Args:
        emails: sent while the clock was running.
        seconds: that it took.
        cpu_seconds: of the process, user and system.
        memory_mb: the most that it ever held (RSS); 0: this system doesn't tell.
    """

    emails: int
    seconds: float
    cpu_seconds: float
    memory_mb: float = 0.0

    def as_dict(self) -> dict[str, float]:
        """For a pipe to another process."""
        return asdict(self)


class Meter:
    """Counts emails; the clock runs from one number of them to another.

    What comes before and after isn't measured: the first emails on new connections, and the end,
    when some connections have nothing to do any more.

    Args:
        warm: emails before the clock starts.
        emails: to be measured.
    """

    def __init__(self, warm: int, emails: int) -> None:
        self._warm = warm
        self._last = warm + emails
        self._count = 0
        self._began = self._ended = (0.0, 0.0)

    @property
    def over(self) -> bool:
        """True once the last one is through."""
        return self._count >= self._last

    def sent(self) -> None:
        """One more."""
        self._count += 1
        if self._count == self._warm:
            self._began = _now()
        elif self._count == self._last:
            self._ended = _now()

    def sample(self) -> Sample:
        """What was measured."""
        assert self.over
        (began, cpu_before), (ended, cpu_after) = self._began, self._ended
        emails = self._last - self._warm
        return Sample(emails, ended - began, cpu_after - cpu_before, memory_mb())


def memory_mb() -> float:
    """The most memory that this process has held."""
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):  # not ru_maxrss: that is also of what started us
        return 0.0
    return int(kilobytes) / 1024


def cpu_seconds_of(pid: int) -> float:
    """CPU that another process has used, user and system; 0: this system doesn't tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    user, system = stat.rpartition(")")[2].split()[11:13]  # proc(5): fields 14 and 15
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
