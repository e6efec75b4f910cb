"""A browser, and the page with a relay of which everything is made up."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from real.unavailable import skipped_unless_available
from scripts.console.page import chromium
from scripts.console.page.fake_api import FakeApi, serving
from scripts.console.page.visit import Visit
from scripts.console.page.whole import Whole, whole

Open = Callable[..., Visit]
Enter = Callable[..., Visit]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A page that is closed lets go of what it was fetching: starlette leaves that file open."""
    left_open = "ignore:Exception ignored in. <_io.FileIO:pytest.PytestUnraisableExceptionWarning"
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(left_open))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with the module: until then Playwright's event loop runs in this thread."""
    with skipped_unless_available():
        found = chromium.found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.path,
            args=list(found.arguments),
            env={**os.environ, **found.environment},
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open the page with answers of the API; see Visit for the rest."""
    with ExitStack() as stack:

        def opened(api: FakeApi, part: str = "", **how: str | int) -> Visit:
            address = stack.enter_context(serving(api))
            return stack.enter_context(Visit(browser, address, part, **how))  # type: ignore[arg-type]

        yield opened


@pytest.fixture(scope="module")
def relay() -> Iterator[Whole]:
    with whole() as running:
        yield running


@pytest.fixture
def enter(relay: Whole, browser: Browser) -> Iterator[Enter]:
    """Open the page of the relay that runs; its queues are empty, and so are inbox and letters."""
    assert relay.stack.wait_until_settled()
    relay.stack.aws.sqs.purge_queue(QueueUrl=relay.stack.names.dead_letter_queue_url)
    relay.inbox.clear()
    with ExitStack() as stack:

        def entered(part: str = "", **how: str | int) -> Visit:
            token = relay.console.token
            visit = Visit(browser, relay.address, part, token=token, **how)  # type: ignore[arg-type]
            return stack.enter_context(visit)

        yield entered
