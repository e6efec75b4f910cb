"""The page without a mouse."""

import json

import pytest
from playwright.sync_api import Locator, expect

from at_length import few
from ionctl.ops.result import Published
from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi
from scripts.console.page.visit import Visit

pytestmark = pytest.mark.system
PARTS = ("inbox", "email/order-17", "queue", "dead", "dead/m-1", "publish", "server")

_NEXT = """() => {
  const one = document.activeElement;
  if (one === document.body || one.dataset.tabbed) return "end";
  one.dataset.tabbed = "yes";
  if (one.tagName === "IFRAME") return "frame";
  const outlined = (element) => element && getComputedStyle(element).outlineStyle !== "none";
  return outlined(one) || outlined(one.closest("label, .button")) ? "shown" : one.outerHTML;
}"""
"""What has the focus now: "end" if it had it before, "shown" if that can be seen."""

_MISSED = """() => [...document.querySelectorAll("main :is(a, button, input, select, textarea)")]
  .filter((one) => one.offsetParent && !one.disabled && one.tabIndex >= 0)
  .filter((one) => !one.dataset.tabbed && !(one.type === "radio" && !one.checked))
  .filter((one) => !one.closest("details:not([open]) > :not(summary)"))
  .map((one) => one.outerHTML)"""
"""Controls that the focus never came to; of radio buttons it comes to the one that is on."""


def test_keys_lead_everywhere(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    keyboard = visit.page.keyboard
    expect(visit.main).to_contain_text("Normal")
    for key, part in {
        "e": "email",
        "d": "dead",
        "p": "publish",
        "s": "server",
        "q": "queue",
    }.items():
        keyboard.press("g")
        keyboard.press(key)
        visit.page.wait_for_function(f"location.hash === '#/{part}'")
    keyboard.press("?")
    expect(visit.page.get_by_role("dialog")).to_contain_text("next, previous")
    keyboard.press("Escape")
    expect(visit.page.get_by_role("dialog")).to_be_hidden()
    keyboard.press("g")
    keyboard.press("d")
    expect(visit.main).to_contain_text("4 dead letters")
    keyboard.press("j")
    keyboard.press("j")
    keyboard.press("k")
    keyboard.press("Enter")
    visit.page.wait_for_function("location.hash === '#/dead/m-1'")
    keyboard.press("Escape")
    visit.page.wait_for_function("location.hash === '#/dead'")
    keyboard.press("g")
    keyboard.press("i")
    expect(visit.page.get_by_role("heading", name="Hello from ion")).to_be_visible()
    keyboard.press("j")
    expect(visit.page.get_by_role("heading", name="Reset your password")).to_be_visible()
    keyboard.press("/")
    expect(visit.page.get_by_role("searchbox", name="Search the inbox")).to_be_focused()


def test_an_email_is_published_without_a_mouse(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/publish"] = Published(email_id="made-1", message_id="m", topic_arn="t")
    visit = open_page(api, "#/queue")
    expect(visit.main).to_contain_text("Normal")
    visit.page.keyboard.press("g")
    visit.page.keyboard.press("p")
    to, publish = visit.page.get_by_label("To", exact=True), visit.button("Publish")
    tab_to(visit, to)
    visit.page.keyboard.press("ControlOrMeta+A")
    visit.page.keyboard.type("kim@example.org")
    tab_to(visit, publish)
    visit.page.keyboard.press("Enter")
    tab_to(visit, visit.page.get_by_role("link", name="See its history"))
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_function("location.hash === '#/email/made-1'")
    ((_, body),) = [one for one in api.asked if one[0] == "POST /api/publish"]
    assert json.loads(body["body"])["recipient"] == "kim@example.org"


def tab_to(visit: Visit, control: Locator) -> None:
    expect(control).to_be_visible()
    for _ in range(100):
        if control.evaluate("(one) => one === document.activeElement"):
            return
        visit.page.keyboard.press("Tab")
    pytest.fail("Tab never comes to it")


@pytest.mark.parametrize("part", few(PARTS, ["inbox", "dead", "publish"]))
def test_each_control_is_reached_by_tab_and_shows_that(open_page: Open, part: str) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.held())), f"#/{part}")
    expect(visit.main.locator("h1, h2").first).to_be_attached()
    seen = _tabbed_through(visit)
    missing = visit.page.evaluate(_MISSED)
    assert missing == []
    assert seen


def _tabbed_through(visit: Visit) -> int:
    """Press Tab until the focus is back outside of the page; count the stops, each visible."""
    page = visit.page
    for stop in range(300):
        page.keyboard.press("Tab")
        state = page.evaluate(_NEXT)
        if state == "end":
            return stop
        assert state in {"shown", "frame"}, state
    pytest.fail("Tab never comes to an end")
