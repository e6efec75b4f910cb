"""Fields as a publisher may write them, each with what a reader should make of it."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from ion.contract import Mailbox

Person = tuple[str, str]
"""Display name and address."""


@dataclass(frozen=True)
class Published:
    """A message's fields, and what they mean.

    Args:
        fields: as `Send` takes them.
        people: by the email's field, in order.
        subject, text: as they are to be read; `text` is that of `X-Text`.
        links, references, notified: of headers that have a grammar.
    """

    fields: dict[str, Any]
    people: dict[str, list[Person]]
    subject: str
    text: str
    links: str
    references: list[str]
    notified: list[Person]


header_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"], include_characters="\t")
)
_look_alikes = st.sampled_from(["=?utf-8?q?x?=", "a =?utf-8?b?eA==?= b", "=?", "?=", "=?x?= y"])
_texts = (header_text | _look_alikes | st.lists(header_text | _look_alikes).map(" ".join)).map(
    lambda text: text.strip(" \t")
)
_names = (
    _texts
    | st.sampled_from(["Ann Lee", "Miles O'Brien", "Lee, Ann", 'A "B" \\ C', "Dr. Ann (Sales)"])
    | st.text("abcé \"'\\,<>", max_size=200).map(str.strip)
)
_ascii_locals = st.sampled_from(["ann", "a+b.c_d=e", '"a b"', '"a@b>"', "{{7*7}}", "l" * 64])
_domains = st.sampled_from(
    ["example.org", "xn--bcher-kva.example", ".".join(["d" * 60] * 3), "mx.example"]
)
_blanks = st.text(" \t", max_size=3)


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def _written(draw: st.DrawFn, locals_: st.SearchStrategy[str]) -> tuple[object, Person]:
    """An address in one of its spellings, and who that is."""
    name, address = draw(_names), f"{draw(locals_)}@{draw(_domains)}"
    before, after = draw(_blanks), draw(_blanks)
    match draw(st.integers(0, 2)):
        case 0:
            return f"{before}{address}{after}", ("", address)
        case 1:
            return f"{before}{_quoted(name)}{after}<{before}{address}>{after}", (name, address)
        case _:
            return Mailbox(f"{address}{after}", f"{before}{name}"), (name, address)


def _lists(locals_: st.SearchStrategy[str], least: int) -> Any:  # noqa: ANN401 - of hypothesis
    return st.lists(_written(locals_), min_size=least, max_size=5)


@st.composite
def published(draw: st.DrawFn) -> Published:
    """A message that is accepted."""
    locals_ = _ascii_locals | st.sampled_from(["пётр", '"é é"'])
    to, cc, reply_to, sender = (
        draw(_lists(locals_, 0)),
        draw(_lists(locals_, 0)),
        draw(_lists(locals_, 0)),
        draw(_written(locals_)),
    )
    notified = [
        (f"{_quoted(name)} <{address}>", (name, address))
        for _, (name, address) in draw(st.lists(_written(_ascii_locals), min_size=1, max_size=4))
        if "=?" not in name  # in a field with a grammar an encoded word is one
    ] or [("ann@example.org", ("", "ann@example.org"))]
    urls = [f"<https://example.org/{'a=b&' * n}>" for n in draw(st.lists(st.integers(0, 220)))]
    references = [f"<{n}@example.org>" for n in draw(st.lists(st.integers(0, 10**40)))]
    subject, text = draw(_texts), draw(_texts)
    fields = {
        "recipient": [one for one, _ in to],
        "cc": [one for one, _ in cc],
        "bcc": "hidden@example.org",
        "reply_to": [one for one, _ in reply_to],
        "sender": sender[0],
        "subject": subject,
        "headers": {
            "X-Text": text,
            "Disposition-Notification-To": ", ".join(one for one, _ in notified),
            "List-Unsubscribe": ", ".join(urls),
            "References": " ".join(references),
        },
    }
    people = {"From": [sender], "To": to, "Cc": cc, "Reply-To": reply_to}
    return Published(
        fields=fields,
        people={name: [person for _, person in some] for name, some in people.items()},
        subject=subject,
        text=text,
        links=", ".join(urls),
        references=references,
        notified=[person for _, person in notified],
    )
