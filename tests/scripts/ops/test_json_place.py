"""Line and column of a JSONPath."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ionctl.ops.json_place import place

TEXT = """\
{
  "action": "send",
  "recipient": [
    "ann@example.org",
    {"email": "bob", "name": "{[\\",:]"}
  ],
  "tags": {"a": 1, "a": 2},
  "headers": {"X-Tag": "x", "": {}},
  "attachments": []
}
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("$", 1, 1),
        ("$.action", 2, 3),
        ("$.recipient", 3, 3),
        ("$.recipient[0]", 4, 5),
        ("$.recipient[1]", 5, 5),
        ("$.recipient[1].name", 5, 22),
        ("$.headers['X-Tag']", 8, 15),
        ("$.headers[*]", 8, 3),
        ("$.recipient[1].nothing", 5, 5),
        ("$.recipient[9].email", 3, 3),
        ("$.subject", 1, 1),
        ("$..a", 7, 20),
        ("$..[*]", 7, 20),
        ("$..b", 1, 1),
    ],
)
def test_a_path_leads_to_where_the_field_or_what_is_around_it_begins(
    path: str, line: int, column: int
) -> None:
    assert place(TEXT, path) == (line, column)
    assert place("\ufeff" + TEXT, path) == (line, column)


def test_a_list_and_a_bare_value_have_places_too() -> None:
    assert place('["x",\n {"s3Key": 5}]', "$[1].s3Key") == (2, 3)
    assert place("5", "$.action") == (1, 1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([None, 0, 2]),
)
def test_any_json_is_walked_to_its_end(data: Any, indent: int | None) -> None:  # noqa: ANN401
    line, column = place(json.dumps(data, indent=indent), "$[*]")
    assert (line, column) == (1, 1)


def test_a_text_of_nothing_but_brackets_takes_no_longer_for_its_depth() -> None:
    deep = 200_000
    assert place("[" * deep + "]" * deep, "$") == (1, 1)
    assert place('{"a":' * deep + "1" + "}" * deep, "$.a.b") == (1, 2)
    assert place('{"a":' * deep + "1" + "}" * deep, "$..a") == (1, 1)
