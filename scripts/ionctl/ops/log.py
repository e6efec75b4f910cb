"""The function's log: ion's own events in a span of time, as far as it was read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ion.report.redact import id_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_logs.type_defs import FilterLogEventsRequestTypeDef

    from ionctl.ops.deployment import Deployment

MOST_PAGES = 20
"""Of one look. AWS looks through so much of a log in a few seconds, found or not."""
_WHOLE_PAGE = 10_000
"""Events that FilterLogEvents gives at most. An emulator may know no further page: then the next
one begins at the last event's time."""
_WITHIN_PATTERN = re.compile(r'["\\]')


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the log that ion wrote.

    Args:
        at: when, by the function's clock.
        record: all that it says.
    """

    at: datetime
    record: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """What happened, such as "sent" or "run ended"."""
        return str(self.record.get("message", ""))

    def text(self, key: str) -> str:
        """A value of it as text; empty: it has none."""
        value = self.record.get(key)
        return "" if value is None else str(value)

    def number(self, key: str) -> float | None:
        """A value that is a number; None: it has none."""
        value = self.record.get(key)
        return value if isinstance(value, int | float) else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: those of which all is true that is said here.

    Args:
        names: of events; empty: any.
        about: an email's key, or an SQS message's id; empty: any.
        to: the hash of a recipient's address; empty: any.
        header_message_id: of the email, in angle brackets; empty: any.
        queue_id: what the mail server calls it; empty: any.
    """

    names: tuple[str, ...] = ()
    about: str = ""
    to: str = ""
    header_message_id: str = ""
    queue_id: str = ""

    @property
    def pattern(self) -> str:
        """In CloudWatch's language. It may let more through: `is_met_by` decides."""
        if self.to:
            return f'"{self.to}"'  # wherever it stands in a line: the hash is nothing else
        conditions = []
        if self.names:
            conditions.append(" || ".join(f'($.message = "{name}")' for name in self.names))
        if self.about:
            value = _WITHIN_PATTERN.sub("*", self.about)
            keys = ("email_id", "message_id")
            conditions.append(" || ".join(f'($.{key} = "{value}")' for key in keys))
        if self.header_message_id:
            value = _WITHIN_PATTERN.sub("*", self.header_message_id)
            conditions.append(f'$.header_message_id = "{value}"')
        if self.queue_id:
            value = _WITHIN_PATTERN.sub("*", self.queue_id)
            conditions.append(f'($.queue_id = "{value}") || ($.reply = "*{value}*")')
        joined = " && ".join(f"({one})" for one in conditions)
        return f"{{ {joined} }}" if joined else ""

    def is_met_by(self, record: Mapping[str, Any]) -> bool:
        """Whether it is one of them. An emulator may know no patterns."""
        named = not self.names or record.get("message") in self.names
        about = (record.get("email_id"), record.get("message_id"))
        return (
            named
            and (not self.about or self.about in about)
            and (not self.to or self.to in _texts(record.get("addresses")))
            and self.header_message_id in ("", record.get("header_message_id"))
            and self.queue_id in ("", record.get("queue_id"), _id_in(record.get("reply")))
        )


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of a log.

    Args:
        events: oldest first.
        since: from when on nothing is missing.
        until: until when nothing is missing.
        cut: True: there is more than was read.
    """

    events: list[Event]
    since: datetime
    until: datetime
    cut: bool = False


def read(
    deployment: Deployment,
    wanted: Wanted,
    since: datetime,
    until: datetime | None = None,
    most_pages: int = MOST_PAGES,
) -> Part:
    """Events of a span, from its beginning on. Raises botocore's errors.

    A function that never ran has no log, and no events.
    """
    until = until or datetime.now(UTC)
    request: FilterLogEventsRequestTypeDef = {
        "logGroupName": deployment.log_group,
        "startTime": _milliseconds(since),
        "endTime": _milliseconds(until) + 1,
    }
    if wanted.pattern:
        request["filterPattern"] = wanted.pattern
    logs = deployment.account.logs
    found: list[Event] = []
    again = 0
    for _ in range(most_pages):
        try:
            answer = logs.filter_log_events(**request)
        except logs.exceptions.ResourceNotFoundException:
            return Part([], since, until)
        lines = answer["events"]
        for line in lines[again:]:
            event = _event(line["message"], line["timestamp"])
            if event is not None and wanted.is_met_by(event.record):
                found.append(event)
        again = 0
        if token := answer.get("nextToken"):
            request["nextToken"] = token
        elif len(lines) >= _WHOLE_PAGE and lines[-1]["timestamp"] > request["startTime"]:
            last = request["startTime"] = lines[-1]["timestamp"]
            again = sum(line["timestamp"] == last for line in lines)
        else:
            return Part(_in_order(found), since, until)
    found = _in_order(found)
    return Part(found, since, found[-1].at if found else since, cut=True)


def read_back(
    deployment: Deployment,
    wanted: Wanted,
    span: timedelta,
    until: datetime | None = None,
    most_pages: int = MOST_PAGES,
) -> Part:
    """Events of the time before now, of which the last ones matter most.

    A log is read from old to new, so its last minutes are read first. Where there is more in them
    than is read, the first of them are given.
    """
    until = until or datetime.now(UTC)
    recent = span / 6
    last = read(deployment, wanted, until - recent, until, most_pages)
    if last.cut:
        return last
    first = read(
        deployment, wanted, until - span, until - recent - timedelta(milliseconds=1), most_pages
    )
    if first.cut:
        return Part(last.events, last.since, until, cut=True)
    return Part(_in_order([*first.events, *last.events]), until - span, until)


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _id_in(reply: object) -> str | None:
    """Events of earlier versions have a server's id in its reply alone."""
    return (id_in(reply) or None) if isinstance(reply, str) else None


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda one: one.at)


def _event(line: str, timestamp: int) -> Event | None:
    """None: it isn't an event of ion's, but a line of Lambda's, or metrics."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or "message" not in record:
        return None
    return Event(_at(record.get("timestamp")) or _moment(timestamp), record)


def _at(written: object) -> datetime | None:
    """When powertools wrote it: 2026-11-28 20:55:17,123+0000."""
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
