"""Configuration, secrets and environment to one frozen Settings; an error names the key."""

import configparser
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from ion.outcome import InDoubt

CONFIG_FILE = "config.cfg"
SECRETS_FILE = "config-secrets.cfg"
_ENVIRONMENT_PREFIX = "ION_"

_SQS_LONGEST_POLL_SECONDS = 20
_RETENTION_HOURS = 14 * 24
"""The queues keep a message 14 days (the longest SQS offers)."""
_EXPIRY_MARGIN_HOURS = 48


_KEYS_OF_SECRETS = (
    "[smtp] and [smtp:NAME] have server, port, security, username, password and ca_file; "
    "NAME is of small letters and digits"
)
_FIRST = "smtp"
_ANOTHER = re.compile(r"smtp:[a-z0-9]{1,32}")


class SettingsError(Exception):
    """A setting is wrong or missing. The text names file, section and key, never a value."""


class Security(StrEnum):
    """How the connection is protected."""

    TLS = "tls"
    """TLS from the first byte (RFC 8314), port 465."""
    STARTTLS = "starttls"
    """STARTTLS required (RFC 3207), port 587."""
    NONE = "none"
    """Plain text, only if asked for by this name, and never with a password."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server and how to speak to it."""

    server: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    connections: int = 4
    window: int = 1
    max_rate: float | None = None
    """Recipients a second, of all runs together; None: nobody told us."""
    name: str = _FIRST
    """Its section in the configuration: "smtp", "smtp:backup"."""


@dataclass(frozen=True, slots=True)
class Aws:
    """Names of AWS resources. Only Terraform knows them; they come as ION_AWS_… variables."""

    queue_url: str
    dead_letter_queue_url: str
    alarm_name: str
    ledger_table: str
    secret_arn: str = ""
    concurrency: int = 1
    """How many runs there may be at a time."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen, checked."""

    servers: tuple[Smtp, ...]
    """In the order in which they are tried. The first is [smtp]."""
    aws: Aws
    sender: str | None
    linger_seconds: int
    give_up_after_seconds: int
    in_doubt: InDoubt
    log_level: str


def aws_names(environment: Mapping[str, str]) -> Aws:
    """The names alone, for what must work when nothing else does: waking up again.

    Raises:
        SettingsError: one is missing.
    """
    return _aws(_Source("environment", "", environment).section("aws"))


def load(root: Path, environment: Mapping[str, str], read_secret: Callable[[str], str]) -> Settings:
    """The settings of this deployment.

    `config.cfg` in `root`, overridden by environment variables ION_<SECTION>_<KEY>; server and
    credentials from the secret named by ION_AWS_SECRET_ARN, else from `config-secrets.cfg` in
    `root`.

    Args:
        root: the folder that holds the configuration files.
        environment: os.environ.
        read_secret: ARN to the secret's text; raises SettingsError.

    Raises:
        SettingsError: naming what is wrong and where.
    """
    config = _Source(CONFIG_FILE, _read(root / CONFIG_FILE), environment)
    aws = _aws(config.section("aws"))
    # No environment for the secrets: it can be read by whoever may look at the function.
    if aws.secret_arn:
        secrets = _Source(aws.secret_arn, read_secret(aws.secret_arn), {}, is_secret=True)
    else:
        secrets = _Source(SECRETS_FILE, _read(root / SECRETS_FILE), {}, is_secret=True)
    first = _smtp(secrets.section(_FIRST), config.section(_FIRST), root)
    others = filter(_ANOTHER.fullmatch, secrets.parser.sections())
    drain, retry, mail = config.section("drain"), config.section("retry"), config.section("mail")
    settings = Settings(
        servers=(
            first,
            *(_smtp(secrets.section(one), config.section(one), root, first) for one in others),
        ),
        aws=aws,
        sender=mail.text("sender", default="") or first.username,
        linger_seconds=drain.number("linger_seconds", 0, _SQS_LONGEST_POLL_SECONDS),
        give_up_after_seconds=3600
        * retry.number("give_up_after_hours", 1, _RETENTION_HOURS - _EXPIRY_MARGIN_HOURS),
        in_doubt=InDoubt(retry.one_of("in_doubt", list(InDoubt))),
        log_level=config.section("log").one_of("level", ["DEBUG", "INFO", "WARNING", "ERROR"]),
    )
    secrets.refuse_unknown()
    config.refuse_unknown()
    return settings


def _aws(section: "_Section") -> Aws:
    return Aws(
        queue_url=section.text("queue_url"),
        dead_letter_queue_url=section.text("dead_letter_queue_url"),
        alarm_name=section.text("alarm_name"),
        ledger_table=section.text("ledger_table"),
        secret_arn=section.text("secret_arn", default=""),
        concurrency=section.number("concurrency", 1, 100_000, default="1"),
    )


