"""What a person reads on the terminal of a running stack."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ionctl.local import show
from ionctl.local.mail_session import Arrived
from ionctl.local.peek import Queued


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (
            {"reason": "RCPT_REJECTED", "reply": "550 no such user"},
            "RCPT_REJECTED 550 no such user",
        ),
        (
            {
                "reason": "TEMPLATE_ERROR",
                "reply": "welcome/subject.txt.j2, line 1",
                "path": "$.context.shop",
                "problem": "missing",
            },
            "TEMPLATE_ERROR welcome/subject.txt.j2, line 1: $.context.shop missing",
        ),
        (
            {"reason": "CLAIM_MISSING", "reply": "S3: NoSuchKey", "path": "$"},
            "CLAIM_MISSING S3: NoSuchKey",
        ),
        (
            {"reason": "INVALID_ADDRESS", "path": "$.cc[1]"},
            "INVALID_ADDRESS $.cc[1] (must be a@b, Name <a@b>, or email and name apart)",
        ),
        (
            {"reason": "INVALID_SCHEMA", "path": "$.subject", "problem": "type"},
            "INVALID_SCHEMA $.subject type",
        ),
        (
            {
                "reason": "INVALID_SCHEMA",
                "path": "$.recipeint",
                "problem": "unknown",
                "did_you_mean": "recipient",
            },
            "INVALID_SCHEMA $.recipeint unknown, did you mean recipient?",
        ),
        ({}, "without a reason: SQS moved it, or SNS"),
    ],
)
def test_a_dead_letter_says_why_in_a_line(attributes: dict[str, str], why: str) -> None:
    own = ("reason", "reply")
    told = {name: value for name, value in attributes.items() if name in own}
    told["ion"] = json.dumps(attributes)
    dead = Queued("ion-dead", "m-1", "{}", visible=True, receive_count=0, attributes=told)
    assert show.why(dead) == why


def test_an_email_is_one_line_that_commands_no_terminal() -> None:
    at = datetime(2026, 11, 28, 13, tzinfo=timezone(timedelta(hours=1)))
    content = b"Subject: =?utf-8?q?H=C3=A9llo?=\r\n =?utf-8?q?_=1B[2J?=\r\n\r\nbody"
    email = Arrived(at, "a@x.org", ("ann@x.org", "bob@x.org"), content, confirmed=False)
    assert show.arrived(email) == (
        "12:00:00Z  email for ann@x.org, bob@x.org: Héllo \ufffd[2J"
        " (connection lost before the relay was told)"
    )


DEFERRED = {
    "level": "INFO",
    "message": "deferred",
    "email_id": "order-17",
    "message_id": "m-1",
    "reason": "TRY_LATER",
    "reply": "451 4.3.0 later",
    "retry_in_seconds": 58,
}
REPORT = {
    "level": "INFO",
    "message": "redrive",
    "email_id": "m-2",
    "meant": 3,
    "reasons": {"EXPIRED": 2, "POISON": 1},
    "moved": 3,
    "refused": 0,
    "hidden": 0,
    "complete": True,
    "goes_on": False,
    "pause_seconds": 0,
    "error": "",
}
MOVED = "redrive m-2: 3 meant (EXPIRED 2, POISON 1); 3 moved"
CASES: list[tuple[dict[str, Any], str | None]] = [
    (DEFERRED, "deferred order-17: TRY_LATER 451 4.3.0 later, next try in 58 s"),
    (REPORT, MOVED),
    (REPORT | {"meant": 0, "moved": 0, "reasons": {}}, "redrive m-2: 0 meant; 0 moved"),
    (REPORT | {"refused": 4}, f"{MOVED}; 4 refused: they have come back too often"),
    (
        REPORT | {"hidden": 2, "goes_on": True, "pause_seconds": 120},
        f"{MOVED}; 2 hidden: someone is looking at them; goes on in 120 s",
    ),
    (
        REPORT | {"error": "receive: AccessDenied", "goes_on": True},
        f"{MOVED}; receive: AccessDenied; goes on in 0 s",
    ),
    (
        {"level": "ERROR", "message": "delivery suspended", "reason": "AUTH", "reply": "535 no"},
        "delivery suspended AUTH 535 no",
    ),
    (DEFERRED | {"message": "sent"}, None),
]


@pytest.mark.parametrize(("record", "told"), CASES, ids=str)
def test_an_event_is_one_line_if_a_person_should_see_it(
    record: dict[str, Any], told: str | None
) -> None:
    assert show.event(record) == told


def test_what_an_email_is_called_commands_no_terminal() -> None:
    told = show.event(DEFERRED | {"email_id": "\x1b[2J", "reply": "\x07"})
    assert told is not None
    assert told.isprintable()
