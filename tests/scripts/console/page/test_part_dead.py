"""Dead letters, made up."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Error, Locator, Route, expect

from ionctl.console.moved import redriven
from ionctl.ops.result import Edited, Letters, Moved, ReasonCount
from scripts.console.page import scenes
from scripts.console.page.conftest import Open
from scripts.console.page.fake_api import FakeApi
from scripts.console.page.visit import Visit

pytestmark = pytest.mark.system


def moved(done: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as Moved has it
    reasons = [ReasonCount(reason="INVALID_ADDRESS", count=done)]
    about = {"chosen": done, "done": done, "refused": 0, "hidden": 0, "woken": True, **changes}
    found = Moved(reasons=reasons, dry_run=False, **about)
    return {**msgspec.to_builtins(found), "words": redriven(found)}


def of_the_letter(visit: Visit, name: str) -> Locator:
    """A button of the letter that is open; what is ticked in the list has ones of the same name."""
    return visit.main.get_by_role("article").get_by_role("button", name=name, exact=True)


def test_the_bad_place_is_marked_with_line_and_column(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/dead/m-1")
    expect(visit.main.locator("mark").first).to_be_visible()
    assert (
        "".join(visit.main.locator("mark").all_inner_texts()) == '"recipient": "ann@@example.org"'
    )
    expect(visit.main).to_contain_text("$.recipient, line 4, column 3")


def test_a_group_is_an_address_of_its_own(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    visit = open_page(api, "#/dead")
    visit.page.get_by_role("link", name="INVALID_ADDRESS $.recipient 2").click()
    assert visit.part == "#/dead?reason=INVALID_ADDRESS&path=%24.recipient"
    expect(visit.main).to_contain_text("What would be right: an address")
    visit.page.go_back()
    expect(visit.main).to_contain_text("4 dead letters")


def test_letters_that_are_all_hidden_are_not_taken_for_none(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/dead"] = Letters(groups=[], letters=[], seen=0, chosen=0, hidden=2)
    visit = open_page(api, "#/dead")
    expect(visit.main).to_contain_text("About 2 letters can't be looked at")
    expect(visit.main).not_to_contain_text("No dead letters.")


@pytest.mark.parametrize(("chosen", "said"), [(4, 0), (1200, 1)])
def test_a_list_that_leaves_letters_out_says_so(open_page: Open, chosen: int, said: int) -> None:
    api = FakeApi(scenes.answers())
    api.answers["GET /api/dead"] = msgspec.structs.replace(scenes.letters(), chosen=chosen)
    visit = open_page(api, "#/dead")
    expect(visit.main).to_contain_text("4 dead letters")
    expect(visit.main.get_by_text(f"The newest 4 of {chosen}.")).to_have_count(said)


def by_reason(found: Letters) -> Callable[[object, Mapping[str, str]], Letters]:
    """What the API answers: the groups of the reason that is asked for."""

    def answer(_body: object, query: Mapping[str, str]) -> Letters:
        reason = query.get("reason")
        groups = [one for one in found.groups if reason in (None, one.reason)]
        return msgspec.structs.replace(found, groups=groups)

    return answer


def groups_of(visit: Visit) -> Locator:
    return visit.page.get_by_role("navigation", name="By reason and path").get_by_role("link")


def counted(addresses: int, recipients: int) -> list[re.Pattern[str]]:
    """The texts of the groups."""
    words = ("All", rf"\$\.recipient\s*{addresses}\b", rf"RCPT_REJECTED\s*{recipients}\b")
    return [re.compile(one) for one in words]


def test_the_groups_are_counted_anew_when_letters_come_or_go(open_page: Open) -> None:
    """Those that an open group leaves out as well."""
    found = scenes.letters()
    api = FakeApi(scenes.answers() | {"GET /api/dead": by_reason(found)})
    visit = open_page(api, "#/dead?reason=RCPT_REJECTED")
    expect(groups_of(visit)).to_have_text(counted(2, 2))
    fewer = [msgspec.structs.replace(found.groups[0], count=1), found.groups[1]]
    api.answers["GET /api/dead"] = by_reason(msgspec.structs.replace(found, groups=fewer))
    three = msgspec.structs.replace(scenes.held().queues.dead_letter, visible=3)
    queues = msgspec.structs.replace(scenes.status().queues, dead_letter=three)
    api.answers["GET /api/status"] = scenes.status(queues=queues)
    expect(groups_of(visit)).to_have_text(counted(1, 2))


def test_all_groups_stay_when_all_letters_are_left_before_they_came(open_page: Open) -> None:
    api = FakeApi(scenes.answers() | {"GET /api/dead": by_reason(scenes.letters())})
    visit = open_page(api, "#/dead?reason=RCPT_REJECTED")
    expect(groups_of(visit)).to_have_text(counted(2, 2))
    visit.page.route("**/api/dead", lambda _route: None)
    with visit.page.expect_request("**/api/dead"):
        visit.go("#/dead")
    with visit.page.expect_request_finished(lambda one: "reason=INVALID_ADDRESS" in one.url):
        visit.go("#/dead?reason=INVALID_ADDRESS&path=%24.recipient")
    expect(visit.main).to_contain_text("What would be right: an address")
    expect(groups_of(visit)).to_have_text(counted(2, 2))


def test_letters_that_are_ticked_are_redriven(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/redrive"] = moved(2)
    visit = open_page(api, "#/dead")
    boxes = visit.page.get_by_role("checkbox", name="Choose the letter to ann@@")
    expect(boxes).to_have_count(2)
    for number in range(2):
        boxes.nth(number).check()
    visit.button("Redrive").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(visit.page.get_by_role("status").first).to_contain_text("2 of 2 dead letters moved back")
    assert ("POST /api/dead/redrive", {"ids": ["m-1", "m-2"]}) in api.asked


def test_a_group_is_redriven_by_its_reason_and_path(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/redrive"] = moved(2)
    visit = open_page(api, "#/dead")
    visit.button("Redrive all 2").first.click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(visit.page.locator("#news")).to_contain_text("2 of 2 dead letters moved back")
    where = {"reason": "INVALID_ADDRESS", "path": "$.recipient"}
    assert ("POST /api/dead/redrive", {"where": where}) in api.asked


def test_a_letter_that_is_ticked_and_not_shown_stays(open_page: Open) -> None:
    def of_reason(_body: object, query: Mapping[str, str]) -> Letters:
        found = scenes.letters()
        shown = [one for one in found.letters if query.get("reason", one.reason) == one.reason]
        return msgspec.structs.replace(found, letters=shown, chosen=len(shown))

    api = FakeApi(scenes.answers() | {"GET /api/dead": of_reason})
    api.answers["POST /api/dead/redrive"] = moved(1)
    visit = open_page(api, "#/dead")
    visit.page.get_by_role("checkbox", name="Choose the letter to ann@@").first.check()
    visit.page.get_by_role("link", name="RCPT_REJECTED 2").click()
    boxes = visit.page.get_by_role("checkbox", name="Choose the letter to")
    expect(boxes).to_have_count(2)
    boxes.first.check()
    visit.button("Redrive").click()
    visit.page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(visit.page.get_by_role("status").first).to_contain_text("1 of 1 dead letter moved back")
    assert ("POST /api/dead/redrive", {"ids": ["m-3"]}) in api.asked


def test_a_question_that_is_left_is_a_no_after_a_yes_as_well(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/redrive"] = moved(2)
    visit = open_page(api, "#/dead")
    dialog = visit.page.get_by_role("dialog")
    visit.button("Redrive all 2").first.click()
    dialog.get_by_role("button", name="Redrive").click()
    expect(visit.page.locator("#news")).to_contain_text("2 of 2 dead letters moved back")
    visit.button("Redrive all 2").last.click()
    expect(dialog).to_be_visible()
    # Escape, as HTML has it: the return value stays as it was. Chromium's Escape empties it.
    visit.page.evaluate("document.getElementById('dialog').close()")
    expect(dialog).to_be_hidden()
    visit.go("#/dead/m-3")
    expect(visit.button("Edit and resend")).to_be_visible()
    assert [key for key, _ in api.asked].count("POST /api/dead/redrive") == 1


def test_what_is_discarded_is_downloaded(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/discard"] = {
        **moved(1, file="/tmp/ion-discarded.jsonl"),
        "words": "1 of 1 dead letter discarded.",
        "jsonl": '{"body": "…"}\n',
    }
    visit = open_page(api, "#/dead/m-1")
    expect(visit.button("Discard …")).to_have_count(2)  # of those ticked, and of the one open
    of_the_letter(visit, "Discard …").click()
    with visit.page.expect_download() as download:
        visit.button("Download and discard").click()
    assert download.value.path().read_text("utf-8") == '{"body": "…"}\n'
    assert download.value.suggested_filename.endswith(".jsonl")
    told = visit.main.get_by_role("status")
    expect(told).to_contain_text(f"in {download.value.suggested_filename}, downloaded")
    expect(told).to_contain_text("./ionctl --local dead restore /tmp/ion-discarded.jsonl")
    visit.button("Close").click()
    expect(told).to_be_hidden()


@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_letters_that_are_hidden_are_said_to_be_and_stay_chosen(open_page: Open, verb: str) -> None:
    api = FakeApi(scenes.answers())
    words = "Nothing is moved: about 2 dead letters can't be looked at."
    api.answers[f"POST /api/dead/{verb}"] = {
        **moved(0, hidden=2), "words": words, "jsonl": "",
    }  # fmt: skip
    visit = open_page(api, "#/dead/m-1")
    of_the_letter(visit, "Redrive as it is" if verb == "redrive" else "Discard …").click()
    visit.page.get_by_role("dialog").locator("button").last.click()
    expect(visit.main.get_by_role("status")).to_have_text(re.compile(re.escape(words)))
    expect(visit.main.get_by_role("status")).not_to_contain_text("downloaded")
    assert visit.part == "#/dead/m-1"


def test_a_letter_that_was_put_back_is_found_under_its_other_id(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    gone = (409, "there is no letter m-0")
    back = msgspec.structs.replace(scenes.life(), letters=[scenes.letter(1)])
    api.answers |= {"GET /api/dead/m-0": gone, "GET /api/emails/order-17": back}
    visit = open_page(api, "#/dead/m-0?email=order-17")
    expect(visit.page.get_by_role("heading", name="INVALID_ADDRESS $.recipient")).to_be_visible()
    assert visit.part == "#/dead/m-1?email=order-17"
    api.answers["GET /api/dead/m-1"] = (409, "there is no letter m-1")
    visit.go("#/dead")
    visit.go("#/dead/m-1")
    expect(visit.main.get_by_role("alert")).to_contain_text("there is no letter m-1")
    expect(visit.button("Edit and resend")).to_have_count(0)
    expect(visit.page.get_by_role("link", name="What became of its email")).to_be_visible()


def test_what_to_do_is_said_of_a_group_and_of_a_letter(open_page: Open) -> None:
    words = "correct the address where you keep it"
    found = msgspec.to_builtins(scenes.letters())
    for group in found["groups"]:
        group["remedy"] = words
    api = FakeApi(scenes.answers())
    api.answers["GET /api/dead"] = found
    refused = msgspec.to_builtins(scenes.letter(3, **scenes.REFUSED))
    api.answers["GET /api/dead/m-3"] = {**refused, "remedy": words}
    visit = open_page(api, "#/dead")
    expect(visit.main.get_by_text(f"What to do: {words}")).to_have_count(2)
    visit.go("#/dead/m-3")
    expect(visit.main.locator(".reading")).to_contain_text(f"What to do: {words}")


def test_an_edit_is_checked_while_it_is_typed_and_then_sent(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/m-1/edit"] = Edited(email_id="order-17", words="It is on its way.")
    visit = open_page(api, "#/dead/m-1")
    visit.button("Edit and resend").click()
    expect(visit.main.locator(".faults")).to_contain_text("INVALID_ADDRESS")
    expect(visit.button("Resend")).to_be_disabled()
    field = visit.page.get_by_role("textbox", name="Body, as JSON")
    field.fill(field.input_value().replace("@@", "@"))
    visit.button("Resend").click()
    expect(visit.page.locator("#news")).to_contain_text("It is on its way.")
    assert visit.part == "#/email/order-17"
    sent = [body["body"] for key, body in api.asked if key == "POST /api/dead/m-1/edit"]
    assert sent == [scenes.BAD_BODY_LINES.replace("@@", "@")]


def test_an_edit_that_is_refused_says_why_and_keeps_what_was_typed(open_page: Open) -> None:
    api = FakeApi(scenes.answers())
    api.answers["POST /api/dead/m-1/edit"] = (409, "It was sent meanwhile; look at it first.")
    visit = open_page(api, "#/dead/m-1")
    visit.button("Edit and resend").click()
    field = visit.page.get_by_role("textbox", name="Body, as JSON")
    field.fill(field.input_value().replace("@@", "@"))
    visit.button("Resend").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("It was sent meanwhile")
    assert "ann@example.org" in field.input_value()


def test_what_was_typed_for_one_letter_is_not_sent_as_another(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/dead/m-1")
    visit.button("Edit and resend").click()
    expect(visit.page.get_by_role("textbox", name="Body, as JSON")).to_be_visible()
    visit.go("#/dead/m-3")
    expect(visit.main).to_contain_text("bounce@simulator.test")
    expect(visit.button("Edit and resend")).to_be_visible()
    expect(visit.page.get_by_role("textbox", name="Body, as JSON")).to_have_count(0)


def test_a_letter_that_was_left_before_it_came_is_in_nobodys_way(open_page: Open) -> None:
    visit = open_page(FakeApi(scenes.answers()), "#/dead/m-1")
    expect(visit.button("Edit and resend")).to_be_visible()
    held: list[Route] = []
    visit.page.route("**/api/dead/m-3", lambda route: held.append(route))  # noqa: PLW0108 - it marks it
    with visit.page.expect_request("**/api/dead/m-3"):
        visit.go("#/dead/m-3")
    visit.go("#/dead/m-1")
    expect(visit.button("Edit and resend")).to_be_visible()
    (late,) = held
    with suppress(Error):  # its request may have been given up
        late.continue_()
    expect(visit.button("Edit and resend")).to_be_visible()
    expect(visit.main).not_to_contain_text("Opening")
