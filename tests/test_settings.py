"""Settings come from one place each, and an error names that place and never what was in it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import dkim_keys
from configured import AWS, CONFIG, SECRETS, loaded, with_line
from ion.delivery import InDoubt
from ion.mail import is_address
from ion.settings import (
    Aws,
    Dkim,
    Security,
    Settings,
    SettingsError,
    Smtp,
    TemplateBucket,
    aws_names,
    load,
)
from smtp_server.certificates import trusted_ca_pem

EXAMPLE = (
    Path(__file__).parents[1].joinpath("config-secrets-example.cfg").read_text(encoding="utf-8")
)

ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion"


# what is right


def test_the_shipped_configuration_and_a_secret_make_settings(tmp_path: Path) -> None:
    assert loaded(tmp_path) == Settings(
        servers=(
            Smtp(
                "smtp.example.org",
                587,
                Security.STARTTLS,
                "ion@example.org",
                "canary-password",
                connections=4,
            ),
        ),
        aws=Aws(
            queue_url="https://sqs/canary-input",
            bulk_queue_url="https://sqs/canary-bulk",
            later_queue_url="https://sqs/canary-later",
            dead_letter_queue_url="https://sqs/canary-dead",
            alarm_name="canary-alarm",
            bulk_alarm_name="canary-bulk-alarm",
            later_alarm_name="canary-later-alarm",
            ledger_table="canary-ledger",
        ),
        sender="ion@example.org",
        linger_seconds=1,
        give_up_after_seconds=96 * 3600,
        in_doubt=InDoubt.RESEND_ONCE,
        log_level="INFO",
    )


def test_the_example_needs_only_its_placeholders_filled_in(tmp_path: Path) -> None:
    settings = loaded(tmp_path, secrets=EXAMPLE.replace("???", "x"))
    assert (settings.servers[0].security, settings.servers[0].username) == (Security.STARTTLS, "x")


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("ION_DRAIN_LINGER_SECONDS", "20", "linger_seconds", 20),
        ("ION_DRAIN_LINGER_SECONDS", " 0 ", "linger_seconds", 0),
        ("ION_RETRY_GIVE_UP_AFTER_HOURS", "1", "give_up_after_seconds", 3600),
        ("ION_RETRY_GIVE_UP_AFTER_HOURS", "288", "give_up_after_seconds", 288 * 3600),
        ("ION_MAIL_SENDER", "Ion <a@b.example>", "sender", "Ion <a@b.example>"),
        ("ION_LOG_LEVEL", "DEBUG", "log_level", "DEBUG"),
        ("ION_SUPPRESSION_LIST", "on", "suppression_list", True),
        ("ION_SUPPRESSION_LIST", "off", "suppression_list", False),
        ("ION_TEMPLATES_S3", "", "templates", None),
        ("ION_TEMPLATES_S3", "s3://my.bucket", "templates", TemplateBucket("my.bucket", "")),
        ("ION_TEMPLATES_S3", "s3://mine/", "templates", TemplateBucket("mine", "")),
        ("ION_TEMPLATES_S3", "s3://mine/a/b", "templates", TemplateBucket("mine", "a/b/")),
        ("ION_TEMPLATES_S3", "s3://mine/a/b/", "templates", TemplateBucket("mine", "a/b/")),
        ("ION_UNSUBSCRIBE_URL", "", "unsubscribe_url", ""),
        ("ION_UNSUBSCRIBE_URL", "https://a.example/", "unsubscribe_url", "https://a.example"),
        ("ION_UNSUBSCRIBE_URL", "https://a.b:8443/c", "unsubscribe_url", "https://a.b:8443/c"),
        ("ION_UNSUBSCRIBE_URL", "http://127.0.0.1:9/c", "unsubscribe_url", "http://127.0.0.1:9/c"),
        ("ION_UNSUBSCRIBE_URL", "http://localhost", "unsubscribe_url", "http://localhost"),
    ],
)
def test_the_environment_goes_before_the_file(
    tmp_path: Path, variable: str, value: str, field: str, expected: object
) -> None:
    assert getattr(loaded(tmp_path, environment={variable: value}), field) == expected


DKIM = {"ION_DKIM_DOMAIN": "Example.org", "ION_DKIM_SELECTOR": "ion1"}


def with_key(text: str) -> str:
    return f"{SECRETS}\n[dkim]\ndkim_key = {text}\n"


def test_emails_are_signed_with_the_key_of_the_secret(tmp_path: Path) -> None:
    for text in (dkim_keys.pem().replace("\n", ""), dkim_keys.one_line(dkim_keys.pem())):
        settings = loaded(tmp_path, secrets=with_key(text), environment=DKIM)
        assert settings.dkim == Dkim("example.org", "ion1", dkim_keys.key())
        assert str(dkim_keys.key().p) not in repr(settings)


def test_a_key_signs_nothing_before_there_is_a_domain(tmp_path: Path) -> None:
    assert loaded(tmp_path, secrets=with_key(dkim_keys.one_line(dkim_keys.pem()))).dkim is None


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("secrets", "said"),
    [
        (SECRETS, "config-secrets.cfg: [dkim] dkim_key: is missing"),
        (with_key("canary"), "config-secrets.cfg: [dkim] dkim_key: must be an RSA private key"),
        (with_key(dkim_keys.pem()), "config-secrets.cfg: line "),
        (SECRETS + "[dkim]\nkey = canary", "config-secrets.cfg: line "),
    ],
)
def test_a_key_that_cannot_sign_is_told_and_not_repeated(
    tmp_path: Path, secrets: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=secrets, environment=DKIM)
    assert str(caught.value).startswith(said)
    assert "canary" not in str(caught.value)
    assert dkim_keys.one_line(dkim_keys.pem())[:20] not in str(caught.value)


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DOMAIN", "", "config.cfg: [dkim] domain: is missing beside the other"),
        ("SELECTOR", "", "config.cfg: [dkim] selector: is missing beside the other"),
        ("DOMAIN", "canary", "[dkim] domain: must be a domain"),
        ("DOMAIN", "a@canary.example", "[dkim] domain: must be a domain"),
        ("DOMAIN", "bücher.canary", "[dkim] domain: must be a domain"),
        ("SELECTOR", "canary._domainkey", "[dkim] selector: must be what stands before"),
        ("SELECTOR", "can;ary", "[dkim] selector: must be what stands before"),
    ],
)
def test_a_domain_and_a_selector_are_names_in_dns(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    secrets = with_key(dkim_keys.one_line(dkim_keys.pem()))
    environment = {name: one for name, one in DKIM.items() if not name.endswith(variable)}
    if value:
        environment[f"ION_DKIM_{variable}"] = value
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=secrets, environment=environment)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_connections_can_be_overridden(tmp_path: Path) -> None:
    environment = {"ION_SMTP_CONNECTIONS": "100"}
    assert loaded(tmp_path, environment=environment).servers[0].connections == 100


@pytest.mark.parametrize(
    ("value", "expected"), [("", None), ("14", 14), ("0.01", 0.01), ("10000", 10_000), ("1.5", 1.5)]
)
def test_a_rate_may_be_limited(tmp_path: Path, value: str, expected: float | None) -> None:
    environment = {"ION_SMTP_MAX_RATE": value}
    assert loaded(tmp_path, environment=environment).servers[0].max_rate == expected


def test_an_older_configuration_limits_no_rate(tmp_path: Path) -> None:
    config = CONFIG.replace("max_rate =", "")
    assert loaded(tmp_path, config=config).servers[0].max_rate is None


def test_terraform_says_how_many_runs_there_may_be(tmp_path: Path) -> None:
    assert loaded(tmp_path).aws.concurrency == 1
    environment = {"ION_AWS_CONCURRENCY": "3"}
    assert loaded(tmp_path, environment=environment).aws.concurrency == 3


def test_an_empty_variable_overrides_too(tmp_path: Path) -> None:
    config = CONFIG.replace("sender =", "sender = a@b.example")
    settings = loaded(tmp_path, config=config, environment={"ION_MAIL_SENDER": ""})
    assert settings.sender == "ion@example.org"


def test_other_variables_of_the_function_are_none_of_ours(tmp_path: Path) -> None:
    environment = {"PATH": "/", "AWS_REGION": "x", "IONIC_X": "y"}
    assert loaded(tmp_path, environment=environment) == loaded(tmp_path)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["port = 465"], Security.TLS),
        (["port = 587"], Security.STARTTLS),
        (["port = 25"], Security.STARTTLS),
        (["port = 465", "security = tls"], Security.TLS),
        (["port = 2525", "security = tls"], Security.TLS),
        (["security = none", "username", "password"], Security.NONE),
    ],
)
def test_protection_follows_from_the_port_unless_it_is_named(
    tmp_path: Path, lines: list[str], expected: Security
) -> None:
    secrets = SECRETS
    for line in lines:
        secrets = with_line(line, secrets)
    assert loaded(tmp_path, secrets=secrets).servers[0].security is expected


@pytest.mark.parametrize("server", ["localhost", "127.0.0.1", "::1", "a-b.example.org"])
def test_a_server_is_a_name_or_an_address(tmp_path: Path, server: str) -> None:
    assert loaded(tmp_path, secrets=with_line(f"server = {server}")).servers[0].server == server


@pytest.mark.parametrize(
    "password",
    ["a%(b)s", "x#y", "a;b = c:d", "ä€😀", "[smtp]", '"', '"a', 'a"', "it's", '"a' + "'"],
)
def test_a_password_is_taken_as_it_stands(tmp_path: Path, password: str) -> None:
    secrets = with_line(f"password = {password}")
    assert loaded(tmp_path, secrets=secrets).servers[0].password == password


def test_without_login_there_is_no_default_sender(tmp_path: Path) -> None:
    secrets = with_line("password", with_line("username"))
    settings = loaded(tmp_path, secrets=secrets)
    assert (settings.servers[0].username, settings.servers[0].password, settings.sender) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize("username", ["apikey", "AKIAIOSFODNN7EXAMPLE", "a@b@c", "post@"])
def test_a_username_that_is_no_address_is_no_default_sender(tmp_path: Path, username: str) -> None:
    secrets = with_line(f"username = {username}")
    assert loaded(tmp_path, secrets=secrets).sender is None
    environment = {"ION_MAIL_SENDER": "a@b.example"}
    assert loaded(tmp_path, secrets=secrets, environment=environment).sender == "a@b.example"


def test_a_private_ca_is_looked_for_in_the_package(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(trusted_ca_pem())
    settings = loaded(tmp_path, secrets=with_line("ca_file = ca.pem"))
    assert settings.servers[0].ca_file == str(tmp_path / "ca.pem")


def test_a_secret_by_arn_takes_the_files_place(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text(CONFIG, encoding="utf-8")
    asked: list[str] = []

    def read(arn: str) -> str:
        asked.append(arn)
        return SECRETS

    settings = load(tmp_path, AWS | {"ION_AWS_SECRET_ARN": ARN}, read, is_address)
    assert (settings.servers[0].server, settings.aws.secret_arn) == ("smtp.example.org", ARN)
    assert asked == [ARN]


def test_the_password_is_not_in_what_settings_print(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert "canary-password" not in f"{settings!r} {settings}"
    assert replace(settings.servers[0], password="other") != settings.servers[0]


def test_the_names_alone_need_no_file() -> None:
    assert aws_names(AWS).alarm_name == "canary-alarm"


# what is wrong


SECRET_FAULTS = [
    ("server", "is missing"),
    ("server = ???", "???"),
    ("server = canary server", "host name"),
    ("server = canary_server", "host name"),
    ("server = canary.example:465", "has a port in it: write that under port"),
    ("server = 192.0.2.1:465", "has a port in it: write that under port"),
    ("server = [2001:db8::1]:465", "has a port in it: write that under port"),
    ("server = [2001:db8::1]", "host name"),
    ("server = smtp://canary.example", "host name"),
    ("server = smtps://canary.example:465", "has a port in it"),
    ("server = canary.example/", "host name"),
    ("server = canary:x", "host name"),
    ("server = canary.example.", "host name"),
    ("server = -canary", "host name"),
    ("server = canary..example", "host name"),
    ('server = "canary.example"', "is in quotes: take them away"),
    ("server = canary.example # canary", "has a comment behind it"),
    ("port", "is missing"),
    ("port = 0", "from 1 to 65535"),
    ("port = 65536", "from 1 to 65535"),
    ("port = canary", "from 1 to 65535"),
    ("port = 58७", "from 1 to 65535"),
    ("port = -1", "from 1 to 65535"),
    ("port = '587'", "is in quotes: take them away"),
    ("port = 587 ; canary", "has a comment behind it"),
    ("port = 587#canary", "from 1 to 65535"),
    ("security = canary", "one of tls, starttls, none"),
    ("security = STARTTLS", "one of tls, starttls, none"),
    ("security = none", "no password without TLS"),
    ("username = ???", "???"),
    ("password = ???", "???"),
    ('username = "canary"', "is in quotes: take them away"),
    ("username = canary # canary", "has a comment behind it"),
    ("password = 'canary'", "is in quotes: take them away"),
    ('password = "canary"', 'put the whole between "" and ""'),
    ('password = ""', "is in quotes"),
    ("password = canary ; canary", "has a comment behind it: give that a line of its own"),
    ("password = canary # canary", 'put the whole between "" and ""'),
    ("password = canary\t#canary", "has a comment behind it"),
    ("password", "missing"),
    ("username", "missing"),
    ("ca_file = canary.pem", "isn't there"),
    ("ca_file = .", "isn't there"),
    ("ca_file = config.cfg", "no CA certificates"),
]


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("passwrd = canary", "unknown key, did you mean password?; [smtp] has server, port, "),
        ("hunter2: canary", "unknown key; [smtp] has server, port, "),
        ("connections = 8", "unknown key: connections belongs in config.cfg; [smtp] has server, "),
        ("[canary]\na = b", "unknown section; there may be [smtp] and [smtp:NAME], NAME being "),
        ("[canary]", "unknown section; "),
        ("[SMTP]", "unknown section; "),
    ],
)
def test_what_is_unknown_in_the_secrets_is_told_by_its_line(
    tmp_path: Path, line: str, what: str
) -> None:
    """It may be half a password."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=f"{SECRETS}\n{line}\n")
    said = str(caught.value)
    assert said.startswith(f"config-secrets.cfg: line 8: {what}")
    assert not any(word in said for word in ("canary", "passwrd", "hunter2"))


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("password =", "pasword =", "line 6: unknown key, did you mean password?"),
        ("server =", "sever =", "line 3: unknown key, did you mean server?"),
        ("[smtp]", "[stmp]", "line 2: unknown section; there may be [smtp]"),
        (SECRETS, "[smtp]\n", "[smtp] server: is missing"),
        (SECRETS, "", "[smtp] server: is missing"),
    ],
)
def test_a_misspelt_name_is_told_before_the_name_that_is_missing_for_it(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=SECRETS.replace(before, after))
    assert str(caught.value).startswith(f"config-secrets.cfg: {said}")
    assert "canary" not in str(caught.value)


