"""Each field of a message on its way into the email, from the JSON on."""

import json
from typing import Any

import pytest

from ion.contract import Send, parse
from ion.envelope import Email
from ion.mail import recipients
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, composed, people, read, refused

NOT_THERE: list[Any] = [None, "", " \t"]


def send(**fields: object) -> Send:
    action = parse(json.dumps({"action": "send", "body_text": "hi"} | fields))
    assert isinstance(action, Send)
    return action


def made(**fields: object) -> Email:
    of = send(**fields)
    email = composed(**{name: getattr(of, name) for name in of.__struct_fields__})
    assert_clean_on_the_wire(email)
    assert recipients(of) == email.envelope.recipients
    return email


def test_answers_may_go_to_several() -> None:
    reply_to = ["help@example.com", {"email": "boss@example.com", "name": "The Boss"}]
    email = made(recipient="ann@example.org", reply_to=reply_to)
    assert people(email, "Reply-To") == [("", "help@example.com"), ("The Boss", "boss@example.com")]


def test_bounces_go_to_the_return_path_and_the_author_stays() -> None:
    email = made(
        recipient="ann@example.org",
        sender="Shop <shop@example.com>",
        return_path="Bounces <bounces@bücher.example>",
    )
    assert email.envelope.sender == "bounces@xn--bcher-kva.example"
    assert email.envelope.author == "shop@example.com"
    assert people(email, "From") == [("Shop", "shop@example.com")]
    message = read(email)
    assert message["Message-ID"].endswith("@example.com>")
    assert not any("ounces" in value for value in message.values())


def test_a_return_path_that_is_no_address_is_refused() -> None:
    invalid = Reason.INVALID_ADDRESS
    assert refused(return_path="bounces") == (invalid, "$.return_path")
    assert refused(return_path="<>") == (invalid, "$.return_path")
    assert refused(return_path="a@b.c> SIZE=1") == (invalid, "$.return_path")


def test_a_hidden_recipient_alone_is_written_to_as_undisclosed() -> None:
    """RFC 5322 section 3.4: a group of nobody."""
    email = made(bcc=["ann@example.org", "bob@example.org"])
    assert email.envelope.recipients == ("ann@example.org", "bob@example.org")
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in email.content
    message = read(email)
    assert (message["To"].addresses, message["Cc"]) == ((), None)
    assert [group.display_name for group in message["To"].groups] == ["undisclosed-recipients"]
    assert b"ann@" not in email.content


def test_a_hidden_recipient_beyond_ascii_stays_hidden() -> None:
    email = made(bcc=["пётр@example.org", "bob@example.org"])
    assert email.envelope.recipients == ("пётр@example.org", "bob@example.org")
    assert not email.envelope.smtputf8
    assert email.content.isascii()


def test_where_there_is_a_cc_no_to_is_needed() -> None:
    email = made(cc="Ann <ann@example.org>", bcc="bob@example.org")
    assert email.envelope.recipients == ("ann@example.org", "bob@example.org")
    assert read(email)["To"] is None
    assert people(email, "Cc") == [("Ann", "ann@example.org")]


@pytest.mark.parametrize("nobody", NOT_THERE, ids=repr)
def test_what_is_not_there_makes_no_field_and_no_recipient(nobody: object) -> None:
    names = ("cc", "bcc", "sender", "reply_to", "return_path")
    email = made(recipient="ann@example.org", **dict.fromkeys(names, nobody))
    assert email == composed()
    some = [nobody, nobody]
    email = made(recipient=["ann@example.org", *some], cc=some, bcc=some, reply_to=some)
    assert email == composed()


def test_the_place_in_a_list_counts_those_who_are_not_there() -> None:
    """The path is where the publisher finds the fault."""
    assert refused(recipient=["ann@example.org", "", None, "bob"]) == (
        Reason.INVALID_ADDRESS,
        "$.recipient[3]",
    )


@pytest.mark.row(9)
def test_those_who_are_not_there_are_not_counted() -> None:
    crowd = [f"a{i}@example.org" for i in range(1000)]
    assert len(composed(recipient=[*crowd, "", None], cc="").envelope.recipients) == 1000
    assert refused(recipient=crowd, cc=["", "b@example.org"])[0] is Reason.TOO_LARGE


def test_no_subject_and_no_headers_are_none() -> None:
    email = made(recipient="ann@example.org", subject=None, headers={"X-A": None, "x-a": "b"})
    message = read(email)
    assert message["Subject"] == ""
    assert message.get_all("X-A") == ["b"]
    assert made(recipient="ann@example.org", headers=None) == composed()


@pytest.mark.row(3)
@pytest.mark.parametrize("line_end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("field", ["recipient", "cc", "bcc", "sender", "reply_to", "return_path"])
def test_a_line_end_around_an_address_is_no_blank(field: str, line_end: str) -> None:
    """A serializer's slip or an injection: from here they look the same."""
    for address in (f"a@b.example{line_end}", f"{line_end}a@b.example", f"<a@b.example{line_end}>"):
        assert refused(**{field: address}) == (Reason.INVALID_ADDRESS, f"$.{field}")
    for named in (f"Ann{line_end} <a@b.example>", f'"{line_end}Ann" <a@b.example>'):
        assert refused(**{field: named}) == (Reason.HEADER_INJECTION, f"$.{field}")
    path = f"$.{field}.name"
    mailbox = {"email": "a@b.example", "name": f"Ann{line_end}"}
    of = send(**({"recipient": "ann@example.org"} | {field: mailbox}))
    assert refused(**{field: getattr(of, field)}) == (Reason.HEADER_INJECTION, path)
