"""Real downloads by the real pip; what fails says what to do next."""

import os
from pathlib import Path

import pytest

from ionctl.build.wheels import TARGETS, WheelsUnavailableError, dependencies

ROOT = Path(__file__).parents[2]
LAMBDA_LOCK = ROOT / "lambda_src" / "requirements.txt"
LOCKS = (LAMBDA_LOCK, ROOT / "scripts" / "requirements.txt", ROOT / "tests" / "requirements.txt")


def _pinned(lock: Path) -> dict[str, str]:
    lines = lock.read_text(encoding="utf-8").splitlines()
    # "colorama==0.4.6 ; sys_platform == 'win32'": the version alone
    pins = (
        line.rstrip(" \\").partition(" ;")[0].partition("==") for line in lines if line[0].isalpha()
    )
    return {name: version for name, _, version in pins}


def test_what_the_lambda_carries_does_not_depend_on_the_builders_python() -> None:
    # pip reads `; python_version < "3.12"` by the Python that it runs on, not by the target's
    assert ";" not in LAMBDA_LOCK.read_text(encoding="utf-8")


def test_tests_run_with_the_versions_that_are_deployed() -> None:
    lambda_pins, scripts_pins, tests_pins = map(_pinned, LOCKS)
    assert lambda_pins.items() <= scripts_pins.items() <= tests_pins.items()


@pytest.mark.parametrize("lock", [*LOCKS, ROOT / "scripts" / "ministack.txt"], ids=str)
def test_lock_names_no_index_and_no_path(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    for sign in ("://", "--index", "--extra-index", "--find-links", " /"):
        assert sign not in text


def test_host_fetches_once_for_each_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = _lock(tmp_path, "idna")
    first = dependencies(lock, TARGETS["host"], tmp_path / "cache")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert dependencies(lock, TARGETS["host"], tmp_path / "cache") == first
    assert [(found.name, "idna/core.py" in found.files) for found in first] == [("idna", True)]


def test_release_checks_each_time(tmp_path: Path) -> None:
    lock = _lock(tmp_path, "idna")
    dependencies(lock, TARGETS["arm64"], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_no_network_is_called_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")  # none, and pip doesn't say why
    with pytest.raises(WheelsUnavailableError, match="check the network"):
        dependencies(_lock(tmp_path, "idna"), TARGETS["arm64"], tmp_path / "cache")


def test_missing_wheel_names_the_package_and_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    expected = rf"(?s)idna.*no wheel of it for arm64.* {tmp_path.name}/requirements\.in, .*lock\.sh"
    with pytest.raises(WheelsUnavailableError, match=expected):
        dependencies(_lock(tmp_path, "idna"), TARGETS["arm64"], tmp_path / "cache")


def test_package_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(WheelsUnavailableError, match="isn't the one that was locked"):
        dependencies(lock, TARGETS["host"], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def _lock(folder: Path, name: str) -> Path:
    """Of the Lambda's lock, what is about `name`."""
    text = LAMBDA_LOCK.read_text(encoding="utf-8")
    start = text.index(f"\n{name}==") + 1
    lock = folder / "requirements.txt"
    lock.write_text(text[start : text.index("    # via", start)], encoding="utf-8")
    return lock