@pytest.mark.row(32)
@pytest.mark.parametrize(("line", "why"), SECRET_FAULTS)
def test_a_fault_in_the_secrets_names_file_section_and_key(
    tmp_path: Path, line: str, why: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=with_line(line))
    said = str(caught.value)
    key = line.partition("=")[0].strip()
    assert said.startswith(f"config-secrets.cfg: [smtp] {key}: ")
    assert why in said
    assert "canary" not in said.replace("canary_key", "")


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("section", "key", "values"),
    [
        ("smtp", "connections", ["0", "101", "canary", "", "???", "1.5"]),
        ("drain", "linger_seconds", ["21", "-1", "canary", ""]),
        ("retry", "give_up_after_hours", ["0", "289", "canary", "9" * 5000]),
        ("retry", "in_doubt", ["canary", "", "Park"]),
        ("mail", "sender", ["???", "canary", "canary <>", "canary@", '"canary@b.example"']),
        ("mail", "sender", ["a@canary.example # canary", "a@canary.example, b@canary.example"]),
        (
            "templates",
            "s3",
            ["canary", "s3://", "s3://canary/*", "s3://canary//a", "s3://Canary/a"],
        ),
        ("templates", "s3", ["arn:aws:s3:::canary", "https://canary.s3.amazonaws.com/a"]),
        ("unsubscribe", "url", ["canary", "http://canary.example", "https://", "???"]),
        (
            "unsubscribe",
            "url",
            ["https://canary@a.b", "https://a.b/?canary", "https://a.b/#canary"],
        ),
        ("unsubscribe", "url", ["http://127.0.0.1.canary.example", "https://a.b/<canary>"]),
        ("unsubscribe", "url", ["https://a.b/" + "canary" * 70, "https://a.b/can ary"]),
        ("log", "level", ["canary", "info", "TRACE", ""]),
        ("suppression", "list", ["canary", "On", "true"]),
        ("smtp", "max_rate", ["0", "0.009", "10001", "canary", "1e3", "-1", "nan", "inf", "1,5"]),
        ("aws", "queue_url", ["", "???"]),
        ("aws", "concurrency", ["0", "-1", "canary"]),
        ("aws", "dead_letter_queue_url", ["", " "]),
        ("aws", "alarm_name", [""]),
        ("aws", "bulk_queue_url", ["", "???"]),
        ("aws", "later_queue_url", ["", "???"]),
        ("aws", "bulk_alarm_name", [""]),
        ("aws", "later_alarm_name", [""]),
        ("aws", "ledger_table", [""]),
    ],
)
def test_a_fault_in_a_variable_names_it_and_its_key(
    tmp_path: Path, section: str, key: str, values: list[str]
) -> None:
    variable = f"ION_{section}_{key}".upper()
    for value in values:
        with pytest.raises(SettingsError) as caught:
            loaded(tmp_path, environment={variable: value})
        assert str(caught.value).startswith(f"environment {variable}: [{section}] {key}: ")
        assert "canary" not in str(caught.value)


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("config", "said"),
    [
        (CONFIG.replace("connections = 4", ""), "config.cfg: [smtp] connections: is missing"),
        (CONFIG.replace("level = INFO", ""), "config.cfg: [log] level: is missing"),
        (CONFIG.replace("[drain]", "[drian]"), "config.cfg: line N: [drian]: unknown section; "),
        (CONFIG.replace("level =", "levle ="), "config.cfg: line N: [log] levle: unknown key, did"),
        (
            CONFIG + "\nlvl = canary",
            "config.cfg: line N: [log] lvl: unknown key, did you mean level?",
        ),
        (CONFIG + "\n[other]\na = canary", "config.cfg: line N: [other]: unknown section; "),
        (CONFIG + "\n[DEFAULT]\na = canary", "config.cfg: line N: [DEFAULT]: unknown section; "),
        (
            CONFIG.replace("[smtp]", "[smtp]\nport = 25"),
            "config.cfg: line N: [smtp] port: unknown key: port belongs in config-secrets.cfg; ",
        ),
        (CONFIG.replace("level = INFO", "level = canary"), "config.cfg: [log] level: must be one"),
        (CONFIG + "\ncanary", "config.cfg: line N: is neither [section] nor key = value"),
        (CONFIG + "\nlevel = canary", "config.cfg: line N: a key that is in its section already"),
        (CONFIG + "\n[log]", "config.cfg: line N: a section that is there already"),
        ("a = canary\n" + CONFIG, "config.cfg: line N: stands before the first [section] line; "),
        ("canary\udcff", "config.cfg: isn't UTF-8: save it as UTF-8"),
        (None, "config.cfg: missing from the package. Build it with ./release.sh"),
    ],
)
def test_a_fault_in_the_configuration_says_where(
    tmp_path: Path, config: str | None, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, config=config)
    assert re.sub(r"line \d+", "line N", str(caught.value)).startswith(said)
    assert "canary" not in str(caught.value)


