"""Emails that the library takes, with every part in every spelling, for property tests."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from ion_publisher import Attachment, Email, InDoubt, Lane, Mailbox
from ion_publisher.message import FIELDS
from mail.publishing import header_text, published

STORED = {"a.bin": bytes(range(256)), "2026/grüße.txt": "Grüße\n".encode()}
"""Octets by key, in the bucket `bucket`: what may be attached of S3."""

_PARTS = {field: part for part, field in FIELDS.items()}

texts = st.text(max_size=40) | st.sampled_from(
    [
        *(
            "",
            "plain",
            "one\r\ntwo\n.three\rFrom four\n",
            "a\0b\x1b\x7f",
            "\ufffe\uffff",
            "é" * 999,
        ),
        *("<p>Hi <b>Ann</b>", "<" * 50, "{{ 7 * 7 }}", "x" * 2000),
    ]
)
_leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
_json = st.recursive(
    _leaves | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
contexts = st.builds(
    lambda name, shop, others: others | {"name": name, "shop": shop},
    header_text,
    header_text,
    st.dictionaries(st.text(max_size=5).map("x{}".format), _json, max_size=3),
)

# a name is no path, and turns no text around
_in_names = st.characters(
    codec="utf-8", exclude_categories=["Cc", "Cf", "Zl", "Zp"], exclude_characters="/\\"
)
_file_names = st.text(_in_names, max_size=60).filter(lambda name: name.strip(". ")) | (
    st.sampled_from(["invoice.pdf", "Grüße.csv", 'a "b" c.txt', " a;b'c%20.eml ", "é" * 127])
)
_types = st.sampled_from(
    [None, "image/png", "text/plain; charset=utf-8", 'application/x-y; a="b c"; d=e', "font/woff2"]
)
_encoded = st.sampled_from(
    [
        b64encode,
        urlsafe_b64encode,
        lambda octets: b64encode(octets).rstrip(b"="),
        lambda octets: b"\r\n ".join(b64encode(octets).partition(b"A")),
    ]
)


@st.composite
def _file(draw: st.DrawFn, number: int) -> Attachment | Mapping[str, object]:
    name, kind = draw(_file_names), draw(_types)
    content_id = draw(st.sampled_from([None, f"logo{number}", f"{number}@example.org"]))
    content = draw(st.binary(max_size=200) | st.just(bytes(500)))
    if draw(st.booleans()):
        return Attachment(name, content, kind, content_id)
    file = {"filename": name, "content_type": kind, "content_id": content_id}
    if draw(st.booleans()):
        return file | {"content": draw(_encoded)(content).decode(), "s3": None}
    key = draw(st.sampled_from([*STORED]))
    digest = draw(st.sampled_from([None, sha256(STORED[key]).hexdigest()]))
    return file | {"s3": {"bucket": "bucket", "key": key, "sha256": digest, "version": None}}


@st.composite
def _files(draw: st.DrawFn) -> list[Attachment | Mapping[str, object]]:
    return [draw(_file(number)) for number in range(draw(st.integers(0, 3)))]


@st.composite
def _as_mapping(draw: st.DrawFn, address: object) -> object:
    """The same address, perhaps as JSON has it."""
    if isinstance(address, Mailbox) and draw(st.booleans()):
        return {"email": address.email, "name": address.name}
    return address


@st.composite
def _list(draw: st.DrawFn, addresses: list[object]) -> object:
    """The same addresses, with some in between that are none; or one by itself."""
    written = [draw(_as_mapping(one)) for one in addresses]
    if len(written) == 1 and draw(st.booleans()):
        return written[0]
    for nothing in draw(st.lists(st.sampled_from([None, "", " \t"]), max_size=2)):
        written.insert(draw(st.integers(0, len(written))), nothing)
    return written


_return_paths = st.sampled_from(
    ["bounces@example.org", "B <b@bücher.example>", Mailbox("b@c.example"), "пётр@b.example", ""]
)
_visible = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
_ids = st.text(_visible, min_size=1, max_size=256)
_tags = st.dictionaries(
    st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
    st.none() | st.text(_visible | st.just(" "), min_size=1, max_size=256),
    max_size=10,
)


def _times(earliest: int, latest: int) -> st.SearchStrategy[datetime | str]:
    """Between these years, in whichever zone; as the library takes a time, or as JSON has it."""
    zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
    times = st.datetimes(datetime(earliest, 1, 2), datetime(latest, 1, 1), timezones=zones)  # noqa: DTZ001 - naive ones are asked for
    return times | times.map(lambda time: time.astimezone(UTC).isoformat())


@st.composite
def accepted(draw: st.DrawFn) -> dict[str, Any]:
    """What `send` is given. The template is always `welcome`."""
    said = draw(published()).fields
    email = {_PARTS.get(name, name): value for name, value in said.items()}
    for name in ("to", "cc", "reply_to"):
        email[name] = draw(_list(email[name]))
    email["bcc"] = draw(_list(["hidden@example.org"]))  # somebody, whatever is left out below
    email["sender"] = draw(_as_mapping(email["sender"]))
    email["headers"] |= {"X-Null": None}
    email |= {"text": draw(texts), "html": draw(texts), "attachments": draw(_files())}
    email |= {"template": "welcome", "context": draw(contexts), "locale": "de-AT"}
    email |= {"return_path": draw(_return_paths), "email_id": draw(_ids)}
    email["in_doubt"] = draw(st.sampled_from([*InDoubt, "park"]))
    email |= {"lane": draw(st.sampled_from([*Lane, "bulk"])), "tags": draw(_tags)}
    email |= {"unsubscribe": draw(st.sampled_from([None, False]))}
    email |= {"tenant": draw(st.text(_visible, min_size=1, max_size=128))}
    email |= {"send_at": draw(_times(1970, 2026)), "expires_at": draw(_times(2400, 9999))}
    for name in draw(st.sets(st.sampled_from([*Email.__annotations__]))) - {"bcc"}:
        email[name] = None
        if name == "template":
            email["context"] = email["locale"] = None
    if not (email["text"] or email["html"] or email["template"] or email["attachments"]):
        email["text"] = "plain"
    left_out = draw(st.booleans())
    return {name: value for name, value in email.items() if not left_out or value is not None}
