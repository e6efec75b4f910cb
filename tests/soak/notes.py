"""What a call to AWS came to, for the witness: told apart by operation, entry by entry."""

import re
from dataclasses import dataclass
from typing import Any

from soak.mail import name_of
from soak.witness import Witness

_DOUBTFUL = ("IN_DOUBT", "CRASH_LOOP")
_Json = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """A write to the ledger.

    Args:
        key: of the row.
        token: that it has then.
        is_claim: it takes the lease; else it is a result.
        open: the row is `sending` after it.
    """

    key: str
    token: str
    is_claim: bool
    open: bool


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
                    self._witness.received(one["MessageId"], one["ReceiptHandle"], one["Body"])
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
                    if found is not None and not found.is_claim:
                        self._witness.recorded(self._life, found.key, done=False)
            case "DeleteMessageBatch" | "SendMessageBatch":
                self._hindered(asked["Entries"])

    def _hindered(self, entries: list[_Json]) -> None:
        for entry in entries:
            body, receipt = entry.get("MessageBody"), entry.get("ReceiptHandle", "")
            name = name_of(body) if body else self._witness.name_by_receipt(receipt)
            self._witness.hindered.add(name)

    def _deleted(self, receipt: str, queue: str, *, heard: bool) -> None:
        if queue == self._dead_letters and not heard:
            self._witness.hindered.add(self._witness.name_by_receipt(receipt))
        self._witness.deleted(self._life, receipt)

    def _sent(self, entry: _Json, queue: str, *, heard: bool) -> None:
        name = name_of(entry["MessageBody"])
        self._witness.sent(self._life, name)
        if not heard:
            self._witness.hindered.add(name)
        if queue == self._dead_letters:
            if entry["MessageAttributes"]["reason"]["StringValue"] in _DOUBTFUL:
                self._witness.parked.add(name)
        elif name in self._witness.parked:
            self._witness.redriven[name] += 1

    def _wrote(self, statement: _Json, *, heard: bool) -> None:
        found = parse(statement)
        if found is None:
            return
        if found.is_claim:
            self._witness.claimed(self._life, found.key, found.token, heard=heard)
        else:
            self._witness.recorded(self._life, found.key, done=not found.open)


def parse(statement: _Json) -> Statement | None:
    """PartiQL, as the ledger writes it; None: it is about a hold."""
    text: str = statement["Statement"]
    values = [next(iter(value.values())) for value in statement["Parameters"]]
    is_insert = text.startswith("INSERT")
    names = re.findall(r"'(\w+)': \?" if is_insert else r'SET "(\w+)"=\?', text)
    row = dict(zip(names, values, strict=False))
    if not is_insert and not text.endswith(' AND "token"=?'):
        return None
    key, before = (row["email_id"], "") if is_insert else values[-2:]
    # A result brings only what has changed since the claim, which left `sending`.
    token, status = row.get("token", before), row.get("status", "sending")
    return Statement(key, token, token != before, status == "sending") if token else None
