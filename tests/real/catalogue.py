"""All servers."""

from real.server import Server
from real.servers.dovecot import Dovecot
from real.servers.exim import Exim, EximThatRefusesAtData
from real.servers.haraka import Haraka
from real.servers.maildev import Maildev
from real.servers.opensmtpd import OpenSmtpd
from real.servers.postfix import Postfix, StrictPostfix
from real.servers.sendmail import Sendmail
from real.servers.smtp_server import SmtpServer

SERVERS: tuple[type[Server], ...] = (
    Postfix,
    StrictPostfix,
    Haraka,
    OpenSmtpd,
    Dovecot,
    SmtpServer,
    Exim,
    Maildev,
    Sendmail,
)
LIMITED: tuple[type[Server], ...] = (
    *(server for server in SERVERS if server.limit and server is not StrictPostfix),
    EximThatRefusesAtData,
)
"""Those that limit what they take on a connection or in a transaction."""
