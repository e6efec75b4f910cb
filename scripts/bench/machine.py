"""What the figures were taken on, without saying whose machine it is."""

import os
import platform
import ssl
from importlib.metadata import version
from pathlib import Path

_CPU = Path("/proc/cpuinfo")


def description() -> str:
    """Processor, memory, system and versions, on one line."""
    return (
        f"{_processor()}, {os.cpu_count()} CPUs, {_memory_gb():.0f} GB, {platform.system()} "
        f"{platform.release().partition('-')[0]}, Python {platform.python_version()}, "
        f"{' '.join(ssl.OPENSSL_VERSION.split()[:2])}, boto3 {version('boto3')}, "
        f"aiosmtplib {version('aiosmtplib')}"
    )


def load() -> float:
    """Processes that want a CPU, over the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    try:
        lines = _CPU.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
