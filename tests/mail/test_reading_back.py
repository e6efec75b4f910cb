"""What is accepted is what Python's parser reads."""

from hypothesis import given, settings

from ion.envelope import Email
from mail.publishing import Person, Published, published
from mail.reading import assert_clean_on_the_wire, composed, people, read


def named(email: Email, field: str) -> list[Person]:
    return people(email, field) if field in read(email) else []


@settings(deadline=None, max_examples=100)
@given(published())
def test_what_is_accepted_is_read_as_written(one: Published) -> None:
    email = composed(**one.fields)
    assert_clean_on_the_wire(email)
    message = read(email)
    assert not message.defects
    for field in ("From", "Cc", "Reply-To"):
        assert named(email, field) == one.people[field], field
        addresses = message[field].addresses if field in message else ()
        assert [them.addr_spec for them in addresses] == [to for _, to in one.people[field]], field
    to, cc = one.people["To"], one.people["Cc"]
    if to or cc:
        assert named(email, "To") == to
    else:
        assert str(message["To"]) == "undisclosed-recipients:;"
    assert message["Subject"] == one.subject
    assert message["X-Text"] == one.text
    assert message["List-Unsubscribe"] == one.links
    assert message["References"].split() == one.references
    assert people(email, "Disposition-Notification-To") == one.notified
    everybody = dict.fromkeys([address for _, address in (*to, *cc)])
    assert email.envelope.recipients == (*everybody, "hidden@example.org")
