import pytest

from ion.nearest import nearest

FIELDS = ["recipient", "sender", "reply_to", "body_text", "body_html"]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("recipeint", "recipient"),
        ("recipients", "recipient"),
        ("replyTo", "reply_to"),
        ("SENDER", "sender"),
        ("bodyhtml", "body_html"),
        ("From", "sender"),
        ("to", "recipient"),
        ("body", "body_text"),
        ("text", "body_text"),
        ("html", "body_html"),
        ("template", None),
        ("", None),
        ("x" * 100, None),
        ("sender" * 100_000, None),
    ],
)
def test_a_misspelt_name_has_a_nearest_one_if_it_resembles_any(
    name: str, known: str | None
) -> None:
    assert nearest(name, FIELDS) == known


def test_what_others_call_a_field_is_ours_only_where_there_is_one() -> None:
    assert nearest("from", ["topic"]) is None


@pytest.mark.parametrize(
    ("name", "known"),
    [("send_at", "not_before"), ("sendAt", "not_before"), ("expires", "expires_at")],
)
def test_times_have_other_names_elsewhere(name: str, known: str) -> None:
    assert nearest(name, [*FIELDS, "not_before", "expires_at"]) == known


def test_the_known_name_is_given_as_it_is_written() -> None:
    assert nearest("ion_log_lvl", ["ION_LOG_LEVEL"]) == "ION_LOG_LEVEL"
