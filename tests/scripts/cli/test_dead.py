"""ionctl dead, as a person types it."""

import json
from pathlib import Path

import msgspec
import pytest

from function import email
from ionctl.ops.result import Letter, Letters, Moved
from letters import written
from relays import Operated
from terminal import Ionctl


def bury(relay: Operated, body: str, reason: str = "RCPT_REJECTED", **ion: object) -> str:
    attributes = {"reason": reason, "reply": "550 no", "ion": written(**ion)}
    return relay.queued(body, relay.names.dead_letter_queue_url, attributes=attributes)


def test_a_list_groups_by_reason_and_path_and_hides_nothing(
    local: Operated, ionctl: Ionctl
) -> None:
    for number in range(3):
        bury(local, email(number, subject=f"n{number}"))
    wrong = bury(
        local,
        "{}",
        "INVALID_SCHEMA",
        path="$.recipeint",
        problem="unknown",
        did_you_mean="recipient",
    )
    ran = ionctl("--local", "dead", "list")
    assert ran.status == 0, ran.err
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    what = "correct the address where you keep it, and with ionctl --local dead edit"
    assert f"3 RCPT_REJECTED 2026-11-22 09:00 UTC {what}" in lines
    assert "1 INVALID_SCHEMA $.recipeint 2026-11-22 09:00 UTC did you mean recipient?" in lines
    assert f"{wrong} 2026-11-22 09:00 UTC INVALID_SCHEMA $.recipeint" in lines
    assert "order-17 to2@example.org n2" in lines
    assert ran.out.endswith("4 dead letters\n")
    found = msgspec.json.decode(
        ionctl("--local", "--json", "dead", "list", "--reason", "RCPT_REJECTED").out, type=Letters
    )
    assert (found.chosen, found.seen, found.hidden) == (3, 4, 0)
    assert ionctl("--local", "dead", "redrive").out.startswith("4 of 4 dead letters moved back")


def test_letters_are_chosen_by_what_options_say(local: Operated, ionctl: Ionctl) -> None:
    bury(local, email(1, tags={"kind": "reset", "of": "shop"}), "EXPIRED")
    bury(local, "{broken", "BAD_JSON", path="$")
    bury(local, email(3, email_id="order-3", recipient="ann@example.com"))
    bury(local, email(4, sender="Post <post@example.org>"), path="$.cc[0]")
    bury(local, email(5))
    for options, chosen in (
        (["--reason", "EXPIRED", "--reason", "BAD_JSON"], 2),
        (["--path", "$.cc[0]"], 1),
        (["--id", "order-3"], 1),
        (["--domain", "Example.com"], 1),
        (["--sender", "post@example.org"], 1),
        (["--tag", "kind=reset", "--tag", "of=shop"], 1),
        (["--tag", "kind=reset", "--tag", "of=other"], 0),
        (["--older-than", "1d"], 5),
        (["--younger-than", "1d"], 0),
        (["--reason", "EXPIRED", "--domain", "example.com"], 0),
    ):
        ran = ionctl("--local", "--json", "dead", "list", *options)
        assert msgspec.json.decode(ran.out, type=Letters).chosen == chosen, options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--reason", "GONE"], "--reason GONE: must be one of the reasons on dead letters"),
        (["--older-than", "soon"], "--older-than soon: must be an age: 90s, 30m, 12h, 7d"),
        (["--tag", "reset"], "--tag reset: write it as NAME=VALUE"),
        (["--tag", "a=b", "--tag", "a=c"], "--tag a is there twice"),
        (["--domain", "@example.org"], "--domain @example.org: must be what follows the @"),
        (
            ["--path", "recipient"],
            "--path recipient: must be the path on a dead letter: $.recipient[0]",
        ),
        (["--older-than", "2h", "--younger-than", "1h"], "no letter is both"),
    ],
)
def test_an_option_that_can_not_be_meant_is_told_by_its_name(
    ionctl: Ionctl, options: list[str], said: str
) -> None:
    ran = ionctl("--local", "dead", "list", *options)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_one_letter_is_shown_with_its_message(local: Operated, ionctl: Ionctl) -> None:
    id_ = bury(local, email(1, subject="\x1b[2JHello"), reply="ignored")
    ran = ionctl("--local", "dead", "show", id_)
    assert ran.status == 0, ran.err
    assert "550 no" in ran.out
    assert '  "recipient": "to1@example.org",\n' in ran.out
    assert "\x1b" not in ran.out, "a stranger's text doesn't command the terminal"
    read = msgspec.json.decode(ionctl("--local", "dead", "show", id_, "--json").out, type=Letter)
    assert json.loads(read.body)["subject"] == "\x1b[2JHello"
    ran = ionctl("--local", "dead", "show", "nonsense")
    assert (ran.status, ran.err.count("\n")) == (1, 1)


