"""What is around the parts: token, status strip, errors, themes, a phone's width."""

import pytest
from playwright.sync_api import expect

from at_length import few
from ionctl.ops.result import Verdict
from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi
from scripts.console.page.visit import PHONE

pytestmark = pytest.mark.system
PARTS = ("inbox", "email/order-17", "queue", "dead", "dead/m-1", "publish", "server")
WRITING = ("Pause …", "Stop …", "Resume", "Wake", "Empty", "Redrive", "Discard …", "Publish")


def test_the_token_leaves_the_address_and_is_kept_for_all_tabs(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    assert visit.page.url == f"{visit.address}/#/queue"
    visit.page.reload()
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    tab = visit.page.context.new_page()
    tab.goto(f"{visit.address}/#/dead/m-1")
    expect(tab.get_by_role("heading", name="INVALID_ADDRESS $.recipient")).to_be_visible()
    assert tab.evaluate("document.cookie") == ""
    assert tab.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("token", ["", "of-an-earlier-run"])
def test_without_the_token_the_page_says_which_address_to_open(open_page: Open, token: str) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue", token=token)
    expect(visit.main).to_contain_text("This page needs the address that its command printed.")


def test_the_strip_says_in_words_how_the_relay_is(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    visit = open_page(api, "#/publish")
    strip = visit.page.get_by_role("region", name="How the relay is")
    expect(strip).to_contain_text("Idle Nothing waits")
    api.answers["GET /api/status"] = scenes.held()
    expect(strip).to_contain_text("Held 34 emails wait: smtp refuses the login.")


def test_a_relay_that_can_not_be_looked_at_is_not_said_to_be_as_it_was(open_page: Open) -> None:
    refused = (502, "AWS refuses: ExpiredToken")
    api = FakeApi(scenes.answers(relay=refused))
    visit = open_page(api, "#/publish")
    strip = visit.page.get_by_role("region", name="How the relay is")
    words = (
        "Out of touch The relay can't be looked at (AWS refuses: ExpiredToken), and is tried again."
    )
    expect(strip).to_contain_text(words)
    api.answers["GET /api/status"] = scenes.status()
    expect(strip).to_contain_text("Idle Nothing waits")
    api.answers["GET /api/status"] = (502, "there is no relay ion")
    expect(strip).to_contain_text("(there is no relay ion)")
    expect(strip).to_contain_text("UTC: Nothing waits")
    api.answers["GET /api/status"] = scenes.held()
    expect(strip).to_contain_text("Held 34 emails wait")


@pytest.mark.parametrize("verdict", few(Verdict, ["held", "idle"]))
def test_each_verdict_has_a_word_and_a_shape(open_page: Open, verdict: Verdict) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.status(verdict=verdict))), "#/publish")
    expect(visit.page.locator(".verdict")).to_have_text(verdict.value.capitalize())
    expect(visit.page.locator(".verdict svg > *")).to_be_visible()


def test_a_stream_that_breaks_is_said_and_begun_again(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    visit = open_page(api, "#/queue")
    expect(visit.main).to_contain_text("Normal")
    api.cut = True
    strip = visit.page.get_by_role("region", name="How the relay is")
    expect(strip).to_contain_text("Out of touch The console doesn't answer")
    api.cut = False
    expect(strip).to_contain_text("Idle")
    assert api.connected > 1


def test_a_stream_that_is_silent_for_long_is_begun_again(open_page: Open) -> None:
    """A computer that slept, or a proxy, leaves a connection that nothing comes by."""
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    visit.page.clock.install()
    visit.page.reload()
    strip = visit.page.get_by_role("region", name="How the relay is")
    expect(strip).to_contain_text("Idle")
    with visit.page.expect_request("**/api/changes"):
        visit.page.clock.fast_forward(60_000)
    expect(strip).to_contain_text("Idle")


def test_news_that_comes_in_pieces_is_told_whole(open_page: Open) -> None:
    api = FakeApi(scenes.answers(relay=scenes.status(words="Nothing waits, Jörg.")))
    api.cut_up = True
    visit = open_page(api, "#/queue")
    strip = visit.page.get_by_role("region", name="How the relay is")
    expect(strip).to_contain_text("Nothing waits, Jörg.")


def test_a_console_that_does_not_answer_yet_is_asked_again(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    about = api.answers["GET /api/about"]
    api.answers["GET /api/about"] = (503, "the console begins")
    visit = open_page(api, "#/queue")
    expect(visit.page.get_by_role("alert")).to_contain_text("the console begins")
    api.answers["GET /api/about"] = about
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()


def test_an_address_that_is_escaped_wrongly_is_taken_as_it_is(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/email/100%")
    expect(visit.page.get_by_role("alert")).to_contain_text("There is no GET /api/emails/100%.")


def test_a_reader_has_no_control_that_writes(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers(write=False, relay=scenes.held())))
    expect(visit.page.get_by_text("read-only")).to_be_visible()
    for part in PARTS:
        visit.go(f"#/{part}")
        expect(visit.main.locator("h1, h2").first).to_be_attached()
        for name in WRITING:
            assert visit.button(name).count() == 0, (part, name)
        assert visit.main.get_by_role("radio", disabled=False).count() == 0


def test_on_aws_there_is_neither_inbox_nor_switch(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers(local=False)))
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()
    names = visit.page.get_by_role("navigation", name="Parts").get_by_role("link")
    assert [one.inner_text().split("\n")[0] for one in names.all()] == [
        "Publish", "Queue", "Dead letters", "Email",
    ]  # fmt: skip


def test_errors_of_the_api_are_said_where_they_happen(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    for key in ("GET /api/inbox", "GET /api/dead", "GET /api/emails/order-17"):
        api.answers[key] = (502, "AWS refuses: AccessDenied. Give the role sqs:ReceiveMessage.")
    api.answers["POST /api/pause"] = (409, "The control row is damaged: resume writes it anew.")
    visit = open_page(
        FakeApi({**api.answers, "GET /api/inbox": api.answers["GET /api/dead"]}), "#/dead"
    )
    for part in ("dead", "email/order-17"):
        visit.go(f"#/{part}")
        expect(visit.page.get_by_role("alert")).to_contain_text("Give the role sqs:ReceiveMessage.")
        expect(visit.button("Try again")).to_be_visible()
    visit.go("#/queue")
    visit.button("Pause …").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("resume writes it anew")


def test_an_error_is_said_until_the_api_answers_again(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    letters = api.answers["GET /api/dead"]
    api.answers["GET /api/dead"] = (502, "AWS refuses: Throttling.")
    visit = open_page(api, "#/dead")
    expect(visit.page.get_by_role("alert")).to_contain_text("Throttling")
    api.answers["GET /api/dead"] = letters
    visit.button("Try again").click()
    expect(visit.main).to_contain_text("4 dead letters")
    expect(visit.page.get_by_role("alert")).to_have_count(0)


def test_the_theme_is_the_systems_until_it_is_turned(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue", theme="dark")
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "dark")
    visit.button("Light theme").click()
    visit.page.reload()
    expect(visit.page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_wider_than_a_phone(open_page: Open, part: str) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.held())), f"#/{part}", width=PHONE)
    expect(visit.main.locator("h1, h2").first).to_be_attached()
    assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE
