"""Email, queue, publish and mail server, with a relay that is made up."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from playwright.sync_api import expect

from at_length import few
from ionctl.ops.result import (
    AddressKnown,
    Cancelled,
    InForce,
    Life,
    Published,
    SuppressionFound,
)
from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi

pytestmark = pytest.mark.system
DONE = InForce(pauses=[], stops=[], words="Every running function has heard of it.")


def test_an_emails_life_is_told_in_words(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/email/order-17")
    expect(visit.main).to_contain_text("The mail server has put it off once")
    expect(visit.main).to_contain_text(re.compile(r"Next try\s*in [34] min"))
    expect(visit.main).to_contain_text("250 2.0.0 Ok: queued as 4XyZ12")
    expect(visit.page.locator(".fates")).to_contain_text(re.compile(r"recipient 1\s*sent"))


def test_an_email_that_was_sent_has_all_that_is_known_of_it(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/emails/order-17"] = scenes.sent()
    visit = open_page(api, "#/email/order-17")
    facts = visit.main.locator(".facts").first
    for known in ("smtp", "4XyZ12", "250 2.0.0 Ok", "3 s after it was queued"):
        expect(facts).to_contain_text(known)
    lines = visit.page.locator(".timeline li .what")
    expect(lines).to_have_text(["Queued", "Edited by ann, under the same id", "Taken by smtp"])
    expect(visit.page.locator(".timeline")).to_contain_text("attempt 1")


def test_what_the_log_does_not_have_yet_is_told_by_the_ledger_and_asked_for_again(
    open_page: Open,
) -> None:
    whole, logged = scenes.sent(), threading.Event()

    def answer(_body: object, _query: object) -> Life:
        events = whole.events if logged.is_set() else []
        return msgspec.structs.replace(whole, events=events, changed_at=scenes.now())

    visit = open_page(FakeApi(scenes.answers() | {"GET /api/emails/order-17": answer}))
    visit.go("#/email/order-17")
    lines = visit.page.locator(".timeline li .what")
    expect(lines).to_have_text(["Queued", "Taken by smtp"])
    logged.set()
    expect(lines).to_have_text(["Queued", "Edited by ann, under the same id", "Taken by smtp"])


def test_an_email_is_found_by_its_id_and_cancelled(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/cancel"] = Cancelled(
        email_id="order-17", how="cancelled", words="It isn't sent."
    )
    visit = open_page(api, "#/queue")
    visit.page.get_by_role("textbox", name="Find an email by its id").fill("order-17")
    visit.page.keyboard.press("Enter")
    visit.button("Cancel it").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(visit.page.locator("#news")).to_contain_text("It isn't sent.")
    assert ("POST /api/cancel", {"email_id": "order-17"}) in api.asked


@pytest.mark.parametrize(
    "part",
    few(["email/order-17", "queue", "inbox", "dead", "dead/m-1"], ["email/order-17", "queue"]),
)
def test_every_time_is_utc_and_says_so_with_the_person_s_own_beside(
    open_page: Open, part: str
) -> None:
    api = FakeApi(scenes.answers(relay=scenes.held()))
    visit = open_page(api, f"#/{part}", timezone="Asia/Tokyo")
    clock = visit.main.locator("time", has_text=":").first
    expect(clock).to_have_text(re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d) UTC$"))
    for one in visit.main.locator("time", has_text=":").all():
        at, shown = one.get_attribute("datetime") or "", one.inner_text()
        moment = datetime.fromisoformat(at).astimezone(UTC)
        assert shown in (f"{moment:%H:%M:%S} UTC", f"{moment:%Y-%m-%d %H:%M} UTC")
        own = moment.astimezone(timezone(timedelta(hours=9)))
        assert f"{own:%H:%M:%S}" in (one.get_attribute("title") or "")


def test_no_time_is_broken_at_1280(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.held())), "#/queue", width=1280)
    runs = visit.page.get_by_role("table").last
    expect(runs.locator("time").first).to_be_visible()
    heights = [one.bounding_box() for one in runs.locator("time").all()]
    assert {round(box["height"]) for box in heights if box} == {
        round(min(box["height"] for box in heights if box))
    }
    assert all(box["height"] < 30 for box in heights if box)
    wide = "table => [table.scrollWidth, table.parentElement.clientWidth]"
    table, room = runs.evaluate(wide)
    assert table <= room


def test_the_queue_says_what_waits_and_why(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers(relay=scenes.held())), "#/queue")
    held = visit.page.get_by_role("region", name="Held")
    expect(held).to_contain_text("535 5.7.8 Authentication credentials invalid")
    expect(held).to_contain_text(re.compile("ion asks again in [45] min"))
    expect(visit.page.get_by_role("region", name="Limited")).to_contain_text("limited to 5/s since")
    expect(visit.page.get_by_role("region", name="Paused")).to_contain_text(
        "Asked for by kim: “resets first”"
    )
    expect(visit.page.get_by_role("region", name="Stopped")).to_contain_text("18 emails so far")
    expect(visit.page.get_by_role("row", name=re.compile("^Bulk"))).to_contain_text("1,200")
    expect(visit.main).to_contain_text("Nobody hears 2 of them")


def test_steering_asks_and_says_what_was_done(open_page: Open) -> None:
    api = FakeApi(scenes.answers(relay=scenes.held()))
    for verb in ("pause", "stop", "resume", "wake"):
        api.answers[f"POST /api/{verb}"] = DONE
    visit = open_page(api, "#/queue")
    dialog = visit.page.get_by_role("dialog")
    visit.button("Pause …").click()
    dialog.get_by_label("What").select_option("bulk")
    dialog.get_by_label("Why").fill("resets first")
    dialog.get_by_role("button", name="Pause").click()
    expect(visit.page.locator("#news")).to_contain_text("Every running function has heard of it.")
    visit.button("Stop …").click()
    dialog.get_by_label("Tag").fill("campaign=spring")
    dialog.get_by_role("button", name="Stop them").click()
    expect(dialog).to_be_hidden()
    visit.button("Resume").click()
    dialog.get_by_role("button", name="Resume").click()
    visit.button("Wake").click()
    expect(dialog).to_be_hidden()
    asked = {key: body for key, body in api.asked if key.startswith("POST")}
    pause, stop = asked["POST /api/pause"], asked["POST /api/stop"]
    assert (pause["lane"], pause["why"]) == ("bulk", "resets first")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", pause["until"])
    assert stop["where"] == {"tag": {"campaign": "spring"}}
    assert "POST /api/resume" in asked


def test_a_stop_without_a_condition_is_asked_about_once_more(open_page: Open) -> None:
    api = FakeApi(scenes.answers(relay=scenes.held()))
    api.answers["POST /api/stop"] = DONE
    visit = open_page(api, "#/queue")
    dialog = visit.page.get_by_role("dialog")

    def stop(answer: str) -> None:
        visit.button("Stop …").click()
        dialog.get_by_label("Why").fill("wrong link")
        dialog.get_by_role("button", name="Stop them").click()
        expect(dialog).to_contain_text("every email whose turn comes is dead-lettered")
        dialog.get_by_role("button", name=answer).click()
        expect(dialog).to_be_hidden()

    stop("Leave it")
    assert "POST /api/stop" not in dict(api.asked)
    stop("Stop everything")
    expect(visit.page.locator("#news")).to_contain_text("Every running function has heard of it.")
    (asked,) = (body for key, body in api.asked if key == "POST /api/stop")
    assert (asked["where"], asked["why"]) == (None, "wrong link")


def test_one_order_is_ended_and_the_others_stay(open_page: Open) -> None:
    api = FakeApi(scenes.answers(relay=scenes.held()))
    api.answers["POST /api/resume"] = DONE
    visit = open_page(api, "#/queue")
    for order in ("Paused", "Stopped"):
        region = visit.page.get_by_role("region", name=order)
        with visit.page.expect_response("**/api/resume"):
            region.get_by_role("button", name="End it").click()
        expect(visit.page.locator("#news")).to_contain_text("Every running function has heard")
    ended = [body for key, body in api.asked if key == "POST /api/resume"]
    assert ended == [{"lane": "bulk"}, {"stop_id": "s1"}]


@pytest.mark.parametrize(("orders", "may"), [("none", False), ("stops", True), ("pauses", True)])
def test_resume_is_there_for_any_order(open_page: Open, orders: str, may: bool) -> None:
    relay = scenes.status(**{orders: getattr(scenes.held(), orders)} if may else {})
    visit = open_page(FakeApi(scenes.answers(relay=relay)), "#/queue")
    expect(visit.button("Resume")).to_be_enabled(enabled=may)


def test_alarms_of_which_it_is_not_known_who_hears_them_are_not_said_to_be_unheard(
    open_page: Open,
) -> None:
    alarm = msgspec.structs.replace(scenes.held().alarms[0], heard_by=None)
    visit = open_page(FakeApi(scenes.answers(relay=scenes.status(alarms=[alarm]))), "#/queue")
    expect(visit.main.get_by_role("heading", name="Alarms")).to_be_visible()
    expect(visit.main).not_to_contain_text("Nobody hears")


def test_form_and_json_follow_each_other(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/publish")
    message = visit.page.get_by_role("textbox", name="Message, as JSON")
    visit.page.get_by_label("To", exact=True).press("End")
    visit.page.get_by_label("To", exact=True).press_sequentially(", bob@example.org")
    visit.page.get_by_label("Subject").fill("Grüße")
    visit.page.get_by_text("17 more fields").click()
    visit.page.get_by_label("Lane").select_option("bulk")
    tags = visit.page.get_by_role("group", name="Tags")
    tags.get_by_role("button", name="Add one").click()
    tags.get_by_label("Name").fill("campaign")
    tags.get_by_label("Value").fill("spring")
    written = json.loads(message.input_value())
    assert written["recipient"] == ["ann@example.org", "bob@example.org"]
    assert (written["subject"], written["lane"]) == ("Grüße", "bulk")
    assert written["tags"] == {"campaign": "spring"}
    message.fill(json.dumps({**written, "subject": "Written in JSON"}))
    expect(visit.page.get_by_label("Subject")).to_have_value("Written in JSON")
    message.fill('{"action": "send", ')
    expect(visit.main).to_contain_text("so the form waits for it")
    expect(visit.main).to_contain_text("BAD_JSON")


def test_each_action_of_the_schema_has_a_form(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/publish")
    message = visit.page.get_by_role("textbox", name="Message, as JSON")
    for action in ("redrive", "cancel", "stop", "pause", "resume", "send"):
        visit.page.get_by_label("Action").select_option(action)
        expect(message).to_have_value(re.compile(f'"{action}"'))
    visit.page.get_by_label("Action").select_option("stop")
    visit.page.get_by_label("Recipient domain").fill("example.org")
    assert json.loads(message.input_value())["where"] == {"recipient_domain": "example.org"}


def test_a_fault_is_marked_in_both_and_leads_to_its_place(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/publish")
    visit.page.get_by_label("To", exact=True).fill("ann@@example.org")
    expect(visit.page.locator(".wrong-field")).to_contain_text("To")
    expect(visit.page.locator(".editor mark").first).to_be_attached()
    visit.button("line 3, column 3").click()
    selected = visit.page.evaluate(
        "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))"
        "(document.activeElement)"
    )
    assert selected == '"recipient": "ann@@example.org"'


def test_an_example_is_published(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/publish"] = Published(email_id="made-1", message_id="m", topic_arn="t")
    visit = open_page(api, "#/publish")
    visit.page.get_by_label("Examples").select_option("tags")
    expect(visit.page.get_by_label("To", exact=True)).to_have_value("bob@example.org")
    visit.page.get_by_label("by the topic for bulk").check()
    visit.button("Publish").click()
    expect(visit.page.get_by_role("link", name="See its history")).to_have_attribute(
        "href", "#/email/made-1"
    )
    ((_, body),) = [one for one in api.asked if one[0] == "POST /api/publish"]
    assert body == {"body": scenes.EXAMPLES[0]["body"], "bulk": True, "as_it_is": False}


def test_what_is_wrong_is_published_on_demand(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/publish"] = Published(email_id="", message_id="m", topic_arn="t")
    visit = open_page(api, "#/publish")
    visit.page.get_by_label("To", exact=True).fill("ann@@example.org")
    visit.button("Publish all the same").click()
    expect(visit.main.get_by_role("link", name="dead letters")).to_have_attribute("href", "#/dead")
    ((_, body),) = [one for one in api.asked if one[0] == "POST /api/publish"]
    assert body["as_it_is"] is True


def test_what_is_copied_is_what_is_shown(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/publish")
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.get_by_label("Subject").fill("Grüße")
    for name in ("AWS CLI", "Python", "Node.js"):
        visit.button(name).click()
        shown = visit.page.get_by_label(f"The same as {name}")
        expect(shown).to_contain_text("Grüße")
        visit.button("Copy").click()
        expect(visit.page.locator("#news")).to_have_text("Copied.")
        assert visit.page.evaluate("navigator.clipboard.readText()") == shown.inner_text()


def test_a_browser_that_lets_nothing_be_copied_is_told(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/publish")
    visit.page.evaluate(
        "void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))"
    )
    visit.button("Copy").click()
    expect(visit.page.locator("#news")).to_contain_text("copy it by hand")


def test_the_mail_servers_switch_is_turned(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/switches"] = lambda body, _: {**body, "modes": scenes.MODES}
    visit = open_page(api, "#/server")
    visit.page.get_by_role("radio", name="Down").check()
    expect(visit.page.locator("#news")).to_contain_text("The mail server: Down.")
    assert ("POST /api/switches", {"mode": "down"}) in api.asked
    parts = visit.page.get_by_role("navigation", name="Parts")
    expect(parts).to_contain_text("misbehaves: down")


def test_what_was_repeated_and_what_the_provider_said_is_on_the_timeline(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/emails/order-17"] = scenes.bounced()
    visit = open_page(api, "#/email/order-17")
    expect(visit.main.get_by_role("heading", name="Bounced")).to_be_visible()
    expect(visit.main.locator(".facts").first).to_contain_text("<a@example.org>")
    lines = visit.page.locator(".timeline li")
    expect(lines).to_have_count(3)
    expect(lines.nth(0)).to_contain_text("\N{MULTIPLICATION SIGN}144 until 12:00 UTC")
    expect(lines.nth(1)).to_contain_text("(recipient 1, recipient 2)")
    expect(lines.nth(1)).to_contain_text("1,120 ms")
    expect(lines.nth(2)).to_contain_text("550 5.1.1 gone")
    expect(visit.page.locator(".fates")).to_contain_text(re.compile(r"recipient 3\s*suppressed"))


def test_an_address_has_a_list_and_each_email_its_page(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/emails/ann@example.org"] = lambda _body, query: scenes.to_ann(
        scanned=80_000 if "scan" in query else None
    )
    visit = open_page(api, "#/email")
    visit.main.get_by_role("textbox").fill("ann@example.org")
    visit.main.get_by_role("button", name="Find").click()
    expect(visit.main).to_contain_text("2 emails to ann@example.org")
    expect(visit.main).to_contain_text(re.compile(r"Suppressed:\s*all mail, since .*\(complaint\)"))
    rows = visit.main.locator(".rows li")
    expect(rows.nth(0)).to_contain_text(re.compile(r"Queued\s*order-18\s*in the bulk queue"))
    expect(rows.nth(1)).to_contain_text("the email: dead-lettered RCPT_REJECTED")
    visit.main.get_by_role("button", name="Look through the whole ledger").click()
    expect(visit.main).to_contain_text("among all 80,000 rows of the ledger")
    rows.nth(1).get_by_role("link").click()
    expect(visit.main).to_contain_text("The mail server has put it off once")


def test_events_are_shown_as_they_come_and_lead_to_their_emails(open_page: Open) -> None:
    api = FakeApi(scenes.answers() | {"outcomes": []})
    visit = open_page(api, "#/queue")
    expect(visit.main).to_contain_text("None yet.")
    api.answers["outcomes"] = scenes.OUTCOMES
    told = visit.main.locator(".outcomes li")
    expect(told).to_have_count(2)
    expect(told.nth(0)).to_contain_text(re.compile(r"bounced\s*order-18\s*RCPT_REJECTED"))
    told.nth(1).get_by_role("link").click()
    expect(visit.main).to_contain_text("The mail server has put it off once")


def test_a_relay_that_tells_no_events_has_no_place_for_them(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/queue")
    expect(visit.main.get_by_role("heading", name="Last runs")).to_be_visible()
    expect(visit.main.get_by_role("heading", name="Events, as they come")).to_have_count(0)


def test_an_address_is_put_on_the_suppression_list_and_taken_off(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    listed = list(scenes.to_ann().suppressions)
    done = AddressKnown(hash="0" * 16, entries=[], soft_bounces=0, erased_at=None, words="done")

    def suppress(body: dict[str, str], _query: object) -> AddressKnown:
        listed.append(SuppressionFound(scope=body["scope"], why="manual", since=scenes.now()))
        return done

    def unsuppress(body: dict[str, str], _query: object) -> AddressKnown | tuple[int, str]:
        if body["scope"] == "all":
            return 409, "it has no entry of scope all"
        listed[:] = [one for one in listed if one.scope != body["scope"]]
        return done

    api.answers |= {
        "GET /api/emails/ann@example.org": lambda _body, _query: scenes.to_ann(suppressions=listed),
        "POST /api/suppress": suppress,
        "POST /api/unsuppress": unsuppress,
    }
    visit = open_page(api, "#/email/ann@example.org")
    visit.main.get_by_role("button", name="Write to it no more").click()
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("tag:list=news")
    dialog.get_by_role("button", name="Suppress").click()
    entries = visit.main.locator(".warn-text")
    expect(entries).to_have_count(2)
    expect(entries.nth(1)).to_contain_text(re.compile(r"tag:list=news, since .*\(manual\)"))
    entries.nth(1).get_by_role("button", name="Take it off").click()
    expect(entries).to_have_count(1)
    entries.nth(0).get_by_role("button", name="Take it off").click()
    expect(visit.main).to_contain_text("it has no entry of scope all")


def test_without_the_right_to_write_the_suppression_list_is_only_shown(open_page: Open) -> None:
    api = FakeApi(scenes.answers(write=False))
    api.answers["GET /api/emails/ann@example.org"] = scenes.to_ann()
    visit = open_page(api, "#/email/ann@example.org")
    expect(visit.main).to_contain_text("Suppressed: all mail")
    expect(visit.main.get_by_role("button", name="Take it off")).to_have_count(0)
    expect(visit.main.get_by_role("button", name="Write to it no more")).to_have_count(0)
