"""ionctl doctor --secrets: a login is tried before anything is deployed, and AWS isn't asked."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dns_server import DnsServer
from doctoring import DOMAIN, HEALTHY, Diagnosed, doctor
from ionctl.local.authority import Authority
from ionctl.local.mail_server import MailServer
from ionctl.local.stack import config_secrets
from ionctl.ops.result import Grade

SENDER = f"Shop <post@{DOMAIN}>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(Authority(tmp_path), lambda _arrived: None) as running:
        yield running


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer(HEALTHY) as running:
        yield running


def diagnosed(folder: Path, text: str, *options: str) -> Diagnosed:
    file = folder / "my-secrets.cfg"
    file.write_text(text, encoding="utf-8")
    asked = ("--json", "doctor", "--secrets", str(file), *options)
    # nothing of AWS is there, and nothing of it is needed
    return Diagnosed(doctor(*asked, folder=folder, AWS_ENDPOINT_URL="http://127.0.0.1:1"))


def test_right_login_and_a_domain_that_is_well(
    server: MailServer, dns: DnsServer, tmp_path: Path
) -> None:
    options = ("--sender", SENDER, "--nameserver", dns.address)
    found = diagnosed(tmp_path, config_secrets(server.login), *options)
    assert found.status == 0
    assert {one.check: one.grade for one in found.diagnosis.findings} == dict.fromkeys(
        ["secret", "certificate", "login", "sender", "spf", "dkim", "dmarc", "mx"], Grade.OK
    )


def test_wrong_password(server: MailServer, tmp_path: Path) -> None:
    text = config_secrets(server.login).replace("password = ", "password = hunter2-")
    found = diagnosed(tmp_path, text, "--sender", SENDER)
    assert "535 5.7.8" in found.the_only_wrong("login").found
    assert "hunter2" not in found.text


def test_private_ca_lies_beside_the_file(server: MailServer, tmp_path: Path) -> None:
    text = re.sub("ca_file = .*", "ca_file = ca.pem", config_secrets(server.login))
    assert (tmp_path / "ca.pem").is_file()
    found = diagnosed(tmp_path, text, "--sender", SENDER)
    assert found.wrong == []


def test_private_ca_that_is_not_named(server: MailServer, tmp_path: Path) -> None:
    text = re.sub("ca_file = .*", "", config_secrets(server.login))
    finding = diagnosed(tmp_path, text, "--sender", SENDER).the_only_wrong("certificate")
    assert "ca_file" in finding.advice


def test_file_that_is_malformed_is_told_by_its_name_and_line(tmp_path: Path) -> None:
    finding = diagnosed(tmp_path, "[smtp]\nsever = a.example\n").the_only_wrong("secret")
    assert finding.found.startswith("my-secrets.cfg: line 2: unknown key, did you mean server?")


def test_username_that_is_no_address_needs_a_sender(server: MailServer, tmp_path: Path) -> None:
    text = re.sub("username = .*", "username = AKIAEXAMPLE", config_secrets(server.login))
    found = diagnosed(tmp_path, text)
    (finding,) = found.of("sender")
    assert finding.grade is Grade.WARNING
    assert found.of("spf") == []


def test_file_that_is_not_there(tmp_path: Path) -> None:
    run = doctor("doctor", "--secrets", "no-such.cfg", folder=tmp_path)
    assert run.status == 1
    assert run.err.startswith("ionctl: no-such.cfg can't be read: ")


def test_secrets_and_a_probe_exclude_each_other(tmp_path: Path) -> None:
    run = doctor("doctor", "--secrets", "a.cfg", "--probe", "a@b.example", folder=tmp_path)
    assert run.status == 2
    assert "--probe" in run.err
