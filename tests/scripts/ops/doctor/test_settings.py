"""Settings as the function loads them: every variable that is wrong is told."""

import shutil
from pathlib import Path

import pytest

from ionctl.local import deploy
from ionctl.local.names import names_of
from ionctl.local.stack import ROOT
from ionctl.local.variables import Variables
from ionctl.ops.doctor import package, settings
from ionctl.ops.doctor.settings import loaded
from ionctl.ops.result import Grade

NAMES = names_of("http://127.0.0.1")
ENVIRONMENT = deploy.environment(NAMES, Variables(Path(), NAMES.secret_arn))
SECRET = "[smtp]\nserver = mail.example.org\nport = 587\nusername = AKIAEXAMPLE\npassword = x\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "config.cfg", tmp_path)
    return tmp_path


def test_each_variable_that_is_wrong_is_told_and_the_rest_is_loaded(root: Path) -> None:
    wrong = {"ION_SMTP_PIPELNING": "deep", "ION_MAIL_SENDER": "Shop", "ION_LOG_LEVEL": "ALL"}
    known = loaded(root, ENVIRONMENT | wrong, SECRET)
    assert known.settings is not None
    assert {(one.check, one.about) for one in known.faults} == {
        ("settings", "ION_SMTP_PIPELNING"),
        ("sender", "ION_MAIL_SENDER"),
        ("settings", "ION_LOG_LEVEL"),
    }
    (misspelt,) = [one for one in known.faults if one.about == "ION_SMTP_PIPELNING"]
    assert "did you mean ION_SMTP_PIPELINING?" in misspelt.found
    assert all(one.grade is Grade.WRONG and one.advice for one in known.faults)


@pytest.mark.parametrize(
    ("secret", "check", "words"),
    [
        ("[smtp]\nserver = ???\nport = 587\n", "secret", "still is the example's ???"),
        ("[smtp]\nsever = a.example\nport = 587\n", "secret", "line 2: unknown key"),
        ("hunter2", "secret", "stands before the first [section] line"),
    ],
)
def test_secret_that_is_malformed_is_told_without_what_is_in_it(
    root: Path, secret: str, check: str, words: str
) -> None:
    known = loaded(root, ENVIRONMENT, secret)
    assert known.settings is None
    (fault,) = known.faults
    assert fault.check == check
    assert words in fault.found
    assert "hunter2" not in fault.found


def test_fault_of_config_cfg_says_to_build_the_package_anew(root: Path) -> None:
    (root / "config.cfg").write_text("[smtp]\nconnections = 0\npipelining = off\n")
    known = loaded(root, ENVIRONMENT, SECRET)
    (fault,) = known.faults
    assert fault.found == "config.cfg: [smtp] connections: must be a whole number from 1 to 100"
    assert "build the package anew" in fault.advice


def test_username_that_is_no_address_is_no_sender(root: Path) -> None:
    known = loaded(root, ENVIRONMENT, SECRET).settings
    assert known is not None
    (finding,) = settings.sender(known)
    assert finding.grade is Grade.WARNING
    assert "SENDER_MISSING" in finding.found
    assert "AKIA" not in finding.found


@pytest.mark.parametrize(
    ("name", "guard", "grade"),
    [
        ("ion", {}, None),
        ("attest", {}, None),
        ("ion-staging", {}, Grade.WARNING),
        ("ion-staging", {"ION_GUARD_ONLY": "*@example.org"}, Grade.OK),
        ("ion", {"ION_GUARD_REDIRECT_TO": "dev@example.org"}, Grade.OK),
    ],
)
def test_relay_that_is_not_for_everybody_has_a_guard(
    root: Path, name: str, guard: dict[str, str], grade: Grade | None
) -> None:
    known = loaded(root, ENVIRONMENT | guard, SECRET).settings
    assert known is not None
    assert [one.grade for one in settings.guard(known, name)] == ([grade] if grade else [])


@pytest.mark.parametrize(
    ("senders", "grades"), [("shop.example", []), ("*@other.example", [Grade.WRONG])]
)
def test_sender_that_the_guard_does_not_allow(
    root: Path, senders: str, grades: list[Grade]
) -> None:
    chosen = {"ION_MAIL_SENDER": "Shop <post@shop.example>", "ION_GUARD_SENDERS": senders}
    known = loaded(root, ENVIRONMENT | chosen, SECRET).settings
    assert known is not None
    assert [one.grade for one in settings.guard(known, "ion")] == grades


@pytest.mark.parametrize(
    ("module", "of_package", "grade", "words"),
    [
        ("1.2.0", "1.2.0", Grade.OK, "1.2.0"),
        ("1.10.0", "1.9.0", Grade.WRONG, "is older than the module (ion 1.10.0)"),
        ("1.9.0", "1.10.0", Grade.WRONG, "is newer than the module (ion 1.9.0)"),
        ("1.2.0", "", Grade.WRONG, "the package is older"),
        ("", "1.2.0", Grade.WRONG, "the module is older"),
        ("1.2.0", "1.2.0-rc1", Grade.WARNING, "1.2.0-rc1"),
        ("", "", Grade.SKIPPED, "neither"),
    ],
)
def test_versions_are_compared(module: str, of_package: str, grade: Grade, words: str) -> None:
    (finding,) = package.compare(module, of_package)
    assert finding.grade is grade
    assert words in finding.found
    assert bool(finding.advice) == (grade is not Grade.OK)