@pytest.mark.row(32)
@pytest.mark.parametrize(
    "secrets",
    ["canary", "password = canary", SECRETS + "\ncanary", SECRETS + "\npassword = canary"],
)
def test_a_secret_that_is_no_configuration_is_not_repeated(tmp_path: Path, secrets: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, secrets=secrets)
    assert str(caught.value).startswith("config-secrets.cfg: line ")
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"


@pytest.mark.row(32)
@pytest.mark.parametrize("security", ["starttls", "none"])
def test_port_465_is_for_tls_alone(tmp_path: Path, security: str) -> None:
    secrets = with_line("port = 465", with_line(f"security = {security}"))
    with pytest.raises(SettingsError, match=f"security: is {security} on port 465, .* port 587"):
        loaded(tmp_path, secrets=secrets)


@pytest.mark.row(32)
def test_a_missing_secrets_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"config-secrets-example\.cfg.*--with-secrets.*SSM"):
        loaded(tmp_path, secrets=None)


@pytest.mark.row(32)
def test_the_example_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"still is the example's \?\?\?"):
        loaded(tmp_path, secrets=EXAMPLE)


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("ION_SMTP_CONECTIONS", ", did you mean ION_SMTP_CONNECTIONS?"),
        ("ion_smtp_connections", ", did you mean ION_SMTP_CONNECTIONS?"),
        ("ION_SMTP_PASSWORD", ": ION_SMTP_PASSWORD belongs in config-secrets.cfg"),
        ("ION_X", ""),
    ],
)
def test_an_unknown_variable_is_refused_and_so_is_a_password_in_one(
    tmp_path: Path, variable: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, environment={variable: "canary"})
    assert str(caught.value) == f"environment: {variable}: no such setting{hint}"


