"""A client of the local stack's mail server."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from ionctl.local.mail_server import MailServer


def encrypted(server: MailServer) -> smtplib.SMTP:
    login = server.login
    client = smtplib.SMTP(login.host, login.port, timeout=10)
    with _closed_on_error(client):
        client.starttls(context=ssl.create_default_context(cafile=str(login.ca_file)))
        client.ehlo()
    return client


def connect(server: MailServer) -> smtplib.SMTP:
    client = encrypted(server)
    with _closed_on_error(client):
        client.login(server.login.username, server.login.password)
    return client


@contextmanager
def _closed_on_error(client: smtplib.SMTP) -> Iterator[None]:
    try:
        yield
    except BaseException:
        client.close()
        raise


def send(client: smtplib.SMTP, recipient: str, message_id: str = "<1@example.org>") -> int:
    """Give the code of the reply that decided it."""
    client.mail("ion@example.org")
    code, _ = client.rcpt(recipient)
    if code != 250:
        client.rset()
        return code
    return client.data(f"Message-ID: {message_id}\r\n\r\nHello\r\n")[0]
