"""What the page takes from npm is what npm has."""

from pathlib import Path

import pytest

from real import npm
from real.unavailable import skipped_unless_available
from scripts.console.page.fake_api import ROOT, STATIC

pytestmark = pytest.mark.system
LIT = STATIC / "vendor" / "lit-html"


def files() -> list[Path]:
    return sorted(one.relative_to(LIT) for one in LIT.rglob("*") if one.is_file())


def test_each_file_is_the_packages_own() -> None:
    with skipped_unless_available():
        package = npm.modules(ROOT / "scripts" / "console") / "lit-html"
    for name in files():
        if name.name != "VERSION":
            assert (LIT / name).read_bytes() == (package / name).read_bytes(), name
    assert (
        f'"version": "{(LIT / "VERSION").read_text().strip()}"'
        in (package / "package.json").read_text()
    )
    assert Path("LICENSE") in files()


def test_the_page_asks_only_its_own_console() -> None:
    for file in STATIC.rglob("*.*"):
        if "vendor" not in file.parts:
            text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "://" not in text, file
            assert "innerHTML" not in text, file
            assert " style=" not in text, file
