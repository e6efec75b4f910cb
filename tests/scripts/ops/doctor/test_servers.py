"""What is found at a mail server that isn't as it should be, and what the function says of it."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
import trustme
from moto import mock_aws

from ion.settings import OAuth, Security, Smtp
from ionctl.local.authority import NAME, Authority
from ionctl.local.mail_server import MailServer
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment
from ionctl.ops.doctor import servers
from ionctl.ops.result import Finding, Grade
from smtp_server import Certificate, Offer, ScriptedServer, Step, Tls, hang, reply

LOGIN = Offer(users={"ion": "secret"})


async def looked_at(
    server: ScriptedServer, security: Security = Security.STARTTLS, **changes: str | OAuth | None
) -> list[Finding]:
    async with server:
        smtp = Smtp(server.host, server.port, security, "ion", "secret", ca_file="")
        smtp = replace(smtp, ca_file=str(server.ca_pem_path), **changes)  # type: ignore[arg-type]
        found = await asyncio.to_thread(lambda: list(servers.look(smtp)))
        await server.settled()
    return found


async def test_right_login_ends_with_quit_and_one_auth_command() -> None:
    server = ScriptedServer(tls=Tls.STARTTLS, offer=LOGIN)
    certificate, login = await looked_at(server)
    assert (certificate.check, login.check) == ("certificate", "login")
    assert {certificate.grade, login.grade} == {Grade.OK}
    assert server.auth_commands == 1
    (session,) = server.sessions
    assert session.verbs[-1] == "QUIT"
    assert server.submissions == []


@pytest.mark.parametrize(
    ("server", "security", "check", "words"),
    [
        (ScriptedServer(offer=Offer()), Security.STARTTLS, "tls", "STARTTLS not offered"),
        (
            ScriptedServer(tls=Tls.STARTTLS, offer=LOGIN, certificate=Certificate.WRONG_NAME),
            Security.STARTTLS,
            "certificate",
            "IP address mismatch",
        ),
        (
            ScriptedServer(tls=Tls.IMPLICIT, offer=LOGIN, certificate=Certificate.UNTRUSTED),
            Security.TLS,
            "certificate",
            "unable to get local issuer certificate",
        ),
        (
            ScriptedServer({Step.AUTH: reply(535, "5.7.8 no")}, tls=Tls.IMPLICIT, offer=LOGIN),
            Security.TLS,
            "login",
            "535 5.7.8",
        ),
        (
            ScriptedServer(tls=Tls.IMPLICIT, offer=replace(LOGIN, mechanisms=("SCRAM-SHA-256",))),
            Security.TLS,
            "login",
            "AUTH offers",
        ),
        (
            ScriptedServer({Step.CONNECT: reply(554, "5.7.1 go away")}, offer=LOGIN),
            Security.STARTTLS,
            "connect",
            "554",
        ),
    ],
)
async def test_server_that_lets_no_mail_go(
    server: ScriptedServer, security: Security, check: str, words: str
) -> None:
    (finding,) = await looked_at(server, security)
    assert (finding.check, finding.grade, finding.about) == (check, Grade.WRONG, "smtp")
    assert words in finding.found
    assert finding.advice


@pytest.mark.parametrize(
    ("step", "check", "words"),
    [
        (Step.EHLO, "connect", "it greets, and doesn't answer EHLO within 1 s"),
        (Step.STARTTLS, "tls", "it answers EHLO, and not STARTTLS"),
        (Step.AUTH, "login", "it answers EHLO, and not AUTH within 1 s"),
    ],
)
async def test_server_that_says_nothing_more_is_told_with_the_stage(
    step: Step, check: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_SECONDS", 1.0)
    server = ScriptedServer({step: hang()}, tls=Tls.STARTTLS, offer=LOGIN)
    (finding,) = await looked_at(server)
    assert (finding.check, finding.grade) == (check, Grade.WRONG)
    assert words in finding.found
    assert "timed out" not in finding.found
    assert "nothing listens" not in finding.advice


async def test_token_endpoint_that_is_not_there() -> None:
    oauth = OAuth("https://127.0.0.1:1/token", "id", "canary-secret", "scope")
    server = ScriptedServer(tls=Tls.IMPLICIT, offer=LOGIN)
    (finding,) = await looked_at(server, Security.TLS, password=None, oauth=oauth)
    assert (finding.check, finding.grade) == ("login", Grade.WRONG)
    assert "token endpoint: connection refused" in finding.found
    assert "oauth_token_url" in finding.advice
    assert "canary" not in repr(finding)


class EndingSoon(Authority):
    """Its certificates end in five days."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        until = datetime.now(UTC) + timedelta(days=5, hours=1)
        self._certificate = authority.issue_cert(NAME, not_after=until)


