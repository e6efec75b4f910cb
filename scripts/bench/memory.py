"""The most memory that a drain ever holds, by the sizes of the emails and the function's own.

Each case is a process of its own, beside an AWS that only answers and a mail server that takes its
time. python -m bench.memory LARGE WIDE measures those of `Mail`, without names all of them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import trustme

from bench.daemons import Daemon, module
from bench.large_emails import Mail
from bench.quick_aws import Account
from bench.relay import Drained
from bench.task import HOST

_ROOT = Path(__file__).parents[2]
_TURN_SECONDS = 600
MOST_SHARE = 0.6
"""Of the function's memory: the goal."""


@dataclass(frozen=True, slots=True)
class Case:
    """A drain.

    Args:
        mail: what waits in the queue.
        emails: how many.
        connections: to the mail server.
        memory_mb: the function's.
    """

    mail: Mail
    emails: int
    connections: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Peak:
    """What a drain came to.

    Args:
        case: that was measured.
        memory_mb: the most that its process ever held (RSS).
        receives: calls to SQS.
    """

    case: Case
    memory_mb: float
    receives: int

    @property
    def share(self) -> float:
        """Of the function's memory."""
        return self.memory_mb / self.case.memory_mb


SMALLEST = Case(Mail.LARGE, 40, 16, 256)
CASES = tuple(
    Case(mail, emails, 16, memory_mb)
    for memory_mb in (512, 256)
    for mail, emails in (
        (Mail.SMALL, 500),
        (Mail.LARGE, 100),
        (Mail.TAGS, 100),
        (Mail.WIDE, 100),
        (Mail.MIXED, 150),
        (Mail.CROWDS, 60),
        (Mail.SURPRISE, 200),
        (Mail.REFUSED, 100),
        (Mail.REDRIVEN, 100),
        (Mail.ATTACHED, 40),
        (Mail.SHARED, 100),
    )
)


QUICK = (SMALLEST,)


def measured(cases: Iterable[Case], say: Callable[[str], None]) -> list[Peak]:
    """Every case, one after another."""
    peaks = []
    with tempfile.TemporaryDirectory(prefix="ion-bench-") as name:
        for case in cases:
            say(f"memory: {case.mail}, {case.connections} connections, {case.memory_mb} MB")
            peaks.append(peak(case, Path(name)))
    return peaks


def peak(case: Case, folder: Path) -> Peak:
    """One case, the relay in a process of its own.

    Args:
        case: to be measured.
        folder: for its configuration.
    """
    authority, server = trustme.CA(), folder / "server.pem"
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(server))
    account = Account(case.emails, case.mail)
    try:
        with Daemon(module("bench.slow_sink", server)) as sink:
            drained = _drained(case, account, int(sink.said), folder)
        left = account.left()
    finally:
        account.delete()
    if left:
        raise RuntimeError(f"{case}: {left} left")
    return Peak(case, drained.memory_mb, drained.requests["sqs.ReceiveMessage"])


def _drained(case: Case, account: Account, port: int, folder: Path) -> Drained:
    shutil.copy(_ROOT / "config.cfg", folder)
    (folder / "config-secrets.cfg").write_text(
        f"[smtp]\nserver = {HOST}\nport = {port}\nsecurity = starttls\nca_file = ca.pem\n",
        encoding="utf-8",
    )
    answer = folder / "answer.json"
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
        **account.environment,
        "AWS_ENDPOINT_URL": f"http://{HOST}:{account.port}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(case.memory_mb),
        "LAMBDA_TASK_ROOT": str(folder),
        "ION_SMTP_CONNECTIONS": str(case.connections),
        "ION_DRAIN_LINGER_SECONDS": "0",
    }
    subprocess.run(
        module("bench.relay", "ion", answer),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=_TURN_SECONDS,
        check=True,
    )
    return Drained(**json.loads(answer.read_text(encoding="utf-8")))


if __name__ == "__main__":
    wanted = [case for case in CASES if case.mail.name in (sys.argv[1:] or Mail.__members__)]
    for one in measured(wanted, lambda what: print(what, file=sys.stderr)):
        print(f"{one.share:.0%}: {one.memory_mb:.0f} MB, {one.receives} receives, {one.case}")
