"""The inbox, with made-up emails."""

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Route, expect

from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi
from scripts.console.page.visit import PHONE

pytestmark = pytest.mark.system


def test_the_newest_email_is_open_where_there_is_room_for_it(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()))
    expect(visit.page.get_by_role("heading", name="Hello from ion")).to_be_visible()
    expect(visit.page.frame_locator("iframe").get_by_text("Hello Ann")).to_be_visible()


def test_the_email_that_is_open_stays_so_when_another_arrives(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    emails = scenes.emails()
    api.answers["GET /api/inbox"] = {"count": 1, "emails": emails[1:2]}
    visit = open_page(api, "#/inbox")
    expect(visit.page.get_by_role("heading", name=emails[1]["subject"])).to_be_visible()
    api.answers["GET /api/inbox"] = {"count": 2, "emails": emails[:2]}
    expect(visit.page.get_by_role("link", name=emails[0]["subject"])).to_be_visible()
    visit.button("Dark theme").click()  # by then it would have been opened
    expect(visit.page.get_by_role("heading", name=emails[1]["subject"])).to_be_visible()
    assert visit.part == f"#/inbox/{emails[1]['id']}"


def test_back_leads_out_of_an_inbox_whose_newest_email_was_opened(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    visit.go("#/inbox")
    expect(visit.page.get_by_role("heading", name="Hello from ion")).to_be_visible()
    visit.page.go_back()
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()


def test_who_has_left_the_inbox_before_it_came_is_not_brought_back(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    held: list[Route] = []
    visit.page.route("**/api/inbox?*", lambda route: held.append(route))  # noqa: PLW0108 - it marks it
    with visit.page.expect_request("**/api/inbox?*"):
        visit.go("#/inbox")
    visit.go("#/queue")
    with visit.page.expect_request_finished(lambda one: "/api/inbox?" in one.url):
        held[0].continue_()
    visit.button("Dark theme").click()  # by then it would have been opened
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    assert visit.part == "#/queue"


def test_on_a_phone_the_list_comes_first_and_back_leads_to_it(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/inbox", width=PHONE)
    visit.page.get_by_role("link", name="Reset your password").click()
    expect(visit.page.get_by_role("heading", name="Reset your password")).to_be_visible()
    visit.page.go_back()
    expect(visit.page.get_by_role("link", name="Your invoice of November")).to_be_visible()
    assert visit.part == "#/inbox"


def test_an_email_that_arrives_is_there_by_itself(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/inbox"] = {"count": 0, "emails": []}
    visit = open_page(api, "#/inbox")
    expect(visit.main).to_contain_text("No email has arrived yet.")
    expect(visit.main.get_by_role("link", name="Write an email")).to_be_visible()
    api.answers["GET /api/inbox"] = {"count": 1, "emails": scenes.emails()[:1]}
    expect(visit.page.get_by_role("heading", name="Hello from ion")).to_be_visible()


def test_the_search_asks_the_api_and_says_that_it_found_nothing(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    whole = api.answers["GET /api/inbox"]
    none = {"count": 7, "emails": []}
    api.answers["GET /api/inbox"] = lambda _, query: none if query.get("search") else whole
    visit = open_page(api, "#/inbox")
    visit.page.get_by_role("searchbox", name="Search the inbox").fill("zebra")
    expect(visit.page.locator(".side")).to_contain_text("None of the emails has “zebra”")


def test_a_search_that_another_follows_is_given_up(open_page: Open) -> None:
    """Its answer may come later than the other's."""
    api = FakeApi(scenes.answers())
    whole = api.answers["GET /api/inbox"]
    none = {"count": 7, "emails": []}
    api.answers["GET /api/inbox"] = lambda _, query: none if query.get("search") else whole
    visit = open_page(api, "#/inbox")
    held: list[Route] = []
    visit.page.route("**/api/inbox?search=z&*", lambda route: held.append(route))  # noqa: PLW0108 - it marks it
    search = visit.page.get_by_role("searchbox", name="Search the inbox")
    with visit.page.expect_request("**/api/inbox?search=z&*"):
        search.fill("z")
    with visit.page.expect_event("requestfailed", lambda one: "search=z&" in one.url):
        search.fill("zebra")
    for late in held:
        with suppress(Error):
            late.fulfill(json=whole)
    expect(visit.page.locator(".side")).to_contain_text("None of the emails has “zebra”")


def test_headers_and_names_from_outside_are_text(open_page: Open) -> None:
    evil = "<img src=x onerror=alert(1)><h1>owned</h1>"
    api = FakeApi(scenes.answers())
    one = scenes.summary(0, subject=evil, to=[evil], marks=["text"])
    file = {"n": 0, "filename": evil, "content_type": evil, "bytes": 1, "inline": False}
    api.answers["GET /api/inbox"] = {"count": 1, "emails": [one]}
    api.answers[f"GET /api/inbox/{one['id']}"] = scenes.email(
        one, text=evil, headers=[[evil, evil]], attachments=[file]
    )
    visit = open_page(api)
    for tab in ("Text", "Headers", "1 attachment"):
        visit.page.get_by_role("tab", name=tab).click()
        expect(visit.page.get_by_role("tabpanel")).to_contain_text(evil)
    assert visit.page.locator("main img").count() == 0
    assert visit.page.get_by_text("owned", exact=True).count() == 0


def test_tabs_are_turned_by_arrow_keys(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()))
    visit.page.get_by_role("tab", name="HTML").focus()
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.get_by_role("tab", name="Text")).to_be_focused()
    expect(visit.page.get_by_role("tabpanel")).to_contain_text("your order is on its way.")
    visit.page.get_by_role("tab", name="Source").click()
    expect(visit.page.get_by_role("tabpanel")).to_contain_text("Subject: raw")


def test_emptying_is_asked_about(open_page: Open) -> None:
    api = FakeApi(scenes.answers())

    def emptied(*_: object) -> dict[str, int]:
        api.answers["GET /api/inbox"] = {"count": 0, "emails": []}
        return {"count": 0}

    api.answers["DELETE /api/inbox"] = emptied
    visit = open_page(api, "#/inbox")
    visit.button("Empty").click()
    visit.button("Leave it").click()
    assert "DELETE /api/inbox" not in [key for key, _ in api.asked]
    visit.button("Empty").click()
    visit.button("Empty it").click()
    expect(visit.main).to_contain_text("No email has arrived yet.")


def test_an_inbox_that_can_not_be_emptied_says_why(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["DELETE /api/inbox"] = (500, "the console has failed: its terminal says how")
    visit = open_page(api, "#/inbox")
    visit.button("Empty").click()
    visit.button("Empty it").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("its terminal says how")
