"""The package that is deployed: its files, and whether it is of the module's version."""

from __future__ import annotations

import io
import re
import urllib.request
import zipfile
from typing import TYPE_CHECKING

from ionctl.ops.doctor.check import NotKnownError, ok, skipped, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

_VERSION_FILE = "ion/VERSION"
"""As ionctl.build puts it there."""
MODULE_VERSION = "MODULE_VERSION"
"""The function's environment variable that the Terraform module sets."""
_SECONDS = 8
_MOST_BYTES = 60 * 1024 * 1024
"""Lambda takes packages of 50 MB."""


def unpack(deployment: Deployment, folder: Path) -> None:
    """Put the package's files into `folder`.

    Raises:
        NotKnownError: it can't be fetched.
        botocore's errors: these credentials may not.
    """
    function = deployment.account.functions.get_function(FunctionName=deployment.name)
    url = function["Code"].get("Location", "")
    # loopback is reached without a proxy
    proxies: dict[str, str] | None = {} if deployment.account.endpoint_url else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies))
    try:
        with opener.open(url, timeout=_SECONDS) as response:
            content = response.read(_MOST_BYTES)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NotKnownError(f"the package can't be fetched: {error}") from error


def version(folder: Path) -> str:
    """The unpacked package's; empty: it is of a version that doesn't say."""
    file = folder / _VERSION_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def compare(module: str, package: str) -> Iterator[Finding]:
    """Hold one version against the other, as module and package are tested together.

    Args:
        module: of the Terraform module; empty: it is of a version that doesn't say.
        package: of the package; likewise.
    """
    upgrade = "take module and package of one release, and apply (UPGRADE.md)"
    if not module and not package:
        yield skipped("package", "neither package nor module says its version", upgrade)
    elif not module:
        yield wrong("package", f"the package is of ion {package}, the module is older", upgrade)
    elif not package:
        yield wrong("package", f"the module is of ion {module}, the package is older", upgrade)
    elif package == module:
        yield ok("package", f"package and module are of ion {package}")
    elif _order(package) == _order(module):
        yield warning(
            "package", f"the package is of ion {package}, the module of {module}", upgrade
        )
    else:
        is_older = _order(package) < _order(module)
        words = f"the package (ion {package}) is {'older' if is_older else 'newer'} than the module"
        yield wrong("package", f"{words} (ion {module})", upgrade)


def _order(of: str) -> tuple[int, ...]:
    """For comparing: numbers alone, 1.10 after 1.9."""
    return tuple(int(part) for part in re.split(r"[-+]", of)[0].split(".") if part.isdigit())
