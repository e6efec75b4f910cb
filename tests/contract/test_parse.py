"""Every body ends as an action or as BadInput; what is said about bad input is never the input."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.contract import assert_says_only_where
from ion.contract import Action, BadInput, Mailbox, Redrive, Send, Where, parse, seconds_of
from ion.outcome import Problem, Reason

DOMAIN = "$.where.recipient_domain"
CANARY = "canary-7f3a@example.org"
UNKNOWN = ("$.recipeint", "unknown")


def send(**fields: object) -> str:
    least = {"action": "send", "recipient": "ann@example.org", "body_text": "hello"}
    return json.dumps(least | fields)


def bad(body: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse(body)
    return caught.value


def refused(body: str) -> tuple[Reason, str]:
    found = bad(body)
    return found.reason, found.path


# what the contract allows


def test_the_first_versions_messages_work_unchanged() -> None:
    body = (
        '{"action": "send", "recipient": "ann@example.org", "subject": "Hi", '
        '"body_text": "plain", "body_html": "<p>html</p>"}'
    )
    assert parse(body) == Send(
        recipient="ann@example.org", subject="Hi", body_text="plain", body_html="<p>html</p>"
    )
    assert parse('{"action": "redrive"}') == Redrive()


def test_a_redrive_may_be_a_query() -> None:
    where = {
        "reason": ["EXPIRED", "IN_DOUBT"],
        "recipient_domain": "example.org",
        "older_than": "90m",
        "younger_than": "7d",
    }
    body = {"action": "redrive", "where": where, "max": 100, "rate": 0.5, "dry_run": True}
    assert parse(json.dumps(body)) == Redrive(
        where=Where(
            reason=[Reason.EXPIRED, Reason.IN_DOUBT],
            recipient_domain="example.org",
            older_than="90m",
            younger_than="7d",
        ),
        max=100,
        rate=0.5,
        dry_run=True,
    )
    assert parse('{"action": "redrive", "where": {"reason": "POISON"}, "rate": 5}') == Redrive(
        where=Where(reason=Reason.POISON), rate=5.0
    )


@pytest.mark.parametrize(
    ("age", "seconds"), [("90s", 90), ("2m", 120), ("3h", 10_800), ("1d", 86_400)]
)
def test_an_age_is_a_number_and_its_unit(age: str, seconds: int) -> None:
    assert seconds_of(age) == seconds


@pytest.mark.parametrize(
    ("field", "value", "parsed"),
    [
        ("email_id", "!", "!"),
        ("email_id", "~" * 256, "~" * 256),
        ("email_id", None, None),
        ("recipient", ["a@b.example", "Bob <b@b.example>"], ["a@b.example", "Bob <b@b.example>"]),
        ("recipient", {"email": "a@b.example"}, Mailbox("a@b.example")),
        ("recipient", {"email": "a@b.example", "name": "A"}, Mailbox("a@b.example", "A")),
        ("recipient", [{"email": "a@b.example"}, "c@d"], [Mailbox("a@b.example"), "c@d"]),
        ("cc", "a@b.example", "a@b.example"),
        ("cc", ["a@b.example"], ["a@b.example"]),
        ("bcc", {"email": "a@b.example", "name": None}, Mailbox("a@b.example")),
        ("sender", "Ion <ion@b.example>", "Ion <ion@b.example>"),
        ("sender", {"email": "ion@b.example"}, Mailbox("ion@b.example")),
        ("sender", None, None),
        ("reply_to", "a@b.example", "a@b.example"),
        ("reply_to", ["a@b.example", {"email": "c@d"}], ["a@b.example", Mailbox("c@d")]),
        ("return_path", "bounces@b.example", "bounces@b.example"),
        ("return_path", {"email": "bounces@b.example"}, Mailbox("bounces@b.example")),
        ("subject", "", ""),
        ("subject", "Grüße 🎉 \u0000", "Grüße 🎉 \u0000"),
        ("body_text", "", ""),
        ("body_html", "<p>", "<p>"),
        ("body_html", None, None),
        ("headers", {"X-A": "b"}, {"X-A": "b"}),
    ],
)
def test_a_field_arrives_as_it_was_written(field: str, value: object, parsed: object) -> None:
    assert getattr(parse(send(**{field: value})), field) == parsed


@pytest.mark.parametrize("body", ["body_text", "body_html"])
def test_one_body_is_enough(body: str) -> None:
    parsed = parse(json.dumps({"action": "send", "recipient": "a@b.example", body: "x"}))
    assert getattr(parsed, body) == "x"


def test_what_is_left_out_is_empty() -> None:
    assert parse(send()) == Send(recipient="ann@example.org", body_text="hello")


def test_white_space_around_and_the_order_of_members_mean_nothing() -> None:
    body = ' \r\n\t{"body_text":"x","recipient":"a@b.example",\n"action":"send"} \n'
    assert parse(body) == Send(recipient="a@b.example", body_text="x")


@pytest.mark.parametrize("escaped", [r"\ud83c\udf89", r"\uD83C\uDF89", "🎉"])
def test_a_pair_of_surrogates_is_one_character(escaped: str) -> None:
    body = f'{{"action":"send","recipient":"a@b.example","body_text":"{escaped}"}}'
    assert parse(body) == Send(recipient="a@b.example", body_text="🎉")


def test_an_escaped_backslash_before_ud_is_no_surrogate() -> None:
    assert parse(send(subject=r"\ud800")) == Send(
        recipient="ann@example.org", body_text="hello", subject=r"\ud800"
    )


# what it doesn't


@pytest.mark.row(1)
@pytest.mark.parametrize(
    "body",
    [
        "",
        " ",
        "hello",
        "{",
        '{"action": "redrive"',
        '{"action": "redrive"} {}',
        "{'action': 'redrive'}",
        '{"action": "redrive",}',
        '{action: "redrive"}',
        '\ufeff\ufeff{"action": "redrive"}',
        ' \ufeff{"action": "redrive"}',
        "\ufeff",
        '{"action": "re\ndrive"}',
        '{"action": "redrive"}\x00',
        "nan",
        "01",
        "+1",
        r'"\u12"',
        r'"\x41"',
    ],
)
def test_what_is_not_json_is_bad_json(body: str) -> None:
    assert refused(body) == (Reason.BAD_JSON, "$")


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("null", "$"),
        ("[]", "$"),
        ("5", "$"),
        ('"send"', "$"),
        ("{}", "$.action"),
        ('{"email_id": "test-1", "subject": 5}', "$.action"),
        ('{"action": "sned"}', "$.action"),
        ('{"action": "Send"}', "$.action"),
        ('{"action": null}', "$.action"),
        ('{"action": 5}', "$.action"),
        ('{"action": "redrive", "which": {}}', "$.which"),
        ('{"action": "redrive", "where": []}', "$.where"),
        ('{"action": "redrive", "where": {"domain": "example.org"}}', "$.where.domain"),
        ('{"action": "redrive", "where": {"reason": "NO_SUCH"}}', "$.where.reason"),
        ('{"action": "redrive", "where": {"reason": ["EXPIRED", 5]}}', "$.where.reason[1]"),
        ('{"action": "redrive", "where": {"recipient_domain": "a@b.c"}}', DOMAIN),
        ('{"action": "redrive", "where": {"recipient_domain": ""}}', DOMAIN),
        ('{"action": "redrive", "where": {"older_than": "2 hours"}}', "$.where.older_than"),
        ('{"action": "redrive", "where": {"older_than": 3600}}', "$.where.older_than"),
        ('{"action": "redrive", "where": {"older_than": "-1h"}}', "$.where.older_than"),
        ('{"action": "redrive", "where": {"older_than": "1d", "younger_than": "24h"}}', "$.where"),
        ('{"action": "redrive", "max": 0}', "$.max"),
        ('{"action": "redrive", "max": 1.5}', "$.max"),
        ('{"action": "redrive", "rate": 0}', "$.rate"),
        ('{"action": "redrive", "rate": "5"}', "$.rate"),
        ('{"action": "redrive", "dry_run": 1}', "$.dry_run"),
        ('{"action": "send", "body_text": "x"}', "$.recipient"),
        ('{"action": "send", "recipient": "a@b.example"}', "$.body_text"),
        ('{"action": "send", "recipient": "a@b.example", "body_text": null}', "$.body_text"),
        (send(recipient=None), "$.recipient"),
        (send(recipient=5), "$.recipient"),
        (send(recipient=["a@b.example", 5]), "$.recipient[1]"),
        (send(recipient=[["a@b.example"]]), "$.recipient[0]"),
        (send(recipient={"name": "A"}), "$.recipient.email"),
        (send(recipient=[{"email": 5}]), "$.recipient[0].email"),
        (send(recipient={"email": "a@b.example", "x": 1}), "$.recipient.x"),
        (send(cc=[[None]]), "$.cc[0]"),
        (send(bcc=True), "$.bcc"),
        (send(sender=["a@b.example"]), "$.sender"),
        (send(reply_to=5), "$.reply_to"),
        (send(reply_to=[5]), "$.reply_to[0]"),
        (send(return_path=["a@b.example"]), "$.return_path"),
        (send(subject=5), "$.subject"),
        (send(body_text=["x"]), "$.body_text"),
        (send(body_html={}), "$.body_html"),
        (send(headers=[]), "$.headers"),
        (send(headers={"X-A": 5}), "$.headers['X-A']"),
        (send(headers={"X-A": "", "x_B": None, "X-C": 5}), "$.headers['X-C']"),
        (send(headers={"X-A": {"X-B": ""}}), "$.headers['X-A']"),
        (send(headers={"A" * 76: 5}), f"$.headers['{'A' * 76}']"),
        (send(headers={"A" * 77: 5}), "$.headers[*]"),
        (send(headers={"X A": 5}), "$.headers[*]"),
        (send(headers={"4915112345678": 5}), "$.headers[*]"),
        (send(headers={CANARY: 5}), "$.headers[*]"),
        (send(headers={"a']['b": 5}), "$.headers[*]"),
        (send(headers={"": 5}), "$.headers[*]"),
        (send(email_id=""), "$.email_id"),
        (send(email_id="a b"), "$.email_id"),
        (send(email_id="a\n"), "$.email_id"),
        (send(email_id="ä"), "$.email_id"),
        (send(email_id="a" * 257), "$.email_id"),
        (send(email_id=5), "$.email_id"),
        (send(Subject="x"), "$.Subject"),
        (send(to="a@b.example"), "$.to"),
    ],
)
def test_what_breaks_the_contract_is_refused_with_its_path(body: str, path: str) -> None:
    assert refused(body) == (Reason.INVALID_SCHEMA, path)


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('{"action": "redrive", "action": "redrive"}', "$..action"),
        ('{"action": "redrive", "\\u0061ction": "send"}', "$..action"),
        (send(headers=5).replace("5", '{"X": "1", "X": "2"}'), "$..X"),
        (send(headers=5).replace("5", '{"X-A": "1", "X-A": "2"}'), "$..['X-A']"),
        (send(headers=5).replace("5", '{"a b": "1", "a b": "2"}'), "$..[*]"),
        (f'{{"{CANARY}": 1, "{CANARY}": 2}}', "$..[*]"),
        ('{"4915112345678": 1, "4915112345678": 2}', "$..[*]"),
    ],
)
def test_a_member_written_twice_is_refused(body: str, path: str) -> None:
    assert refused(body) == (Reason.INVALID_SCHEMA, path)


@pytest.mark.row(2)
@pytest.mark.parametrize(
    ("body", "path", "problem", "meant"),
    [
        ('{"action": "send", "recipeint": "a@b.c", "body_text": "x"}', *UNKNOWN, "recipient"),
        ('{"body_text": "x", "recipeint": "a@b.c", "action": "send"}', *UNKNOWN, "recipient"),
        ('{"recipeint": "a@b.c", "body_text": "x"}', "$.action", "missing", ""),
        ('{"acton": "send", "recipient": "a@b.c"}', "$.acton", "unknown", "action"),
        ('{"recipient": "a@b.c", "Action": "send"}', "$.Action", "unknown", "action"),
        ('{"action": "send", "body_text": "x"}', "$.recipient", "missing", ""),
        ('{"action": "send", "recipient": "a@b.c"}', "$.body_text", "missing", ""),
        ('{"action": "send", "recipient": "a@b.c", "reply-to": ""}', "$[*]", "unknown", "reply_to"),
        (send(replyTo="a@b.c"), "$.replyTo", "unknown", "reply_to"),
        (send(attachment=[]), "$.attachment", "unknown", "attachments"),
        (send(attachments=[{}]), "$.attachments[0].filename", "missing", ""),
        (send(attachments=[{"filename": "a"}]), "$.attachments[0].content", "missing", ""),
        (
            send(attachments=[{"filename": "a", "s3": {"bucket": "abc", "kye": "k"}}]),
            "$.attachments[0].s3.kye",
            "unknown",
            "key",
        ),
        *(
            (
                send(attachments=[{"filename": "a", "s3": {"bucket": bucket, "key": "k"}}]),
                *("$.attachments[0].s3.bucket", "value", ""),
            )
            for bucket in ("a.b..c", "192.0.2.1", "Files", "ab", "a" * 64, "files\n")
        ),
        (send(older_than="1d"), "$.older_than", "unknown", ""),
        (send(recipient={"mail": "a@b.c"}), "$.recipient.mail", "unknown", "email"),
        (send(cc=["a@b.c", {"emial": "a@b.c"}]), "$.cc[1].emial", "unknown", "email"),
        (send(recipient={"name": "A"}), "$.recipient.email", "missing", ""),
        ('{"action": "redrive", "were": {}}', "$.were", "unknown", "where"),
        ('{"action": "redrive", "recipient": "a@b.c"}', "$.recipient", "unknown", ""),
        (
            '{"action": "redrive", "where": {"recipient-domain": "b.c"}}',
            *("$.where[*]", "unknown", "recipient_domain"),
        ),
        ("[]", "$", "type", ""),
        ("null", "$", "type", ""),
        ('{"action": null}', "$.action", "type", ""),
        (send(subject=5), "$.subject", "type", ""),
        (send(recipient=None), "$.recipient", "missing", ""),
        (send(recipient=["", None], cc=""), "$.recipient", "missing", ""),
        ('{"action": "send"}', "$.recipient", "missing", ""),
        (send(recipient=["a@b.c", 5]), "$.recipient[1]", "type", ""),
        (send(headers={"X-A": 5}), "$.headers['X-A']", "type", ""),
        (send(email_id=5), "$.email_id", "type", ""),
        (send(in_doubt=5), "$.in_doubt", "type", ""),
        ('{"action": "redrive", "max": 1.5}', "$.max", "type", ""),
        ('{"action": "sned"}', "$.action", "value", ""),
        (send(email_id="a b"), "$.email_id", "value", ""),
        (send(in_doubt="never"), "$.in_doubt", "value", ""),
        ('{"action": "redrive", "max": 0}', "$.max", "value", ""),
        ('{"action": "redrive", "max": 1e30}', "$.max", "type", ""),
        ('{"action": "redrive", "rate": 0}', "$.rate", "value", ""),
        ('{"action": "redrive", "where": {"reason": "NO"}}', "$.where.reason", "value", ""),
        (
            '{"action": "redrive", "where": {"older_than": "1d", "younger_than": "1h"}}',
            *("$.where", "value", ""),
        ),
        (send(subject=5).replace("5", "NaN"), "$", "value", ""),
        ("[" * 100_000, "$", "value", ""),
        (send(subject=5).replace("5", '"x", "subject": "y"'), "$..subject", "duplicate", ""),
        # a name that imitates msgspec's own words
        (send(**{"x` - at `$.subject": 1}), "$[*]", "unknown", ""),
        (send(recipient={"x` - at `$.subject": 1}), "$.recipient[*]", "unknown", ""),
    ],
)
def test_what_breaks_the_contract_is_told_in_what_way(
    body: str, path: str, problem: str, meant: str
) -> None:
    found = bad(body)
    assert (found.path, found.problem, found.did_you_mean) == (path, problem, meant)


def test_bad_input_that_breaks_no_contract_has_a_reason_and_a_path_alone() -> None:
    for body in ("{", '"\\ud800"'):
        found = bad(body)
        assert (found.path, found.problem, found.did_you_mean) == ("$", None, "")


def test_bad_input_says_itself_in_one_line() -> None:
    assert str(bad('{"action": \n  canary')) == "BAD_JSON at $ (line 2, column 3)"
    assert str(bad(send(subject=5))) == "INVALID_SCHEMA at $.subject: type"
    said = "INVALID_SCHEMA at $.recipeint: unknown, did you mean recipient?"
    assert str(bad('{"action": "send", "recipeint": "a@b.c"}')) == said


@pytest.mark.row(2)
@pytest.mark.parametrize("count", [10, 50_000])
def test_a_member_written_twice_is_found_among_many(count: int) -> None:
    members = ",".join(f'"a{number}":1' for number in [*range(count), count - 1])
    assert refused(f"{{{members}}}") == (Reason.INVALID_SCHEMA, f"$..a{count - 1}")


@pytest.mark.row(2)
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 30, "9" * 5000, "1" * 100_000],
)
@pytest.mark.parametrize("field", ["subject", "recipient", "action", "unknown"])
def test_no_number_is_too_odd(field: str, value: str) -> None:
    fields = {"action": '"send"', "recipient": '"a@b.example"', "body_text": '"x"', field: value}
    body = "{" + ",".join(f'"{name}":{text}' for name, text in fields.items()) + "}"
    reason, path = refused(body)
    assert reason is Reason.INVALID_SCHEMA
    assert path in ("$", f"$.{field}")


@pytest.mark.row(2)
@pytest.mark.parametrize("depth", [10, 500, 2_000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_no_nesting_is_too_deep(depth: int, opening: str, closing: str) -> None:
    nested = opening * depth + '"\\ud83c\\udf89"' + closing * depth
    assert refused(nested)[0] is Reason.INVALID_SCHEMA
    body = f'{{"action":"send","recipient":{nested},"body_text":"x"}}'
    assert refused(body)[0] is Reason.INVALID_SCHEMA


@pytest.mark.row(2)
def test_no_depth_lies_between_reading_and_checking() -> None:
    """Both recurse, and not to the same depth: no depth passes one and breaks the other."""
    for depth in range(900, 1100):
        assert refused("[" * depth + '"\\ud83c\\udf89"' + "]" * depth)[0] is Reason.INVALID_SCHEMA


@pytest.mark.row(6)
@pytest.mark.parametrize("half", [r"\ud800", r"\uDFFF", r"\udf89\ud83c", r"\ud800x", r"x\uD800"])
@pytest.mark.parametrize(
    "body",
    [
        '{"action":"send","recipient":"a@b.example","body_text":"%s"}',
        '{"action":"send","recipient":"%s","body_text":"x"}',
        '{"action":"send","recipient":{"email":"%s"},"body_text":"x"}',
        '{"action":"send","recipient":"a@b.example","body_text":"x","headers":{"%s":"x"}}',
        '{"action":"send","recipient":"a@b.example","body_text":"x","%s":"x"}',
        '{"%s":"x"}',
        '["%s"]',
        '"%s"',
    ],
)
def test_half_a_surrogate_pair_is_invalid_unicode(body: str, half: str) -> None:
    assert refused(body % half) == (Reason.INVALID_UNICODE, "$")


@pytest.mark.row(6)
def test_half_a_pair_that_was_never_escaped_is_invalid_unicode() -> None:
    assert refused(send(subject="half").replace("half", "\ud800"))[0] is Reason.INVALID_UNICODE


# the path is not a way out for data


@pytest.mark.row(2)
@pytest.mark.parametrize(
    "name",
    [
        CANARY,
        "x` - at `$." + CANARY,
        "x` - at `$.canary-7f3a",
        "x` - at `$." + "canary" * 1000,
        "field `canary-7f3a`",
        "4915112345678",
        "canary " * 50,
        "\uffff",
    ],
)
def test_a_fields_name_that_looks_like_data_is_not_repeated(name: str) -> None:
    for body in (send(**{name: 1}), send(recipient={"email": "a@b.example", name: 1})):
        found = bad(body)
        assert (found.reason, found.problem) == (Reason.INVALID_SCHEMA, Problem.UNKNOWN)
        assert found.path in ("$[*]", "$.recipient[*]")
        assert "canary" not in str(found)
        assert_says_only_where(found)


@pytest.mark.parametrize("field", ["recipient", "cc", "sender", "subject", "headers", "email_id"])
@pytest.mark.parametrize("value", [{"email": {"x": CANARY}}, [[CANARY]], {CANARY: [CANARY]}])
def test_a_value_is_not_repeated(field: str, value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse(send(**{field: value}))
    said = f"{caught.value!r} {caught.value} {caught.value.path} {caught.value.__cause__}"
    assert "canary" not in said


# total


@given(st.text(st.characters()))
@example("\ud800")
@example('"\ud800"')
def test_any_text_ends_as_an_action_or_as_bad_input(body: str) -> None:
    try:
        assert isinstance(parse(body), Action)
    except BadInput as bad:
        found = bad
    else:
        return
    assert_says_only_where(found)
    assert found.reason in (Reason.BAD_JSON, Reason.INVALID_SCHEMA, Reason.INVALID_UNICODE)