@pytest.mark.row(32)
def test_a_fault_in_a_secret_names_its_arn(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text(CONFIG, encoding="utf-8")
    named = {"ION_AWS_SECRET_ARN": ARN}
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, AWS | named, lambda _: with_line("port = canary"), is_address)
    assert str(caught.value).startswith(f"{ARN}: [smtp] port: ")


@pytest.mark.row(32)
@pytest.mark.parametrize("missing", sorted(AWS))
def test_the_names_alone_name_the_one_that_is_missing(missing: str) -> None:
    key = missing.removeprefix("ION_AWS_").lower()
    with pytest.raises(SettingsError, match=rf"\[aws\] {key}: is missing"):
        aws_names({name: value for name, value in AWS.items() if name != missing})


# several servers


SEVERAL = f"""{SECRETS}
[smtp:second]
server = b.example
port = 465
[smtp:a3]
server = c.example
port = 25
"""


def test_the_servers_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    settings = loaded(tmp_path, secrets=SEVERAL)
    assert [(one.name, one.server, one.security, one.username) for one in settings.servers] == [
        ("smtp", "smtp.example.org", Security.STARTTLS, "ion@example.org"),
        ("smtp:second", "b.example", Security.TLS, None),
        ("smtp:a3", "c.example", Security.STARTTLS, None),
    ]
    assert settings.sender == "ion@example.org"


