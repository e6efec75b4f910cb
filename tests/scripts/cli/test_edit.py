"""ionctl dead edit, as a person types it."""

import json
from pathlib import Path

import msgspec
import pytest

from function import email
from ionctl.ops.result import Edited
from letters import written
from relays import Operated
from terminal import Ionctl

WRONG = '{"action": "send", "recipeint": "ann@example.org", "body_text": "x"}'


@pytest.fixture
def letter(local: Operated) -> str:
    """The id of a dead letter with an unknown field."""
    attributes = {
        "reason": "INVALID_SCHEMA",
        "ion": written(path="$.recipeint", problem="unknown", stage="parse"),
    }
    return local.queued(WRONG, local.names.dead_letter_queue_url, attributes=attributes)


def waiting(local: Operated) -> list[dict[str, object]]:
    answer = local.clients.sqs.receive_message(
        QueueUrl=local.names.queue_url, MaxNumberOfMessages=10
    )
    return [json.loads(one["Body"]) for one in answer.get("Messages", [])]


def editor(path: Path, *steps: str) -> str:
    """A program that does in turn what each step, a line of Python, does with `text`."""
    script, turn = path / "editor.py", path / "turn"
    lines = "\n".join(f"if turn == {n}: {step}" for n, step in enumerate(steps))
    script.write_text(
        "import pathlib, sys\n"
        f"counter, file = pathlib.Path({str(turn)!r}), pathlib.Path(sys.argv[1])\n"
        "turn = int(counter.read_text()) if counter.exists() else 0\n"
        f"text = file.read_text()\n{lines}\n"
        "counter.write_text(str(turn + 1))\nfile.write_text(text)\n"
    )
    return f"python3 {script}"


def test_fields_are_set_by_their_paths_and_the_difference_is_shown(
    local: Operated, ionctl: Ionctl, letter: str
) -> None:
    words = ["--local", "dead", "edit", letter, "--drop", "recipeint"]
    ran = ionctl(*words, "--set", "recipient=ann@example.org", "--yes")
    assert ran.status == 0, ran.err
    assert '-  "recipeint": "ann@example.org",' in ran.err
    assert '+  "recipient": "ann@example.org"' in ran.err
    assert ran.out == (
        "sent to the input queue under its id, and the letter is gone: "
        "ionctl --local show order-17\n"
    )
    (body,) = waiting(local)
    assert body == {"action": "send", "recipient": "ann@example.org", "body_text": "x"}
    assert ionctl("--local", "dead", "list").out == "no dead letters\n"


def test_what_is_still_wrong_is_told_with_its_place_and_nothing_is_sent(
    local: Operated, ionctl: Ionctl, letter: str
) -> None:
    ran = ionctl("--local", "dead", "edit", letter, "--set", "lane=bulk", "--yes")
    assert ran.status == 1
    assert "unknown field recipeint: did you mean recipient? (INVALID_SCHEMA)" in ran.err
    ran = ionctl("--local", "dead", "edit", letter, "--body", "-", stdin=WRONG)
    assert ran.err == "ionctl: nothing is changed: ionctl --local dead redrive sends it as it is\n"
    ran = ionctl("--local", "dead", "edit", letter, "--body", "nowhere.json")
    assert ran.err.startswith("ionctl: nowhere.json can't be read")
    ran = ionctl("--local", "dead", "edit", letter, "--body", "-", "--set", "a=b")
    assert "leave --set and --drop out" in ran.err
    ran = ionctl("--local", "dead", "edit", letter)
    assert "there is no terminal for an editor: use --set, --drop or --body" in ran.err
    assert waiting(local) == []


def test_a_whole_message_comes_by_standard_input(
    local: Operated, ionctl: Ionctl, letter: str
) -> None:
    words = ["--local", "--json", "dead", "edit", letter, "--body", "-"]
    right = email(email_id="order-18")
    ran = ionctl(*words, stdin=right)
    assert "There is no terminal to ask at: say --yes" in ran.err
    ran = ionctl(*words, "--yes", stdin=right)
    done = msgspec.json.decode(ran.out, type=Edited)
    assert done.email_id == "order-18"
    assert waiting(local) == [json.loads(right)]


def test_the_editor_opens_again_until_nothing_is_wrong(
    local: Operated, ionctl: Ionctl, letter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv(
        "EDITOR",
        editor(
            tmp_path,
            "text = text.replace('recipeint', 'recipients')",
            "text = text.replace('{', '', 1)",
            "text = '{' + text.replace('recipients', 'recipient')",
        ),
    )
    ran = ionctl("--local", "dead", "edit", letter, typed="y\ny\ny\n")
    assert ran.status == 0, ran.err
    assert "line 3, column 3: unknown field recipients: did you mean recipient?" in ran.err
    assert "this is no JSON (BAD_JSON)" in ran.err
    assert "Send it under the id order-17?" in ran.err
    (body,) = waiting(local)
    assert body["recipient"] == "ann@example.org"


def test_an_editor_that_changes_nothing_or_fails_sends_nothing(
    local: Operated, ionctl: Ionctl, letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    ran = ionctl("--local", "dead", "edit", letter, typed="")
    assert "nothing is changed" in ran.err
    monkeypatch.setenv("VISUAL", "false")
    ran = ionctl("--local", "dead", "edit", letter, typed="")
    assert "the editor false failed, nothing is sent" in ran.err
    monkeypatch.setenv("VISUAL", "no-such-editor")
    ran = ionctl("--local", "dead", "edit", letter, typed="")
    assert "the editor no-such-editor failed, nothing is sent" in ran.err
    assert waiting(local) == []
