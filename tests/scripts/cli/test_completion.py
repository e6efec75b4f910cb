"""Completion in a real bash, as `--install-completion` sets it up, of ionctl and of ./ionctl."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from at_length import only_at_length
from ion.outcome import Reason
from ionctl.files import ROOT
from ionctl.local.command import run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With `ionctl` as a program, an AWS configuration, and completion installed."""
    program = tmp_path / "bin" / "ionctl"
    program.parent.mkdir()
    path = f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}"
    start = f"PYTHONPATH={shlex.quote(path)} exec {shlex.quote(sys.executable)} -P -m ionctl.cli"
    program.write_text(f'#!/bin/sh\n{start} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile staging]\n[profile production]\n")
    said = bash(tmp_path, "ionctl --install-completion; true")
    assert "bash completion installed" in said
    return tmp_path


def bash(home: Path, script: str) -> str:
    status, output = run(
        ["bash", "-c", script],
        folder=home,
        environment={"HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"},
        timeout_seconds=60,
    )
    assert status == 0, output
    return output


def completed(home: Path, *words: str) -> list[str]:
    """What a press of the tab key offers at the end of the last word."""
    line = " ".join(map(shlex.quote, words))
    return bash(
        home,
        f"""
        . ~/.bashrc
        # bash itself looks up the program by its path, and then by its name
        set -- $(complete -p {Path(words[0]).name})
        while [ $# -gt 0 ] && [ "$1" != -F ]; do shift; done
        COMP_WORDS=({line}) COMP_CWORD={len(words) - 1}
        $2 {words[0]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """,
    ).split()


def test_commands(home: Path) -> None:
    assert completed(home, "ionctl", "dea") == ["dead"]
    assert {"list", "show", "redrive"} <= set(completed(home, "ionctl", "dead", ""))


def test_options(home: Path) -> None:
    assert completed(home, "ionctl", "dead", "list", "--rea") == ["--reason"]


def test_reasons_of_the_contract(home: Path) -> None:
    said = completed(home, "ionctl", "dead", "list", "--reason", "")
    assert set(said) == set(Reason)
    assert completed(home, "ionctl", "dead", "list", "--reason", "INVALID_S") == ["INVALID_SCHEMA"]


def test_profiles_of_the_aws_configuration(home: Path) -> None:
    assert completed(home, "ionctl", "--profile", "s") == ["staging"]


@only_at_length
def test_an_aws_configuration_that_can_not_be_read_is_no_matter_yet(home: Path) -> None:
    (home / ".aws" / "config").write_text("no configuration\n")
    assert completed(home, "ionctl", "--profile", "s") == []


def test_the_program_of_a_clone_is_completed_alike(home: Path) -> None:
    (home / "ionctl").symlink_to("bin/ionctl")
    assert completed(home, "./ionctl", "dea") == ["dead"]


@only_at_length
def test_zsh_gets_a_script_and_answers_too(home: Path) -> None:
    assert "compdef" in bash(home, "_IONCTL_COMPLETE=source_zsh ionctl")
    asked = "_IONCTL_COMPLETE=complete_zsh _TYPER_COMPLETE_ARGS='ionctl dea' ionctl"
    assert '"dead":' in bash(home, asked)
