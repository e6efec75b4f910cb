"""Events as CloudEvents 1.0 has them, and as messages that can be filtered."""

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from events.telling import RECORDS, RELAY, Json, record
from ion.events.change import Email, Happening, UnreadableError, happenings
from ion.events.cloud_event import CloudEvent, Message, Type, cloud_event, message
from ion.outcome import Reason
from ion.policy.timeline import Entry, moment


def events(name: str, *, attempts: bool = True) -> list[CloudEvent]:
    return made(record(name), attempts=attempts)


def made(of: Json, *, attempts: bool = True) -> list[CloudEvent]:
    told = (cloud_event(one, RELAY, attempts=attempts) for one in happenings(of))
    return [one for one in told if one]


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("sent", [Type.SENT]),
        ("deferred", [Type.DEFERRED]),
        ("released", []),
        ("bounced", [Type.BOUNCED]),
        ("some_bounced", [Type.SENT, Type.BOUNCED, Type.SUPPRESSED]),
        ("in_doubt", [Type.IN_DOUBT]),
        ("expired", [Type.EXPIRED]),
        ("stopped", [Type.STOPPED]),
        ("cancelled", [Type.CANCELLED]),
        ("complained", [Type.COMPLAINED]),
        ("delivered", [Type.DELIVERED]),
        ("bad_input", [Type.BOUNCED]),
    ],
)
def test_each_fate_has_its_type(name: str, types: list[Type]) -> None:
    assert [one.type for one in events(name)] == types


def test_an_attempt_that_another_follows_is_told_only_where_that_is_asked_for() -> None:
    assert events("deferred", attempts=False) == []
    assert [one.type for one in events("sent", attempts=False)] == [Type.SENT]


def test_a_sent_email_as_its_subscribers_get_it() -> None:
    (event,) = events("sent")
    told = message(event)
    body = json.loads(told.body)
    assert re.fullmatch("[0-9a-f]{32}", body.pop("id"))
    assert body == {
        "specversion": "1.0",
        "source": RELAY,
        "type": "ion.email.sent",
        "subject": "order-17",
        "time": "2026-11-29T10:00:01.250000Z",
        "datacontenttype": "application/json",
        "data": {
            "reason": "ACCEPTED",
            "stage": "dot",
            "attempt": 1,
            "recipients": [0],
            "fates": ["sent"],
            "tags": {"list": "news", "order": "17"},
            "lane": "normal",
            "code": 250,
            "reply": "250 2.0.0 Ok: queued as 4Xy7",
            "server": "smtp",
            "queue_id": "4Xy7",
            "header_message_id": "<b2JkZXI@example.org>",
            "published_at": "2026-11-29T10:00:00.000+00:00",
            "ms_from_publish": 1250,
        },
    }
    assert told.attributes == {
        "type": "ion.email.sent",
        "lane": "normal",
        "tag_list": "news",
        "tag_order": "17",
    }


def test_each_event_is_about_its_own_recipients_and_knows_how_all_fared() -> None:
    told = events("some_bounced")
    assert [one.data.recipients for one in told] == [(0,), (1,), (2,)]
    assert {one.data.fates for one in told} == {("sent", "dead_lettered", "suppressed")}


def test_bad_input_says_what_is_wrong_and_about_which_email() -> None:
    (event,) = events("bad_input")
    assert (event.subject, event.data.path, event.data.fates) == (
        "order-18",
        "$.recipient[0]",
        (),
    )
    assert message(event).attributes == {
        "type": "ion.email.bounced",
        "lane": "bulk",
        "tag_list": "news",
    }


def test_bad_input_that_names_no_email_has_its_messages_id() -> None:
    nameless = record("bad_input")
    told = json.loads(nameless["dynamodb"]["NewImage"]["told"]["S"]) | {"email_id": ""}
    nameless["dynamodb"]["NewImage"]["told"]["S"] = json.dumps(told)
    event = cloud_event(happenings(nameless)[0], RELAY, attempts=False)
    assert event is not None
    assert event.subject == "5fea7756-0ea4-451a-a703-a558b933e274"


@pytest.mark.row(82)
def test_the_same_record_makes_the_same_event_whenever_it_comes() -> None:
    for path in RECORDS.glob("*.json"):
        if not path.stem.startswith("poison"):
            assert events(path.stem) == events(path.stem)


@pytest.mark.row(82)
def test_what_happened_twice_has_two_ids() -> None:
    """An attempt, the same again, the end of it; and each for another email."""
    names = ("deferred", "deferred_again", "bounced", "complained", "bad_input")
    ids = [one.id for name in names for one in events(name)]
    for name in names:
        other = record(name)
        other["dynamodb"]["Keys"]["email_id"]["S"] += "-b"
        ids += [one.id for one in made(other)]
    assert len(set(ids)) == len(ids) == 10


