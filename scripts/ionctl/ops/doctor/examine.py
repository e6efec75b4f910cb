"""A diagnosis of a relay, or of what is to become one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ionctl.ops.doctor import before
from ionctl.ops.doctor.check import run
from ionctl.ops.doctor.deployed import Deployed
from ionctl.ops.doctor.names import Names
from ionctl.ops.publishing import see_address
from ionctl.ops.result import Diagnosis, Finding, Grade

if TYPE_CHECKING:
    from collections.abc import Callable

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.doctor.mail import Options


def _silently(_says: str) -> None:
    pass


def diagnose(
    deployment: Deployment, options: Options, progress: Callable[[str], None] = _silently
) -> Diagnosis:
    """Look at all of a relay. Nothing is changed, but that a probe is sent if one is asked for.

    Args:
        deployment: the relay.
        options: what was chosen.
        progress: told what is looked at.

    Raises:
        Problem: an option is wrong.
    """
    names = Names(options.nameserver)
    _check_addresses(options)
    with tempfile.TemporaryDirectory(prefix="ion-") as folder:
        deployed = Deployed(deployment, options, names, Path(folder))
        return _diagnosis(deployment.name, run(deployed.checks(), progress))


def diagnose_secrets(
    file: Path, options: Options, progress: Callable[[str], None] = _silently
) -> Diagnosis:
    """Look at what a config-secrets.cfg names, before anything is deployed: servers and sender.

    Args:
        file: the config-secrets.cfg.
        options: what was chosen.
        progress: told what is looked at.

    Raises:
        Problem: the file can't be read, or an option is wrong.
    """
    names = Names(options.nameserver)
    _check_addresses(options)
    with tempfile.TemporaryDirectory(prefix="ion-") as folder:
        found = run(before.checks(file, options, names, Path(folder)), progress)
    return _diagnosis(file.name, found)


def _diagnosis(name: str, found: list[Finding]) -> Diagnosis:
    ok = all(one.grade is not Grade.WRONG for one in found)
    return Diagnosis(name=name, ok=ok, findings=found)


def _check_addresses(options: Options) -> None:
    for option, text in (("--probe", options.probe), ("--sender", options.sender)):
        if text is not None:
            see_address(option, text)
