"""The inbox over HTTP: its list, its emails, and what a reader opens of one.

Addresses below /mail/ need no token, since a frame and a download can't send one: the id in them
has 128 random bits.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from ionctl.console.answers import answer
from ionctl.console.html_mail import document, policy, remote_references

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from ionctl.console.inbox import Inbox, Kept
    from ionctl.console.threads import Threads

_USUAL_LIMIT = 100
_NOTHING = "default-src 'none'; frame-ancestors 'none'; sandbox"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An email in a list.

    Args:
        author: From; the envelope's sender, if it has none.
        to: mailboxes in To.
        recipients: the envelope's.
        marks: what is so: "html", "text" (it has one), "attachments", "unsubscribe" (a header for
            it), "unconfirmed" (the relay was never told that it was taken).
        email_id: the relay's key; empty: not known.
    """

    id: str
    at: datetime
    author: str = msgspec.field(name="from")
    to: list[str]
    recipients: tuple[str, ...]
    subject: str
    bytes: int
    marks: list[str]
    email_id: str


class File(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment in a list."""

    n: int
    filename: str
    content_type: str
    bytes: int
    inline: bool


class Whole(Summary, frozen=True, kw_only=True):
    """An email that is read.

    Args:
        headers: names and values, in order.
        remote: addresses elsewhere that the HTML would fetch something from.
    """

    headers: list[tuple[str, str]]
    text: str
    has_html: bool
    attachments: list[File]
    remote: int


class Mail:
    """Routes of the inbox.

    Args:
        inbox: None: there is none, and it isn't found.
        key_of: gives an email's key for its Message-ID; empty: not known.
        threads: for what takes a while: taking an email apart does.
    """

    def __init__(self, inbox: Inbox | None, key_of: Callable[[str], str], threads: Threads) -> None:
        self._inbox = inbox
        self._key_of = key_of
        self._threads = threads

    @property
    def routes(self) -> list[Route]:
        """All of them."""
        return [
            self._route("/api/inbox", self._list),
            self._route("/api/inbox", self._empty, "DELETE"),
            self._route("/api/inbox/{id}", self._whole),
            self._route("/mail/{id}/html", self._html),
            self._route("/mail/{id}/source", self._source),
            self._route("/mail/{id}/attachments/{n}", self._attachment),
        ]

    def _route(
        self, path: str, respond: Callable[[Request], Response], method: str = "GET"
    ) -> Route:
        async def in_thread(request: Request) -> Response:
            return await self._threads.run(respond, request)

        return Route(path, in_thread, methods=[method])

    def _list(self, request: Request) -> Response:
        emails = self._emails.newest_first()
        count = len(emails)
        if words := request.query_params.get("search", "").casefold().split():
            emails = [one for one in emails if all(w in one.overview.searched for w in words)]
        summaries = [self._summary(one) for one in emails[: _limit(request)]]
        return answer({"count": count, "emails": summaries})

    def _empty(self, _request: Request) -> Response:
        self._emails.clear()
        return answer({"count": 0, "emails": []})

    def _whole(self, request: Request) -> Response:
        kept = self._kept(request)
        mime = kept.mime
        return answer(
            Whole(
                **msgspec.structs.asdict(self._summary(kept)),
                headers=mime.fields,
                text=mime.text,
                has_html=bool(mime.html),
                attachments=[
                    File(
                        n=one.n,
                        filename=one.filename,
                        content_type=one.content_type,
                        bytes=len(one.content),
                        inline=one.inline,
                    )
                    for one in mime.attachments
                ],
                remote=remote_references(mime.html),
            )
        )

    def _html(self, request: Request) -> Response:
        mime = self._kept(request).mime
        if not mime.html:
            raise HTTPException(HTTPStatus.NOT_FOUND, "the email has no HTML")
        remote = request.query_params.get("remote") == "1"
        return Response(
            document(mime.html, mime.attachments, remote=remote),
            media_type="text/html; charset=utf-8",
            headers={"content-security-policy": policy(remote=remote)},
        )

    def _source(self, request: Request) -> Response:
        return Response(
            self._kept(request).arrived.content,
            media_type="text/plain; charset=utf-8",
            headers={"content-security-policy": _NOTHING},
        )

    def _attachment(self, request: Request) -> Response:
        number = request.path_params["n"]
        files = self._kept(request).mime.attachments
        attachments = {str(place): file for place, file in enumerate(files)}
        if number not in attachments:
            raise HTTPException(HTTPStatus.NOT_FOUND, "the email has no such attachment")
        file = attachments[number]
        name = quote(file.filename.rpartition("/")[2] or f"attachment-{number}", safe="")
        return Response(
            file.content,
            media_type="application/octet-stream",  # no browser opens it
            headers={
                "content-disposition": f"attachment; filename*=UTF-8''{name}",
                "content-security-policy": _NOTHING,
            },
        )

    @property
    def _emails(self) -> Inbox:
        if self._inbox is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "only the local relay has an inbox")
        return self._inbox

    def _kept(self, request: Request) -> Kept:
        kept = self._emails.get(request.path_params["id"])
        if kept is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such email in the inbox")
        return kept

    def _summary(self, kept: Kept) -> Summary:
        arrived, overview = kept.arrived, kept.overview
        return Summary(
            id=kept.id,
            at=arrived.at,
            author=overview.author,
            to=overview.to,
            recipients=arrived.recipients,
            subject=overview.subject,
            bytes=len(arrived.content),
            marks=overview.marks,
            email_id=self._key_of(overview.message_id),
        )


def _limit(request: Request) -> int:
    asked = request.query_params.get("limit", "")
    return min(int(asked), 1000) if asked.isdecimal() and asked.isascii() else _USUAL_LIMIT
