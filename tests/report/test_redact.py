"""What a server said is kept in the words that servers use: nothing of the email, not too long."""

import ast
import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.report.redact import LONGEST_REPLY, id_in, redact

LOOKS_LIKE_AN_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("550 5.1.1 user unknown", "550 5.1.1 user unknown"),
        ("550 <ann@example.org>: no such user", "550 <address>: no such user"),
        ("550 ann@example.org: no such user", "550 <address>: no such user"),
        ("550 (ann@example.org) unknown", "550 <address>) unknown"),
        ("to=ann@example.org, relay=none", "<address>, relay=none"),
        ("ann@example.org", "<address>"),
        ("ann@example.org,bob@example.org", "<address>"),
        ("ann@example.org bob@example.org", "<address> <address>"),
        ("<ann smith@example.org>", "<address>"),
        ("<ann@example.org", "<<address>"),
        ("ann+tag@[192.0.2.1]", "<address>"),
        ("ann@[IPv6:2001:db8::1] no", "<address> no"),
        ("jürgen@bücher.example", "<address>"),
        ("a@b@c@d", "<address>"),
        ("@b@c", "<address>"),
        ("line one\nline two\r\n\tthree", "line one line two three"),
        ("bell\x07 esc\x1b[31m del\x7f c1\x9b", "*** [***"),
        ("first \ud800 last", "first   last"),
        ("\ufffe\uffff", ""),
        ("  spaces  ", "spaces"),
        ("", ""),
        ("busy " * 100, ("busy " * 40).rstrip()),
    ],
)
def test_what_is_kept_of_a_reply(said: str, kept: str) -> None:
    assert redact(said) == kept


@pytest.mark.parametrize(
    ("said", "addresses", "kept"),
    [
        ("550 unknown user ann", ["ann@example.org"], "550 unknown user <address>"),
        ("550 unknown user ANN.", ["ann@example.org"], "550 unknown user <address>."),
        ("550 annual limit", ["ann@example.org"], "550 *** limit"),
        ("550 info is full", ["info@example.org"], "550 <address> is full"),
        ("550 info=example.org is full", ["info@example.org"], "550 <address> is full"),
        ("550 no such domain outlook.com", ["ann@outlook.com"], "550 no such domain <address>"),
        ("550 Ann@Example.ORG and bob", ["bob@b.example"], "550 <address> and <address>"),
        ('550 "ann smith"@b.example', ['"ann smith"@b.example'], "550 <address>"),
        ("550 a.b*c no", ["a.b*c@b.example"], "550 <address> no"),
        ("550 a.b*c no", ["(@b.example", "no-at-sign", "@b.example"], "550 *** no"),
    ],
)
def test_the_local_parts_of_this_email_go_too(said: str, addresses: list[str], kept: str) -> None:
    assert redact(said, addresses) == kept


