"""The page on a relay that works: the whole local stack."""

import pytest
from playwright.sync_api import expect

from scripts.console.page.conftest import Enter
from scripts.console.page.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
SECONDS = 60_000
"""For what a run of the function does, in milliseconds, as Playwright has them."""


def test_what_is_published_in_the_form_is_rendered_in_the_inbox(enter: Enter) -> None:
    visit = enter("#/inbox")
    visit.page.get_by_role("link", name="Write an email").click()
    visit.page.get_by_label("To", exact=True).fill("Ann Example <ann@example.org>")
    visit.page.get_by_label("Subject").fill("Grüße")
    visit.page.get_by_label("HTML").fill("<h1>On its way</h1><p>See you.</p>")
    expect(visit.main).to_contain_text("ion would take this message.")
    visit.button("Publish").click()
    visit.page.get_by_role("link", name="inbox", exact=True).click()
    expect(visit.page.get_by_role("heading", name="Grüße")).to_be_visible(timeout=SECONDS)
    expect(visit.page.get_by_role("link", name="Its history")).to_be_visible()
    frame = visit.page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="On its way")).to_be_visible()
    visit.page.get_by_role("tab", name="Text").click()
    expect(visit.page.get_by_role("tabpanel")).to_contain_text("It works.")


def test_what_is_published_has_a_life(enter: Enter) -> None:
    visit = enter("#/publish")
    visit.button("Publish").click()
    visit.page.get_by_role("link", name="See its history").click()
    expect(visit.main.get_by_role("heading", name="Sent", exact=True)).to_be_visible(
        timeout=SECONDS
    )


def test_a_bounce_is_a_dead_letter_with_the_servers_words(enter: Enter) -> None:
    visit = enter("#/dead")
    visit.page.get_by_role("link", name="publish to it").click()
    expect(visit.page.get_by_label("To", exact=True)).to_have_value("bounce@simulator.test")
    visit.button("Publish").click()
    dead = visit.page.get_by_role("link", name="Dead letters 1 dead letters")
    dead.click(timeout=SECONDS)
    visit.page.locator("a.dead-row").click()
    expect(visit.page.get_by_role("heading", name="RCPT_REJECTED")).to_be_visible()
    expect(visit.page.locator(".reading .reply")).to_contain_text("550 5.1.1")


def test_a_wrong_address_is_marked_edited_and_arrives(enter: Enter, relay: Whole) -> None:
    visit = enter("#/dead")
    relay.publish("ann@@example.org", subject="Same order", body_text="…", email_id="order-17")
    visit.page.locator("a.dead-row").click(timeout=SECONDS)
    expect(visit.page.get_by_role("heading", name="INVALID_ADDRESS $.recipient")).to_be_visible()
    assert '"ann@@example.org"' in "".join(visit.main.locator("mark").all_inner_texts())
    visit.button("Edit and resend").click()
    expect(visit.main.locator(".faults")).to_contain_text("INVALID_ADDRESS")
    field = visit.page.get_by_role("textbox", name="Body, as JSON")
    field.fill(field.input_value().replace("@@", "@"))
    visit.button("Resend").click()
    expect(visit.page.get_by_role("heading", name="Sent", exact=True)).to_be_visible(
        timeout=SECONDS
    )
    visit.go("#/inbox")
    expect(visit.page.get_by_role("heading", name="Same order")).to_be_visible()
    assert relay.stack.dead_letters() == ()


def test_queued_mail_is_stopped_and_redriven(enter: Enter, relay: Whole) -> None:
    visit = enter("#/queue")
    dialog = visit.page.get_by_role("dialog")
    visit.button("Stop …").click()
    dialog.get_by_label("Tag").fill("campaign=spring")
    dialog.get_by_label("Why").fill("wrong link")
    dialog.get_by_role("button", name="Stop them").click()
    stopped = visit.page.get_by_role("region", name="Stopped")
    expect(stopped).to_contain_text("“wrong link”", timeout=SECONDS)
    for number in range(3):
        relay.publish(f"ann{number}@example.org", body_text="…", tags={"campaign": "spring"})
    expect(visit.page.get_by_role("link", name="Dead letters 3")).to_be_visible(timeout=SECONDS)
    visit.button("Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    expect(stopped).to_be_hidden(timeout=SECONDS)
    visit.go("#/dead")
    visit.button("Redrive all 3").click()
    dialog.get_by_role("button", name="Redrive").click()
    expect(visit.main).to_contain_text("No dead letters.", timeout=SECONDS)
    visit.go("#/inbox")
    expect(visit.page.locator("a.mail")).to_have_count(3, timeout=SECONDS)


def test_a_refused_login_is_said_in_words_and_mail_goes_out_after_it(
    enter: Enter, relay: Whole
) -> None:
    visit = enter("#/server")
    visit.page.get_by_role("radio", name="Wrong login").check()
    relay.publish("ann@example.org", body_text="…")
    strip = visit.page.get_by_role("region", name="How the relay is")
    expect(strip).to_contain_text("Held", timeout=SECONDS)
    visit.go("#/queue")
    expect(visit.page.get_by_role("region", name="Held")).to_contain_text("535")
    visit.go("#/server")
    visit.page.get_by_role("radio", name="Well").check()
    relay.forget_backoff()
    visit.go("#/queue")
    visit.button("Wake").click()
    visit.go("#/inbox")
    expect(visit.page.locator("a.mail")).to_have_count(1, timeout=SECONDS)
