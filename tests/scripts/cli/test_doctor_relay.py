"""ionctl doctor on the local stack: each thing that may be wrong is found by name, with advice."""

import asyncio
import re
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from dns_server import DnsServer
from doctoring import DOMAIN, HEALTHY, Patient, doctor, environment, secret, write_file
from ion.aws.control import ControlRow
from ion.aws.server_state import ServerStates
from ion.contract import Pause
from ion.policy.backoff import Backoff, fingerprint
from ion.settings import Security, Smtp
from ionctl.local import mailbox_simulator, policies
from ionctl.local.authority import NAME, Authority
from ionctl.local.mail_server import MailServer
from ionctl.local.stack import Stack, config_secrets
from ionctl.local.variables import Variables
from ionctl.ops.result import Grade

pytestmark = pytest.mark.system

SETTINGS = {"drain": {"linger_seconds": "0"}, "mail": {"sender": f"Shop <post@{DOMAIN}>"}}


@pytest.fixture(scope="module")
def module_patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    folder = tmp_path_factory.mktemp("doctor")
    with Stack(settings=SETTINGS) as stack, DnsServer(HEALTHY) as dns:
        write_file(stack, folder)
        yield Patient(stack, dns, folder)


@pytest.fixture
def patient(module_patient: Patient) -> Iterator[Patient]:
    yield module_patient
    module_patient.dns.zone = dict(HEALTHY)


def test_healthy_relay_has_nothing_wrong(patient: Patient) -> None:
    found = patient.diagnosed()
    assert found.wrong == []
    assert {one.grade for one in found.diagnosis.findings} == {Grade.OK}
    assert found.status == 0
    command = ("--local", "doctor", "--nameserver", patient.dns.address)
    shown = doctor(*command, folder=patient.folder)
    lines = shown.out.splitlines()
    assert lines[-1].strip() == "ion: nothing is wrong"
    assert re.search(
        r"^✓ login +\[smtp\] localhost:\d+ \(starttls\) takes the login", shown.out, re.MULTILINE
    )
    assert shown.err == ""


# -- the mail server -----------------------------------------------------------------------


def test_wrong_password(patient: Patient) -> None:
    text = patient.secret.replace("password = ", "password = hunter2-")
    with secret(patient.stack, text, patient.secret):
        found = patient.diagnosed()
    finding = found.the_only_wrong("login")
    assert "535 5.7.8" in finding.found
    assert "put the right login into the secret" in finding.advice
    assert "hunter2" not in found.text
    assert patient.stack.mail_server.login.username not in found.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("server = localhost", "server = no-such-host.invalid"), "host name not found"),
        (("port = ", "port = 1\n#port = "), "connection refused"),
    ],
)
def test_wrong_host(patient: Patient, change: tuple[str, str], words: str) -> None:
    with secret(patient.stack, patient.secret.replace(*change), patient.secret):
        finding = patient.diagnosed().the_only_wrong("connect")
    assert words in finding.found
    assert "correct server" in finding.advice