def test_the_first_one_is_smtp_wherever_it_stands(tmp_path: Path) -> None:
    secrets = f"[smtp:second]\nserver = b.example\nport = 465\n{SECRETS}"
    servers = loaded(tmp_path, secrets=secrets).servers
    assert [one.name for one in servers] == ["smtp", "smtp:second"]


def test_a_further_server_is_spoken_to_as_the_first_but_has_limits_of_its_own(
    tmp_path: Path,
) -> None:
    config = CONFIG.replace("max_rate =", "max_rate = 14").replace("= envelope", "= deep")
    config += "\n[smtp:second]\nconnections = 2\n"
    environment = {"ION_SMTP_A3_PIPELINING": "off", "ION_SMTP_A3_MAX_RATE": "5"}
    settings = loaded(tmp_path, config=config, secrets=SEVERAL, environment=environment)
    assert [(one.connections, one.pipelining, one.max_rate) for one in settings.servers] == [
        (4, "deep", 14),
        (2, "deep", None),
        (4, "off", 5),
    ]


@pytest.mark.parametrize(
    ("secrets", "config", "where"),
    [
        ("[smtp:b]\nport = 25", "", r"config-secrets.cfg: \[smtp:b\] server: is missing"),
        ("[smtp:b]\nserver = ???\nport = 25", "", r"config-secrets.cfg: \[smtp:b\] server: still"),
        (
            "[smtp:B]\nserver = b.example",
            "",
            r"config-secrets.cfg: line 8: unknown section; .*NAME",
        ),
        ("[smtp:b-1]\nserver = b.example", "", r"cfg: line 8: unknown section; .*NAME"),
        (
            "[smtp-b]\nserver = b.example",
            "",
            r"config-secrets.cfg: line 8: unknown section; .*NAME",
        ),
        ("[smtp:b]\nsever = b.example", "", r"cfg: line 9: unknown key, did you mean server\?"),
        ("", "[smtp:b]\nwindow = 2", r"config.cfg: line \d+: \[smtp:b\]: unknown section; "),
        (
            "[smtp:b]\nserver = b.example\nport = 25",
            "[smtp:b]\npipelining = on",
            r"must be one of off",
        ),
    ],
)
def test_a_fault_in_a_further_server_says_where(
    tmp_path: Path, secrets: str, config: str, where: str
) -> None:
    with pytest.raises(SettingsError, match=where):
        loaded(tmp_path, secrets=f"{SECRETS}\n{secrets}\n", config=f"{CONFIG}\n{config}\n")
