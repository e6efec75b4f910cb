"""The whole relay against Exim, email by email: of all that it talks to, only AWS is emulated."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from conftest import Log
from emulated import Account
from ion import handler
from real.servers.exim import PASSWORD, USERNAME, Exim
from real.unavailable import skipped_unless_available

# not the usual time-out: the first run fetches Exim
pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SENDER = "relay@sender.example"
REPOSITORY = Path(__file__).parents[2]
CONNECTION = re.compile(r"SMTP connection from \[127\.0\.0\.1\]:\d+ \(")


class Invocation:
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class Relay:
    """The function, deployed with a package whose configuration is for this server."""

    def __init__(self, package: Path, mta: Exim, account: Account) -> None:
        self._package = package
        self._mta = mta
        self._account = account
        shutil.copy(REPOSITORY / "config.cfg", package)
        self.secrets = mta.secrets(package)
        self.password = PASSWORD

    def send(self, **fields: object) -> str:
        """Put an email into the queue; returns the SQS id."""
        body = {"action": "send", "sender": SENDER, "body_text": "hello"} | fields
        return self._account.publish(json.dumps(body, ensure_ascii=False))

    def run(self) -> dict[str, object]:
        """One invocation of a new environment; returns its summary."""
        secrets = self.secrets.replace(PASSWORD, self.password)
        (self._package / "config-secrets.cfg").write_text(secrets)
        handler._relay.cache_clear()  # noqa: SLF001 - as Lambda does, by starting another process
        return handler.run({}, Invocation())


@pytest.fixture
def mta(folder: Path) -> Iterator[Exim]:
    with skipped_unless_available():
        exim = Exim(folder)
    with exim:
        yield exim


@pytest.fixture
def relay(
    tmp_path: Path, mta: Exim, account: Account, log: Log, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Relay]:
    for name, value in account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("ION_DRAIN_LINGER_SECONDS", "0")  # nothing more will come
    yield Relay(tmp_path, mta, account)
    handler._relay.cache_clear()  # noqa: SLF001 - its clients are those of an account that is gone


@dataclass(frozen=True)
class Email:
    """What lies in a mailbox.

    Args:
        sender: from the envelope.
        received: Exim's own trace field, unfolded.
        message: as the standard library reads it.
    """

    sender: str
    received: str
    message: EmailMessage


def mailbox(mta: Exim, recipient: str) -> list[Email]:
    """What one has got, in no order."""
    contents = [one.content for one in mta.stored() if one.recipient == recipient]
    return [_read(content) for content in contents]


def _read(content: bytes) -> Email:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    sender = str(message["Return-path"]).strip("<>")
    return Email(sender, " ".join(str(message["Received"]).split()), message)


def only(stored: list[Email]) -> Email:
    """The one email in a mailbox; it came as all must come: over TLS, after a login."""
    (email,) = stored
    assert_submitted_safely(email)
    return email


def assert_submitted_safely(email: Email) -> None:
    # RFC 3848: extended SMTP, Secured and Authenticated; RFC 6531 has UTF8 before it
    assert re.search(r" with (utf8)?esmtpsa \(TLS1\.[23]\) ", email.received)
    assert email.sender == SENDER


def text_of(email: Email, subtype: str = "plain") -> str:
    part = email.message.get_body((subtype,))
    assert part is not None
    assert not part.defects
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def test_a_mail_arrives_over_starttls_after_a_login(
    relay: Relay, mta: Exim, account: Account
) -> None:
    relay.send(recipient="Ann <ann@mta.example>", subject="Plain", body_text="hello\nAnn\n")

    summary = relay.run()

    assert (summary["sent"], summary["stopped"]) == (1, "empty")
    email = only(mailbox(mta, "ann@mta.example"))
    assert email.message["Subject"] == "Plain"
    assert email.message["To"] == "Ann <ann@mta.example>"
    assert text_of(email) == "hello\nAnn\n"
    assert f" A=plain:{USERNAME} " in mta.log()
    assert account.waiting() == account.dead() == []


def test_a_domain_and_a_subject_beyond_ascii_arrive_as_they_were_meant(
    relay: Relay, mta: Exim
) -> None:
    subject = "Grüße aus München, 東京 🎉 " * 8
    relay.send(recipient="bob@bücher.example", subject=subject.strip(), body_text="ß €\n")

    assert relay.run()["sent"] == 1

    email = only(mailbox(mta, "bob@xn--bcher-kva.example"))
    assert email.message["Subject"] == subject.strip()
    assert text_of(email) == "ß €\n"


def test_a_local_part_beyond_ascii_goes_by_smtputf8(relay: Relay, mta: Exim) -> None:
    relay.send(recipient="jürgen@mta.example", subject="Grüße")

    assert relay.run()["sent"] == 1

    email = only(mailbox(mta, "jürgen@mta.example"))
    assert " with utf8esmtpsa " in email.received
    assert text_of(email) == "hello\n"


def test_two_megabytes_arrive_whole(relay: Relay, mta: Exim) -> None:
    # SQS takes 1 MiB of JSON; in base64, and once more as plain text, that is well over two
    text = "".join(f"{number} grüne Äpfel, " for number in range(45_000)).strip()
    relay.send(recipient="ann@mta.example", body_html=f"<p>{text}</p>", body_text=None)

    assert relay.run()["sent"] == 1

    email = only(mailbox(mta, "ann@mta.example"))
    assert text_of(email) == f"{text}\n"
    assert text_of(email, "html") == f"<p>{text}</p>\n"
    assert len(email.message.as_bytes()) > 2_000_000


def test_lines_that_start_with_dots_keep_them(relay: Relay, mta: Exim) -> None:
    text = ".\n..\n.hidden\n\n.\nQUIT\n...\r\n.\r\nafter\n.\n"
    relay.send(recipient="ann@mta.example", body_text=text)

    assert relay.run()["sent"] == 1

    email = only(mailbox(mta, "ann@mta.example"))
    assert email.message["Content-Transfer-Encoding"] == "7bit"  # so the dots were on the wire
    assert text_of(email) == text.replace("\r\n", "\n")


def test_thirty_mails_share_four_connections_and_each_arrives_once(
    relay: Relay, mta: Exim, account: Account
) -> None:
    for number in range(30):
        relay.send(recipient="ann@mta.example", subject=f"Number {number}")

    summary = relay.run()

    assert (summary["received"], summary["sent"]) == (30, 30)
    stored = mailbox(mta, "ann@mta.example")
    assert sorted(email.message["Subject"] for email in stored) == sorted(
        f"Number {number}" for number in range(30)
    )
    for email in stored:
        assert_submitted_safely(email)
    assert 2 <= len(CONNECTION.findall(mta.log())) <= 4  # as fast as they open
    assert account.waiting() == account.dead() == []


def test_a_wrong_password_holds_everything_and_costs_no_message(
    relay: Relay, mta: Exim, account: Account
) -> None:
    waiting = relay.send(recipient="ann@mta.example")
    relay.password = "wrong"

    summary = relay.run()

    assert (summary["stopped"], summary["received"]) == ("auth", 0)
    assert summary["error"] == "AUTH at auth: 535 Incorrect authentication data"
    (message,) = account.waiting()
    # received once: while nothing can be sent, the first run looks for old mail
    assert (message.id, message.receives, message.visible) == (waiting, 1, True)
    assert account.dead() == []
    assert mta.log().count("535 Incorrect authentication data") == 1  # one login, not one a worker

    relay.password = PASSWORD
    assert relay.run()["sent"] == 1
    only(mailbox(mta, "ann@mta.example"))


def test_an_unknown_user_is_a_dead_letter_that_quotes_the_server(
    relay: Relay, mta: Exim, account: Account
) -> None:
    relay.send(recipient=["ann@mta.example", "nobody@mta.example"])

    summary = relay.run()

    assert summary["dead_lettered"] == 1
    (dead,) = account.dead()
    assert dead.attributes["reason"] == ("String", "RCPT_REJECTED")
    assert dead.attributes["reply"] == ("String", "550 Unrouteable address")
    assert "rejected RCPT <nobody@mta.example>: Unrouteable address" in mta.log("reject")
    only(mailbox(mta, "ann@mta.example"))
    assert account.waiting() == []


def test_a_server_that_hangs_up_on_many_resets_costs_no_message(
    relay: Relay, mta: Exim, account: Account
) -> None:
    # a refused recipient is followed by RSET, and at the eleventh of those on a connection Exim
    # says so, in plain text in the middle of TLS, and closes
    for number in range(60):
        relay.send(recipient=f"nobody{number}@mta.example")
    relay.send(recipient="ann@mta.example")

    summary = relay.run()

    assert 'dropped: too many nonmail commands (last was "RSET")' in mta.log()
    assert (summary["received"], summary["stopped"]) == (61, "empty")
    assert (summary["dead_lettered"], summary["sent"]) == (60, 1)
    replies = [dead.attributes["reply"] for dead in account.dead()]
    assert replies == [("String", "550 Unrouteable address")] * 60
    only(mailbox(mta, "ann@mta.example"))
    assert account.waiting() == []
