"""What `--once` says of a file."""

import json
from pathlib import Path

import pytest

from ionctl.local.once import Fate
from ionctl.local.peek import Queued

FILE = Path("a.json")
DEAD = Queued(
    "m-1",
    "{}",
    visible=True,
    receive_count=1,
    attributes={"reason": "CLAIM_MISSING", "reply": "S3: NoSuchKey", "ion": json.dumps({})},
)


@pytest.mark.parametrize(
    ("fate", "said", "is_good"),
    [
        (Fate(FILE), "done", True),
        (Fate(FILE, report="redrive m-1: 0 meant; 0 moved"), "redrive m-1: 0 meant; 0 moved", True),
        (
            Fate(FILE, dead_letters=(DEAD,), report="deferred m-1: CLAIM_MISSING"),
            "dead-lettered CLAIM_MISSING S3: NoSuchKey",  # and no longer deferred
            False,
        ),
        (Fate(FILE, undecided="not tried yet"), "still queued: not tried yet", False),
        (Fate(FILE, refused="it is empty"), "not published: it is empty", False),
        (Fate(FILE, copy_of=Path("b.json")), "nothing: a copy of b.json", True),
    ],
    ids=str,
)
def test_a_fate_is_one_line(fate: Fate, said: str, *, is_good: bool) -> None:
    assert str(fate) == f"a.json → {said}"
    assert fate.is_good == is_good
