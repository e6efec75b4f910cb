"""What a publisher may write, through parse and compose, and read back by the standard library."""

import re
from datetime import UTC, datetime
from random import Random
from typing import get_args

from fuzz.messages import message
from ion.contract import (
    Action,
    Addresses,
    BadInput,
    Mailbox,
    Send,
    Where,
    content_hash,
    parse,
)
from ion.envelope import Email
from ion.mail import compose
from ion.mail.addresses import parse_addresses
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, body, people, read

_QUEUED_AT = datetime(2025, 3, 9, 7, 5, 2, tzinfo=UTC)
_DEFAULT_SENDER = "relay@example.com"
_NAME = r"[A-Za-z_]\w{0,39}"
_BRACKET = r"\[(?:\d+|\*|'[A-Za-z][\w-]{0,75}')\]"
_PATH = re.compile(rf"\$(?:\.\.?{_NAME}|(?:\.\.)?{_BRACKET})*", re.ASCII)
"""What may be said of bad input: where it is, never what it is. RFC 9535, or a part of it."""
_FIELDS = {
    "action",
    *(name for one in (*get_args(Action), Where, Mailbox) for name in one.__struct_fields__),
}

_quoted_pair = re.compile(r"\\(.)")


class Contract:
    """Messages as JSON text: good ones, changed in what they say or in how they are spelt."""

    def draw(self, random: Random) -> str:
        """A message's text."""
        return message(random)

    async def check(self, text: str) -> None:
        """Whatever is wrong with what becomes of a message.

        Raises:
            AssertionError: what was promised doesn't hold.
            Exception: anything but the contract's own.
        """
        try:
            action = self.parse(text)
        except BadInput as bad:
            assert_says_only_where(bad)
            return
        assert isinstance(action, Action), type(action)
        assert len(content_hash(text)) == 64
        if not isinstance(action, Send):
            return
        try:
            email = self.compose(action)
        except BadInput as bad:
            assert_says_only_where(bad)
            return
        assert_reads_back(action, email)

    def parse(self, text: str) -> Action:
        """What is under test; a broken one proves that it is tested."""
        return parse(text)

    def compose(self, send: Send) -> Email:
        """The same."""
        return compose(send, key="order-17", queued_at=_QUEUED_AT, default_sender=_DEFAULT_SENDER)


def assert_says_only_where(bad: BadInput) -> None:
    """Bad input is named by reason and path; the path repeats no data."""
    assert _PATH.fullmatch(bad.path), bad.path
    assert bad.did_you_mean in {"", *_FIELDS}
    assert (bad.problem is not None) == (bad.reason is Reason.INVALID_SCHEMA)
    meant = f", did you mean {bad.did_you_mean}?" if bad.did_you_mean else ""
    problem = f": {bad.problem}{meant}" if bad.problem else ""
    place = f" ({bad.detail})" if bad.detail else ""
    assert str(bad) == f"{bad.reason} at {bad.path}{problem}{place}"
    assert (bad.detail != "") == (bad.reason is Reason.BAD_JSON)
    assert not bad.detail or re.fullmatch(r"line \d+, column \d+", bad.detail)


def assert_reads_back(send: Send, email: Email) -> None:
    """The email says what the publisher said, to whom they said it, and nothing else."""
    assert_clean_on_the_wire(email)
    told = read(email)
    assert told["Subject"] == (send.subject or "")
    assert told["Bcc"] is None
    to, cc, sender = _expected(send.recipient), _expected(send.cc), _expected(send.sender)
    fields = {
        "From": sender or _expected(_DEFAULT_SENDER),
        "To": to,
        "Cc": cc,
        "Reply-To": _expected(send.reply_to),
    }
    for name, names_and_addresses in fields.items():
        if name == "To" and not (to or cc):
            assert str(told["To"]) == "undisclosed-recipients:;"
        elif names_and_addresses:
            assert len(told.get_all(name, [])) == 1, name
            assert _unescaped(people(email, name)) == _unescaped(names_and_addresses), name
        else:
            assert name not in told, name
    for name, value in (send.headers or {}).items():
        assert value is None or told.get_all(name) == [value.strip(" \t")], name
    everybody = [
        address for field in (send.recipient, send.cc, send.bcc) for _, address in _expected(field)
    ]
    reverse_path = _expected(send.return_path) or fields["From"]
    assert email.envelope.sender == reverse_path[0][1]
    assert set(email.envelope.recipients) <= set(everybody)
    known = {_same_domain(address) for address in email.envelope.recipients}
    assert known == {_same_domain(address) for address in everybody}
    if send.body_text:
        assert body(told, "plain") == _with_lf(send.body_text)
    if send.body_html:
        assert body(told, "html") == _with_lf(send.body_html)


def _expected(addresses: Addresses | None) -> list[tuple[str, str]]:
    return [(one.name, one.address) for one in parse_addresses(addresses, "$")]


def _unescaped(names_and_addresses: list[tuple[str, str]]) -> list[tuple[str, str]]:
    r"""A quoted pair is the character that it quotes: `"\d"@b.c` (RFC 5321 section 4.1.2)."""
    return [(name, _quoted_pair.sub(r"\1", one)) for name, one in names_and_addresses]


def _same_domain(address: str) -> str:
    local_part, _, domain = address.rpartition("@")
    return f"{local_part}@{domain.lower()}"


def _with_lf(text: str) -> str:
    text = re.sub(r"\r\n?", "\n", text)
    return text if text.endswith("\n") else text + "\n"