@pytest.mark.parametrize(
    "said",
    [
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
        "534 5.7.9 Application-specific password required. 5.7.9 - gsmtp",
        "454 Throttling failure: Maximum sending rate exceeded.",
        "554 Message rejected: Email address is not verified.",
        "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed",
        "451 Greylisted, please try again in 180 seconds",
        "535 Authentication failed: Bad username / password",
        "AUTH at auth: 535 Incorrect authentication data",
        "connection lost (ConnectionResetError)",
        "the function died between claim and result",
        "20123 messages moved",
        "receive: AccessDenied",
        "receive: AWS.SimpleQueueService.NonExistentQueue",
        "1048577 octets, the server takes 10485760",
        "AUTH offers cram-md5, xoauth2",
        "unable to get local issuer certificate",
        "554 Message rejected: Sending paused for this account.",
        "502 5.7.0 Your SMTP account is not yet activated",
        "554 Your account is on probation and domains are limited to 100 messages / hour.",
        "550 This domain is not associated with your account",
    ],
)
def test_what_a_person_needs_is_kept_whole(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
            "535 5.7.8 Error: authentication failed: ***",
        ),
        ("550 ann%40example.org unknown", "550 *** unknown"),
        ("550 ann=example.org unknown", "550 *** unknown"),
        ("550 SRS0=HHH=TT=example.org=ann unknown", "550 *** unknown"),
        ("550 xn--bcher-kva.example not found", "550 *** not found"),
        ("550 Bücher unknown", "550 *** unknown"),
        ("550 BUECHER unknown", "550 *** unknown"),
        ("554 see http://mx.example/why?id=ann", "554 see http:***"),
        ("554 user O'Hara unknown", "554 user ***'*** unknown"),
        ("550 =61=6e=6e unknown", "550 *** unknown"),
        ("554 not sent: 'You are blocked'", "554 not sent: ***"),
        ('554 not sent: "You are blocked"', "554 not sent: ***"),
        ("554 not sent: “You are blocked”", "554 not sent: ***"),
        ("554 not sent: «You are blocked»", "554 not sent: ***"),
        ("554 call 49 170 555 0123", "554 call ***"),
        ("554 code 4711 is bad", "554 code *** is bad"),
        ("554 @ is bad", "554 <address> is bad"),
        ("554 ==== #### is bad", "554 *** is bad"),
    ],
)
def test_a_word_that_servers_do_not_use_is_not_kept(said: str, kept: str) -> None:
    """Whatever it is: nothing here has to know what a password or a subject looks like."""
    assert redact(said) == kept


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("250 2.0.0 Ok: queued as 4SxY1z2w3vz9rxL", "4SxY1z2w3vz9rxL"),
        ("250 Ok 0100017f3c5e0b7a-8d9e2f10-000000", "0100017f3c5e0b7a-8d9e2f10-000000"),
        ("250 OK id=1rTxyz-0001AB-2C", "1rTxyz-0001AB-2C"),
        ("250 2.0.0 OK  1706000000 a1-20020a05600c0b00dsm123 - gsmtp", "a1-20020a05600c0b00dsm123"),
        ("250 Ok: queued as K7Xn0RrT_WaI-RSTtTnv6A", "K7Xn0RrT_WaI-RSTtTnv6A"),
        ("250 Ok: queued as KwXnqRrT_WaI-RSTtTnv6A", "KwXnqRrT_WaI-RSTtTnv6A"),
        ("250 2.0.0 Ok: queued as 4SxYkzBwLvzFrxL", "4SxYkzBwLvzFrxL"),
        ("250 2.0.0 4AS9c1Zx012345 Message accepted for delivery", "4AS9c1Zx012345"),
        ("250 2.0.0 9f2c07e1 Message accepted for delivery", "9f2c07e1"),
    ],
)
def test_what_the_server_calls_an_email_that_it_took_is_kept(said: str, name: str) -> None:
    assert redact(said) == said
    assert id_in(said) == name
    assert name not in redact(said.replace("250", "550"))
    assert name not in redact(said, [f"{name}@example.org"])


@pytest.mark.parametrize(
    "word",
    [
        "hunter2secret",
        "Invoice-Order-Nr",
        "iPhoneXsMaxIsHere",
        "Troubadour1Re",
        "confidential",
        "Pa55wordLong",
    ],
)
def test_a_word_in_place_of_such_a_name_is_not_kept(word: str) -> None:
    assert word not in redact(f"250 2.0.0 Ok: queued as {word}")


def exchange(name: str, message_id: str = "<canary@example.org>") -> str:
    return (
        f"250 2.6.0 {message_id} [InternalId={name}, Hostname=AM0PR01MB1234.eurprd01.prod."
        "outlook.com] 12345 bytes in 0.204, 59.067 KB/sec Queued mail for delivery"
    )


def test_of_exchanges_long_reply_its_number_is_kept() -> None:
    kept = redact(exchange("34544164013891"))
    assert kept == "250 2.6.0 InternalId=34544164013891"
    assert id_in(kept) == "34544164013891"
    assert "34544164013891" not in redact(exchange("34544164013891"), ["34544164013891@b"])
    assert "34544164013891" not in redact(exchange("34544164013891", "<a canary b@c>"))


def test_a_number_that_spells_words_is_none() -> None:
    spelt = "727365742070617373776f7264"
    assert spelt not in redact(exchange(spelt))
    digits = "7075727375697473"  # "pursuits"
    assert digits not in redact(exchange(digits))


@pytest.mark.parametrize("reply", ["", "250 Ok", "550 5.1.1 no", "250 2.6.0 InternalId="])
def test_a_reply_without_a_name_names_nothing(reply: str) -> None:
    assert id_in(reply) == ""


