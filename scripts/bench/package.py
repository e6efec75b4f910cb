"""The Lambda package: how large it is, and how long it takes to start."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.unavailable import UnavailableError
from ionctl.local.ministack import CREDENTIALS, ISOLATION

_ROOT = Path(__file__).parents[2]
_BUILD_SECONDS = 300
_START_SECONDS = 60
WHOLE_CORE_MB = 1769
"""Memory of a function that has one whole core; with less it has as much less of one."""

# Of the process: a start is one thread at work, and others on this machine don't count.
_CLOCK = "import time; began = time.process_time()\n{work}\nprint(time.process_time() - began)"
_BARE = """
import boto3
from botocore.config import Config
config = Config(retries={"mode": "standard", "max_attempts": 3}, max_pool_connections=16)
session = boto3.Session()
for service in ("cloudwatch", "sqs", "dynamodb"):
    session.client(service, config=config)
"""
_ION = """
import ion.handler
ion.handler._relay()
"""


@dataclass(frozen=True, slots=True)
class Package:
    """The package's figures.

    Args:
        zipped_mb: for Lambda on arm64.
        ion_ms: importing the handler and making its clients, CPU on this machine, median.
        source_ms: the same without byte code, in a folder where Python can keep none.
        bare_ms: importing boto3 and making the same clients; its byte code is there too.
        python: the version that this was measured with.
    """

    zipped_mb: float
    ion_ms: float
    source_ms: float
    bare_ms: float
    python: str

    @property
    def times_bare(self) -> float:
        """A cold start, beside one of boto3 alone."""
        return self.ion_ms / self.bare_ms

    def saved_seconds(self, memory_mb: int) -> float:
        """What byte code saves of a cold start, if it has no more than its share of a core."""
        return (self.source_ms - self.ion_ms) / 1000 * max(1, WHOLE_CORE_MB / memory_mb)


def measured(rounds: int) -> Package:
    """Build the package, unpack it, and start it, in turns: whole, as sources, and boto3 alone.

    Raises:
        UnavailableError: it can't be built here.
    """
    with tempfile.TemporaryDirectory(prefix="ion-bench-") as name:
        folder = Path(name)
        size = _built(folder / "arm64.zip", "arm64").stat().st_size
        unpacked = folder / "package"
        with zipfile.ZipFile(_built(folder / "host.zip", "host")) as package:
            package.extractall(unpacked)
        sources = folder / "sources"
        shutil.copytree(unpacked, sources, ignore=shutil.ignore_patterns("__pycache__"))
        environment = {
            **CREDENTIALS,
            **ISOLATION,
            "PATH": os.environ["PATH"],
            "ION_AWS_QUEUE_URL": "http://localhost/queue",
            "ION_AWS_BULK_QUEUE_URL": "http://localhost/bulk",
            "ION_AWS_LATER_QUEUE_URL": "http://localhost/later",
            "ION_AWS_DEAD_LETTER_QUEUE_URL": "http://localhost/dead",
            "ION_AWS_ALARM_NAME": "alarm",
            "ION_AWS_BULK_ALARM_NAME": "alarm-bulk",
            "ION_AWS_LATER_ALARM_NAME": "alarm-later",
            "ION_AWS_LEDGER_TABLE": "ledger",
            "POWERTOOLS_SERVICE_NAME": "ion",
        }
        _started(_BARE, environment)  # leaves boto3's byte code, which Lambda's has too
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # nor can Lambda keep what came without
        turns: tuple[list[float], ...] = ([], [], [])
        for _ in range(rounds):
            for (work, where), times in zip(
                ((_ION, unpacked), (_ION, sources), (_BARE, folder)), turns, strict=True
            ):
                places = {"PYTHONPATH": str(where), "LAMBDA_TASK_ROOT": str(where)}
                times.append(_started(work, environment | places))
    ion, source, bare = (1000 * statistics.median(times) for times in turns)
    return Package(size / 1e6, ion, source, bare, platform.python_version())


def _built(output: Path, architecture: str) -> Path:
    try:
        subprocess.run(
            [
                *(sys.executable, "-m", "ionctl.build.package"),
                *("--architecture", architecture, "--output", output),
            ],
            cwd=_ROOT / "scripts",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError("the package takes too long to build") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        raise UnavailableError(f"the package can't be built: {said[0]}") from error
    return output


def _started(work: str, environment: Mapping[str, str]) -> float:
    process = subprocess.run(
        [sys.executable, "-c", _CLOCK.format(work=work)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=_START_SECONDS,
        check=True,
    )
    return float(process.stdout.split()[-1])
