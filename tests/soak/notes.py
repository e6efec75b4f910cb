"""What a call to AWS came to, for the witness: told apart by operation, entry by entry."""

import re
from dataclasses import dataclass
from typing import Any

from soak.orders import email_of
from soak.witness import Witness

_DOUBTFUL = ("IN_DOUBT", "CRASH_LOOP")
_CONTROL = " control "
_WAITS = ("later", "bulk")
"""Queues of copies that are as good as what they were made of: the fate is still to come."""
_Json = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """A write to the table.

    Args:
        key: of the row.
        token: that it has then; empty: it is the control row.
        before: that it had; empty: there was no row.
        status: of the email after it.
        control: what is in force after it, if it is the control row.
    """

    key: str
    token: str = ""
    before: str = ""
    status: str = ""
    control: str = ""

    @property
    def is_cancel(self) -> bool:
        return self.status == "cancelled"

    @property
    def is_claim(self) -> bool:
        """It takes the lease; else it is a result, a cancel, or the row of what waits."""
        return self.token != self.before and not self.is_cancel and self.status != "queued"

    @property
    def is_result(self) -> bool:
        return self.token == self.before and not self.is_cancel


class Notes:
    """Of one life's calls.

    Args:
        life: its number.
        witness: told.
        dead_letters: URL of that queue.
    """

    def __init__(self, life: int, witness: Witness, dead_letters: str) -> None:
        self._life = life
        self._witness = witness
        self._dead_letters = dead_letters

    def done(self, operation: str, asked: _Json, said: _Json, *, heard: bool) -> None:
        """AWS has done it; perhaps its answer doesn't arrive."""
        entries = {entry["Id"]: entry for entry in asked.get("Entries", [])}
        done = [entries[one["Id"]] for one in said.get("Successful", [])]
        match operation:
            case "ReceiveMessage":
                for one in said.get("Messages") or []:
                    self._received(one, asked["QueueUrl"])
            case "DeleteMessageBatch":
                for entry in done:
                    self._deleted(entry["ReceiptHandle"], asked["QueueUrl"], heard=heard)
                # Their handles are stale: they were delivered twice.
                self._hindered([entries[one["Id"]] for one in said.get("Failed", [])])
            case "SendMessageBatch":
                for entry in done:
                    self._sent(entry, asked["QueueUrl"], heard=heard)
            case "BatchExecuteStatement":
                for statement, one in zip(asked["Statements"], said["Responses"], strict=True):
                    if "Error" not in one:
                        self._wrote(statement, heard=heard)

    def not_done(self, operation: str, asked: _Json) -> None:
        """AWS never heard of it."""
        match operation:
            case "BatchExecuteStatement":
                for statement in asked["Statements"]:
                    found = parse(statement)
                    if found is not None and found.is_result:
                        self._witness.recorded(self._life, found.key, done=False)
            case "DeleteMessageBatch":
                self._hindered(asked["Entries"])
            case "SendMessageBatch" if _name(asked["QueueUrl"]) not in _WAITS:
                self._hindered(asked["Entries"])

    def _hindered(self, entries: list[_Json]) -> None:
        for entry in entries:
            body, receipt = entry.get("MessageBody"), entry.get("ReceiptHandle", "")
            name = email_of(body) if body else self._witness.name_by_receipt(receipt)
            self._witness.hindered.add(name)

    def _received(self, one: _Json, queue: str) -> None:
        receipt, body = one["ReceiptHandle"], one["Body"]
        tenant = one.get("Attributes", {}).get("MessageGroupId", "")
        self._witness.received(one["MessageId"], receipt, body)
        self._witness.steered.received(receipt, body, _name(queue), tenant)

    def _deleted(self, receipt: str, queue: str, *, heard: bool) -> None:
        if queue == self._dead_letters and not heard:
            self._witness.hindered.add(self._witness.name_by_receipt(receipt))
        self._witness.deleted(self._life, receipt)
        self._witness.steered.deleted(receipt)

    def _sent(self, entry: _Json, queue: str, *, heard: bool) -> None:
        body, attributes = entry["MessageBody"], entry.get("MessageAttributes", {})
        name, reason = email_of(body), ""
        waits = _name(queue) in _WAITS
        self._witness.sent(self._life, name, waits=waits)
        if not heard and not waits:
            self._witness.hindered.add(name)
        if queue == self._dead_letters:
            reason = attributes["reason"]["StringValue"]
            if reason in _DOUBTFUL:
                self._witness.parked.add(name)
        elif name in self._witness.parked and not waits:
            self._witness.redriven[name] += 1
        tenant = entry.get("MessageGroupId", "")
        self._witness.steered.sent(body, _name(queue), tenant, reason)

    def _wrote(self, statement: _Json, *, heard: bool) -> None:
        found = parse(statement)
        if found is None:
            return
        if found.control:
            self._witness.steered.controlled(found.control)
            return
        if found.is_claim:
            self._witness.claimed(self._life, found.key, found.token, heard=heard)
        elif found.is_result:
            self._witness.recorded(self._life, found.key, done=found.status != "sending")
        self._witness.steered.wrote(self._witness.name_by_key(found.key), found.status)


def parse(statement: _Json) -> Statement | None:
    """PartiQL, as ion writes it; None: it is about a hold, or a look at old messages."""
    changes, _, conditions = statement["Statement"].partition(" WHERE ")
    values = [next(iter(value.values())) for value in statement["Parameters"]]
    written = re.findall(r"'(\w+)': \?" if not conditions else r'SET "(\w+)"=\?', changes)
    row: dict[str, str] = dict(zip(written, values, strict=False))
    was: dict[str, str] = dict(
        zip(re.findall(r'"(\w+)"=\?', conditions), values[len(written) :], strict=True)
    )
    key, before = (row | was)["email_id"], was.get("token", "")
    if key == _CONTROL:
        return Statement(key, control=row["control"])
    if " " in key:
        return None
    # A result brings only what has changed since the claim, which left `sending`.
    return Statement(key, row.get("token", before), before, row.get("status", "sending"))


def _name(queue: str) -> str:
    """What follows the last hyphen of its URL."""
    return queue.rpartition("-")[2]
