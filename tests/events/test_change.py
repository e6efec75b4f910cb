"""What a record of the ledger's stream says has happened."""

import json

import pytest

from events.telling import RECORDS, record
from ion.events.change import Happening, UnreadableError, happenings


def said(name: str) -> list[tuple[str, int]]:
    return [(one.entry.status, one.entry.n) for one in happenings(record(name))]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("claimed", []),
        ("sent", [("sent", 1)]),
        ("deferred", [("deferred", 1)]),
        ("claimed_again", []),  # the row has what it had
        ("deferred_again", [("deferred", 2)]),
        ("bounced", [("dead_lettered", 2)]),  # the attempt before was told before
        ("some_bounced", [("sent", 1), ("dead_lettered", 2), ("suppressed", 3)]),
        ("cancelled", [("cancelled", 1)]),
        ("complained", [("complained", 2)]),
        ("bad_input", [("dead_lettered", 1)]),
        ("of_an_earlier_version", []),
    ],
)
def test_what_the_timeline_has_now_and_had_not_before_has_happened(
    name: str, statuses: list[tuple[str, int]]
) -> None:
    assert said(name) == statuses


@pytest.mark.parametrize("name", ["removed", "bad_input_removed"])
def test_a_row_whose_time_is_over_is_no_event(name: str) -> None:
    assert said(name) == []


@pytest.mark.parametrize("name", ["address", "control"])
def test_a_row_that_is_no_emails_is_no_event(name: str) -> None:
    assert said(name) == []


def test_bad_input_says_where_and_under_which_key() -> None:
    (one,) = happenings(record("bad_input"))
    assert (one.email.email_id, one.path, one.entry.reason) == (
        "order-18",
        "$.recipient[0]",
        "INVALID_ADDRESS",
    )
    assert one.email.lane == "bulk"


def test_what_bad_input_was_tagged_with_and_how_often_it_was_tried_is_told() -> None:
    tried = record("bad_input")
    image = tried["dynamodb"]["NewImage"]
    image["told"]["S"] = json.dumps(json.loads(image["told"]["S"]) | {"attempts": 3})
    (one,) = happenings(tried)
    assert (one.email.tags, one.email.attempts) == ({"list": "news"}, 3)


def test_a_second_write_of_a_row_that_is_told_alone_tells_nothing() -> None:
    assert happenings(record("bad_input") | {"eventName": "MODIFY"}) == ()


def test_a_record_without_the_row_as_it_is_now_tells_nothing() -> None:
    """As a stream has it that was switched to keys alone."""
    bare = record("sent")
    del bare["dynamodb"]["NewImage"]
    assert happenings(bare) == ()


def test_an_attempt_that_is_repeated_is_another_happening() -> None:
    first, second = (happenings(record(name))[0] for name in ("deferred", "deferred_again"))
    assert first.key != second.key
    assert second.entry.times == 2


def test_an_old_image_that_cannot_be_read_tells_everything_anew() -> None:
    changed = record("bounced")
    changed["dynamodb"]["OldImage"]["timeline"] = {"S": "[{"}
    assert [one.entry.n for one in happenings(changed)] == [1, 2]
    del changed["dynamodb"]["OldImage"]
    assert [one.entry.n for one in happenings(changed)] == [1, 2]


def test_two_writes_at_once_that_gave_one_number_twice_are_both_told() -> None:
    """A provider's notice that came in while the email was being sent again."""
    changed = record("complained")
    before = changed["dynamodb"]["NewImage"]["timeline"]["S"]
    changed["dynamodb"]["OldImage"]["timeline"]["S"] = before.replace("complained", "delivered")
    assert [one.entry.status for one in happenings(changed)] == ["complained"]


@pytest.mark.row(81)
@pytest.mark.parametrize("name", ["poison", "poison_told"])
def test_a_record_that_cannot_be_read_is_told_as_such_and_quotes_nothing(name: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        happenings(record(name))
    assert str(raised.value) in {"DecodeError", "ValidationError"}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"eventName": "INSERT", "dynamodb": {}},
        {"eventName": "INSERT", "dynamodb": {"Keys": {"email_id": {"S": "x"}}, "NewImage": []}},
        {"eventName": "INSERT", "dynamodb": None},
        {
            "eventName": "INSERT",
            "dynamodb": {
                "Keys": {"email_id": {"S": "x"}},
                "NewImage": {"timeline": {"S": '[{"n":1}]'}},
            },
        },
        {
            "eventName": "INSERT",
            "dynamodb": {"Keys": {"email_id": {"S": "x"}}, "NewImage": {"tags": {"S": "{"}}},
        },
    ],
)
def test_anything_else_is_unreadable_and_no_other_exception(broken: dict[str, object]) -> None:
    with pytest.raises(UnreadableError):
        happenings(broken)


def test_every_file_is_read_or_refused() -> None:
    read: list[Happening] = []
    for path in RECORDS.glob("*.json"):
        if not path.stem.startswith("poison"):
            read += happenings(record(path.stem))
    assert len(read) > 10
