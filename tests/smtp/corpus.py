"""Replies as servers have worded them: replies.jsonl, one a line, each with where it was seen.

The wording is the source's, but for addresses, hosts and session ids, and for line breaks and
codes where the source shows only the text. The stage is where it was seen; where the source
doesn't say, it is where such a server would say it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from ion.outcome import Kind, Reason, Scope, Stage

UNSOURCED = "provider documentation, from memory"
"""Instead of an address: nobody has looked up again where this was seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One reply and what it means.

    Args:
        provider: whose server says so.
        stage: the command that was answered.
        octets: as they come over the wire, the last line's CRLF included.
        kind: what `classify` has to make of it.
        scope: the same.
        reason: the same.
        source: a page's address, an issue (owner/repository#number), or a file
            (owner/repository:path).
        after_accepted: another recipient of the transaction had been accepted.
    """

    provider: str
    stage: Stage
    octets: bytes
    kind: Kind
    scope: Scope
    reason: Reason
    source: str
    after_accepted: bool = False

    def __str__(self) -> str:
        line = self.octets.decode().partition("\r\n")[0]
        return f"{self.provider}-{self.stage}-{line[:50]}"


def corpus() -> list[Seen]:
    """All of them, in the file's order."""
    lines = Path(__file__).with_name("replies.jsonl").read_text(encoding="utf-8").splitlines()
    return [_seen(**json.loads(line)) for line in lines]


def _seen(  # noqa: PLR0913 - one for each member of a line
    *,
    provider: str,
    stage: str,
    reply: str,
    kind: str,
    scope: str,
    reason: str,
    source: str,
    after_accepted: bool = False,
) -> Seen:
    return Seen(
        provider,
        Stage(stage),
        reply.encode() + b"\r\n",
        Kind(kind),
        Scope(scope),
        Reason(reason),
        source,
        after_accepted,
    )
