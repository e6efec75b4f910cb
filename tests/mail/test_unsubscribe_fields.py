"""The header fields that RFC 8058 asks for, as they stand in an email."""

from datetime import UTC, datetime

import pytest

from ion.contract import Send
from ion.envelope import Email
from ion.mail import check
from ion.outcome import Reason
from mail.reading import assert_clean_on_the_wire, composed, read, refused

LONGEST = "https://" + "x" * 392 + "/u/" + "t" * 470


def with_link(url: str, **fields: object) -> Email:
    send = Send(recipient="ann@example.org", body_text="hi", unsubscribe=True, **fields)  # type: ignore[arg-type]
    checked = check(send, key="k", default_sender="relay@example.com").with_unsubscribe(url)
    return checked.email(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("url", ["https://example.org/u/token", LONGEST])
def test_both_fields_are_there_each_in_one_line(url: str) -> None:
    email = with_link(url, headers={"X-Tag": "x"})
    assert_clean_on_the_wire(email)
    lines = email.content.decode().split("\r\n")
    assert f"List-Unsubscribe: <{url}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    message = read(email)
    assert message.get_all("List-Unsubscribe") == [f"<{url}>"]
    assert message["X-Tag"] == "x"


@pytest.mark.parametrize("name", ["List-Unsubscribe", "list-unsubscribe-POST"])
def test_a_publishers_own_beside_the_field_is_refused(name: str) -> None:
    value = "<https://example.org/mine>"
    assert refused(unsubscribe=True, headers={name: value}) == (
        Reason.HEADER_NAME,
        f"$.headers['{name}']",
    )
    assert read(composed(headers={name: value}))[name], "without the field it is theirs to write"
    assert read(composed(unsubscribe=True, headers={name: None}))[name] is None