def in_groups(octets: bytes) -> bytes:
    """In hex with hyphens, as a UUID has them."""
    return binascii.hexlify(octets, "-", 4)


SPELLS = [base64.b64encode, base64.urlsafe_b64encode, binascii.hexlify, in_groups]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("spell", SPELLS)
def test_nor_does_text_of_an_older_encoding(spell: Callable[[bytes], bytes], encoding: str) -> None:
    name = spell("Grüße an alle 1234567".encode(encoding)).decode().rstrip("=")
    assert name not in redact(f"250 2.0.0 Ok: queued as {name}")


@pytest.mark.parametrize("spell", SPELLS)
@pytest.mark.parametrize(
    "text",
    ["ann@example.org", "hunter2 is my secret", "Grüße an alle 123", "To: ann\r\n", "\0ann\0pass"],
)
def test_no_text_passes_for_such_a_name(spell: Callable[[bytes], bytes], text: str) -> None:
    name = spell(text.encode()).decode().rstrip("=")
    assert name not in redact(f"250 2.0.0 Ok: queued as {name}")


@pytest.mark.parametrize("pattern", ["a", "<", "<@", "a@", "@:", "a:", "<a", "@<", ">", "a @ "])
def test_a_reply_of_the_longest_kind_holds_nobody_up(pattern: str) -> None:
    """What isn't linear here would take from seconds to hours, and the relay stands still."""
    assert len(redact(pattern * (32 * 1024 // len(pattern)))) <= LONGEST_REPLY


@given(st.text(st.characters()), st.lists(st.text(st.characters()), max_size=3))
@example("a@\x00b", [])
@example("a\ud800@b", [])
@example("<a@b", ["a@b"])
@example("<address>@b", [])
def test_nothing_that_looks_like_an_address_is_left(said: str, addresses: list[str]) -> None:
    kept = redact(said, addresses)
    assert len(kept) <= LONGEST_REPLY
    assert not LOOKS_LIKE_AN_ADDRESS.search(kept)
    assert kept == "" or kept.encode().decode().isprintable() or not re.search(r"[\0-\x1f]", kept)


PLAIN = st.text("abcdefgh.!#$%&'*+-/=?^_`{|}~0123456789ü", min_size=8, max_size=30)


@given(st.text(st.characters()), PLAIN, PLAIN, st.text(st.characters()))
def test_an_address_is_gone_whatever_stands_around_it(
    before: str, local: str, domain: str, after: str
) -> None:
    around = (before + after).lower()
    kept = redact(f"{before}{local}@{domain}{after}", [f"{local}@{domain}"])
    assert local.lower() in around or local.lower() not in kept.lower()


@given(st.text(st.characters()), st.text("zyxw0123456789", min_size=7, max_size=30))
def test_a_word_of_its_own_is_gone_whatever_stands_around_it(around: str, word: str) -> None:
    said = f"{around} {word}{around}"
    assert word in around or word not in redact(said)


SOURCE = Path(__file__).parents[2] / "lambda_src" / "ion"
SAY = {
    "StreamError",
    "OutOfStepError",
    "SMTPServerDisconnected",
    "_refused",
    "_unavailable",
    "_end",
    "_done",
    "_put_back",
}
"""Whatever is handed to these, as well as any `detail`, stands where a reply would."""


def own_words() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            texts: list[ast.expr] = []
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SAY:
                texts = node.args
            elif isinstance(node, ast.keyword) and node.arg == "detail":
                texts = [node.value]
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "detail":
                texts = [node.value]
            constants = [text.value for text in texts if isinstance(text, ast.Constant)]
            yield from (text for text in constants if isinstance(text, str))


@pytest.mark.parametrize("reason", Reason)
def test_an_outcome_begins_as_ever(reason: Reason) -> None:
    reply = Reply(550, "5.1.1", "ann unknown")
    for stage in Stage:
        bare = Outcome(stage, Kind.PERMANENT, Scope.SITE, reason)
        assert redact(str(bare)) == f"{reason} at {stage}"
        assert (
            redact(str(replace(bare, reply=reply))) == f"{reason} at {stage}: 550 5.1.1 *** unknown"
        )


def test_what_ion_says_itself_is_kept_whole() -> None:
    ours = set(own_words())
    assert len(ours) > 10
    assert {text for text in ours if redact(text) != text} == set()
