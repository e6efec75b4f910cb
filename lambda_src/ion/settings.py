"""Configuration, secrets and environment to one frozen Settings; an error names the key."""

import ipaddress
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from ion.config_file import ConfigFile, Section, SettingsError
from ion.delivery import InDoubt
from ion.guard_rules import GUARD_KEYS, GuardRules, guard_rules
from ion.limits import LAST_CHANCE_SECONDS, LONGEST_POLL_SECONDS, RETENTION_SECONDS
from ion.rsa_key import KeyFormatError, RsaKey, rsa_key

__all__ = [
    "KEYS",
    "Aws",
    "Dkim",
    "OAuth",
    "Security",
    "Settings",
    "SettingsError",
    "Smtp",
    "TemplateBucket",
    "aws_names",
    "load",
]

CONFIG_FILE = "config.cfg"
SECRETS_FILE = "config-secrets.cfg"

_LONGEST_WAIT_HOURS = (RETENTION_SECONDS - LAST_CHANCE_SECONDS) // 3600

_FIRST = "smtp"
_ANOTHER = re.compile(r"smtp:[a-z0-9]{1,32}")
_OAUTH_KEYS = (
    *("oauth_token_url", "oauth_client_id", "oauth_client_secret"),
    *("oauth_scope", "oauth_refresh_token"),
)
_SECRET_KEYS = (
    *("server", "port", "security", "username", "password", "ca_file"),
    *("auth", *_OAUTH_KEYS),
)
_DKIM_SECRET_KEYS = ("dkim_key",)
_SMTP_KEYS = ("connections", "pipelining", "max_rate")
_OTHER_KEYS = {
    "drain": ("linger_seconds",),
    "retry": ("give_up_after_hours", "in_doubt"),
    "mail": ("sender",),
    "templates": ("s3",),
    "guard": GUARD_KEYS,
    "suppression": ("list",),
    "unsubscribe": ("url",),
    "dkim": ("domain", "selector"),
    "log": ("level",),
}
KEYS = {_FIRST: _SMTP_KEYS, **_OTHER_KEYS}
"""The keys of each section of `config.cfg`. A section [smtp:NAME] has those of [smtp]."""
_AWS_KEYS = (
    *("queue_url", "bulk_queue_url", "later_queue_url", "dead_letter_queue_url"),
    *("alarm_name", "bulk_alarm_name", "later_alarm_name", "ledger_table"),
    *("outbox_table", "secret_arn", "concurrency", "events"),
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # RFC 1035 section 2.3.4: at most 63
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_S3_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9!_.'()-]+)*)/?")
"""Of a general purpose bucket; the characters of a key that AWS calls safe, but *."""
_ENDS_IN_PORT = re.compile(r":\d{1,5}$", re.ASCII)
_BESIDE = "is missing beside the other"
_LONGEST_URL = 400
"""A link is a line of a header, with a token that may have 470 characters (RFC 5322: 998)."""
_TLS_PORT = 465
"""The port where TLS begins with the first byte (RFC 8314)."""


class Security(StrEnum):
    """Protection of the connection."""

    TLS = "tls"
    """TLS from the first byte (RFC 8314), port 465."""
    STARTTLS = "starttls"
    """STARTTLS required (RFC 3207), port 587."""
    NONE = "none"
    """Plain text, only if asked for by this name, and never with a login."""


class Auth(StrEnum):
    """What proves to the server who we are."""

    PASSWORD = "password"  # noqa: S105 - the word itself
    XOAUTH2 = "xoauth2"
    """An access token of OAuth 2.0, by SASL's XOAUTH2."""


class Pipelining(StrEnum):
    """Commands in one flight, where the server offers PIPELINING (RFC 2920); each one more."""

    OFF = "off"
    """One command at a time: four round trips an email."""
    ENVELOPE = "envelope"
    """MAIL, RCPT and DATA of an email: two round trips. What Postfix and Exim do as clients."""
    DEEP = "deep"
    """The envelope of the next email behind the final dot of this one, too: one round trip. Allowed
    by RFC 2920 section 3.1, and mistreated by some servers."""

    def at_most(self, other: "Pipelining") -> "Pipelining":
        """The more careful one of the two."""
        return min(self, other, key=list(Pipelining).index)


@dataclass(frozen=True, slots=True)
class OAuth:
    """Where access tokens are from, and what is shown there for them (RFC 6749)."""

    token_url: str
    """Of https."""
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None: an application that has none (a public client)."""
    scope: str | None = None
    refresh_token: str | None = field(default=None, repr=False)
    """With it the grant is `refresh_token`, without it `client_credentials`."""


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server and how to speak to it."""

    server: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    oauth: OAuth | None = None
    """In the place of a password."""
    ca_file: str | None = None
    connections: int = 4
    pipelining: Pipelining = Pipelining.ENVELOPE
    max_rate: float | None = None
    """Recipients a second, of all runs together; None: unknown."""
    name: str = _FIRST
    """Its section in the configuration: "smtp", "smtp:backup"."""


@dataclass(frozen=True, slots=True)
class TemplateBucket:
    """Where in S3 the templates are."""

    bucket: str
    prefix: str
    """Of each key; empty, or ends in "/"."""


@dataclass(frozen=True, slots=True)
class Dkim:
    """With what emails are signed (RFC 6376)."""

    domain: str
    """As A-labels, in small letters."""
    selector: str
    key: RsaKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Aws:
    """Names of AWS resources. Only Terraform knows them; they come as ION_AWS_… variables."""

    queue_url: str
    bulk_queue_url: str
    later_queue_url: str
    dead_letter_queue_url: str
    alarm_name: str
    bulk_alarm_name: str
    later_alarm_name: str
    ledger_table: str
    outbox_table: str = ""
    """Empty: there is none."""
    secret_arn: str = ""
    concurrency: int = 1
    """Runs that there may be at a time."""
    events: bool = False
    """Fates are told by the ledger's stream, those of what has no row of its own included."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be chosen, checked."""

    servers: tuple[Smtp, ...]
    """In the order in which they are tried. The first is [smtp]."""
    aws: Aws
    sender: str | None
    """From, for messages that name none: an address; None: there is none."""
    linger_seconds: int
    give_up_after_seconds: int
    in_doubt: InDoubt
    log_level: str
    templates: TemplateBucket | None = None
    """None: they are in the package, if there are any."""
    guard: GuardRules = field(default_factory=GuardRules)
    suppression_list: bool = False
    """Recipients are looked up in the suppression list."""
    unsubscribe_url: str = ""
    """Before the path of links to unsubscribe; no slash at its end. Empty: there are none."""
    dkim: Dkim | None = None
    """None: ion doesn't sign."""


def aws_names(environment: Mapping[str, str]) -> Aws:
    """The names alone, for what must work when nothing else does: waking up again.

    Raises:
        SettingsError: one is missing.
    """
    return _aws(ConfigFile("environment", "", environment).section("aws"))


def load(
    root: Path,
    environment: Mapping[str, str],
    read_secret: Callable[[str], str],
    is_address: Callable[[str], bool],
) -> Settings:
    """The settings of this deployment.

    `config.cfg` in `root`, overridden by environment variables ION_<SECTION>_<KEY>; server and
    credentials from the secret named by ION_AWS_SECRET_ARN, else from `config-secrets.cfg` in
    `root`.

    Args:
        root: the folder that holds the configuration files.
        environment: os.environ.
        read_secret: ARN to the secret's text; raises SettingsError.
        is_address: true for what may stand in a From field.

    Raises:
        SettingsError: naming what is wrong and where.
    """
    config = ConfigFile(CONFIG_FILE, _read(root / CONFIG_FILE), environment)
    aws = _aws(config.section("aws"))
    # No environment for the secrets: all who may look at the function can read it.
    if aws.secret_arn:
        secrets = ConfigFile(aws.secret_arn, read_secret(aws.secret_arn), {}, is_secret=True)
    else:
        secrets = ConfigFile(SECRETS_FILE, _read(root / SECRETS_FILE), {}, is_secret=True)
    others = [one for one in secrets.sections if _ANOTHER.fullmatch(one)]
    _refuse_unknown(secrets, config, [_FIRST, *others])
    first = _smtp(secrets.section(_FIRST), config.section(_FIRST), root)
    drain, retry, mail = config.section("drain"), config.section("retry"), config.section("mail")
    username = first.username if first.username and is_address(first.username) else None
    return Settings(
        servers=(
            first,
            *(_smtp(secrets.section(one), config.section(one), root, first) for one in others),
        ),
        aws=aws,
        sender=mail.address("sender", is_address) or username,
        linger_seconds=drain.number("linger_seconds", 0, LONGEST_POLL_SECONDS),
        give_up_after_seconds=3600 * retry.number("give_up_after_hours", 1, _LONGEST_WAIT_HOURS),
        in_doubt=InDoubt(retry.one_of("in_doubt", list(InDoubt))),
        log_level=config.section("log").one_of("level", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        templates=_templates(config.section("templates")),
        guard=guard_rules(config.section("guard"), is_address),
        suppression_list=_is_on(config.section("suppression"), "list"),
        unsubscribe_url=_unsubscribe_url(config.section("unsubscribe")),
        dkim=_dkim(config.section("dkim"), secrets.section("dkim")),
    )


def _unsubscribe_url(section: Section) -> str:
    """Of https (RFC 8058 section 3.1); of http only where nobody but this machine can come by."""
    text = section.text("url", default="").rstrip("/")
    if not text:
        return ""
    is_here = re.fullmatch(
        r"http://(127\.0\.0\.1|localhost)(:\d{1,5})?(/[\w./~-]*)?", text, re.ASCII
    )
    if not is_here and (
        not _is_https_url(text) or set(text) & set("<>?") or len(text) > _LONGEST_URL
    ):
        why = f"must be an https:// URL of at most {_LONGEST_URL} characters, without ? and #"
        raise section.wrong("url", why)
    return text


def _dkim(section: Section, secret: Section) -> Dkim | None:
    """A key without a domain signs nothing yet: it has to be in the secret before that is set."""
    domain = section.text("domain", default="").lower()
    selector = section.text("selector", default="").lower()
    if not domain and not selector:
        return None
    for key, value in {"domain": domain, "selector": selector}.items():
        if not value:
            raise section.wrong(key, _BESIDE)
    if "." not in domain or not _HOST_NAME.fullmatch(domain):
        raise section.wrong("domain", "must be a domain as DNS has it: example.org, xn--….example")
    if not _HOST_NAME.fullmatch(selector):
        raise section.wrong("selector", "must be what stands before ._domainkey in DNS: ion1")
    try:
        return Dkim(domain, selector, rsa_key(secret.text("dkim_key")))
    except KeyFormatError as error:
        raise secret.wrong("dkim_key", str(error)) from None


def _is_on(section: Section, key: str) -> bool:
    return section.one_of(key, ["off", "on"], default="off") == "on"


def _templates(section: Section) -> TemplateBucket | None:
    url = section.text("s3", default="")
    if not url:
        return None
    parts = _S3_URL.fullmatch(url)
    if parts is None:
        why = "must be s3://BUCKET/PREFIX, of letters, digits and !_.'()- between its slashes"
        raise section.wrong("s3", why)
    return TemplateBucket(parts[1], f"{parts[2][1:]}/" if parts[2] else "")


def _refuse_unknown(secrets: ConfigFile, config: ConfigFile, servers: list[str]) -> None:
    """Before anything is found missing: what is missing may be there under a misspelt name."""
    known = {**dict.fromkeys(servers, _SMTP_KEYS), **_OTHER_KEYS, "aws": _AWS_KEYS}
    secrets.refuse_unknown(
        {**dict.fromkeys(servers, _SECRET_KEYS), "dkim": _DKIM_SECRET_KEYS},
        "there may be [smtp] and [smtp:NAME], NAME being 1-32 small letters and digits, and [dkim]",
        {key: CONFIG_FILE for keys in KEYS.values() for key in keys},
    )
    config.refuse_unknown(
        known,
        f"there may be {', '.join(f'[{one}]' for one in KEYS)}, and [smtp:NAME] for each "
        "that the secrets have",
        dict.fromkeys((*_SECRET_KEYS, *_DKIM_SECRET_KEYS), SECRETS_FILE),
    )


def _aws(section: Section) -> Aws:
    return Aws(
        queue_url=section.text("queue_url"),
        bulk_queue_url=section.text("bulk_queue_url"),
        later_queue_url=section.text("later_queue_url"),
        dead_letter_queue_url=section.text("dead_letter_queue_url"),
        alarm_name=section.text("alarm_name"),
        bulk_alarm_name=section.text("bulk_alarm_name"),
        later_alarm_name=section.text("later_alarm_name"),
        ledger_table=section.text("ledger_table"),
        outbox_table=section.text("outbox_table", default=""),
        secret_arn=section.text("secret_arn", default=""),
        concurrency=section.number("concurrency", 1, 100_000, default="1"),
        events=section.one_of("events", ["off", "on"], default="off") == "on",
    )


def _smtp(secret: Section, behaviour: Section, root: Path, first: Smtp | None = None) -> Smtp:
    """One server; what isn't said of a further one is as with the first, but not what it allows."""
    server, port = _host(secret), secret.number("port", 1, 65535)
    by_port = Security.TLS if port == _TLS_PORT else Security.STARTTLS
    security = Security(secret.one_of("security", list(Security), default=by_port))
    if port == _TLS_PORT and security is not Security.TLS:
        why = f"is {security} on port 465, where TLS begins with the first byte: leave it out"
        raise secret.wrong("security", f"{why}, or use port 587")
    username = secret.text("username", default="")
    password = secret.text("password", default="")
    oauth = _oauth(secret)
    if oauth and password:
        why = "is there, and auth is xoauth2: take away the password, or auth and the oauth_ keys"
        raise secret.wrong("password", why)
    if bool(username) != bool(password or oauth):
        why = "is missing: the mailbox that the access token is for" if oauth else _BESIDE
        raise secret.wrong("password" if username else "username", why)
    if username and security is Security.NONE:
        what = "access token" if oauth else "password"
        raise secret.wrong("security", f"is none: ion sends no {what} without TLS")
    ca_file = secret.text("ca_file", default="")
    if ca_file and not (root / ca_file).is_file():
        raise secret.wrong(
            "ca_file", "names a file that isn't there (path relative to the package)"
        )
    if ca_file and not _has_certificates(root / ca_file):
        raise secret.wrong("ca_file", "names a file that has no CA certificates in it (PEM)")
    connections, pipelining = (str(first.connections), first.pipelining) if first else (None, None)
    return Smtp(
        server=server,
        port=port,
        security=security,
        username=username or None,
        password=password or None,
        oauth=oauth,
        ca_file=str(root / ca_file) if ca_file else None,
        connections=behaviour.number("connections", 1, 100, default=connections),
        pipelining=Pipelining(behaviour.one_of("pipelining", list(Pipelining), default=pipelining)),
        max_rate=behaviour.decimal("max_rate", 0.01, 10_000),
        name=secret.name,
    )


def _oauth(secret: Section) -> OAuth | None:
    """None: the login is by password, or there is none."""
    if secret.one_of("auth", list(Auth), default=Auth.PASSWORD) != Auth.XOAUTH2:
        for key in _OAUTH_KEYS:
            if secret.text(key, default=""):
                raise secret.wrong(key, "is there, but auth isn't xoauth2: add auth = xoauth2")
        return None
    token_url, client_id = _token_url(secret), secret.text("oauth_client_id")
    refresh_token = secret.text("oauth_refresh_token", default="")
    client_secret = secret.text("oauth_client_secret", default="")
    scope = secret.text("oauth_scope", default="")
    for key, value in {"oauth_client_secret": client_secret, "oauth_scope": scope}.items():
        if not value and not refresh_token:
            raise secret.wrong(key, "is missing: only beside an oauth_refresh_token may it be")
    return OAuth(token_url, client_id, client_secret or None, scope or None, refresh_token or None)


def _token_url(secret: Section) -> str:
    text = secret.text("oauth_token_url")
    if text.lower().startswith("http:"):
        raise secret.wrong("oauth_token_url", "is http: the credentials go only to an https:// URL")
    if not _is_https_url(text):
        why = "must be an https:// URL with a host name, without a user name, blanks or #"
        raise secret.wrong("oauth_token_url", why)
    return text


def _is_https_url(text: str) -> bool:
    if not re.fullmatch(r"https://[!-~]+", text, re.IGNORECASE) or set(text) & set("@#\\"):
        return False
    try:
        parts = urlsplit(text)
        return bool(_HOST_NAME.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:  # a port that is no number
        return False


def _host(secret: Section) -> str:
    text = secret.text("server")
    if _HOST_NAME.fullmatch(text) or _is_ip_address(text):
        return text
    if _ENDS_IN_PORT.search(text):
        raise secret.wrong("server", "has a port in it: write that under port")
    why = "must be a host name or an IP address alone, without smtp://, brackets or a path"
    raise secret.wrong("server", why)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


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
    except UnicodeDecodeError:
        raise SettingsError(f"{path.name}: isn't UTF-8: save it as UTF-8 text") from None
    except OSError as error:
        raise SettingsError(f"{path.name}: can't be read: {type(error).__name__}") from error


def _missing(name: str) -> str:
    if name == SECRETS_FILE:
        return (
            f"{SECRETS_FILE}: missing. Copy config-secrets-example.cfg, fill it in, and build with "
            "./release.sh --with-secrets; or keep its text in SSM or Secrets Manager and give "
            "Terraform secret_arn"
        )
    return f"{name}: missing from the package. Build it with ./release.sh"
