"""Who may ask the console, and what a browser may do with its answers."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse

from ionctl.console.answers import refusal

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""Of this machine. A page elsewhere whose name was made to lead here has another Host."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PAGE = (None, "same-origin", "none")
"""Sec-Fetch-Site of the page's own requests and of what a person opens; None: an old browser."""
_NOT_KEPT = ("/api/", "/mail/")
"""Paths whose answers no cache keeps: they hold emails."""


class Guard:
    """Refuses what doesn't come from the console's own page; writes headers that bind the browser.

    Who opens the page with the token in the address gets it as a cookie, which every tab of that
    browser sends from then on, and which leaves with the browser; no script can read it. Cookies
    don't know ports (RFC 6265, section 8.5): other pages of this machine have it sent, too, so a
    request with it must come from the console's own.

    Args:
        app: asked if nothing is refused.
        port: that the console listens on.
        token: that calls to /api/ have to know.
        write: False: nothing may be changed.
    """

    def __init__(self, app: ASGIApp, *, port: int, token: str, write: bool) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}" for name in _NAMES}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._token = token.encode()
        self._cookie = f"ion-console-{port}"
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def bound(message: Message) -> None:
            if message["type"] == "http.response.start":
                _bind(MutableHeaders(scope=message), scope["path"])
            await send(message)

        answered = self._refused(scope) or self._opened(scope)
        await (answered or self._app)(scope, receive, bound)

    def _refused(self, scope: Scope) -> Response | None:
        headers, path = Headers(scope=scope), scope["path"]
        if headers.get("host", "").lower() not in self._hosts:
            return refusal(HTTPStatus.FORBIDDEN, "open the console at the address that it printed")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in self._origins:
            return refusal(HTTPStatus.FORBIDDEN, "only the console's own page may ask")
        if path.startswith("/api/") and not self._knows_the_token(headers):
            return refusal(
                HTTPStatus.UNAUTHORIZED,
                "no token, or an old one: open the console at the address that it printed last",
            )
        if scope["method"] not in _READING and not self._write:
            return refusal(
                HTTPStatus.FORBIDDEN, "the console only looks: start it with --write to change"
            )
        return None

    def _knows_the_token(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind == "Bearer" and self._is_token(given):
            return True
        kept = cookie_parser(headers.get("cookie", "")).get(self._cookie, "")
        return self._is_token(kept) and headers.get("sec-fetch-site") in _OWN_PAGE

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token)  # takes as long for any guess

    def _opened(self, scope: Scope) -> Response | None:
        """The page without the token in its address; what follows # stays, as browsers have it."""
        given = QueryParams(scope["query_string"]).get("token")
        if scope["path"] != "/" or given is None:
            return None
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        if self._is_token(given):
            response.set_cookie(self._cookie, given, httponly=True, samesite="strict")
        return response


def _bind(headers: MutableHeaders, path: str) -> None:
    """Add what each answer has; a policy of its own stays."""
    headers.setdefault("content-security-policy", _PAGE_POLICY)
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "no-referrer"
    headers["cross-origin-opener-policy"] = "same-origin"
    headers["cross-origin-resource-policy"] = "same-origin"
    headers["x-dns-prefetch-control"] = "off"  # a policy has no word for it
    headers["cache-control"] = "no-store" if path.startswith(_NOT_KEPT) else "no-cache"
