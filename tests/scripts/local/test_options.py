"""./run.sh's command line, as a user types it."""

import shlex
from pathlib import Path

import pytest

from ionctl.local.options import OUT, TIMEOUT_SECONDS, parse


@pytest.mark.parametrize(
    "typed",
    [
        "--once a.json b.json --out there --timeout 3",
        "--out there --timeout 3 --once a.json b.json",
        "--once --out there --timeout 3 a.json b.json",
        "--out there --once a.json --timeout 3 b.json",
        "a.json b.json --out=there --once --timeout=3",
    ],
)
def test_the_files_of_once_may_stand_anywhere(typed: str) -> None:
    options = parse(shlex.split(typed))
    assert options.once
    assert options.files == ["a.json", "b.json"]
    assert (options.out, options.timeout) == (Path("there"), 3)


def test_without_options_the_stack_stays_up() -> None:
    options = parse([])
    assert not any((options.once, options.dry_run, options.files))
    assert (options.out, options.timeout) == (OUT, TIMEOUT_SECONDS)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("--once", "--once needs at least one file: ./run.sh --once docs/examples/send-*.json"),
        ("a.json", "a.json: to publish files, say --once"),
        ("--out there", "--out goes with --once"),
        ("--timeout 3 --dry-run", "--timeout goes with --once"),
        ("--queue-url https://x", "--queue-url goes with --dry-run"),
        ("--once a.json --dry-run", "--once and --dry-run are two things: choose one"),
        ("--once a.json --timeout nan", "argument --timeout: invalid seconds value: 'nan'"),
        ("--once a.json --timeout 0", "argument --timeout: invalid seconds value: '0'"),
        ("--once a.json --open", "--open is for the stack that stays up"),
        ("--dry-run --tail", "--verbose is for the stack that stays up"),
        ("--no-console --open", "--no-console leaves no console to open"),
        ("--port 65536", "argument --port: invalid port value: '65536'"),
        ("--dryrun", "unrecognized arguments: --dryrun"),
    ],
)
def test_a_mistake_says_what_is_right(
    typed: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(shlex.split(typed))
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"run.sh: error: {said}"


def test_help_fits_a_terminal_of_a_hundred_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        parse(["--help"])
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 100 for line in lines)
    for heading in ("options:", "console:", "--once FILE …:", "--dry-run:"):
        assert heading in lines
