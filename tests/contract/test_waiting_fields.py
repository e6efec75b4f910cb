"""The fields that say when an email goes, before which others, and what it is called."""

import json
from typing import Any

import pytest

from contract.test_times import NO_TIMES
from ion.contract import BadInput, Lane, Send, given_tags, parse
from ion.outcome import Problem, Reason

NINE, TEN = "2027-03-08T09:00:00Z", "2027-03-08T10:00:00Z"
LEAST = {"action": "send", "recipient": "ann@example.org", "body_text": "hi"}


def parsed(**fields: Any) -> Send:  # noqa: ANN401
    action = parse(json.dumps(LEAST | fields))
    assert isinstance(action, Send)
    return action


def refused(**fields: Any) -> tuple[str, Problem | None]:  # noqa: ANN401
    with pytest.raises(BadInput) as caught:
        parsed(**fields)
    bad = caught.value
    assert bad.reason is Reason.INVALID_SCHEMA
    assert NINE not in f"{bad!r}{bad}"
    return bad.path, bad.problem


def test_an_email_may_say_its_lane() -> None:
    assert parsed(lane="bulk").lane is Lane.BULK
    assert parsed(lane="normal").lane is Lane.NORMAL
    assert parsed(lane=None).lane is None


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("lane", "problem"),
    [("Bulk", Problem.VALUE), ("", Problem.VALUE), (5, Problem.TYPE), (["bulk"], Problem.TYPE)],
)
def test_another_lane_is_refused(lane: object, problem: Problem) -> None:
    assert refused(lane=lane) == ("$.lane", problem)


def test_times_arrive_as_they_were_written() -> None:
    send = parsed(not_before="2027-03-08t09:00:00.25-05:30", expires_at="2027-03-08T16:00:00z")
    assert (send.not_before, send.expires_at) == (
        "2027-03-08t09:00:00.25-05:30",
        "2027-03-08T16:00:00z",
    )


@pytest.mark.row(74)
@pytest.mark.parametrize("field", ["not_before", "expires_at"])
@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_refused(field: str, text: str) -> None:
    assert refused(**{field: text}) == (f"$.{field}", Problem.VALUE)


@pytest.mark.row(74)
@pytest.mark.parametrize("field", ["not_before", "expires_at"])
@pytest.mark.parametrize("value", [1_803_546_000, 0.5, True, {}, [NINE]])
def test_a_time_is_a_text(field: str, value: object) -> None:
    assert refused(**{field: value}) == (f"$.{field}", Problem.TYPE)


@pytest.mark.row(75)
@pytest.mark.parametrize(
    ("not_before", "expires_at"),
    [
        (NINE, NINE),
        (TEN, NINE),
        (NINE, "2027-03-08T09:00:00.0000001Z"),
        (NINE, "2027-03-08T10:00:00+01:00"),
        (NINE, "2027-03-08T09:30:00+01:00"),
        ("2027-03-08T08:00:00-02:00", NINE),
    ],
)
def test_an_email_that_ends_before_it_begins_is_refused(not_before: str, expires_at: str) -> None:
    assert refused(not_before=not_before, expires_at=expires_at) == (
        "$.expires_at",
        Problem.VALUE,
    )


@pytest.mark.parametrize(
    ("not_before", "expires_at"),
    [(NINE, TEN), (NINE, "2027-03-08T08:00:01-01:00"), (None, NINE), (NINE, None), (None, None)],
)
def test_an_email_may_have_either_time_or_both(
    not_before: str | None, expires_at: str | None
) -> None:
    assert parsed(not_before=not_before, expires_at=expires_at) == Send(
        recipient="ann@example.org", body_text="hi", not_before=not_before, expires_at=expires_at
    )


def test_times_of_the_past_are_no_fault_of_the_message() -> None:
    """What the clock says is for the relay: the message may have waited."""
    past = ("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z")
    send = parsed(not_before=past[0], expires_at=past[1])
    assert (send.not_before, send.expires_at) == past


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"campaign": "spring"},
        {"a.B-c_9": "~ !", "x" * 64: "y" * 256},
        {str(number): "v" for number in range(10)},
    ],
)
def test_an_email_may_have_tags(tags: dict[str, str]) -> None:
    assert parsed(tags=tags).tags == tags
    assert given_tags(parsed(tags=tags).tags) == tags


def test_a_tag_that_is_null_is_not_there() -> None:
    assert given_tags(parsed(tags={"a": None, "b": "c"}).tags) == {"b": "c"}
    assert given_tags(parsed(tags=None).tags) == {}


@pytest.mark.row(79)
@pytest.mark.parametrize(
    ("tags", "path", "problem"),
    [
        ([], "$.tags", Problem.TYPE),
        ("spring", "$.tags", Problem.TYPE),
        ({str(number): "v" for number in range(11)}, "$.tags", Problem.VALUE),
        ({"campaign": 5}, "$.tags['campaign']", Problem.TYPE),
        ({"campaign": ["x"]}, "$.tags['campaign']", Problem.TYPE),
        ({"campaign": ""}, "$.tags['campaign']", Problem.VALUE),
        ({"campaign": "x" * 257}, "$.tags['campaign']", Problem.VALUE),
        ({"campaign": "Frühling"}, "$.tags['campaign']", Problem.VALUE),
        ({"campaign": "a\nb"}, "$.tags['campaign']", Problem.VALUE),
        ({"campaign": "a\n"}, "$.tags['campaign']", Problem.VALUE),
        ({"a": "x", "b": None, "campaign": "\x7f"}, "$.tags['campaign']", Problem.VALUE),
        ({"a.b": "é"}, "$.tags[*]", Problem.VALUE),
        ({"": "x"}, "$.tags[*]", Problem.VALUE),
        ({"a b": "x"}, "$.tags[*]", Problem.VALUE),
        ({"a": "x", "a\n": "x"}, "$.tags[*]", Problem.VALUE),
        ({"ann@example.org": "x"}, "$.tags[*]", Problem.VALUE),
        ({"é": "x"}, "$.tags[*]", Problem.VALUE),
        ({"a": "x", "y" * 65: "x"}, f"$.tags['{'y' * 65}']", Problem.VALUE),
        ({"a": {"x` - at `key` in `$.tags": "x"}}, "$.tags['a']", Problem.TYPE),
        ({"x` - at `key` in `$.headers": "x"}, "$.tags[*]", Problem.VALUE),
    ],
    ids=json.dumps,
)
def test_wrong_tags_are_told_by_their_names(tags: object, path: str, problem: Problem) -> None:
    assert refused(tags=tags) == (path, problem)


@pytest.mark.row(2)
def test_a_name_that_imitates_a_tags_path_is_not_believed() -> None:
    imitation = "x` - at `key` in `$.tags"
    assert refused(**{imitation: 1}) == ("$[*]", Problem.UNKNOWN)
    assert refused(recipient={imitation: 1}) == ("$.recipient[*]", Problem.UNKNOWN)