def _smtp(secret: "_Section", behaviour: "_Section", root: Path, first: Smtp | None = None) -> Smtp:
    """One server; what isn't said of a further one is as with the first, but not what it allows."""
    port = secret.number("port", 1, 65535)
    by_port = Security.TLS if port == 465 else Security.STARTTLS  # RFC 8314
    security = Security(secret.one_of("security", list(Security), default=by_port))
    username = secret.text("username", default="")
    password = secret.text("password", default="")
    if bool(username) != bool(password):
        raise secret.wrong("password" if username else "username", "is missing beside the other")
    if username and security is Security.NONE:
        raise secret.wrong("security", "is none: ion sends no password without TLS")
    ca_file = secret.text("ca_file", default="")
    if ca_file and not (root / ca_file).is_file():
        raise secret.wrong(
            "ca_file", "names a file that isn't there (path relative to the package)"
        )
    if ca_file and not _has_certificates(root / ca_file):
        raise secret.wrong("ca_file", "names a file that has no CA certificates in it (PEM)")
    connections, window = (str(first.connections), str(first.window)) if first else (None, None)
    return Smtp(
        server=secret.matching("server", r"[A-Za-z0-9.:-]{1,253}", "must be a host name"),
        port=port,
        security=security,
        username=username or None,
        password=password or None,
        ca_file=str(root / ca_file) if ca_file else None,
        connections=behaviour.number("connections", 1, 100, default=connections),
        window=behaviour.number("window", 1, 100, default=window),
        max_rate=behaviour.decimal("max_rate", 0.01, 10_000),
        name=secret.name,
    )


def _has_certificates(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError:  # ssl.SSLError is one
        return False
    return True


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(_missing(path.name)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.name}: can't be read: {type(error).__name__}") from error


def _missing(name: str) -> str:
    if name == SECRETS_FILE:
        return (
            f"{SECRETS_FILE}: missing. Copy config-secrets-example.cfg, fill it in, and build with "
            "./release.sh --with-secrets; or keep its text in SSM or Secrets Manager and give "
            "Terraform secret_arn"
        )
    return f"{name}: missing from the package. Build it with ./release.sh"


class _Source:
    """One configuration text plus the environment above it; remembers what was asked of it."""

    def __init__(
        self, name: str, text: str, environment: Mapping[str, str], *, is_secret: bool = False
    ) -> None:
        self.name = name
        self.text = text
        self.is_secret = is_secret
        self.environment = environment
        self.asked_for: set[tuple[str, str]] = set()
        # No section is special: keys under [DEFAULT] would show up in every other one.
        self.parser = configparser.RawConfigParser(default_section="")
        try:
            self.parser.read_string(text)
        except configparser.Error as error:
            # The parser's own message repeats the line, which may be the password's.
            numbers = [
                getattr(error, "lineno", None),
                *(n for n, _ in getattr(error, "errors", [])),
            ]
            line = next(filter(None, numbers), None)
            where = f"{name}: line {line}" if line else name
            raise SettingsError(
                f"{where}: not a configuration file ({type(error).__name__}); "
                "it has [section] lines and key = value lines"
            ) from None

    def section(self, name: str) -> "_Section":
        return _Section(self, name)

    def refuse_unknown(self) -> None:
        """A key nobody asked for is a typing error, and the default would hide it."""
        for section in self.parser.sections():
            for key in self.parser[section]:
                if (section, key) not in self.asked_for:
                    raise SettingsError(f"{self.name}: {self._whereabouts(section, key)}")
        known = {_variable(*pair) for pair in self.asked_for}
        for variable in self.environment:
            if variable.startswith(_ENVIRONMENT_PREFIX) and variable not in known:
                raise SettingsError(f"environment: {variable}: no such setting")

    def _whereabouts(self, section: str, key: str) -> str:
        """What is wrong there; what looks like a key of the secrets may be half a password."""
        if not self.is_secret:
            return f"[{section}] {key}: unknown key"
        lines = [line.strip().lower() for line in self.text.splitlines()]
        numbers = [number for number, line in enumerate(lines, 1) if line.startswith(key)]
        line = f"line {numbers[0]}: " if numbers else ""
        return f"{line}unknown key; {_KEYS_OF_SECRETS}"


@dataclass(frozen=True)
class _Section:
    source: _Source
    name: str

    def wrong(self, key: str, why: str) -> SettingsError:
        where = self.source.name
        if _variable(self.name, key) in self.source.environment:
            where = f"environment {_variable(self.name, key)}"
        return SettingsError(f"{where}: [{self.name}] {key}: {why}")

    def text(self, key: str, *, default: str | None = None) -> str:
        self.source.asked_for.add((self.name, key))
        value = self.source.environment.get(_variable(self.name, key))
        if value is None:
            value = self.source.parser.get(self.name, key, fallback="")
        value = value.strip()
        if value == "???":
            raise self.wrong(key, "still is the example's ???")
        if not value:
            if default is None:
                raise self.wrong(key, "is missing")
            return default
        return value

    def number(self, key: str, least: int, most: int, *, default: str | None = None) -> int:
        text = self.text(key, default=default)
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not least <= int(text) <= most:
            raise self.wrong(key, f"must be a whole number from {least} to {most}")
        return int(text)

    def decimal(self, key: str, least: float, most: float) -> float | None:
        """None: it is left empty, or out."""
        text = self.text(key, default="")
        if not text:
            return None
        is_one = re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII) is not None
        if not is_one or not least <= float(text) <= most:
            raise self.wrong(key, f"must be a number from {least:g} to {most:g}, or empty")
        return float(text)

    def one_of(self, key: str, values: list[Any], *, default: str | None = None) -> str:
        text = self.text(key, default=default)
        if text not in values:
            raise self.wrong(key, f"must be one of {', '.join(values)}")
        return text

    def matching(self, key: str, pattern: str, why: str) -> str:
        text = self.text(key)
        if not re.fullmatch(pattern, text):
            raise self.wrong(key, why)
        return text


def _variable(section: str, key: str) -> str:
    return f"{_ENVIRONMENT_PREFIX}{section.replace(':', '_')}_{key}".upper()
