"""Files of suppressed addresses, as providers export them, to entries. Pure.

What a file is follows from the names of its columns, or of its JSON's fields:

| written by | as |
|---|---|
| SES, `aws sesv2 list-suppressed-destinations` | JSON: EmailAddress, Reason, LastUpdateTime |
| SendGrid, bounces | CSV or JSON: email, created, reason, status |
| SendGrid, spam reports | email, created, ip |
| SendGrid, global unsubscribes | email, created |
| Mailgun, bounces | CSV, or JSON: items, of address, code, error, created_at |
| Mailgun, unsubscribes | address, tags, created_at |
| Mailgun, complaints | address, created_at |
| `ionctl suppress export` | hash, scope, why, since, until |
| anybody | CSV or JSON: email or address, and perhaps reason, scope, since, until; or one a line |
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ion.policy.suppression import Why
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ADDRESS = ("email", "address", "emailaddress", "email_address", "e-mail", "recipient", "hash")
"""Names of the column that has the address, in small letters."""
_AT = ("created", "created_at", "lastupdatetime", "since", "date", "time", "timestamp")
_REASON = ("reason", "why", "type")
_WRAPPERS = {"SuppressedDestinationSummaries": "SES", "items": "Mailgun", "entries": "ionctl"}
"""Fields of a JSON object whose value is the list."""
_WORDS = (
    ("bounce", Why.BOUNCE),
    ("compl", Why.COMPLAINT),
    ("spam", Why.COMPLAINT),
    ("abuse", Why.COMPLAINT),
    ("unsub", Why.UNSUBSCRIBE),
    ("manual", Why.MANUAL),
)
"""What a reason has in it, and what it is here."""
_SHOWN = 120
"""Characters of an unknown file's beginning in an error."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a file.

    Args:
        number: its line, or which of a JSON list it is, from 1.
        address: as it stands there, or its hash.
        why: it is there.
        at: since when; None: the file doesn't say.
        scope: of an entry of ion's; None: the file doesn't say.
        tags: of Mailgun's: what it is about; empty: all mail.
        until: None: for good.
    """

    number: int
    address: str = field(repr=False)
    why: Why
    at: datetime | None = None
    scope: str | None = None
    tags: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SuppressionFile:
    """What a file has.

    Args:
        format: what it was taken for, for people.
        entries: in their order.
    """

    format: str
    entries: tuple[Listed, ...]


_Rows = list[tuple[int, dict[str, Any]]]


def read(text: str) -> SuppressionFile:
    """What a file has. Raises Problem: it is none that is known; it says what was read."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Problem("the file is empty")
    vendor, rows = _json(text) if text.lstrip()[0] in "[{" else ("", _csv(text))
    names = {name for _, row in rows for name in row}
    if rows and not names & {*_ADDRESS}:
        shown = ", ".join(sorted(names)[:20])
        raise Problem(
            f"no column or field of the file is called {', '.join(_ADDRESS[:2])} or "
            f"{_ADDRESS[2]}; it has: {shown}"
        )
    kind, why = _kind(names, vendor)
    return SuppressionFile(kind, tuple(_listed(number, row, why) for number, row in rows))


# -- what it is --------------------------------------------------------------------------


def _kind(names: set[str], vendor: str) -> tuple[str, Why]:
    """What the file is taken for; why an address is in it, where its entry doesn't say."""
    for needed, others, kind, why in (
        ({"hash", "scope"}, None, "ionctl suppress export", Why.IMPORT),
        ({"emailaddress", "reason"}, None, "SES suppression list", Why.BOUNCE),
        ({"email", "created", "status"}, None, "SendGrid bounces", Why.BOUNCE),
        ({"email", "created", "ip"}, None, "SendGrid spam reports", Why.COMPLAINT),
        ({"email", "created", "reason"}, set(), "SendGrid bounces", Why.BOUNCE),
        ({"email", "created"}, set(), "SendGrid unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "code"}, None, "Mailgun bounces", Why.BOUNCE),
        ({"address", "tags"}, None, "Mailgun unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "tag"}, None, "Mailgun unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "created_at"}, set(), "Mailgun complaints", Why.COMPLAINT),
    ):
        if needed <= names and (others is None or names == needed):
            return kind, why
    return (f"addresses of {vendor}" if vendor else "addresses"), Why.IMPORT


