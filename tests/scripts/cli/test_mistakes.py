"""Mistakes in the command line: one line with what was typed and what would be right, status 2."""

import pytest

from terminal import Ionctl


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pause --lane bullk", "--lane: 'bullk' is not one of 'normal', 'bulk'"),
        ("render x --part foo", "--part: 'foo' is not one of 'subject', 'text', 'html'"),
        ("dead list --most x", "--most x: must be a whole number"),
        ("dead list --most 0", "--most 0: must be at least 1"),
        ("dead redrive --rate x", "--rate x: must be a number"),
        ("dead redrive --rate -1", "--rate -1.0: must be 0.01 to 10,000"),
        ("dead redrive --max 0", "--max 0: must be 1 to 10,000,000"),
        ("console --port 99999", "--port 99999: must be at most 65535"),
        ("load --to a@b.example --rate 0.01", "--rate 0.01: must be at least 0.1"),
        ("cost --days many", "--days many: must be a whole number"),
        ("dead list --reason NOSUCH", "--reason NOSUCH: must be one of the reasons on dead"),
        ("dead list --reason EXPIRED --reason x", "--reason x: must be one of the reasons"),
        ("dead list --older-than soon", "--older-than soon: must be an age: 90s, 30m, 12h, 7d"),
        ("dead list --older-than 2d --younger-than 48h", "--older-than 2d and --younger-than 48h"),
        ("dead list --tag kind", "--tag kind: write it as NAME=VALUE"),
        ("dead edit m-1 --body - --set a=b", "--body is the whole message"),
        ("show x --since soon", "--since soon: must be an age"),
        ("tail --since soon", "--since soon: must be an age"),
        ("doctor --secrets x --probe a@b.example", "--probe a@b.example: goes with a deployed"),
        ("doctor --secrets x --nameserver x:y", "--nameserver x:y: must be an IP address"),
        ("doctor --secrets x --sender me", "--sender me: is no email address"),
        ("console --local --write", "./run.sh serves the local relay's console"),
        ("send --to a@b.example --header X", "--header X: write it as NAME:VALUE"),
        ("status --colour", "No such option: --colour"),
        ("statsu", "No such command 'statsu'. Did you mean 'status'?"),
        ("daed show m-1", "No such command 'daed'. Did you mean 'dead'?"),
        (
            "--local supress check a@b.example",
            "No such command 'supress'. Did you mean 'suppress'?",
        ),
        ("cancel", "Missing argument 'EMAIL_ID'"),
        ("load", "Missing option '--to'"),
        ("pause --until", "Option '--until' requires an argument"),
        ("pause now", "Got unexpected extra argument(s) (now)"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(ionctl: Ionctl, line: str, said: str) -> None:
    ran = ionctl(*line.split())
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"ionctl: {said}")


@pytest.mark.parametrize("empty", ["", " "])
@pytest.mark.parametrize(
    ("line", "argument"),
    [
        ("show", "ID"),
        ("dead show", "MESSAGE-ID"),
        ("dead edit", "MESSAGE-ID"),
        ("dead redrive", "MESSAGE-ID"),
        ("dead discard", "MESSAGE-ID"),
        ("cancel", "EMAIL_ID"),
        ("suppress add", "ADDRESS"),
        ("suppress remove", "ADDRESS"),
        ("suppress check", "ADDRESS"),
        ("erase", "ADDRESS"),
    ],
)
def test_an_empty_id_or_address_is_a_mistake(
    ionctl: Ionctl, line: str, argument: str, empty: str
) -> None:
    ran = ionctl(*line.split(), empty)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"ionctl: {argument} is empty: name one\n"


def test_a_mistake_that_typer_finds_says_where_to_read(ionctl: Ionctl) -> None:
    ran = ionctl("dead", "list", "--most", "x")
    assert ran.err == "ionctl: --most x: must be a whole number (see ionctl dead list --help)\n"


@pytest.mark.parametrize("words", [[], ["dead"]])
def test_a_group_without_a_command_is_answered_with_its_help(
    ionctl: Ionctl, words: list[str]
) -> None:
    ran = ionctl(*words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("Usage: ionctl ")
    assert "Commands:" in ran.err
