"""The fields of a template: what they may be, and what may be without them."""

import json
from typing import Any

import pytest

from ion.contract import BadInput, Send, parse
from ion.outcome import Problem, Reason


def parsed(**fields: Any) -> Send:  # noqa: ANN401
    action = parse(json.dumps({"action": "send", "recipient": "a@b.example"} | fields))
    assert isinstance(action, Send)
    return action


def nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(levels - 1):
        data = {"x": data}
    return data


@pytest.mark.parametrize("template", ["welcome", "Welcome_2-b", "orders/shipped", "a" * 64])
@pytest.mark.parametrize("locale", [None, "de", "de-AT", "de_AT", "zh-Hant-TW", "sl-rozaj-biske"])
def test_a_template_needs_nothing_beside_it(template: str, locale: str | None) -> None:
    send = parsed(template=template, locale=locale, context=None)
    assert (send.template, send.locale, send.context) == (template, locale, None)


@pytest.mark.parametrize(
    ("fields", "path", "problem"),
    [
        ({"template": 5}, "$.template", Problem.TYPE),
        ({"template": ""}, "$.template", Problem.VALUE),
        ({"template": "../secret"}, "$.template", Problem.VALUE),
        ({"template": "/etc/passwd"}, "$.template", Problem.VALUE),
        ({"template": "a/../b"}, "$.template", Problem.VALUE),
        ({"template": "a//b"}, "$.template", Problem.VALUE),
        ({"template": "welcome\n"}, "$.template", Problem.VALUE),
        ({"template": "a" * 65}, "$.template", Problem.VALUE),
        ({"template": "{{ 7 * 7 }}"}, "$.template", Problem.VALUE),
        ({"template": "t", "context": []}, "$.context", Problem.TYPE),
        ({"template": "t", "context": "x"}, "$.context", Problem.TYPE),
        ({"template": "t", "context": nested(65)}, "$.context", Problem.VALUE),
        ({"template": "t", "context": {"x": [nested(63)]}}, "$.context", Problem.VALUE),
        ({"template": "t", "locale": ""}, "$.locale", Problem.VALUE),
        ({"template": "t", "locale": "../de"}, "$.locale", Problem.VALUE),
        ({"template": "t", "locale": "d"}, "$.locale", Problem.VALUE),
        ({"body_text": "x", "context": {}}, "$.template", Problem.MISSING),
        ({"body_text": "x", "locale": "de"}, "$.template", Problem.MISSING),
        ({"context": {}}, "$.body_text", Problem.MISSING),
    ],
)
def test_what_is_no_template_is_told(fields: dict[str, Any], path: str, problem: Problem) -> None:
    with pytest.raises(BadInput) as caught:
        parsed(**fields)
    bad = caught.value
    assert (bad.reason, bad.path, bad.problem) == (Reason.INVALID_SCHEMA, path, problem)


def test_a_context_is_any_json_of_a_sane_depth() -> None:
    for context in (nested(64), {"a": [1, 2.5, None, True, "ü"], "": {}, "recipient": {"x": 1}}):
        assert parsed(template="t", context=context).context == context
