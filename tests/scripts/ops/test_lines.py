"""Events as lines, and a log that is followed."""

from datetime import UTC, datetime, timedelta

import pytest

from ionctl.ops.follow import Follower
from ionctl.ops.lines import is_trouble, line
from ionctl.ops.log import Wanted
from relays import Operated

EMAIL = {"email_id": "order-17", "message_id": "m-1", "server": "smtp", "reply": "250 Ok"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"message": "sent", **EMAIL}, "sent order-17 over smtp: 250 Ok"),
        (
            {"message": "dead_lettered", **EMAIL, "reason": "INVALID_SCHEMA", "reply": "",
             "path": "$.subject"},
            "dead-lettered order-17: INVALID_SCHEMA $.subject",
        ),
        ({"message": "released", **EMAIL, "reason": "DEADLINE"}, "put back order-17: DEADLINE"),
        (
            {"message": "run ended", "received": 3, "sent": 2, "deferred": 1, "dead_lettered": 0,
             "seconds": 1.5, "stopped": "auth", "held": "auth"},
            "run ended: 3 received, 2 sent, 1 deferred in 1.5 s, auth, held: auth",
        ),
        ({"message": "run ended", "seconds": 0.1, "stopped": "empty"},
         "run ended: nothing to do in 0.1 s, empty"),
        ({"message": "cancelled", "email_id": "k", "tried": True}, "cancelled k"),
        ({"message": "moved_to_bulk", "email_id": "k", "reason": "LANE"}, "moved_to_bulk k LANE"),
        ({"message": "settings", "level": "ERROR", "error": "[smtp] port: no number"},
         "settings [smtp] port: no number"),
    ],
)  # fmt: skip
def test_each_event_has_a_line(record: dict[str, object], said: str) -> None:
    assert line(record) == said


def test_trouble_is_what_a_person_is_to_look_at() -> None:
    assert is_trouble({"level": "ERROR"})
    assert is_trouble({"level": "INFO", "message": "dead_lettered"})
    assert not is_trouble({"level": "INFO", "message": "sent"})


def test_each_event_is_given_once_a_late_one_too(relay: Operated) -> None:
    begin = datetime.now(UTC) - timedelta(minutes=5)
    follower = Follower(relay.deployment, Wanted(), begin)
    assert follower.more() == []
    relay.logged("sent", email_id="a")
    relay.logged("sent", datetime.now(UTC) - timedelta(seconds=20), email_id="b")
    assert [one.text("email_id") for one in follower.more()] == ["b", "a"]
    relay.logged("sent", datetime.now(UTC) - timedelta(seconds=10), email_id="c")
    assert [one.text("email_id") for one in follower.more()] == ["c"]
    assert follower.more() == []
