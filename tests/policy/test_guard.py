"""Whom email may reach, and in whose name: as it is decided, without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import Address, Mailbox, Send
from ion.envelope import Envelope
from ion.guard_rules import GuardRules
from ion.mail import is_address, recipients
from ion.policy.guard import Routes, StagingGuard

INBOX = "inbox@example.com"

REACHED: list[tuple[str, Address, bool]] = [
    # an address
    ("ann@partner.test", "ann@partner.test", True),
    ("ann@partner.test", "Ann B. <ann@partner.test>", True),
    ("ann@partner.test", Mailbox(email="ann@partner.test", name="bob@elsewhere.test"), True),
    ("ann@partner.test", '"ann@partner.test" <bob@elsewhere.test>', False),
    ("ann@partner.test", Mailbox(email="bob@elsewhere.test", name="ann@partner.test"), False),
    ("ann@partner.test", "bob@partner.test", False),
    ("ann@partner.test", "joann@partner.test", False),
    ("ann@partner.test", "ann@partner.test.evil.test", False),
    ("ann@partner.test", '"x@y ann"@partner.test', False),
    # case
    ("Ann@Partner.Test", "aNN@partner.tesT", True),
    ("*@EXAMPLE.com", "ann@eXample.COM", True),
    ("JÖRG@partner.test", "jörg@partner.test", False),
    ("k@partner.test", "\N{KELVIN SIGN}@partner.test", False),
    # subaddresses
    ("ann@partner.test", "ann+x@partner.test", False),
    ("ann+x@partner.test", "ann+x@partner.test", True),
    ("ann+x@partner.test", "ann@partner.test", False),
    ("*@example.com", "ann+x@example.com", True),
    # domains
    ("*@example.com", "ann@example.com", True),
    ("example.com", "ann@example.com", True),
    ("example.com", "ann@sub.example.com", False),
    ("*@example.com", "ann@sub.example.com", False),
    ("sub.example.com", "ann@example.com", False),
    ("example.com", "ann@badexample.com", False),
    ("example.com", '"ann@example.com"@elsewhere.test', False),
    ("*@example.com", "*@elsewhere.test", False),
    ("*@example.com", "*@example.com", True),
    ("ann@partner.test", "*@partner.test", False),
    ("[192.0.2.1]", "ann@[192.0.2.1]", True),
    ("[192.0.2.1]", "ann@[192.0.2.11]", False),
    # beyond ASCII
    ("*@bücher.example", "ann@xn--bcher-kva.example", True),
    ("xn--bcher-kva.example", "ann@BÜCHER.example", True),
    ("*@straße.example", "ann@strasse.example", False),
    ("jörg@bücher.example", "Jörg <jörg@xn--bcher-kva.example>", True),
    ("jörg@bücher.example", "jorg@bücher.example", False),
    # quoted local parts
    ('"ann"@partner.test', "ann@partner.test", True),
    ("ann@partner.test", '"a\\nn"@partner.test', True),
    ('"a, b"@partner.test', '"A, B"@partner.test', True),
    ('"a b"@partner.test', '"ab"@partner.test', False),
]


@pytest.mark.row(80)
@pytest.mark.parametrize(("pattern", "recipient", "reached"), REACHED)
def test_an_email_reaches_a_recipient_or_its_redirect_or_none(
    pattern: str, recipient: Address, reached: bool
) -> None:
    (address,) = recipients(Send(recipient=recipient, body_text="x"))
    for redirect in (None, INBOX):
        guard = StagingGuard(GuardRules(only=(pattern,), redirect_to=redirect))
        assert guard.destination(address) == (address if reached else redirect)


def routes(
    recipients: list[str],
    targets: tuple[int, ...] | None = None,
    *,
    only: str | None = None,
    redirect_to: str | None = None,
) -> Routes:
    guard = StagingGuard(GuardRules(only=(only,) if only else (), redirect_to=redirect_to))
    return guard.routes(recipients, range(len(recipients)) if targets is None else targets)


ANN, BOB = "ann@partner.test", "bob@elsewhere.test"


@pytest.mark.row(80)
def test_without_rules_everybody_is_reached() -> None:
    assert routes([ANN, BOB]) == Routes((0, 1))
    assert routes([ANN, BOB], (1,)) == Routes((1,))


@pytest.mark.row(80)
def test_the_ways_of_recipients_are_told_by_their_indexes() -> None:
    everybody = [BOB, ANN, "cat@elsewhere.test"]
    assert routes(everybody, only=ANN) == Routes((1,), (), (0, 2))
    assert routes(everybody, only=ANN, redirect_to=INBOX) == Routes((1,), (0, 2))
    assert routes(everybody, redirect_to=INBOX) == Routes((), (0, 1, 2))
    assert routes(everybody, (1, 2), only=ANN) == Routes((1,), (), (2,))
    assert routes(everybody, (2,), redirect_to=INBOX) == Routes((), (2,))


@pytest.mark.row(80)
@pytest.mark.parametrize("only", [None, "*@example.com"])
@pytest.mark.parametrize("own", [INBOX, "INBOX@Example.com"])
def test_the_redirects_own_mailbox_gets_one_copy(only: str | None, own: str) -> None:
    """The plain one if it is for itself alone, else the one that names the others."""
    redirect = f"Inbox <{INBOX}>"
    assert routes([own], only=only, redirect_to=redirect) == Routes((0,))
    assert routes([own, BOB], only=only, redirect_to=redirect) == Routes((), (0, 1))
    assert routes([own, BOB], (0,), only=only, redirect_to=redirect) == Routes((0,))


SENDERS: list[tuple[str, str, str, str]] = [
    # senders, From's address, the envelope's sender, path of the one that is forbidden
    ("", BOB, BOB, ""),
    ("example.com", INBOX, INBOX, ""),
    ("*@example.com", "Other@EXAMPLE.com", "other@example.com", ""),
    ("inbox@example.com", INBOX, INBOX, ""),
    ("inbox@example.com", "other@example.com", INBOX, "$.sender"),
    ("example.com", "ann@sub.example.com", INBOX, "$.sender"),
    ("example.com", BOB, BOB, "$.sender"),
    ("example.com", BOB, INBOX, "$.sender"),
    ("example.com", INBOX, BOB, "$.return_path"),
    ("example.com, elsewhere.test", INBOX, BOB, ""),
    ("bücher.example", "a@xn--bcher-kva.example", "b@xn--bcher-kva.example", ""),
]


@pytest.mark.row(80)
@pytest.mark.parametrize(("senders", "author", "reverse_path", "path"), SENDERS)
def test_only_some_senders_may_be_used(
    senders: str, author: str, reverse_path: str, path: str
) -> None:
    guard = StagingGuard(GuardRules(senders=tuple(filter(None, senders.split(", ")))))
    envelope = Envelope(reverse_path, (BOB,), author="" if author == reverse_path else author)
    assert guard.forbidden_sender(envelope) == path
    assert guard.routes(envelope.recipients, (0,)) == Routes((0,)), "recipients are another matter"


# what holds for all lists

LOCALS = st.sampled_from(["ann", "ANN", "ann+x", "bob", '"a b"', "*", "jörg"])
DOMAINS = st.sampled_from(["a.test", "A.test", "sub.a.test", "b.test", "xn--bcher-kva.test"])
ADDRESSES = st.builds("{}@{}".format, LOCALS, DOMAINS)
PATTERNS = (
    st.builds("{}@{}".format, LOCALS, DOMAINS) | st.builds("*@{}".format, DOMAINS) | DOMAINS
).filter(lambda one: not one.startswith('"*"'))


@pytest.mark.row(80)
@given(
    st.lists(ADDRESSES, unique=True, max_size=8),
    st.lists(PATTERNS, max_size=3),
    st.none() | ADDRESSES,
)
def test_each_recipient_has_exactly_one_way(
    everybody: list[str], only: list[str], redirect: str | None
) -> None:
    """And only who is meant by a pattern, spelt out here the long way, is reached itself."""
    guard = StagingGuard(GuardRules(only=tuple(only), redirect_to=redirect))
    ways = guard.routes(everybody, range(len(everybody)))
    assert sorted((*ways.themselves, *ways.redirected, *ways.left_out)) == [*range(len(everybody))]
    if not only and redirect is None:
        assert ways == Routes((*range(len(everybody)),))
        return
    for i in ways.themselves:
        one = everybody[i].lower()
        local, _, domain = one.rpartition("@")
        meant = {pattern.lower() for pattern in only} | {(redirect or "").lower()}
        assert {one, domain, f"*@{domain}"} & meant, local
    assert not ways.redirected or redirect
    assert not ways.left_out or redirect is None
    assert is_address(redirect or INBOX)
