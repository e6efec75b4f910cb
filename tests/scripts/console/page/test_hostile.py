"""HTML that wants more than to be read."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from ionctl.local.mail_session import Arrived
from scripts.console.page.conftest import Enter
from scripts.console.page.visit import Visit
from scripts.console.page.whole import Whole

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HOSTILE = """<!doctype html><html><head>
<meta http-equiv="refresh" content="0;url=https://evil.example/refreshed">
<base href="https://evil.example/"><link rel="stylesheet" href="https://evil.example/style.css">
<link rel="preconnect" href="https://evil.example"><link rel="dns-prefetch" href="//evil.example">
<title>owned</title></head><body>
<script>parent.document.title = "owned"; top.location = "https://evil.example/"; alert(1)</script>
<img src="https://evil.example/pixel.png" onerror="parent.document.title='owned'">
<svg onload="parent.document.title='owned'"><use href="https://evil.example/a.svg#x"/></svg>
<form action="https://evil.example/form"><input name="a" autofocus><button>Send</button></form>
<iframe src="https://evil.example/frame"></iframe><object data="https://evil.example/o"></object>
<video src="https://evil.example/v" autoplay poster="https://evil.example/p"></video>
<a href="https://evil.example/top" target="_top">top</a> <a href="javascript:alert(1)">script</a>
<style>@import "https://evil.example/import.css"; * { background: url(https://evil.example/bg) }
 #cover { position: fixed; inset: 0; z-index: 2147483647; background: red }</style>
<div id="cover">covered</div></iframe></div></main><h1>escaped</h1></body></html>"""

HUGE = "<p>All of it.</p>" + "<p>Much of it is text.</p>" * (5_000_000 // 26)


def arrives(relay: Whole, html: str, subject: str = "Look at me") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "evil@example.org",
        "ann@example.org",
        subject,
    )
    message.set_content("text")
    message.add_alternative(html, subtype="html")
    content = message.as_bytes()
    relay.inbox.put(Arrived(datetime.now(UTC), "evil@example.org", ("ann@example.org",), content))


def assert_untouched(visit: Visit) -> None:
    """The page is its own still: its title, address, menu and controls."""
    assert visit.page.title() == "Inbox · ion"
    assert visit.page.url == f"{visit.address}/{visit.part}"
    assert visit.page.get_by_text("escaped", exact=True).count() == 0
    visit.page.get_by_role("tab", name="Headers").click()
    expect(visit.page.get_by_role("tabpanel")).to_contain_text("evil@example.org")
    visit.page.get_by_role("link", name="Queue").click()
    expect(visit.page.get_by_role("heading", name="Queue")).to_be_visible()


def forgive_the_frame(visit: Visit) -> None:
    """Chromium says of each thing that the frame was kept from it; nothing else is said."""
    refused = ("Blocked", "blocked", "Refused", "violates", "sandbox", "Unsafe attempt")
    assert [one for one in visit.wrong if not any(word in one for word in refused)] == []
    visit.wrong.clear()


def test_nothing_leaves_and_the_page_is_untouched(enter: Enter, relay: Whole) -> None:
    visit = enter("#/inbox")
    arrives(relay, HOSTILE)
    frame = visit.page.frame_locator("iframe").first
    expect(frame.locator("#cover")).to_be_visible()
    frame.get_by_text("Send").dispatch_event("click")
    frame.get_by_text("script").dispatch_event("click")
    assert_untouched(visit)
    forgive_the_frame(visit)  # that nothing was asked for elsewhere, Visit sees


def test_remote_content_is_fetched_when_it_is_asked_for_alone(enter: Enter, relay: Whole) -> None:
    visit = enter("#/inbox")
    remote = "https://images.example/pixel.png"
    visit.page.context.route(
        remote, lambda route: route.fulfill(body=b"", content_type="image/png")
    )
    arrives(relay, f"<p>Hello</p><img src={remote}>")
    expect(visit.main).to_contain_text("1 remote reference blocked.")
    expect(visit.page.frame_locator("iframe").get_by_text("Hello")).to_be_visible()
    assert visit.elsewhere == []
    forgive_the_frame(visit)
    with visit.page.expect_request(remote):
        visit.button("Show remote content").click()
    expect(visit.main).to_contain_text("1 remote reference shown")
    assert set(visit.elsewhere) == {remote}
    visit.elsewhere.clear()


def test_five_megabytes_are_shown(enter: Enter, relay: Whole) -> None:
    visit = enter("#/inbox")
    arrives(relay, HUGE)
    expect(visit.page.frame_locator("iframe").get_by_text("All of it.")).to_be_visible(
        timeout=60_000
    )
    visit.page.get_by_role("tab", name="Source").click()
    expect(visit.page.get_by_role("tabpanel")).to_contain_text("Download has it all")
    assert_untouched(visit)


def test_names_from_an_email_are_text(enter: Enter, relay: Whole) -> None:
    visit = enter("#/inbox")
    arrives(relay, "<p>Hello</p>", subject="<img src=x onerror=alert(1)><h1>escaped</h1>")
    expect(visit.page.locator("a.mail .subject")).to_contain_text("<h1>escaped</h1>")
    assert_untouched(visit)
