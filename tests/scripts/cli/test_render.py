"""ionctl render shows what would be sent, and where it fails."""

import json
from pathlib import Path

import msgspec
import pytest

from ionctl.ops.result import Rendered
from terminal import Ionctl

ROOT = Path(__file__).parents[3]
EXAMPLE = ["--context", str(ROOT / "templates" / "welcome" / "example.json")]


def shown(ionctl: Ionctl, *arguments: str, stdin: str = "") -> str:
    ran = ionctl("render", *arguments, stdin=stdin)
    assert ran.status == 0, ran.err
    return ran.out


def told(ionctl: Ionctl, *arguments: str) -> str:
    ran = ionctl("render", *arguments)
    assert (ran.status, ran.out) == (1, "")
    return ran.err


def test_the_example_is_rendered_in_both_its_languages(ionctl: Ionctl) -> None:
    english = shown(ionctl, "welcome", *EXAMPLE)
    assert "--- subject\nWelcome to Tea & Co, Ann\n--- text\n" in english
    assert "Assam 2 8.50" in english
    assert "<p>welcome to Tea &amp; Co.</p>" in english
    german = shown(ionctl, "welcome", *EXAMPLE, "--locale", "de-AT")
    assert "--- subject\nWillkommen bei Tea & Co, Ann\n" in german


def test_one_part_goes_out_alone(ionctl: Ionctl) -> None:
    html = shown(ionctl, "welcome", *EXAMPLE, "--part", "html")
    assert html.startswith("<!DOCTYPE html>")
    made = msgspec.json.decode(shown(ionctl, "welcome", *EXAMPLE, "--json"), type=Rendered)
    assert made.html + "\n" == html
    assert shown(ionctl, "welcome", *EXAMPLE, "--part", "subject") == "Welcome to Tea & Co, Ann\n"


def test_what_is_wrong_is_told_as_the_dead_letter_would(ionctl: Ionctl, tmp_path: Path) -> None:
    assert told(ionctl, "wellcome") == (
        "ionctl: TEMPLATE_MISSING at $.template: unknown, did you mean welcome?\n"
    )
    assert told(ionctl, "welcome") == (
        "ionctl: TEMPLATE_ERROR at $.context.shop: missing (welcome/subject.txt.j2, line 1)\n"
    )
    assert "INVALID_SCHEMA at $.locale" in told(ionctl, "welcome", "--locale", "!")
    data = tmp_path / "data.json"
    data.write_text("[1]")
    assert "INVALID_SCHEMA at $.context" in told(ionctl, "welcome", "--context", str(data))
    data.write_text("{")
    assert "is no JSON" in told(ionctl, "welcome", "--context", str(data))
    assert "No such file" in told(ionctl, "welcome", "--context", str(tmp_path / "no"))


def test_templates_may_be_elsewhere(ionctl: Ionctl, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "body.txt.j2").write_text("Hi {{ name }}")
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"name": "Zoë"}), encoding="utf-8-sig")
    options = ["t", "--templates", str(tmp_path), "--context", str(data)]
    assert shown(ionctl, *options) == "--- subject: none\n--- text\nHi Zoë\n--- html: none\n"
    options = ["t", "--templates", str(tmp_path), "--context", "-", "--part", "text"]
    assert shown(ionctl, *options, stdin='{"name": "Ann"}') == "Hi Ann\n"


def test_without_a_clone_the_folder_has_to_be_named(
    ionctl: Ionctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ionctl.cli.render._TEMPLATES", tmp_path / "templates")
    ran = ionctl("render", "welcome")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("ionctl: --templates FOLDER is needed: ")
    ran = ionctl("render", "welcome", "--templates", tmp_path / "none")
    assert (ran.status, ran.err) == (
        2,
        f"ionctl: --templates {tmp_path}/none: there is no such folder\n",
    )
