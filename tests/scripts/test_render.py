"""ionctl render shows what would be sent, and where it fails."""

import json
from pathlib import Path

import pytest

from ionctl.__main__ import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ["--context", str(ROOT / "templates" / "welcome" / "example.json")]


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["render", *arguments]) == 0
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["render", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_the_example_is_rendered_in_both_its_languages(capsys: pytest.CaptureFixture[str]) -> None:
    english = shown(capsys, "welcome", *EXAMPLE)
    assert "--- subject\nWelcome to Tea & Co, Ann\n--- text\n" in english
    assert "Assam 2 8.50" in english
    assert "<p>welcome to Tea &amp; Co.</p>" in english
    german = shown(capsys, "welcome", *EXAMPLE, "--locale", "de-AT")
    assert "--- subject\nWillkommen bei Tea & Co, Ann\n" in german


def test_one_part_goes_out_alone(capsys: pytest.CaptureFixture[str]) -> None:
    html = shown(capsys, "welcome", *EXAMPLE, "--part", "html")
    assert html.startswith("<!DOCTYPE html>")
    assert shown(capsys, "welcome", *EXAMPLE, "--part", "subject") == "Welcome to Tea & Co, Ann\n"


def test_what_is_wrong_is_told_as_the_dead_letter_would(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert told(capsys, "wellcome") == (
        "ionctl: TEMPLATE_MISSING at $.template: unknown, did you mean welcome?\n"
    )
    assert told(capsys, "welcome") == (
        "ionctl: TEMPLATE_ERROR at $.context.shop: missing (welcome/subject.txt.j2, line 1)\n"
    )
    assert "INVALID_SCHEMA at $.locale" in told(capsys, "welcome", "--locale", "!")
    data = tmp_path / "data.json"
    data.write_text("[1]")
    assert "INVALID_SCHEMA at $.context" in told(capsys, "welcome", "--context", str(data))
    data.write_text("{")
    assert "is no JSON" in told(capsys, "welcome", "--context", str(data))
    assert "No such file" in told(capsys, "welcome", "--context", str(tmp_path / "no"))


def test_templates_may_be_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "body.txt.j2").write_text("Hi {{ name }}")
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"name": "Zoë"}), encoding="utf-8-sig")
    options = ["t", "--templates", str(tmp_path), "--context", str(data)]
    assert shown(capsys, *options) == "--- subject: none\n--- text\nHi Zoë\n--- html: none\n"
