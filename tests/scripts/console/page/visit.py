"""One visit of the page, which may ask nobody else for anything, and break no policy of its own."""

from typing import Literal, Self

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from scripts.console.page.fake_api import TOKEN

PHONE = 390
_REFUSAL = "Failed to load resource"  # an answer of the API's that isn't 2xx: the page's own affair
_FORBIDDEN = ("csp", "origin")
expect.set_options(timeout=30_000)


class Visit:
    """A page that is open.

    Args:
        address: the console's, without its token.
        part: what follows in the address: "#/queue".
        theme: what the system prefers.
        timezone: of the person; another one than the relay's.
    """

    def __init__(  # noqa: PLR0913 - what a test may want otherwise
        self,
        browser: Browser,
        address: str,
        part: str = "",
        *,
        theme: Literal["light", "dark"] = "light",
        width: int = 1280,
        token: str = TOKEN,
        timezone: str = "Europe/Berlin",
    ) -> None:
        self.address = address
        self.wrong: list[str] = []
        self.elsewhere: list[str] = []
        self._context = browser.new_context(
            viewport={"width": width, "height": 844 if width == PHONE else 800},
            color_scheme=theme,
            timezone_id=timezone,
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self.page: Page = self._context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self._context.on("request", self._on_request)
        self._context.on("requestfailed", self._on_failure)
        self.page.goto(f"{address}/?token={token}{part}" if token else f"{address}/{part}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REFUSAL):
            self.wrong.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.elsewhere.append(request.url)

    def _on_failure(self, request: Request) -> None:
        """Take back what the browser forbade: it is told as a request, too, and isn't sent."""
        if request.failure in _FORBIDDEN and request.url in self.elsewhere:
            self.elsewhere.remove(request.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._context.close()
        if kind is None:
            assert self.elsewhere == []
            assert self.wrong == []

    def go(self, part: str) -> None:
        self.page.goto(f"{self.address}/{part}")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def part(self) -> str:
        """What follows in the address."""
        return self.page.evaluate("location.hash")  # type: ignore[no-any-return]