def _json(text: str) -> tuple[str, _Rows]:
    """Objects of a list, or of a wrapper around one, or one a line; pages one after another."""
    found: list[Any] = []
    vendor, at, decoder = "", _past_blanks(text, 0), json.JSONDecoder()
    try:
        while at < len(text):
            one, end = decoder.raw_decode(text, at)
            at = _past_blanks(text, end)
            wrapper = next((name for name in _WRAPPERS if _is_in(one, name)), None)
            if wrapper:
                vendor, one = _WRAPPERS[wrapper], one[wrapper]
            found += one if isinstance(one, list) else [one]
    except (ValueError, RecursionError) as error:
        raise Problem(f"the file begins like JSON and isn't: {error}") from None
    rows = [(n, {"address": o} if isinstance(o, str) else o) for n, o in enumerate(found, 1)]
    for number, row in rows:
        if not isinstance(row, dict):
            raise Problem(f"entry {number} of the JSON list is no object, and no address: {row}")
    return vendor, [(n, {str(k).strip().lower(): v for k, v in row.items()}) for n, row in rows]


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_in(one: object, name: str) -> bool:
    return isinstance(one, dict) and isinstance(one.get(name), list)


def _csv(text: str) -> _Rows:
    """Rows by their columns' names; without a line of names the first column with an @."""
    lines = list(_lines(text))
    if not lines:
        raise Problem("the file is empty")
    _, first = lines[0]
    names = [name.strip().lower() for name in first]
    if {*names} & {*_ADDRESS}:
        return [(n, dict(zip(names, row, strict=False))) for n, row in lines[1:]]
    column = next((i for i, cell in enumerate(first) if "@" in cell), None)
    if column is None:
        shown = ",".join(first)[:_SHOWN]
        raise Problem(
            "the file is of no known kind: its first line has neither an address nor the name of "
            f"a column with addresses ({', '.join(_ADDRESS[:3])}). It begins with: {shown}"
        )
    reasons = {i for i, cell in enumerate(first) if i != column and _why(cell)}
    named = {column: "address"} | dict.fromkeys(sorted(reasons)[:1], "reason")
    return [
        (n, {name: row[i] for i, name in named.items() if i < len(row)} or {"address": ""})
        for n, row in lines
    ]


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their line's number; commas, semicolons or tabs part them."""
    head = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise Problem(f"line {reader.line_num} of the file can't be read as CSV: {error}") from None


# -- one entry ---------------------------------------------------------------------------


def _listed(number: int, row: Mapping[str, Any], why: Why) -> Listed:
    tags = row.get("tags", row.get("tag"))
    words = tags if isinstance(tags, list) else str(tags or "").strip("[]").replace('"', "").split()
    return Listed(
        number,
        str(_first(row, _ADDRESS) or "").strip(),
        _why(str(_first(row, _REASON) or "")) or why,
        moment(_first(row, _AT)),
        str(row.get("scope") or "") or None,
        tuple(str(one).strip(",") for one in words if str(one).strip(",*")),
        moment(row.get("until")),
    )


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _why(words: str) -> Why | None:
    """What a reason is here; None: it is in other words, a server's reply perhaps."""
    if len(words.split()) > 1:
        return None
    return next((why for part, why in _WORDS if part in words.lower()), None)


def moment(written: object) -> datetime | None:
    """A time in seconds since the epoch, ISO 8601 or RFC 5322; None: it is none that is known."""
    text = str(written or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    for parsed in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parsed(
                text.replace(" UTC", " +0000") if parsed is parsedate_to_datetime else text
            )
        except (ValueError, TypeError):
            continue
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None
