"""What a message carries with it, and what is written on a dead letter."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.contract import Cancel, Pause, Resume, Stop
from ion.contract.actions import Action
from ion.deadletter.letter import dead_letter_attributes, requeue_attributes
from ion.delivery import Delivery, Status
from ion.history import History, for_redrive, message_id, read_history, resolve, since
from ion.limits import MAX_ATTRIBUTES
from ion.message import Attribute, Message
from ion.outcome import Kind, Outcome, Problem, Reason, Reply, Scope, Stage
from ion.report.redact import redact

SENT_AT = datetime(2026, 11, 22, 8, 30, 15, 250_000, UTC)
FAILED_AT = datetime(2026, 11, 22, 9, 0, 0, 5, UTC)
ORIGIN = History(
    email_id="order-17",
    first_queued_at=SENT_AT,
    original_message_id="m-1",
    attempts=3,
    redrives=1,
)
REFUSED = Outcome(
    Stage.RCPT,
    Kind.PERMANENT,
    Scope.RECIPIENT,
    Reason.RCPT_REJECTED,
    Reply(550, "5.1.1", "<ann@example.org>: no such user\nask postmaster@example.org"),
)


def message(**attributes: Attribute) -> Message:
    return Message(
        id="m-9",
        receipt="r",
        body="body",
        attributes=attributes,
        sent_at=SENT_AT.timestamp(),
        receives=2,
    )


def carrying(value: str | bytes, kind: str = "String") -> Message:
    return message(ion=Attribute(kind, value))


def publishers(count: int) -> dict[str, Attribute]:
    kinds = [
        Attribute.text("ü"),
        Attribute("Number", "12"),
        Attribute("Binary.x", b"\0"),
        Attribute("String.Array", '["a"]'),
    ]
    return {f"own{number}": kinds[number % len(kinds)] for number in range(count)}


def dead(delivery: Delivery, **attributes: Attribute) -> dict[str, Attribute]:
    return dead_letter_attributes(message(**attributes), ORIGIN, delivery, FAILED_AT)


def ion_of(attributes: dict[str, Attribute]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(attributes["ion"].value)
    return record


# where a message comes from

FRESH = History(email_id="m-9", first_queued_at=SENT_AT, original_message_id="m-9")


def test_a_message_that_is_here_for_the_first_time_is_its_own_origin() -> None:
    assert read_history(message()) == FRESH


def test_what_was_requeued_says_where_it_comes_from() -> None:
    requeued = message(**requeue_attributes(message(), ORIGIN))
    assert read_history(requeued) == ORIGIN


@pytest.mark.row(69)
def test_a_dead_letter_moved_by_sqs_itself_is_redriven_too() -> None:
    """StartMessageMoveTask copies the attributes as they are."""
    attributes = dead_letter_attributes(
        message(),
        msgspec.structs.replace(ORIGIN, left=(1,)),
        Delivery(Status.DEAD, REFUSED, path="$.x"),
        FAILED_AT,
    )
    found = read_history(message(**attributes))
    assert found == History(
        email_id="order-17",
        first_queued_at=SENT_AT,
        original_message_id="m-1",
        attempts=0,
        redrives=2,
        left=(1,),
    )
    assert found == for_redrive(message(**attributes)), "whoever moves it"
    again = message(**requeue_attributes(message(**attributes), found))
    assert read_history(again) == found, "which counts once"


def test_a_copy_that_sqs_buried_begins_a_new_life_with_a_redrive() -> None:
    """It was received too often: what was written on it for its wait has no meaning any more."""
    waited = msgspec.structs.replace(
        ORIGIN, since=SENT_AT, message_id="m-2", due=FAILED_AT, receives=999
    )
    buried = message(**requeue_attributes(message(), waited))
    assert read_history(buried) == waited
    found = for_redrive(buried)
    assert found == msgspec.structs.replace(ORIGIN, attempts=0, redrives=ORIGIN.redrives + 1)


def test_a_copy_is_as_old_as_its_message_and_has_its_id() -> None:
    assert (since(message(), ORIGIN), message_id(message(), ORIGIN)) == (SENT_AT.timestamp(), "m-9")
    copied = msgspec.structs.replace(ORIGIN, since=FAILED_AT, message_id="m-2")
    assert (since(message(), copied), message_id(message(), copied)) == (
        FAILED_AT.timestamp(),
        "m-2",
    )


VALID: dict[str, Any] = {
    "email_id": "x",
    "first_queued_at": "2026-11-22T08:30:15Z",
    "original_message_id": "y",
}
FORGED: list[dict[str, Any]] = [
    {"email_id": ""},
    {"email_id": "a b"},
    {"email_id": "ann\n"},
    {"email_id": "x" * 257},
    {"email_id": "\uffff"},
    {"email_id": None},
    {"email_id": 5},
    {"original_message_id": ""},
    {"original_message_id": "x" * 101},
    {"original_message_id": "\uffff"},
    {"first_queued_at": "2026-11-22T08:30:15"},
    {"first_queued_at": "2026-11-22T08:30:15+02:00"},
    {"first_queued_at": "0001-01-01T00:00:00+14:00"},
    {"first_queued_at": "yesterday"},
    {"first_queued_at": 0},
    {"failed_at": "2026-11-22T08:30:15"},
    {"failed_at": "2026-11-22T08:30:15+02:00"},
    {"since": "2026-11-22T08:30:15"},
    {"since": "0001-01-01T00:00:00+14:00"},
    {"due": "2026-11-22T08:30:15"},
    {"due": "2026-11-22T08:30:15+02:00"},
    {"message_id": "x" * 101},
    {"attempts": -1},
    {"attempts": -1000},
    {"attempts": 2**64},
    {"attempts": 1e300},
    {"attempts": "3"},
    {"redrives": -1},
    {"redrives": 2**63},
    {"left": [-1]},
    {"left": [2**70]},
    {"left": "0"},
    {"left": None},
    {"stage": 5},
]


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_an_origin_that_ion_would_not_have_written_is_as_if_it_were_not_there(
    forged: dict[str, Any],
) -> None:
    assert read_history(carrying(json.dumps(VALID))).email_id == "x", "valid but for the forgery"
    assert read_history(carrying(json.dumps(VALID | forged))) == FRESH


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "String"),
        ("garbage", "String"),
        ("null", "String"),
        ("[]", "String"),
        ("{}", "String"),
        ("NaN", "String"),
        ("[" * 100_000, "String"),
        ('{"email_id": ' * 10_000, "String"),
        ("5", "Number"),
        (b"\xff\x00", "Binary"),
        (b"", "Binary"),
    ],
)
def test_garbage_in_that_attribute_is_as_if_it_were_not_there(
    value: str | bytes, kind: str
) -> None:
    assert read_history(carrying(value, kind)) == FRESH


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NUMBERS = st.integers(-(2**70), 2**70)
MOMENTS = st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()).map(datetime.isoformat)
OWN_FIELDS = {
    "attempts": NUMBERS,
    "redrives": NUMBERS,
    "failed_at": MOMENTS,
    "first_queued_at": MOMENTS,
    "left": st.lists(NUMBERS, max_size=3),
}


@given(st.fixed_dictionaries({}, optional=OWN_FIELDS) | st.dictionaries(st.text(), JSON))
def test_whatever_the_attribute_says_the_message_can_be_handled(fields: dict[str, Any]) -> None:
    """What follows a receive may not raise: that would end the run of all the others."""
    history = read_history(carrying(json.dumps(VALID | fields)))
    assert (datetime.now(UTC) - history.first_queued_at).days < 800_000
    assert history.first_queued_at.astimezone(UTC) == history.first_queued_at
    assert requeue_attributes(message(), history)
    assert dead_letter_attributes(message(), history, Delivery(Status.DEAD, REFUSED), FAILED_AT)


# what is written on a dead letter


def test_a_dead_letter_says_why_and_where_it_comes_from() -> None:
    said = "550 5.1.1 <address>: no such user ask <address>"
    attributes = dead(Delivery(Status.DEAD, REFUSED, reply=said))
    assert attributes.keys() == {"reason", "reply", "ion"}
    assert attributes["reason"] == Attribute("String", "RCPT_REJECTED")
    assert attributes["reply"] == Attribute("String", said)
    assert attributes["ion"].type == "String"
    assert ion_of(attributes) == {
        "email_id": "order-17",
        "stage": "rcpt",
        "path": "",
        "attempts": 3,
        "first_queued_at": "2026-11-22T08:30:15.250000Z",
        "failed_at": "2026-11-22T09:00:00.000005Z",
        "original_message_id": "m-1",
        "redrives": 1,
    }


def test_a_dead_letter_of_bad_input_has_the_path_and_no_reply() -> None:
    bad = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, Reason.INVALID_SCHEMA)
    attributes = dead(Delivery(Status.DEAD, bad, path="$.recipient[0]"))
    assert attributes.keys() == {"reason", "ion"}
    assert ion_of(attributes)["path"] == "$.recipient[0]"
    assert ion_of(attributes)["stage"] == "parse"


def test_a_dead_letter_of_what_breaks_the_contract_says_in_what_way() -> None:
    bad = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, Reason.INVALID_SCHEMA)
    unknown = Delivery(
        Status.DEAD,
        bad,
        path="$.recipeint",
        problem=Problem.UNKNOWN,
        did_you_mean="recipient",
    )
    attributes = dead(unknown)
    record = ion_of(attributes)
    assert (record["path"], record["problem"]) == ("$.recipeint", "unknown")
    assert record["did_you_mean"] == "recipient"
    back = requeue_attributes(message(**attributes), read_history(message(**attributes)))
    assert not {"path", "problem", "did_you_mean"} & ion_of(back).keys()

    missing = dead(Delivery(Status.DEAD, bad, path="$.recipient", problem=Problem.MISSING))
    assert ion_of(missing)["problem"] == "missing"
    assert "did_you_mean" not in ion_of(missing)


@pytest.mark.parametrize("said", ["\x00", "\uffff\ufffe", "\ud800"])
def test_a_reply_of_which_nothing_is_left_is_left_out(said: str) -> None:
    """SQS refuses an empty value, and so the dead letter."""
    assert "reply" not in dead(Delivery(Status.DEAD, REFUSED, reply=redact(said)))


def test_a_part_that_died_says_whom_it_is_about_by_number() -> None:
    part = msgspec.structs.replace(ORIGIN, left=(0, 2))
    attributes = dead_letter_attributes(message(), part, Delivery(Status.DEAD, REFUSED), FAILED_AT)
    assert ion_of(attributes)["left"] == [0, 2]
    assert read_history(message(**attributes)).left == (0, 2)


def test_who_is_left_is_not_taken_from_the_delivery() -> None:
    """It names all that died; the settler knows whether that is everybody."""
    assert "left" not in ion_of(dead(Delivery(Status.DEAD, REFUSED, recipients=(0, 2))))


@pytest.mark.parametrize(
    ("own", "delivery", "kept"),
    [
        (0, Delivery(Status.DEAD, REFUSED, reply="no"), 0),
        (7, Delivery(Status.DEAD, REFUSED, reply="no"), 7),
        (8, Delivery(Status.DEAD, REFUSED, reply="no"), 7),
        (9, Delivery(Status.DEAD, REFUSED, reply="no"), 7),
        (10, Delivery(Status.DEAD, REFUSED, reply="no"), 7),
    ],
)
def test_a_publishers_attributes_stay_as_far_as_there_is_room(
    own: int, delivery: Delivery, kept: int
) -> None:
    theirs = publishers(own)
    attributes = dead(delivery, **theirs)
    assert len(attributes) == kept + 3 <= MAX_ATTRIBUTES
    assert list(attributes.items())[:kept] == list(theirs.items())[:kept]


@pytest.mark.parametrize("own", [8, 9, 10])
def test_a_requeue_needs_room_for_one_only(own: int) -> None:
    attributes = requeue_attributes(message(**publishers(own)), ORIGIN)
    assert len(attributes) == min(own, 9) + 1
    assert attributes.items() >= dict(list(publishers(own).items())[: min(own, 9)]).items()


@pytest.mark.parametrize("reply", ["no", ""])
def test_what_was_written_on_it_before_is_written_anew(reply: str) -> None:
    old = {name: Attribute.text("old") for name in ("ion", "reason", "reply")}
    attributes = dead(Delivery(Status.DEAD, REFUSED, reply=reply), **old, **publishers(8))
    assert len(attributes) == MAX_ATTRIBUTES
    assert "old" not in [attribute.value for attribute in attributes.values()]


def test_how_it_died_is_not_carried_back_into_life() -> None:
    letter = message(**dead(Delivery(Status.DEAD, REFUSED), **publishers(2)))
    attributes = requeue_attributes(letter, read_history(letter))
    assert attributes.keys() == {"own0", "own1", "ion"}


def test_what_a_requeue_carries_is_no_longer_than_it_must_be() -> None:
    assert set(ion_of(requeue_attributes(message(), FRESH))) == {
        "email_id",
        "first_queued_at",
        "original_message_id",
    }


def test_no_address_is_written_beside_the_body() -> None:
    attributes = dead(Delivery(Status.DEAD, REFUSED, path="$.recipient"))
    said = "".join(str(attribute.value) for attribute in attributes.values())
    assert "ann" not in said
    assert "@" not in said


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ('{"action": "cancel", "email_id": "order-17"}', Cancel(email_id="order-17")),
        ('{"action": "stop"}', Stop()),
        ('{"action": "pause"}', Pause()),
        ('{"action": "resume"}', Resume()),
    ],
)
def test_what_steers_has_a_name_of_its_own(body: str, action: Action) -> None:
    history, asked = resolve(replace(message(), body=body))
    assert (history.email_id, asked) == (message().id, action)
