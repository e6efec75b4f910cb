"""A look at config-secrets.cfg before anything is deployed: AWS isn't asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ion.settings import CONFIG_FILE
from ionctl.files import ROOT
from ionctl.ops.doctor import mail
from ionctl.ops.doctor.check import Check, ok, wrong
from ionctl.ops.doctor.settings import loaded
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ionctl.ops.doctor.mail import Options
    from ionctl.ops.doctor.names import Names
    from ionctl.ops.result import Finding

_SECRET = "arn:aws:ssm:us-east-1:000000000000:parameter/not-yet"  # noqa: S105 - its name
_ENVIRONMENT = {
    **{
        f"ION_AWS_{name}": "not-yet"
        for name in (
            *("QUEUE_URL", "BULK_QUEUE_URL", "LATER_QUEUE_URL", "DEAD_LETTER_QUEUE_URL"),
            *("LEDGER_TABLE", "ALARM_NAME", "BULK_ALARM_NAME", "LATER_ALARM_NAME"),
        )
    },
    "ION_AWS_SECRET_ARN": _SECRET,
}
"""What the settings want to be told of AWS."""
_CERTIFICATES = frozenset({".pem", ".crt", ".cer"})


def put_usual_config(folder: Path) -> None:
    """Put config.cfg as it comes into a folder."""
    (folder / CONFIG_FILE).write_bytes((ROOT / CONFIG_FILE).read_bytes())


def checks(file: Path, options: Options, names: Names, folder: Path) -> Iterator[Check]:
    """The file, then its servers and the sender's domain.

    Args:
        file: the config-secrets.cfg.
        options: what was chosen.
        names: asks DNS.
        folder: an empty one.

    Raises:
        Problem: the file can't be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
        for one in file.resolve().parent.iterdir():  # ca_file, as it will be in the package
            if one.suffix in _CERTIFICATES:
                (folder / one.name).symlink_to(one)
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{file} can't be read: {error}") from error
    put_usual_config(folder)
    sender = {"ION_MAIL_SENDER": options.sender} if options.sender else {}
    known = loaded(folder, _ENVIRONMENT | sender, text)

    def faults() -> Iterator[Finding]:
        for one in known.faults:
            found = one.found.replace(f"{_SECRET}:", f"{file.name}:")
            advice = "config-secrets-example.cfg has what there may be, docs/providers.md examples"
            yield wrong("secret", found, advice)
        if not known.faults:
            yield ok("secret", f"{file.name} is well-formed")

    yield Check("secret", f"the file {file.name}", faults)
    yield from mail.checks(known, options, names, None)