@pytest.mark.row(82)
def test_the_id_of_an_email_says_nothing_of_its_recipients_or_of_the_relay() -> None:
    (event,) = events("sent")
    (elsewhere,) = (
        cloud_event(one, "arn:other", attempts=True) for one in happenings(record("sent"))
    )
    assert elsewhere is not None
    assert event.id == elsewhere.id


def test_no_event_has_an_address_or_a_hash_of_one() -> None:
    for path in RECORDS.glob("*.json"):
        try:
            told = [message(one) for one in events(path.stem)]
        except UnreadableError:
            continue
        for one in told:
            assert "6b9a3f5c0d1e2f" not in one.body
            assert "recipients_hash" not in one.body


def test_of_ten_tags_eight_can_be_filtered_by_and_all_are_told() -> None:
    """SNS delivers no message of more than ten attributes by raw delivery."""
    tags = {f"tag{number}": "x" for number in range(10)}
    email = Email("order-17", lane="bulk", tags=tags)
    entry = Entry(n=1, at=moment(1_800_000_000), status="sent")
    event = cloud_event(Happening(("order-17", "", "1"), email, entry), RELAY, attempts=True)
    assert event is not None
    told = message(event)
    assert len(told.attributes) == 10
    assert json.loads(told.body)["data"]["tags"] == tags


def told_of(entry: Entry, email: Email) -> CloudEvent:
    happening = Happening((email.email_id, email.published_at, str(entry.n)), email, entry)
    event = cloud_event(happening, RELAY, attempts=True)
    assert event is not None
    return event


def test_the_first_tags_by_name_can_be_filtered_by_in_whatever_order_they_came() -> None:
    tags = {f"tag{number}": "x" for number in reversed(range(9))}
    sent = Entry(n=1, at=moment(1_800_000_000), status="sent")
    attributes = message(told_of(sent, Email("order-17", tags=tags))).attributes
    assert sorted(attributes) == [*(f"tag_tag{number}" for number in range(8)), "type"]


def test_what_was_repeated_happened_when_it_happened_last() -> None:
    (event,) = events("deferred_again")
    assert event.time == datetime(2026, 11, 29, 10, 1, 5, tzinfo=UTC)
    assert (event.data.times, event.data.ms_from_publish) == (2, 65_000)


def test_no_attribute_is_empty() -> None:
    """SNS refuses the whole message then; of a row of an earlier version no lane is known."""
    sent = Entry(n=1, at=moment(1_800_000_000), status="sent")
    event = told_of(sent, Email("order-17"))
    assert event.data.lane == ""
    assert message(event).attributes == {"type": "ion.email.sent"}


def test_a_message_is_as_large_as_sns_counts_it() -> None:
    told = Message("ü", {"type": "sent", "tag_a": "ä"})
    assert told.size == 2 + len("type" + "sent" + "String") + len("tag_a" + "String") + 2


def test_who_is_just_being_sent_to_is_pending() -> None:
    told = Entry(n=1, at=moment(1_800_000_000), status="delivered")
    event = told_of(told, Email("order-17", fates=".>sd?x"))
    assert event.data.fates == (
        *("pending", "pending", "sent", "dead_lettered", "in_doubt", "suppressed"),
    )


@pytest.mark.parametrize("reason", [Reason.IN_DOUBT, Reason.CRASH_LOOP])
def test_a_letter_that_a_person_decides_about_is_in_doubt(reason: Reason) -> None:
    dead = Entry(n=1, at=moment(1_800_000_000), status="dead_lettered", reason=reason.value)
    assert told_of(dead, Email("order-17")).type is Type.IN_DOUBT


@pytest.mark.row(82)
def test_a_key_that_is_used_again_once_its_row_is_gone_is_another_emails() -> None:
    again = record("sent")
    again["dynamodb"]["NewImage"]["first_queued_at"]["S"] = "2027-12-01T10:00:00.000+00:00"
    (first,), (second,) = events("sent"), made(again)
    assert first.id != second.id


@pytest.mark.row(82)
def test_an_event_keeps_its_id_from_one_version_to_the_next() -> None:
    """So that a record that is told again after an update isn't taken for another event."""
    (event,) = events("sent")
    assert event.id == "fb82d938ac89ebdbd0bb248fec9b5c21"


def test_a_happening_before_its_publish_by_a_wrong_clock_took_no_time() -> None:
    email = Email("order-17", published_at="2030-01-01T00:00:00+00:00")
    entry = Entry(n=1, at=moment(1_800_000_000), status="sent")
    event = cloud_event(Happening(("order-17", "", "1"), email, entry), RELAY, attempts=True)
    assert event is not None
    assert event.data.ms_from_publish == 0


def test_an_event_is_read_back_as_what_it_was() -> None:
    for name in ("sent", "some_bounced", "bad_input", "deferred_again", "complained"):
        for event in events(name):
            assert msgspec.json.decode(message(event).body, type=CloudEvent) == event
