"""What a person reads on the terminal of a running stack."""

import json

import pytest

from ionctl.local import show
from ionctl.local.peek import Queued


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        (
            {"reason": "RCPT_REJECTED", "reply": "550 no such user"},
            "RCPT_REJECTED 550 no such user",
        ),
        ({"reason": "INVALID_ADDRESS", "path": "$.cc[1]"}, "INVALID_ADDRESS $.cc[1]"),
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
    dead = Queued("m-1", "{}", visible=True, receive_count=0, attributes=told)
    assert show.why(dead) == why
