"""Hints name a command as the person runs it."""

import os
import subprocess
from pathlib import Path

import pytest

from ionctl import program
from ionctl.ops.remedies import advice
from ionctl.ops.result import HeldServer

ROOT = Path(__file__).parents[2]


def test_by_default_it_is_the_installed_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(program.PROGRAM_VARIABLE, raising=False)
    program.begin()
    assert program.command("show order-17") == "ionctl show order-17"
    assert program.command() == "ionctl"


def test_a_relay_that_was_chosen_is_part_of_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(program.PROGRAM_VARIABLE, "./my ion/ionctl")
    program.begin()
    program.chose("--name", "shop")
    program.chose("--local")
    assert program.command("wake") == "'./my ion/ionctl' --name shop --local wake"
    assert program.hinted("then ionctl wake, or ionctl's page: docs/ionctl.md") == (
        "then './my ion/ionctl' --name shop --local wake, or ionctl's page: docs/ionctl.md"
    )


def test_advice_that_is_kept_as_a_constant_names_it_so_too() -> None:
    program.begin("./ionctl")
    held = HeldServer(server="smtp", reason="AUTH", reply="535 no")
    assert advice(held) == "put the right login into the secret, then ./ionctl wake"


@pytest.mark.parametrize("wrapper", ["ionctl", "run.sh"])
def test_a_clone_says_how_ionctl_is_run_from_where_the_person_is(
    tmp_path: Path, wrapper: str
) -> None:
    clone = tmp_path / "ion"
    (clone / "scripts").mkdir(parents=True)
    (clone / wrapper).write_bytes((ROOT / wrapper).read_bytes())
    python = clone / "python"
    python.write_text('#!/bin/sh\necho "$ION_PROGRAM"\n')
    (clone / "scripts" / "venv.sh").write_text(f"#!/bin/sh\necho {python}\n")
    for file in (clone / wrapper, python, clone / "scripts" / "venv.sh"):
        file.chmod(0o755)
    for folder, typed, said in (
        (clone, f"./{wrapper}", "./ionctl"),
        (tmp_path, f"ion/{wrapper}", "ion/ionctl"),
        (tmp_path, f"{clone}/{wrapper}", f"{clone}/ionctl"),
    ):
        done = subprocess.run(
            [typed], cwd=folder, capture_output=True, text=True, check=True, env={**os.environ}
        )
        assert done.stdout == f"{said}\n"
