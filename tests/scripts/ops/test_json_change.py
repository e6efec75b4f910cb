"""Values of a message changed by paths with dots."""

import json
from typing import Any

import pytest

from ionctl.ops.json_change import changed
from ionctl.problem import Problem

BODY: dict[str, Any] = {"action": "send", "recipient": ["a@b.c", "d@e.f"], "tags": {"kind": "x"}}


@pytest.mark.parametrize(
    ("values", "dropped", "fields"),
    [
        (["recipient=ann@example.org"], [], {"recipient": "ann@example.org"}),
        (["recipient.1=ann@example.org"], [], {"recipient": ["a@b.c", "ann@example.org"]}),
        (["tags.kind=reset", "tags.n=1"], [], {"tags": {"kind": "reset", "n": 1}}),
        (['tags={"n": "1"}'], [], {"tags": {"n": "1"}}),
        (["subject=a=b"], [], {"subject": "a=b"}),
        (['subject="5"'], [], {"subject": "5"}),
        (["lane=null"], [], {"lane": None}),
        ([], ["tags.kind"], {"tags": {}}),
        ([], ["recipient.0"], {"recipient": ["d@e.f"]}),
    ],
)
def test_a_path_leads_to_the_value_that_is_changed(
    values: list[str], dropped: list[str], fields: dict[str, object]
) -> None:
    assert json.loads(changed("\ufeff" + json.dumps(BODY), values, dropped)) == BODY | fields


@pytest.mark.parametrize(
    ("values", "dropped", "said"),
    [
        (["recipient"], [], "--set recipient: write it as PATH=VALUE"),
        (["where.tag=x"], [], "where.tag: there is no where in the message"),
        (["recipient.9=x"], [], "--set recipient.9: the list has no such place"),
        (["recipient.first=x"], [], "recipient.first: first can't be there"),
        (["action.x=1"], [], "action.x: x can't be there"),
        ([], ["subject"], "--drop subject: that isn't there"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(
    values: list[str], dropped: list[str], said: str
) -> None:
    with pytest.raises(Problem) as told:
        changed(json.dumps(BODY), values, dropped)
    assert str(told.value).startswith(said)


@pytest.mark.parametrize("body", ["{broken", "[]", "5"])
def test_what_is_no_object_is_given_anew(body: str) -> None:
    with pytest.raises(Problem, match="give it anew with --body FILE"):
        changed(body, ["a=b"])