def test_the_line_that_is_wrong_is_marked(local: Operated, ionctl: Ionctl) -> None:
    body = email(1, cc=["bob@example.org", "bob@"])
    id_ = bury(local, body, "INVALID_ADDRESS", path="$.cc[1]")
    ran = ionctl("--local", "dead", "show", id_)
    assert '    "bob@"  ← $.cc[1]\n' in ran.out
    assert ran.out.count("←") == 1
    id_ = bury(local, "{broken\nx", "BAD_JSON", path="$")
    ran = ionctl("--local", "dead", "show", id_)
    assert ran.out.endswith("\n{broken\nx\n"), "as it was published, and nothing is marked"


def test_a_redrive_says_what_it_moved_by_reason(local: Operated, ionctl: Ionctl) -> None:
    ids = [bury(local, email(number)) for number in range(3)]
    bury(local, email(4), "EXPIRED")
    dry = ionctl("--local", "dead", "redrive", "--dry-run")
    assert dry.out == "4 dead letters would be moved (3 RCPT_REJECTED, 1 EXPIRED)\n"
    one = ionctl("--local", "dead", "redrive", ids[0])
    assert one.out == (
        "1 of 1 dead letter moved back to the input queue (1 RCPT_REJECTED); the relay is awake\n"
    )
    again = ionctl("--local", "dead", "redrive", ids[0])
    assert (again.status, again.out) == (1, "no dead letter is like that: nothing is moved\n")
    moved = msgspec.json.decode(
        ionctl("--local", "--json", "dead", "redrive", "--max", "2").out, type=Moved
    )
    assert (moved.chosen, moved.done) == (2, 2)
    ran = ionctl("--local", "dead", "redrive", "--max", "0")
    assert (ran.status, ran.err) == (2, "ionctl: --max 0: must be 1 to 10,000,000\n")


def test_a_redrive_moves_what_its_options_choose_and_at_their_rate(
    local: Operated, ionctl: Ionctl
) -> None:
    for number in range(3):
        bury(local, email(number))
    bury(local, email(3), "EXPIRED")
    ran = ionctl("--local", "dead", "redrive", "--reason", "RCPT_REJECTED", "--rate", "0.01")
    assert ran.out.startswith("3 of 3 dead letters moved back"), ran.err
    counts = local.clients.sqs.get_queue_attributes(
        QueueUrl=local.names.queue_url, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert counts["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "2"}
    assert ionctl("--local", "dead", "list").out.endswith("1 dead letter\n")


def test_a_redrive_says_what_is_hidden_and_what_to_do(local: Operated, ionctl: Ionctl) -> None:
    bury(local, email())
    url = local.names.dead_letter_queue_url
    local.clients.sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)
    ran = ionctl("--local", "dead", "redrive")
    assert ran.status == 1
    assert "hidden: 1, which somebody else has received: try again in two minutes" in ran.out


def test_a_discard_asks_first_and_leaves_a_file(
    local: Operated, ionctl: Ionctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        bury(local, email(number))
    bury(local, email(3), "EXPIRED")
    ran = ionctl("--local", "dead", "discard")
    assert ran.status == 1
    assert "There is no terminal to ask at: say --yes" in ran.err
    ran = ionctl("--local", "dead", "discard", typed="n\n")
    assert ran.status == 1
    assert "Discard 3 dead letters (2 RCPT_REJECTED, 1 EXPIRED)?" in ran.err
    assert list(tmp_path.glob("*.jsonl")) == []
    ran = ionctl("--local", "dead", "discard", "--reason", "RCPT_REJECTED", typed="y\n")
    assert ran.status == 0, ran.err
    (file,) = tmp_path.glob("ion-dead-letters-*.jsonl")
    assert (
        f"2 of 2 dead letters discarded (2 RCPT_REJECTED); ionctl --local dead restore {file.name}"
        in (ran.out)
    )
    ran = ionctl("--local", "dead", "discard", "--yes", "--file", "rest")
    assert ran.status == 0, ran.err
    assert ionctl("--local", "dead", "list").out == "no dead letters\n"
    ran = ionctl("--local", "dead", "restore", file)
    assert ran.out == f"2 dead letters of {file} back in the dead-letter queue\n"
    assert ionctl("--local", "dead", "list").out.endswith("2 dead letters\n")


def test_a_letter_that_dies_while_the_question_is_asked_is_not_discarded(
    local: Operated, ionctl: Ionctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(local, email(1))
    monkeypatch.setattr("ionctl.cli.dead.sure", lambda *_, **__: bury(local, email(2)))
    ran = ionctl("--local", "dead", "discard", "--file", tmp_path / "letters.jsonl")
    assert ran.out.startswith("1 of 1 dead letter discarded"), ran.err
    assert ionctl("--local", "dead", "list").out.endswith("1 dead letter\n")


def test_a_letter_that_is_nested_too_deep_is_shown_as_it_is(
    local: Operated, ionctl: Ionctl
) -> None:
    deep = '{"a":' * 3000 + "1" + "}" * 3000
    letter = bury(local, deep, "INVALID_SCHEMA", path="$")
    ran = ionctl("--local", "dead", "show", letter)
    assert (ran.status, deep in ran.out.replace("\n", "")) == (0, True)
    ran = ionctl("--local", "dead", "edit", letter, "--set", "subject=x", "--yes")
    assert ran.status == 1
    assert "its body is no JSON: give it anew with --body FILE" in ran.err
