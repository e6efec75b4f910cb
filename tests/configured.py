"""Settings as they are loaded from a folder's files and the environment."""

from pathlib import Path

from ion.mail import is_address
from ion.settings import Settings, load

CONFIG = Path(__file__).parents[1].joinpath("config.cfg").read_text(encoding="utf-8")

SECRETS = """
[smtp]
server = smtp.example.org
port = 587
username = ion@example.org
password = canary-password
"""

AWS = {
    "ION_AWS_QUEUE_URL": "https://sqs/canary-input",
    "ION_AWS_BULK_QUEUE_URL": "https://sqs/canary-bulk",
    "ION_AWS_LATER_QUEUE_URL": "https://sqs/canary-later",
    "ION_AWS_DEAD_LETTER_QUEUE_URL": "https://sqs/canary-dead",
    "ION_AWS_ALARM_NAME": "canary-alarm",
    "ION_AWS_BULK_ALARM_NAME": "canary-bulk-alarm",
    "ION_AWS_LATER_ALARM_NAME": "canary-later-alarm",
    "ION_AWS_LEDGER_TABLE": "canary-ledger",
}


def no_secret(arn: str) -> str:
    raise AssertionError(arn)


def loaded(
    root: Path,
    *,
    config: str | None = CONFIG,
    secrets: str | None = SECRETS,
    environment: dict[str, str] | None = None,
) -> Settings:
    for name, text in (("config.cfg", config), ("config-secrets.cfg", secrets)):
        if text is not None:
            root.joinpath(name).write_bytes(text.encode("utf-8", "surrogateescape"))
    return load(root, AWS | (environment or {}), no_secret, is_address)


def with_line(line: str, text: str = SECRETS) -> str:
    """The text with one key given another value (or, without one, taken out)."""
    key, _, value = line.partition("=")
    kept = [one for one in text.splitlines() if one.partition("=")[0].strip() != key.strip()]
    section = kept.index("[smtp]") + 1
    return "\n".join([*kept[:section], *([line] if value else []), *kept[section:]])
