"""Files of suppressed addresses, as providers export them, to entries. Pure.

What a file is follows from the names of its columns, or of its JSON's fields:

| written by | as |
|---|---|
| SES, `aws sesv2 list-suppressed-destinations` | JSON: EmailAddress, Reason, LastUpdateTime |
| SendGrid, bounces | CSV or JSON: email, created, reason, status |
| SendGrid, spam reports | email, created, ip |
| SendGrid, global unsubscribes | email, created |
| SendGrid, group unsubscribes | email, group_id, group_name, created_at |
| Mailgun, bounces | CSV, or JSON: items, of address, code, error, created_at |
| Mailgun, unsubscribes | address, tags, created_at |
| Mailgun, complaints | address, created_at |
| `ionctl suppress export` | hash, scope, why, since, until |
| anybody | CSV or JSON: email or address, and perhaps reason, scope, since, until; or addresses |

A place that has several addresses is as many entries of one number. What has an @ where addresses
are expected and can't be read as addresses is an entry, too: nothing of a list is lost unsaid.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ion.mail.addresses import is_address
from ion.policy.suppression import Why
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ADDRESS = ("email", "address", "emailaddress", "email_address", "e-mail", "recipient", "hash")
"""Names of the column that has the address, in small letters."""
_AT = ("created", "created_at", "lastupdatetime", "since", "date", "time", "timestamp")
_REASON = ("reason", "why", "type")
_GROUP = ("group_name", "group_id")
"""Names of the columns for SendGrid's unsubscribe group; the first that isn't empty counts."""
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
_SEPARATOR = re.compile(r'"?sep=([,;|\t])"?[,;|\t]*', re.IGNORECASE)
"""Excel's first line, which names the delimiter."""
_BETWEEN_ADDRESSES = re.compile(r"[,;|\r\n]+")
_WORD = re.compile(r"<[^<>]*>|[^\s<>]+|[<>]")
"""Of a list of addresses; one in angle brackets (RFC 5322 section 3.4) is one word."""
_MAILGUNS, _SENDGRIDS = "Mailgun's tag", "SendGrid's group"
_FIRST_SECONDS = 1e8
"""Of 1973: a smaller number is a year, or a date without hyphens, and no time since the epoch."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a file.

    Args:
        number: its line, or which of a JSON list it is, from 1.
        address: as it stands there, perhaps with a name; or its hash; or what has an @ and is no
            address.
        why: it is there.
        at: since when; None: the file doesn't say.
        scope: of an entry of ion's; None: the file doesn't say.
        tags: what it is about, Mailgun's tags or SendGrid's group; empty: all mail.
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
class Unclear:
    """One entry of a file that says something which can't be understood.

    Args:
        number: its line, or which of a JSON list it is, from 1.
        why: it can't.
    """

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class SuppressionFile:
    """What a file has.

    Args:
        format: what it was taken for, for people.
        entries: in their order.
        unclear: what is none of them.
        tags_are: what its writer calls a tag of an entry, for people.
    """

    format: str
    entries: tuple[Listed, ...]
    unclear: tuple[Unclear, ...] = ()
    tags_are: str = _MAILGUNS


@dataclass(frozen=True, slots=True)
class _Row:
    """One line, or one object of a JSON list.

    Args:
        number: from 1.
        fields: by the columns' names, in small letters; of two of one name the first.
        addresses: as they stand there; empty: it has none.
    """

    number: int
    fields: Mapping[str, Any]
    addresses: list[str]


def read(text: str) -> SuppressionFile:
    """What a file has. Raises Problem: it is none that is known; it says what was read."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Problem("the file is empty")
    vendor, rows = _json(text) if text.lstrip()[0] in "[{" else ("", _csv(text))
    names = {name for row in rows for name in row.fields}
    if rows and not names & {*_ADDRESS}:
        shown = ", ".join(sorted(names)[:20])
        raise Problem(
            f"no column or field of the file is called {', '.join(_ADDRESS[:2])} or "
            f"{_ADDRESS[2]}; it has: {shown}"
        )
    kind, why = _kind(names, vendor)
    read_rows = [_listed(row, why) for row in rows]
    return SuppressionFile(
        kind,
        tuple(one for some in read_rows if not isinstance(some, Unclear) for one in some),
        tuple(one for one in read_rows if isinstance(one, Unclear)),
        _SENDGRIDS if names & {*_GROUP} else _MAILGUNS,
    )


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
        ({"email", "group_id"}, None, "SendGrid group unsubscribes", Why.UNSUBSCRIBE),
        ({"email", "group_name"}, None, "SendGrid group unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "code"}, None, "Mailgun bounces", Why.BOUNCE),
        ({"address", "tags"}, None, "Mailgun unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "tag"}, None, "Mailgun unsubscribes", Why.UNSUBSCRIBE),
        ({"address", "created_at"}, set(), "Mailgun complaints", Why.COMPLAINT),
    ):
        if needed <= names and (others is None or names == needed):
            return kind, why
    return (f"addresses of {vendor}" if vendor else "addresses"), Why.IMPORT


def _json(text: str) -> tuple[str, list[_Row]]:
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
    named = [(n, {str(k).strip().lower(): v for k, v in row.items()}) for n, row in rows]
    return vendor, [_Row(n, row, _in_columns([*row.items()])) for n, row in named]


def _past_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_in(one: object, name: str) -> bool:
    return isinstance(one, dict) and isinstance(one.get(name), list)


def _csv(text: str) -> list[_Row]:
    """Rows by their columns' names; without a line of names all addresses of all cells.

    A first line that has an address is no line of names: "email,ann@example.org".
    """
    lines = list(_lines(text))
    if not lines:
        raise Problem("the file is empty")
    _, first = lines[0]
    names = [name.strip().lower() for name in first]
    column = next((i for i, cell in enumerate(first) if "@" in cell), None)
    if {*names} & {*_ADDRESS} and column is None:
        return [_named(n, names, row) for n, row in lines[1:]]
    if column is None:
        shown = ",".join(first)[:_SHOWN]
        raise Problem(
            "the file is of no known kind: its first line has neither an address nor the name of "
            f"a column with addresses ({', '.join(_ADDRESS[:3])}). It begins with: {shown}"
        )
    reason = next((i for i, cell in enumerate(first) if i != column and _why(cell)), None)
    return [_unnamed(n, row, column, reason) for n, row in lines]


def _named(number: int, names: list[str], cells: list[str]) -> _Row:
    """A line below the columns' names; what it has beyond them counts if it has an @."""
    columns = [*zip(names, cells, strict=False)]
    beyond = [one for cell in cells[len(names) :] for one in _addresses(cell)]
    return _Row(number, dict(reversed(columns)), _in_columns(columns) + beyond)


def _unnamed(number: int, cells: list[str], column: int, reason: int | None) -> _Row:
    """A line of a file without columns' names, by the columns of its first line."""
    found = [one for cell in cells for one in _addresses(cell)]
    fields = {"address": cells[column].strip() if column < len(cells) else ""}
    if reason is not None and reason < len(cells):
        fields["reason"] = cells[reason]
    return _Row(number, fields, found)


def _in_columns(columns: list[tuple[str, Any]]) -> list[str]:
    """All addresses of the columns that are called so; a hash where there is nothing else."""
    cells = [
        str(one).strip()
        for name, value in sorted(columns, key=_rank)
        if name in _ADDRESS and value not in (None, "")
        for one in (value if isinstance(value, list) else [value])
    ]
    with_at = [cell for cell in cells if "@" in cell]
    return [one for cell in with_at or cells[:1] for one in _addresses(cell) or [cell]]


def _rank(column: tuple[str, Any]) -> int:
    return _ADDRESS.index(column[0]) if column[0] in _ADDRESS else len(_ADDRESS)


def _addresses(cell: str) -> list[str]:
    """The addresses of a cell, and what in it has an @ and isn't understood, as it stands there.

    Empty: it has no @.
    """
    cell = cell.strip()
    if is_address(cell):
        return [cell]
    parts = [one.strip() for one in _BETWEEN_ADDRESSES.split(cell) if "@" in one]
    return [one for part in parts for one in _in_a_row(part) or [part]]


def _in_a_row(part: str) -> list[str]:
    """Addresses between blanks: "a@example.org Bob <b@example.org>"; empty: it has other words."""
    found: list[str] = []
    in_name = False
    for word in _WORD.findall(part):
        bracketed = word[0] == "<" and word[-1] == ">"
        if "@" not in word:
            in_name = True
        elif in_name and not bracketed:
            return []
        else:
            found.append(word[1:-1].strip() if bracketed else word)
            in_name = False
    return [] if in_name else found


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their line's number; commas, semicolons or tabs part them, or what Excel names."""
    head = text.lstrip().splitlines()[0]
    named = _SEPARATOR.fullmatch(head)
    delimiter = named[1] if named else max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
        if named:
            next(rows, None)
        yield from rows
    except csv.Error as error:
        raise Problem(f"line {reader.line_num} of the file can't be read as CSV: {error}") from None


# -- one entry ---------------------------------------------------------------------------


def _listed(row: _Row, why: Why) -> list[Listed] | Unclear:
    fields, tags = row.fields, _tags(row.fields)
    times: list[datetime | None] = []
    for name in (next((one for one in _AT if fields.get(one) not in (None, "")), ""), "until"):
        written = str(fields.get(name) or "").strip()
        times.append(moment(written))
        if written and times[-1] is None:
            return Unclear(
                row.number,
                f"{name} {written[:_SHOWN]}: no time that is known, write 2027-03-08T09:00:00Z",
            )
    return [
        Listed(
            row.number,
            address,
            _why(str(_first(fields, _REASON) or "")) or why,
            times[0],
            str(fields.get("scope") or "").strip() or None,
            tags,
            times[1],
        )
        for address in row.addresses or [""]
    ]


def _tags(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Mailgun's tags, a list or the text of one; SendGrid's group, whose name may have blanks."""
    group = str(_first(fields, _GROUP) or "").strip()
    if group:
        return (group,)
    tags = fields.get("tags", fields.get("tag"))
    words = tags if isinstance(tags, list) else str(tags or "").strip("[]").replace('"', "").split()
    return tuple(str(one).strip(",") for one in words if str(one).strip(",*"))


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _why(words: str) -> Why | None:
    """What a reason is here; None: it is in other words, a server's reply perhaps."""
    if len(words.split()) > 1:
        return None
    return next((why for part, why in _WORDS if part in words.lower()), None)


def moment(written: object) -> datetime | None:
    """A time in seconds since the epoch, ISO 8601 or RFC 5322; None: it is none that is known.

    A small number is no such seconds: "2020" is a year.
    """
    text = str(written or "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
        if seconds >= _FIRST_SECONDS:
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
