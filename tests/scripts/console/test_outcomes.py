"""The local stack's outcome events, read from a file that grows."""

import json
from pathlib import Path

from ionctl.console.outcomes import MOST, Outcomes


def event(number: int, **data: object) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"e-{number}",
            "type": "ion.email.in_doubt",
            "subject": f"order-{number}",
            "time": "2026-11-28T12:00:00Z",
            "data": {"reason": "IN_DOUBT", "reply": "lost", **data},
        }
    )


def test_there_are_none_before_the_file_is_there(tmp_path: Path) -> None:
    assert Outcomes(tmp_path / "events.jsonl").latest() == []


def test_the_newest_is_the_first(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    outcomes = Outcomes(file)
    file.write_text(event(1) + "\n")
    assert outcomes.latest() == [
        {
            "id": "e-1",
            "type": "in_doubt",
            "email_id": "order-1",
            "at": "2026-11-28T12:00:00Z",
            "reason": "IN_DOUBT",
            "reply": "lost",
        }
    ]
    with file.open("a") as opened:
        opened.write(event(2) + "\n" + event(3)[:40])
    assert [one["id"] for one in outcomes.latest()] == ["e-2", "e-1"], "one is half written"
    with file.open("a") as opened:
        opened.write(event(3)[40:] + "\n")
    assert [one["id"] for one in outcomes.latest()] == ["e-3", "e-2", "e-1"]


def test_what_is_no_event_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(["[]", "{}", '{"id": 1}', "nonsense", event(1), "null"]) + "\n")
    assert [one["id"] for one in Outcomes(file).latest()] == ["e-1"]


def test_a_file_of_any_length_shows_its_end(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(event(n, pad="x" * 4000) + "\n" for n in range(2000)))
    found = Outcomes(file).latest()
    assert found[0]["id"] == "e-1999"
    assert len(found) == MOST
