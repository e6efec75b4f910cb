"""Which emails a `stop` or a `redrive` is about."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import Send, StopWhere, parse
from ion.policy.conditions import asks_of_emails, is_about

RELAY = "Relay <relay@example.com>"


def send(**fields: Any) -> Send:  # noqa: ANN401
    least = {"action": "send", "recipient": "ann@example.org", "body_text": "x"}
    action = parse(json.dumps(least | fields))
    assert isinstance(action, Send)
    return action


def tagged(**tags: str | None) -> Send:
    return send(tags=tags)


@pytest.mark.row(79)
@pytest.mark.parametrize(
    ("tags", "wanted", "found"),
    [
        ({"campaign": "spring"}, {"campaign": "spring"}, True),
        ({"campaign": "spring", "n": "1"}, {"campaign": "spring"}, True),
        ({"campaign": "spring", "n": "1"}, {"campaign": "spring", "n": "1"}, True),
        ({"campaign": "spring"}, {"campaign": "spring", "n": "1"}, False),
        ({"campaign": "spring"}, {"campaign": "Spring"}, False),
        ({"campaign": "spring"}, {"Campaign": "spring"}, False),
        ({"campaign": "spring"}, {"campaign": "spring "}, False),
        ({"campaign": "spring"}, {"campaign": "*"}, False),
        ({"_.-": "' OR ''='"}, {"_.-": "' OR ''='"}, True),
        ({"campaign": None}, {"campaign": "spring"}, False),
        (None, {"campaign": "spring"}, False),
        ({"n": "1"}, {"n": "1", "campaign": None}, True),
    ],
)
def test_an_email_has_the_tags(
    tags: dict[str, str | None] | None, wanted: dict[str, str | None], found: bool
) -> None:
    assert is_about(StopWhere(tag=wanted), send(tags=tags)) is found


@pytest.mark.parametrize(
    "sender",
    [
        "post@example.org",
        "post@EXAMPLE.org",
        " post@example.org ",
        "Shop <post@example.org>",
        '"post"@example.org',
        {"email": "post@example.org", "name": "Shop"},
        {"email": "post@Example.ORG"},
    ],
)
@pytest.mark.parametrize("wanted", ["post@example.org", "post@Example.org", '"post"@example.org'])
def test_an_email_is_from_the_mailbox_whatever_its_name_and_its_domains_case(
    sender: object, wanted: str
) -> None:
    assert is_about(StopWhere(sender=wanted), send(sender=sender), default_sender=RELAY)


@pytest.mark.parametrize(
    "sender",
    [
        "Post@example.org",
        "post+shop@example.org",
        "post@sub.example.org",
        '"post@example.org" <other@example.org>',
        "no address",
        "",
        None,
    ],
)
def test_an_email_from_another_mailbox_is_not(sender: str | None) -> None:
    email = send(sender=sender, reply_to="post@example.org", return_path="post@example.org")
    assert not is_about(StopWhere(sender="post@example.org"), email, default_sender=RELAY)


@pytest.mark.parametrize("sender", [None, "", " "])
def test_an_email_that_names_no_sender_is_from_the_relays(sender: str | None) -> None:
    where = StopWhere(sender="relay@example.com")
    assert is_about(where, send(sender=sender), default_sender=RELAY)
    assert not is_about(where, send(sender=sender), default_sender=None)
    assert not is_about(where, send(sender="post@example.com"), default_sender=RELAY)


@pytest.mark.parametrize("wanted", ["a@müller.example", "a@xn--mller-kva.example"])
@pytest.mark.parametrize("sender", ["a@müller.example", "a@MÜLLER.example"])
def test_a_senders_domain_beyond_ascii_is_known_by_either_name(wanted: str, sender: str) -> None:
    assert is_about(StopWhere(sender=wanted), send(sender=sender))


def test_a_sender_that_is_no_address_is_of_no_email() -> None:
    assert not is_about(StopWhere(sender="a b@c..d"), send(sender="a b@c..d"))


def test_an_email_goes_to_the_domain_of_one_of_its_recipients() -> None:
    where = StopWhere(recipient_domain="Example.net")
    for field in ("recipient", "cc", "bcc"):
        assert is_about(where, send(**{field: ["bob@example.com", "Ann <ann@EXAMPLE.net>"]}))
    assert not is_about(where, send(recipient="ann@sub.example.net", sender="ann@example.net"))
    assert not is_about(where, send(recipient=["ann@example.net", "no address"]))


def test_only_recipients_that_are_left_count() -> None:
    email = send(recipient=["ann@example.org", "bob@example.com"])
    where = StopWhere(recipient_domain="example.com")
    assert is_about(where, email, left=[1])
    assert is_about(where, email, left=[1, 7])
    assert not is_about(where, email, left=[0])
    assert not is_about(where, email, left=[7])


def test_all_of_it_must_be_true() -> None:
    email = send(tags={"a": "b"}, sender="post@example.org")
    good = {
        "tag": {"a": "b"},
        "sender": "post@example.org",
        "recipient_domain": "example.org",
        "email_id": "order-17",
    }
    other = {
        "tag": {"a": "c"},
        "sender": "post@example.net",
        "recipient_domain": "example.net",
        "email_id": "order-18",
    }
    where = StopWhere(**good)  # type: ignore[arg-type] # each is its own
    assert is_about(where, email, key="order-17")
    for name in good:
        where = StopWhere(**good | {name: other[name]})  # type: ignore[arg-type] # the same
        assert not is_about(where, email, key="order-17")


def test_what_asks_for_nothing_is_about_every_email() -> None:
    assert not asks_of_emails(StopWhere())
    assert is_about(StopWhere(), send(recipient="no address", sender="none either"))
    for where in (
        StopWhere(tag={"a": "b"}),
        StopWhere(sender="a@b.c"),
        StopWhere(recipient_domain="b.c"),
    ):
        assert asks_of_emails(where)


addresses = st.text(max_size=20) | st.sampled_from(["a@b.c", '"a b"@c', "A <a@b.c>", "ä@ü.example"])


@pytest.mark.row(79)
@given(
    st.lists(addresses, max_size=3),
    addresses,
    st.builds(
        StopWhere,
        sender=st.none() | addresses,
        recipient_domain=st.none() | st.text(max_size=20),
        tag=st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), min_size=1),
    ),
)
def test_no_query_and_no_email_is_too_odd(
    recipients: list[str], sender: str, where: StopWhere
) -> None:
    email = Send(recipient=["a@b.c", *recipients], sender=sender, body_text="x")
    assert is_about(where, email) in (True, False)
