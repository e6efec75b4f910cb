"""What was published, and what its publisher asked for."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from emulated import Held
from ion.contract import Lane, Send


@dataclass(frozen=True)
class Wishes:
    """What a publisher asks for beside the content.

    Args:
        by_bulk_door: published on the topic for bulk.
        lane: what the email says of itself.
        waits_seconds: from now until `not_before`; None: it has none.
        lasts_seconds: from then, or from now, until `expires_at`; None: it has none.
        campaign: the value of its only tag.
    """

    by_bulk_door: bool = False
    lane: Lane | None = None
    waits_seconds: float | None = None
    lasts_seconds: float | None = None
    campaign: str = ""

    def content(self, now: float) -> dict[str, Any]:
        """The fields of a message that say so."""
        begins = now + (self.waits_seconds or 0)
        fields: dict[str, Any] = {}
        if self.lane is not None:
            fields["lane"] = self.lane.value
        if self.waits_seconds is not None:
            fields["not_before"] = _written(begins)
        if self.lasts_seconds is not None:
            fields["expires_at"] = _written(begins + self.lasts_seconds)
        if self.campaign:
            fields["tags"] = {"campaign": self.campaign}
        return fields


USUAL = Wishes()


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass
class Email:
    """What was published, once or more than once, under one key.

    Args:
        number: in order of publication.
        bodies: its spellings; bad input has one.
        recipients: addresses that no other email has.
        key: by which the ledger knows it.
        policy: what is to be done about it in doubt.
        bad: what it must die of, if it can't be an email.
        malformed: those of the recipients whom no mail server accepts.
        publications: how often it was published.
        ids: SQS's, of those.
        lanes: that it was published in.
        content: its fields.
    """

    number: int
    bodies: set[str]
    recipients: tuple[str, ...]
    key: str
    policy: str
    bad: str = ""
    malformed: frozenset[str] = frozenset()
    publications: int = 1
    ids: list[str] = field(default_factory=list)
    lanes: set[Lane] = field(default_factory=set)
    content: dict[str, Any] = field(default_factory=dict)

    @property
    def fates(self) -> tuple[str, ...]:
        """What has one each: the recipients, or the message that has none."""
        return self.recipients or (f"message {self.number}",)

    @property
    def not_before(self) -> float:
        """Seconds since the epoch; in the past: now."""
        return _read(self.content.get("not_before"), -math.inf)

    @property
    def expires_at(self) -> float:
        """Seconds since the epoch; infinite: never."""
        return _read(self.content.get("expires_at"), math.inf)

    @property
    def send(self) -> Send:
        """As a stop sees it."""
        return Send(recipient=[*self.recipients], tags=self.content.get("tags"), body_text="")

    def concerned(self, held: Held) -> tuple[str, ...]:
        """Those that a message in a queue is about."""
        left = ion_of(held).get("left")
        return tuple(self.fates[i] for i in left) if left else self.fates


@dataclass(frozen=True)
class Arrival:
    """How the mail server came to take an email.

    Args:
        at: when its body began, by the true time, seconds since the epoch.
        skew_seconds: by how much the clock of the Lambda that sent it was fast.
        late_seconds: that may lie between its last look at the email's time and that.
        slow_seconds: the same of its last look at what operators want.
        blind: at that time it had been told nothing of operators' orders for too long.
        astray: its clock and another's were so far apart that no lease could help.
    """

    at: float
    skew_seconds: float = 0
    late_seconds: float = 0
    slow_seconds: float = 0
    blind: bool = False
    astray: bool = False


def _read(written: str | None, otherwise: float) -> float:
    return otherwise if written is None else datetime.fromisoformat(written).timestamp()


def ion_of(held: Held) -> dict[str, Any]:
    """What ion has written on a message."""
    _, text = held.attributes.get("ion", ("String", "{}"))
    record: dict[str, Any] = json.loads(text)
    return record
