"""Pictures of the console: the first email of a local stack, for README, or of each part."""

import os
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright

from ionctl.local import first_email
from scripts.console.page import chromium
from scripts.console.page.fake_api import ROOT
from scripts.console.page.visit import Visit
from scripts.console.page.whole import Whole, whole

IMAGES: Final = ROOT / "docs" / "images"
MOST_BYTES: Final = 150_000
_BEFORE: Final = (
    ("Jörg Example <joerg@example.org>", "Your invoice of November"),
    ("bounce@simulator.test", "Refused for good"),
    ("Kim <kim@example.net>", "Reset your password"),
    ("team@example.com", "Nightly report: 3 of 412 checks failed"),
)
"""Published before the first email, so that there is something to see around it."""


def main(folder: Path) -> None:
    """Bring a stack up, send the first email, and take the pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = chromium.found()
    with whole() as relay, sync_playwright() as playwright:
        for recipient, subject in _BEFORE:
            relay.publish(recipient, subject=subject, body_text="…", body_html="<p>…</p>")
        relay.stack.wait_for_emails(len(_BEFORE) - 1)
        relay.stack.publish(first_email.message())
        relay.stack.wait_for_emails(len(_BEFORE))
        browser = playwright.chromium.launch(
            executable_path=found.path,
            args=list(found.arguments),
            env={**os.environ, **found.environment},
        )
        for theme, name in (("light", "console.png"), ("dark", "console-dark.png")):
            _take(browser, relay, theme, folder / name)
        browser.close()


def _take(browser: Browser, relay: Whole, theme: str, file: Path) -> None:
    with Visit(browser, relay.address, token=relay.console.token, theme=theme) as visit:  # type: ignore[arg-type]
        expect(visit.page.frame_locator("iframe").locator("img").first).to_be_visible()
        expect(visit.page.locator(".strip.good")).to_be_visible()
        visit.page.screenshot(path=file)
    if file.stat().st_size > MOST_BYTES:
        sys.exit(f"{file} has more than {MOST_BYTES // 1000} KB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else IMAGES)
