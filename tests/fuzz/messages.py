"""Messages as a publisher might write them, and as nobody should."""

import json
from copy import deepcopy
from random import Random
from typing import Any

from fuzz.mutation import spliced
from ion.contract import Redrive, Send

_GOOD: tuple[dict[str, Any], ...] = (
    {"action": "send", "recipient": "ann@example.org", "subject": "Hi", "body_text": "plain"},
    {"action": "send", "recipient": "ann@example.org", "body_html": "<p>Hi <b>Ann</b>"},
    {
        "action": "send",
        "email_id": "order-17",
        "recipient": ["Ann <ann@example.org>", {"email": "bob@example.org", "name": "Bob, B."}],
        "cc": ["c@bücher.example", '"d d"@example.org'],
        "bcc": {"email": "e@[192.0.2.1]"},
        "sender": "Grüße aus Köln <post@example.org>",
        "reply_to": ["answers@example.org", "Köln <koeln@example.org>"],
        "return_path": "bounces@example.org",
        "subject": "Your order 🎉 is on its way, and this line is so long that it must be folded",
        "body_text": "one\r\ntwo\n.three\rFrom four\n",
        "body_html": "<p>one<p>two",
        "headers": {
            "X-Order": "17",
            "List-Unsubscribe": "<https://example.org/u?id=17>, <mailto:u@example.org>",
            "Errors-To": "Ann <ann@example.org>",
        },
        "in_doubt": "park",
    },
    {"action": "send", "bcc": ["ann@example.org", ""], "cc": None, "body_text": "x"},
    {"action": "redrive"},
    {"action": "redrive", "where": {"reason": ["EXPIRED", "IN_DOUBT"], "older_than": "3d"}},
    {
        "action": "send",
        "recipient": "ann@example.org",
        "body_text": "plain",
        "lane": "bulk",
        "not_before": "2027-03-08T09:00:00+01:00",
        "expires_at": "2027-03-09T09:00:00Z",
        "tags": {"campaign": "spring", "customer.id": "17"},
    },
    {"action": "cancel", "email_id": "order-17"},
    {
        "action": "stop",
        "where": {"tag": {"campaign": "spring"}, "sender": "post@example.org"},
        "until": "2027-03-08T09:00:00Z",
    },
    {"action": "pause", "lane": "bulk", "until": "2027-03-08t09:00:00.5-00:00"},
    {"action": "resume"},
)
_NAMES = (
    *("action", *Send.__struct_fields__, *Redrive.__struct_fields__, "email", "name", "reason"),
    *("until", "tag", "campaign"),
    *(
        "To",
        "",
        "$.x",
        "x` - at `$.y",
        "recipeint",
        "é",
        "\ud800",
        "X-A",
        "Bcc",
        "Content-Type",
        "X: y",
        "X\r\nY",
    ),
)
_TEXTS = (
    *(
        "",
        " ",
        "\t",
        "\r\n",
        "\n.\n",
        "\0",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\u202e",
        "é",
        "🦊",
    ),
    *(
        "\ud800",
        "\udfff\ud800",
        "e\u0301" * 40,
        "x" * 999,
        "x" * 2000,
        "é " * 300,
        "a\r\nBcc: b@c.d",
    ),
    *(
        "=?utf-8?q?x?=",
        "=?",
        "?=",
        "From x",
        "--=_",
        '"',
        "\\",
        "<",
        ">",
        "@",
        ",",
        ";",
        "(x)",
        "{{7*7}}",
    ),
    *(
        "ann@example.org",
        "a@b",
        "A <a@b.example>",
        '"A\\"" <a@b.example>',
        "<a@b.example>",
        "a@b c",
    ),
    *(
        "пётр@例え.テスト",
        "a@[IPv6:::1]",
        "x" * 64 + "@example.org",
        "a@" + "b." * 126 + "c",
        '"\t"@b.c',
        '"ann"@example.org',
        r'"\a\nn"@example.org',
        "an\u200bn@example.org",
        "a@exam\u200dple.org",
    ),
    *(
        "send",
        "redrive",
        "park",
        "resend",
        "EXPIRED",
        "3d",
        "0s",
        "999999d",
        "<p>",
        "<" * 40,
        "&amp;",
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, [], {}, [[]], [None], {"email": 5}, {"a": {"a": {}}}),
    *({"email": "a@b.example", "name": None}, ["a@b.example"] * 3, {"X-A": "1", "x-a": "2"}),
)
_TOKENS = (
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        '"',
        '\\"',
        "\\",
        "\\u",
        "\\ud83d",
        "\\ud83d\\ude00",
        "\\u0000",
    ),
    *(
        "null",
        "true",
        "NaN",
        "-Infinity",
        "1e999",
        "-0",
        "01",
        "9" * 400,
        " ",
        "\n",
        "\t",
        "\0",
        "\ufeff",
    ),
    *(
        '"action":"send",',
        '"recipient":"a@b.example",',
        '"body_text":"x",',
        "[[[[",
        '{"a":',
        "/**/",
        "'",
    ),
    *("\ud800", "é", "🦊", "\u2028", "\x1f", "\\r\\n", "\\n.\\r\\n", "\\u2028", "\\ud800"),
)


def message(random: Random) -> str:
    """JSON text: a good message, changed in what it says, or in how that is spelt, or not."""
    members = random.choice(_GOOD)
    changes = random.choice((0, 1, 1, 1, 2, 4))
    if changes:
        members = deepcopy(members)
        for _ in range(changes):
            _change(random, members)
    text = json.dumps(members, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.4:
        for _ in range(random.choice((1, 1, 2, 5))):
            text = spliced(random, text, _TOKENS)
    if random.random() < 0.0005:  # rarely: it costs a thousand times as much
        text = text.replace(":", ":" + random.choice("[{") * random.choice((200, 100_000)), 1)
    return text


def _change(random: Random, members: dict[str, Any]) -> None:
    """One member: another value, a changed one, a new one, or none."""
    name = random.choice([*members]) if members and random.random() < 0.7 else random.choice(_NAMES)
    match random.randrange(5):
        case 0:
            members.pop(name, None)
        case 1:
            members[name] = random.choice(_VALUES)
        case 2:
            members[name] = random.choice(_TEXTS)
        case _:
            members[name] = _changed(random, members.get(name, ""))


def _changed(random: Random, value: object) -> object:
    """The same, but for one text in it."""
    if isinstance(value, str):
        return spliced(random, value, _TEXTS)
    if isinstance(value, list) and value:
        at = random.randrange(len(value))
        return [_changed(random, one) if i == at else one for i, one in enumerate(value)]
    if isinstance(value, dict) and value:
        key = random.choice([*value])
        if random.random() < 0.3:
            return {spliced(random, key, _TEXTS) if k == key else k: v for k, v in value.items()}
        return value | {key: _changed(random, value[key])}
    return random.choice(_TEXTS)
