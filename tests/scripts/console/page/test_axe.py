"""axe-core, which looks for what keeps people with a screen reader or weak eyes out."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from at_length import only_at_length
from real import npm
from real.unavailable import skipped_unless_available
from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi
from scripts.console.page.visit import PHONE, Visit

pytestmark = pytest.mark.system
FOLDER = Path(__file__).parent / "node"
PARTS = ("inbox", "email/order-17", "queue", "dead", "dead/m-1", "publish", "server")


@pytest.fixture(scope="module")
def axe() -> str:
    with skipped_unless_available():
        return (npm.modules(FOLDER) / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        ("light", 1280),
        pytest.param("dark", PHONE, marks=only_at_length),
        pytest.param("dark", 1280, marks=only_at_length),
        pytest.param("light", PHONE, marks=only_at_length),
    ],
)
def test_axe_finds_nothing_serious(open_page: Open, axe: str, theme: str, width: int) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.held())), theme=theme, width=width)
    for part in PARTS:
        visit.go(f"#/{part}")
        expect(visit.main.locator("h1, h2").first).to_be_attached()
        assert serious(visit, axe) == [], part
    visit.go("#/dead/m-1")
    visit.button("Edit and resend").click()
    expect(visit.main.locator(".faults li").first).to_be_visible()
    assert serious(visit, axe) == []
    visit.go("#/queue")
    visit.button("Stop …").click()
    assert serious(visit, axe) == []


def serious(visit: Visit, axe: str) -> list[str]:
    visit.page.evaluate(axe)  # by the debugger, which the page's policy doesn't bind
    report: dict[str, Any] = visit.page.evaluate("axe.run({iframes: false})")
    return [
        f"{one['id']}: {node['html']}"
        for one in report["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]
