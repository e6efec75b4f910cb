"""The local mail server, spoken to over real SMTP."""

import re
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ionctl.local import mailbox_simulator
from ionctl.local.authority import Authority
from ionctl.local.mail_server import MailServer
from ionctl.local.mailbag import Mailbag
from ionctl.problem import Problem
from local_mail import connect, encrypted, send


@pytest.fixture
def mailbag() -> Mailbag:
    return Mailbag()


@pytest.fixture
def server(tmp_path: Path, mailbag: Mailbag) -> Iterator[MailServer]:
    with MailServer(Authority(tmp_path), mailbag.put) as running:
        yield running


def test_accepted_email_arrives_with_its_envelope_and_bytes(
    server: MailServer, mailbag: Mailbag
) -> None:
    with connect(server) as client:
        client.sendmail("ion@example.org", ["ann@example.org", "bob@example.org"], "A: b\n\n.x\n")
    (email,) = mailbag.wait(1, timeout_seconds=10)
    assert email.sender == "ion@example.org"
    assert email.recipients == ("ann@example.org", "bob@example.org")
    assert email.content == b"A: b\r\n\r\n.x\r\n"
    assert email.confirmed


def test_offers_what_ses_offers(server: MailServer) -> None:
    with connect(server) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(40 * 1024 * 1024)
        assert {"8bitmime", "smtputf8", "auth"} <= client.esmtp_features.keys()
        assert not {"pipelining", "chunking", "starttls"} & client.esmtp_features.keys()


def test_insists_on_starttls(server: MailServer) -> None:
    with smtplib.SMTP(server.login.host, server.login.port, timeout=10) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.mail("ion@example.org")[0] == 530


def test_insists_on_login(server: MailServer) -> None:
    with encrypted(server) as client:
        assert client.mail("ion@example.org")[0] == 530


def test_wrong_password_is_refused(server: MailServer) -> None:
    with (
        encrypted(server) as client,
        pytest.raises(smtplib.SMTPAuthenticationError, match="535"),
    ):
        client.login(server.login.username, "guess")


def test_takes_addresses_and_headers_in_utf8(server: MailServer, mailbag: Mailbag) -> None:
    with connect(server) as client:
        client.ehlo()
        client.mail("ion@example.org", ["SMTPUTF8", "BODY=8BITMIME"])
        client.command_encoding = "utf-8"
        assert client.rcpt("änn@example.org")[0] == 250
        assert client.data("Subject: ü\r\n\r\nä\r\n".encode())[0] == 250
    assert mailbag.wait(1, timeout_seconds=10)[0].recipients == ("änn@example.org",)


def test_bounce_is_refused_at_rcpt(server: MailServer, mailbag: Mailbag) -> None:
    with connect(server) as client:
        assert client.mail("ion@example.org")[0] == 250
        code, text = client.rcpt("Bounce@simulator.test")
    assert (code, text[:5]) == (550, b"5.1.1")
    assert not mailbag.emails


def test_defer_puts_each_message_off_once(server: MailServer, mailbag: Mailbag) -> None:
    with connect(server) as client:
        codes = [
            send(client, mailbox_simulator.DEFER, message_id)
            for message_id in ("<1@x>", "<2@x>", "<1@x>", "<2@x>")
        ]
    assert codes == [451, 451, 250, 250]
    assert len(mailbag.wait(2, timeout_seconds=10)) == 2


def test_throttle_refuses_twice_after_data(server: MailServer, mailbag: Mailbag) -> None:
    with connect(server) as client:
        assert [send(client, mailbox_simulator.THROTTLE) for _ in range(3)] == [454, 454, 250]
    assert len(mailbag.wait(1, timeout_seconds=10)) == 1


def test_drop_loses_the_connection_once_and_keeps_the_email(
    server: MailServer, mailbag: Mailbag
) -> None:
    client = connect(server)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(client, mailbox_simulator.DROP)
    with connect(server) as again:
        assert send(again, mailbox_simulator.DROP) == 250
    assert [email.confirmed for email in mailbag.wait(2, timeout_seconds=10)] == [False, True]


def test_message_without_an_id_is_known_by_its_bytes(server: MailServer) -> None:
    with connect(server) as client:
        for code in (451, 250):
            client.mail("ion@example.org")
            client.rcpt(mailbox_simulator.DEFER)
            assert client.data("Subject: same\r\n\r\n")[0] == code


def test_busy_port_names_the_option(tmp_path: Path, mailbag: Mailbag) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            Problem, match=rf"port {port} .* is in use: .*{re.escape('--smtp-port')}"
        ):
            MailServer(Authority(tmp_path), mailbag.put, port)


def test_ends_with_a_client_still_connected(tmp_path: Path, mailbag: Mailbag) -> None:
    with MailServer(Authority(tmp_path), mailbag.put) as server:
        client = connect(server)
    with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
        client.noop()
    client.close()