def test_certificate_that_ends_soon_is_warned_of(tmp_path: Path) -> None:
    with MailServer(EndingSoon(tmp_path), lambda _arrived: None) as server:
        login = server.login
        smtp = Smtp(login.host, login.port, Security.STARTTLS, login.username, login.password)
        certificate, took = servers.look(replace(smtp, ca_file=str(login.ca_file)))
    assert certificate.grade is Grade.WARNING
    assert certificate.found.endswith(", in 5 days")
    assert took.grade is Grade.OK


# -- and what the function has found -------------------------------------------------------

SILENT = Smtp("127.0.0.1", 1, Security.STARTTLS, "ion", "secret")


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="eu-west-1")
        yield Account(session)


def deployed(
    account: Account, *events: dict[str, str], **configuration: dict[str, list[str]]
) -> Deployment:
    """A function that has logged these, in a table that isn't there."""
    deployment = Deployment(
        account,
        "ion",
        {"Environment": {"Variables": {"ION_AWS_LEDGER_TABLE": "none"}}, **configuration},
    )
    group, now = deployment.log_group, int(time.time() * 1000)
    account.logs.create_log_group(logGroupName=group)
    account.logs.create_log_stream(logGroupName=group, logStreamName="one")
    account.logs.put_log_events(
        logGroupName=group,
        logStreamName="one",
        logEvents=[
            {"timestamp": now, "message": json.dumps(one)}
            for one in ({"message": "started"}, *events)
        ],
    )
    return deployment


SUSPENDED = {"message": "delivery suspended", "reply": "timed out"}


def test_unreachable_server_of_a_function_in_a_vpc_is_no_verdict(account: Account) -> None:
    events = ({**SUSPENDED, "server": "smtp:backup"}, {**SUSPENDED, "server": "smtp"})
    deployment = deployed(account, *events, VpcConfig={"SubnetIds": ["subnet-1"]})
    (finding,) = servers.look(SILENT, deployment)
    assert (finding.check, finding.grade) == ("connect", Grade.SKIPPED)
    assert "connection refused from here; the function is in a VPC" in finding.found
    assert re.search(r"its log has: timed out \(at \d\d:\d\d UTC\)$", finding.found)


def test_unreachable_server_is_wrong_and_the_functions_log_is_quoted(account: Account) -> None:
    (finding,) = servers.look(SILENT, deployed(account, {**SUSPENDED, "server": "smtp:backup"}))
    assert finding.grade is Grade.WRONG
    assert finding.found.endswith("(the function's log has: nothing of the kind for a day)")


def test_server_that_only_the_function_cannot_reach(account: Account, tmp_path: Path) -> None:
    ended = {"message": "run ended", "held_by": "smtp", "error": "CONNECT at connect: timed out"}
    deployment = deployed(account, {"message": "run ended", "held_by": ""}, ended)
    with MailServer(Authority(tmp_path), lambda _arrived: None) as server:
        login = server.login
        smtp = Smtp(login.host, login.port, Security.STARTTLS, login.username, login.password)
        *_, held = servers.look(replace(smtp, ca_file=str(login.ca_file)), deployment)
    assert (held.check, held.grade) == ("held", Grade.WARNING)
    assert held.found.endswith("held the function's last run: CONNECT at connect: timed out")


def test_port_25_is_warned_of(account: Account) -> None:
    port, _connect = servers.look(replace(SILENT, port=25))
    assert (port.check, port.grade) == ("port", Grade.WARNING)