class ExpiredAuthority(Authority):
    """Its certificates ended long ago."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        self._expired = authority.issue_cert(NAME, not_after=datetime(2001, 1, 1, tzinfo=UTC))

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._expired.configure_cert(context)
        return context


def test_expired_certificate(patient: Patient, tmp_path: Path) -> None:
    with MailServer(ExpiredAuthority(tmp_path), lambda _arrived: None) as server:
        text = config_secrets(server.login)
        with secret(patient.stack, text, patient.secret):
            finding = patient.diagnosed().the_only_wrong("certificate")
    assert "certificate has expired" in finding.found
    assert "on the server, put a certificate there" in finding.advice


def test_server_that_the_function_leaves_alone_though_it_lets_us_in(patient: Patient) -> None:
    login, table = patient.stack.mail_server.login, patient.stack.names.table
    smtp = Smtp(login.host, login.port, Security.STARTTLS, login.username, login.password)
    until = int(time.time()) + 600
    states = ServerStates(patient.stack.aws.dynamodb, table)
    refused = Backoff("auth", "535 5.7.8 no", 1, until, fingerprint(smtp))
    asyncio.run(states.write("smtp", refused))
    found = patient.diagnosed()
    asyncio.run(states.write("smtp", Backoff("auth", "", 0, 0, "")))
    (finding,) = found.of("held")
    assert finding.grade is Grade.WARNING
    assert "refused it to the function: 535 5.7.8 no; it asks again at" in finding.found


# -- settings and the sender ---------------------------------------------------------------


def test_sender_that_is_no_address(patient: Patient) -> None:
    with environment(patient.stack, {"ION_MAIL_SENDER": "Shop"}):
        finding = patient.diagnosed().the_only_wrong("sender")
    assert finding.about == "ION_MAIL_SENDER"
    assert "is no email address" in finding.found


def test_unknown_settings_key(patient: Patient) -> None:
    with environment(patient.stack, {"ION_SMTP_CONECTIONS": "8"}):
        finding = patient.diagnosed().the_only_wrong("settings")
    assert finding.about == "ION_SMTP_CONECTIONS"
    assert "did you mean ION_SMTP_CONNECTIONS?" in finding.found


def test_secret_that_is_not_there(patient: Patient) -> None:
    arn = patient.stack.names.secret_arn
    with environment(patient.stack, {"ION_AWS_SECRET_ARN": f"{arn}-other"}):
        found = patient.diagnosed()
    (finding,) = found.of("secret")
    assert finding.grade is Grade.WRONG
    assert "ParameterNotFound" in finding.found
    assert found.of("login") == []


def test_senders_domain_without_spf_dkim_and_dmarc(patient: Patient) -> None:
    patient.dns.zone = {(DOMAIN, "MX"): HEALTHY[DOMAIN, "MX"]}
    found = patient.diagnosed()
    assert "v=spf1" in found.the_only_wrong("spf").advice
    for check in ("dkim", "dmarc"):
        (finding,) = found.of(check)
        assert finding.grade is Grade.WARNING
        assert finding.about == DOMAIN
        assert finding.advice


# -- AWS -----------------------------------------------------------------------------------


def test_missing_permission(patient: Patient) -> None:
    names, iam = patient.stack.names, patient.stack.aws.iam
    policy = policies.role(
        names,
        Variables(
            Path(),
            names.secret_arn,
            SETTINGS,
            outbox=True,
            attachment_buckets=(names.files_arn,),
        ),
    )
    role: dict[str, Any] = {"RoleName": names.role, "PolicyName": "relay"}
    less = policy.replace('"sqs:DeleteMessage", ', "").replace('"sqs:SendMessage", ', "")
    iam.put_role_policy(**role, PolicyDocument=less)
    found = patient.diagnosed()
    iam.put_role_policy(**role, PolicyDocument=policy)
    assert {(one.check, one.about) for one in found.wrong} == {
        ("permissions", queue.rsplit(":", 1)[-1])
        for queue in (*policies.drained(names), names.dead_letter_queue_arn)
    }
    assert "may not sqs:DeleteMessage, sqs:SendMessage on arn:aws:sqs:" in found.wrong[0].found
    assert "role_policy_json" in found.wrong[0].advice


def test_alarm_without_listeners(patient: Patient) -> None:
    sns, topic_arn = patient.stack.aws.sns, patient.stack.operators_topic_arn
    (listener,) = sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=listener["SubscriptionArn"])
    finding = patient.diagnosed().the_only_wrong("alarm-listeners")
    sns.subscribe(TopicArn=topic_arn, Protocol=listener["Protocol"], Endpoint=listener["Endpoint"])
    assert finding.found == "nobody hears any of the 16 alarms"
    assert f"aws sns subscribe --topic-arn {topic_arn} " in finding.advice


def test_package_older_than_the_module(patient: Patient) -> None:
    with environment(patient.stack, {"MODULE_VERSION": "99.0.0"}):
        finding = patient.diagnosed().the_only_wrong("package")
    assert "is older than the module (ion 99.0.0)" in finding.found
    assert "UPGRADE.md" in finding.advice


# -- switches ------------------------------------------------------------------------------


def test_paused_relay(patient: Patient) -> None:
    row, now = ControlRow(patient.stack.aws.dynamodb, patient.stack.names.table), time.time()
    by, why = "ann", "the list is wrong"
    asyncio.run(row.change(lambda was: was.with_pause(Pause(), now, by=by, why=why)))
    found = patient.diagnosed()
    asyncio.run(row.clear(now))
    (finding,) = found.of("paused")
    assert finding.grade is Grade.WARNING
    assert finding.found.startswith("everything is paused until ")
    assert finding.found.endswith("(by ann: the list is wrong)")
    assert "ionctl --local resume" in finding.advice
    assert found.status == 0


def test_disabled_relay(patient: Patient) -> None:
    functions, name = patient.stack.aws.functions, patient.stack.names.function
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    finding = patient.diagnosed().the_only_wrong("concurrency")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert "enabled = true" in finding.advice


# -- a probe -------------------------------------------------------------------------------


def test_probe_that_arrives(patient: Patient) -> None:
    before = len(patient.stack.mailbag.emails)
    found = patient.diagnosed("--probe", "ann@example.org")
    assert found.status == 0
    (finding,) = found.of("probe")
    assert finding.grade is Grade.OK
    assert finding.about in finding.found
    assert patient.stack.mailbag.emails[before].recipients == ("ann@example.org",)


def test_probe_that_is_refused(patient: Patient) -> None:
    found = patient.diagnosed("--probe", mailbox_simulator.BOUNCE)
    patient.stack.aws.sqs.purge_queue(QueueUrl=patient.stack.names.dead_letter_queue_url)
    finding = found.the_only_wrong("probe")
    assert "RCPT_REJECTED 550 5.1.1" in finding.found
    assert "docs/reasons.md" in finding.advice


def test_probe_to_what_is_no_address(patient: Patient) -> None:
    run = doctor("--local", "doctor", "--probe", "ann", folder=patient.folder)
    assert run.status == 2
    assert run.err == "ionctl: --probe ann: is no email address, write name@example.org\n"
