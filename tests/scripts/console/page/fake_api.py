"""The console's HTTP API with made-up answers, for states that a real relay is seldom in.

What the page does with a relay that works is shown on the whole local stack.
"""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ionctl.console.security import Guard
from ionctl.ops.result import Checked, Fault

ROOT = Path(__file__).parents[4]
STATIC = ROOT / "scripts" / "ionctl" / "console" / "static"
SCHEMA = json.loads((ROOT / "docs" / "schema" / "message.schema.json").read_text("utf-8"))
TOKEN = "t0ken"
_FRAMED = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_NEWS_SECONDS = 0.05


class FakeApi:
    """The API's answers, which a test sets, and what the page has asked of it.

    Args:
        answers: by method and path: JSON, or a status and an error.

    Attributes:
        asked: by the page so far: method and path, and the body.
        connected: how often it has listened to the news.
        cut: True ends that.
        cut_up: True: each piece of news comes in two, cut within its first letter beyond ASCII.
    """

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []
        self.connected = 0
        self.cut = False
        self.cut_up = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._page),
                Mount("/static", StaticFiles(directory=STATIC)),
                Route("/mail/{id}/html", self._mail_html),
                Route("/mail/{id}/source", self._mail_source),
                Route("/api/changes", self._changes),
                Route("/api/{path:path}", self._answer, methods=["GET", "POST", "DELETE"]),
            ]
        )

    async def _page(self, _request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def _mail_html(self, request: Request) -> Response:
        return HTMLResponse(self.answers[f"mail {request.path_params['id']}"], headers=_FRAMED)

    async def _mail_source(self, _request: Request) -> Response:
        return Response("Subject: raw\r\n\r\nraw", media_type="text/plain")

    async def _answer(self, request: Request) -> Response:
        key = f"{request.method} /api/{request.path_params['path']}"
        body = json.loads(await request.body() or b"null")
        self.asked.append((key, body))
        answer = self.answers.get(key)
        if callable(answer):
            answer = answer(body, request.query_params)
        if isinstance(answer, tuple):
            return JSONResponse({"error": answer[1]}, status_code=answer[0])
        if answer is None:
            return JSONResponse({"error": f"There is no {key}."}, status_code=404)
        return Response(msgspec.json.encode(answer), media_type="application/json")

    async def _changes(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[bytes]:
        """Send what is other than before."""
        self.connected += 1
        told: dict[str, bytes] = {}
        while not self.cut:
            for name, data in self._news().items():
                if told.get(name) != data:
                    told[name] = data
                    event = b"event: %s\ndata: %s\n\n" % (name.encode(), data)
                    if self.cut_up:
                        at = next((n for n, octet in enumerate(event) if octet > 127), 10) + 1
                        yield event[:at]
                        await asyncio.sleep(_NEWS_SECONDS)
                        event = event[at:]
                    yield event
            await asyncio.sleep(_NEWS_SECONDS)

    def _news(self) -> dict[str, bytes]:
        status = self.answers["GET /api/status"]
        inbox = self.answers.get("GET /api/inbox") or {"count": 0, "emails": []}
        if callable(inbox):
            inbox = inbox(None, {})
        emails = inbox["emails"]
        switches = self.answers.get("GET /api/switches")
        newest_id = emails[0]["id"] if emails else ""
        news: dict[str, Any] = {"inbox": {"count": inbox["count"], "newest_id": newest_id}}
        if isinstance(status, tuple):
            news["error"] = {"error": status[1]}
        else:
            news["status"] = status
            news["dead"] = {"visible": status.queues.dead_letter.visible}
        if switches:
            news["switches"] = switches
        if "outcomes" in self.answers:
            news["outcomes"] = {"latest": self.answers["outcomes"]}
        return {name: msgspec.json.encode(data) for name, data in news.items()}


def checked(body: dict[str, str], _query: object) -> Checked:
    """Find fault with what isn't JSON and with one address, as the real check would."""
    text = body["body"]
    fault = None
    try:
        message = json.loads(text)
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        fault = Fault(
            reason="BAD_JSON",
            path="",
            problem="",
            did_you_mean="",
            words="This isn't JSON.",
            line=line,
            column=column,
        )
        message = {}
    if "@@" in str(message.get("recipient")):
        fault = Fault(
            reason="INVALID_ADDRESS",
            path="$.recipient",
            problem="value",
            did_you_mean="",
            words="An address is a@b, Name <a@b> or an object with email and name.",
        )
    faults = [fault] if fault else []
    return Checked(
        source="-",
        ok=not faults,
        action=str(message.get("action", "")),
        email_id=str(message.get("email_id", "")),
        bytes=len(text),
        faults=faults,
        warnings=[]
        if message.get("email_id")
        else ["It names no email_id: published twice it is sent twice."],
    )


@contextmanager
def serving(api: FakeApi) -> Iterator[str]:
    """Serve it on loopback, behind the console's own guard; give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = Guard(api.app(), port=listener.getsockname()[1], token=TOKEN, write=True)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        api.cut = server.should_exit = True
        thread.join()
        listener.close()
