"""What the trials came to, as a Markdown table."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from real.books import Balance
from real.trial import Trial

PROPERTY = "trial"
"""Of a test's report, in which a row travels from a worker process."""
_COLUMNS = (
    *("server", "version", "mode", "trial", "emails", "good recipients", "stored"),
    *("dead-lettered", "doubled", "lost", "tried again later", "in order"),
)
_HEAD = f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n"


@dataclass(frozen=True)
class Row:
    """One trial."""

    server: str
    version: str
    mode: str
    what: str
    emails: int
    good: int
    stored: int
    dead: str
    doubled: str
    lost: int
    waited: int
    in_order: str

    def __str__(self) -> str:
        return "| " + " | ".join(map(str, asdict(self).values())) + " |"


def row(trial: Trial, what: str, books: Balance) -> str:
    """Give a row as JSON."""
    dead = [f"{count} {why}" for why, count in sorted(books.dead.items())]
    if books.good_dead:
        dead.append(f"**of these good: {books.good_dead}**")
    excuse = f" ({books.in_doubt} emails were in doubt)" if books.in_doubt else ""
    return json.dumps(
        asdict(
            Row(
                server=trial.server.title,
                version=trial.server.version,
                mode=trial.mode or "",
                what=what,
                emails=books.emails,
                good=books.good,
                stored=books.stored,
                dead=", ".join(dead) or "0",
                doubled=f"{books.doubled}{excuse}",
                lost=books.lost,
                waited=trial.waited,
                in_order=f"**no: {len(books.faults)} faults**" if books.faults else "yes",
            )
        )
    )


def table(rows: Iterable[str]) -> str:
    """Put rows, as `row` gives them, together."""
    return _HEAD + "".join(f"{line}\n" for line in sorted(str(Row(**json.loads(r))) for r in rows))
