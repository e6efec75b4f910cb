"""What the bodies of the feedback queue say: SES's in both forms, the generic one, and neither."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from feedback.published import NAMES, body, example, wrapped
from ion.feedback import ses
from ion.feedback.notice import Consequence, Kind, MalformedError, Notice
from ion.feedback.notices import notices
from ionctl.build.schema import feedback_schema

NOTHING, COUNTED, SUPPRESSED = Consequence.NOTHING, Consequence.COUNTED, Consequence.SUPPRESSED
JANE, MARY, RICHARD = (f"{name}@example.com" for name in ("jane", "mary", "richard"))
RECIPIENT = "recipient@example.com"
GENERIC = {
    "type": "bounced",
    "recipient": JANE,
    "message_id": "<1@example.org>",
    "at": "2026-11-29T01:02:03.456Z",
}

MEANING: dict[str, list[tuple[str, Kind, Consequence, str]]] = {
    "notification-bounce-with-dsn": [(JANE, Kind.BOUNCED, SUPPRESSED, "Permanent/General")],
    "notification-bounce-without-dsn": [
        (JANE, Kind.BOUNCED, SUPPRESSED, "Permanent/General"),
        (RICHARD, Kind.BOUNCED, SUPPRESSED, "Permanent/General"),
    ],
    "notification-bounce-no-email": [(JANE, Kind.BOUNCED, SUPPRESSED, "Permanent/NoEmail")],
    "notification-bounce-suppressed": [(JANE, Kind.BOUNCED, SUPPRESSED, "Permanent/Suppressed")],
    "notification-bounce-on-account-suppression-list": [
        (JANE, Kind.BOUNCED, SUPPRESSED, "Permanent/OnAccountSuppressionList")
    ],
    "notification-bounce-transient": [(JANE, Kind.BOUNCED, COUNTED, "Transient/General")],
    "notification-bounce-mailbox-full": [(JANE, Kind.BOUNCED, COUNTED, "Transient/MailboxFull")],
    "notification-bounce-undetermined": [
        (JANE, Kind.BOUNCED, COUNTED, "Undetermined/Undetermined")
    ],
    "notification-bounce-out-of-office": [(JANE, Kind.BOUNCED, NOTHING, "Transient/General")],
    "notification-bounce-too-large": [(JANE, Kind.BOUNCED, NOTHING, "Transient/MessageTooLarge")],
    "notification-bounce-content-rejected": [
        (JANE, Kind.BOUNCED, NOTHING, "Transient/ContentRejected")
    ],
    "notification-bounce-attachment-rejected": [
        (JANE, Kind.BOUNCED, NOTHING, "Transient/AttachmentRejected")
    ],
    "notification-complaint-with-report": [(RICHARD, Kind.COMPLAINED, SUPPRESSED, "abuse")],
    "notification-complaint-without-report": [(RICHARD, Kind.COMPLAINED, SUPPRESSED, "")],
    "notification-complaint-of-one-of-several": [
        (JANE, Kind.COMPLAINED, SUPPRESSED, "abuse"),
        (MARY, Kind.COMPLAINED, SUPPRESSED, "abuse"),
    ],
    "notification-complaint-on-account-suppression-list": [
        (JANE, Kind.COMPLAINED, SUPPRESSED, "OnAccountSuppressionList")
    ],
    "notification-delivery": [(JANE, Kind.DELIVERED, NOTHING, "")],
    "event-bounce": [(RECIPIENT, Kind.BOUNCED, SUPPRESSED, "Permanent/General")],
    "event-complaint": [(RECIPIENT, Kind.COMPLAINED, SUPPRESSED, "abuse")],
    "event-delivery": [(RECIPIENT, Kind.DELIVERED, NOTHING, "")],
    "event-reject": [("", Kind.BOUNCED, NOTHING, "Reject")],
}
IGNORED = {
    "notification-complaint-not-spam": "not-spam",
    "notification-subscribed": "AmazonSnsSubscriptionSucceeded",
    "event-send": "Send",
    "event-open": "Open",
    "event-click": "Click",
    "event-rendering-failure": "Rendering Failure",
    "event-delivery-delay": "DeliveryDelay",
    "event-subscription": "Subscription",
}


def meaning(text: str) -> list[tuple[str, Kind, Consequence, str]]:
    return [(one.recipient, one.kind, one.consequence, one.reason) for one in notices(text).notices]


def test_each_example_is_judged_here() -> None:
    assert sorted(MEANING.keys() | IGNORED.keys()) == NAMES


@pytest.mark.parametrize("name", MEANING)
def test_an_example_of_ses_means(name: str) -> None:
    assert meaning(body(name)) == MEANING[name]


@pytest.mark.parametrize("name", IGNORED)
def test_an_example_of_ses_means_nothing(name: str) -> None:
    reading = notices(body(name))
    assert (reading.notices, reading.ignored) == ((), IGNORED[name])


@pytest.mark.parametrize("name", NAMES)
def test_sns_may_have_wrapped_it(name: str) -> None:
    assert notices(wrapped(body(name))) == notices(body(name))


@pytest.mark.parametrize("text", [ses.VALIDATION, wrapped(ses.VALIDATION), f"{ses.VALIDATION}\n"])
def test_what_ses_sends_to_a_new_destination_is_no_notice_and_no_fault(text: str) -> None:
    assert notices(text).ignored == "validation"


def test_what_ses_may_invent_later_is_ignored_under_no_word_of_its_own() -> None:
    assert notices('{"eventType": "Ann@example.org", "mail": {}}').ignored == "unknown"


@pytest.mark.parametrize(
    ("name", "message_id"),
    [
        ("notification-bounce-with-dsn", "<custom-message-ID>"),
        ("notification-bounce-without-dsn", ""),  # headers aren't switched on for the identity
        ("event-bounce", "<0d0e5c77@example.com>"),  # commonHeaders has SES's own id
    ],
)
def test_the_message_id_is_the_one_that_was_written_into_the_email(
    name: str, message_id: str
) -> None:
    assert {one.message_id for one in notices(body(name)).notices} == {message_id}


def test_without_the_list_of_headers_the_common_ones_do() -> None:
    message = example("notification-bounce-with-dsn")
    del message["mail"]["headers"]
    (one,) = notices(json.dumps(message)).notices
    assert one.message_id == "<custom-message-ID>"
    message["mail"]["headers"] = [{"name": "Message-ID", "value": ""}]
    assert notices(json.dumps(message)).notices == (one,)


def test_the_servers_words_are_there_without_their_kind() -> None:
    (one,) = notices(body("event-bounce")).notices
    assert one.said == "550 5.1.1 user unknown"
    assert one.at == datetime(2017, 8, 5, 0, 41, 2, 669_000, tzinfo=UTC)


def test_an_address_may_come_as_a_report_has_it() -> None:
    message = example("event-bounce")
    message["bounce"]["bouncedRecipients"][0]["emailAddress"] = "Ann <ann@example.org>"
    (one,) = notices(json.dumps(message)).notices
    assert one.recipient == "ann@example.org"


def test_a_complaint_of_one_of_several_says_of_how_many() -> None:
    told = notices(body("notification-complaint-of-one-of-several")).notices
    assert [one.candidates for one in told] == [2, 2]


def ids(text: str) -> set[str]:
    return {one.id for one in notices(text).notices}


def test_a_notice_has_the_same_id_in_both_forms_and_each_another() -> None:
    classic = example("event-bounce")
    classic["notificationType"] = classic.pop("eventType")
    assert ids(json.dumps(classic)) == ids(body("event-bounce"))
    every = [ids(body(name)) for name in MEANING if "event" not in name]
    assert all(one.isdisjoint(other) for one in every for other in every if one is not other)


def test_an_id_that_the_provider_has_not_given_is_derived_and_shows_nothing() -> None:
    one = generic()
    assert one.id == generic().id
    assert JANE not in one.id
    others = [
        generic(at="2026-11-29T01:02:03.457Z"),
        generic(type="complained"),
        generic(recipient=MARY),
        generic(message_id="<2@example.org>"),
    ]
    assert len({one.id, *(other.id for other in others)}) == 5
    assert generic(recipient=JANE.upper()).id == one.id, "a mailbox is one however it is written"
    assert generic(id="x").id == generic(id="x", at="2026-11-29T01:02:03.457Z").id != one.id


def generic(**fields: Any) -> Notice:  # noqa: ANN401 - JSON
    (one,) = notices(json.dumps(GENERIC | fields)).notices
    return one


@pytest.mark.parametrize(
    ("fields", "kind", "consequence", "reason"),
    [
        ({}, Kind.BOUNCED, SUPPRESSED, "Permanent"),
        ({"permanent": True}, Kind.BOUNCED, SUPPRESSED, "Permanent"),
        ({"permanent": False}, Kind.BOUNCED, COUNTED, "Transient"),
        ({"type": "complained"}, Kind.COMPLAINED, SUPPRESSED, ""),
        ({"type": "delivered"}, Kind.DELIVERED, NOTHING, ""),
    ],
)
def test_the_generic_form_means(
    fields: dict[str, Any], kind: Kind, consequence: Consequence, reason: str
) -> None:
    one = generic(**fields)
    assert (one.kind, one.consequence, one.reason) == (kind, consequence, reason)


def test_the_generic_form_names_the_email_by_either_id_and_the_address_as_people_write_it() -> None:
    one = generic(
        message_id="1@example.org", recipient="Jane <jane@müller.example>", detail="550 no"
    )
    assert (one.message_id, one.recipient) == ("<1@example.org>", "jane@xn--mller-kva.example")
    assert one.said == "550 no"
    other = generic(message_id=None, email_id="order-1")
    assert (other.message_id, other.email_id) == ("", "order-1")


def test_of_a_long_detail_the_rest_is_cut_off_and_the_bounce_is_not_lost() -> None:
    one = generic(detail="550 " + "x" * 4000)
    assert (one.kind, one.said) == (Kind.BOUNCED, "550 " + "x" * 3996)


MALFORMED = [
    "",
    "no JSON",
    "[]",
    "null",
    '"bounced"',
    "{}",
    '{"Type": "Notification", "Message": "{}"}',  # not SNS's: it has no topic
    '{"Type": "SubscriptionConfirmation", "Token": "t", "TopicArn": "a", "Message": "m"}',
    wrapped("no JSON"),
    "[" * 100_000,
    '"\ud800"',  # half a character
    json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:::x", "Message": 5}),
    json.dumps({"Type": "Notification", "Message": json.dumps(GENERIC)}),  # of no topic
    '{"notificationType": "Bounce"}',
    '{"eventType": "Bounce", "mail": {"timestamp": "2016-01-27T14:59:38.237Z", "messageId": "1"}}',
    json.dumps(example("event-bounce") | {"bounce": {"bounceType": "Permanent"}}),
    json.dumps(example("event-complaint") | {"complaint": None}),
    json.dumps(example("event-delivery") | {"mail": {"timestamp": "yesterday", "messageId": "1"}}),
    *(
        json.dumps(GENERIC | fields)
        for fields in (
            {"type": "exploded"},
            {"type": None},
            {"recipient": "jane"},
            {"recipient": "jane@example.com, mary@example.com"},
            {"recipient": None},
            {"at": "2026-11-29T01:02:03"},  # where?
            {"at": "soon"},
            {"permanent": "yes"},
            {"jane@example.com": 1},
            {"at": "9999-12-31T23:59:59-23:59"},
            {"at": "0001-01-01T00:00:00+23:59"},
            {"at": "0001-01-02T00:00:00Z", "permanent": False},
        )
    ),
    json.dumps({"type": "bounced", "recipient": JANE}),
]


@pytest.mark.row(83)
@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_malformed_is_told_and_not_quoted(text: str) -> None:
    with pytest.raises(MalformedError) as told:
        notices(text)
    assert str(told.value)
    for word in ("exploded", "jane", "soon", "yesterday", "yes"):
        assert word not in str(told.value)


def test_a_moment_is_told_to_the_millisecond() -> None:
    """As a row has it: the same notice is the same, whatever has read it."""
    assert generic(at="2026-11-29T01:02:03.456789Z").at.microsecond == 456_000


# the schema of the generic form


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "complained", "message_id": None},
        {"permanent": False, "detail": "452 full"},
        {"email_id": "order-1", "id": "42"},
        {"detail": "x" * 300_000},
    ],
)
def test_the_schema_lets_through_what_is_taken(fields: dict[str, Any]) -> None:
    assert generic(**fields).recipient == JANE
    Draft202012Validator(feedback_schema()).validate(GENERIC | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "exploded"},
        {"recipient": None},
        {"permanent": "yes"},
        {"unknown": 1},
    ],
)
def test_the_schema_refuses_what_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        notices(json.dumps(GENERIC | fields))
    assert not Draft202012Validator(feedback_schema()).is_valid(GENERIC | fields)
