"""The console's server: one page, its API and the inbox, on this machine alone."""

from __future__ import annotations

import asyncio
import secrets
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from ionctl import loopback
from ionctl.console import operations
from ionctl.console.answers import ERRORS
from ionctl.console.api import Api
from ionctl.console.changes import Changes
from ionctl.console.keys import Keys
from ionctl.console.mail import Mail
from ionctl.console.security import Guard
from ionctl.console.threads import Threads
from ionctl.files import version
from ionctl.problem import Problem

if TYPE_CHECKING:
    import socket

    from starlette.requests import Request

    from ionctl.console.inbox import Inbox
    from ionctl.console.outcomes import Outcomes
    from ionctl.console.switches import Switches
    from ionctl.ops.account import Account
    from ionctl.ops.deployment import Deployment

DEFAULT_PORT = 8466
_STATIC = Path(__file__).with_name("static")
_LOCAL_LOOK_SECONDS = 1
_AWS_LOOK_SECONDS = 10
"""AWS counts in steps of some seconds, and asks money for a look."""
_LAST_SECONDS = 1
"""For answers that are under way when the console ends."""


class Console:
    """Serves a relay's console, in a thread of its own, between `__enter__` and `__exit__`.

    Example:
        with Console(deployment, write=False) as console:
            print(console.url)

    Args:
        deployment: the relay.
        port: None: the usual one, or a free one if that is taken.
        write: whether something may be changed.
        inbox: of the local mail server; None: there is none.
        switches: of the same.
        outcomes: events of the local stack; None: there are none.
        token: that the page has to know; None: a new one.
    """

    def __init__(  # noqa: PLR0913 - the parts of a console
        self,
        deployment: Deployment,
        *,
        port: int | None = None,
        write: bool,
        inbox: Inbox | None = None,
        switches: Switches | None = None,
        outcomes: Outcomes | None = None,
        token: str | None = None,
    ) -> None:
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self.token = token or secrets.token_urlsafe(16)
        local = deployment.account.endpoint_url is not None
        self._threads = Threads()
        self._changes = Changes(
            partial(operations.status, deployment, letters=False),
            _LOCAL_LOOK_SECONDS if local else _AWS_LOOK_SECONDS,
            inbox,
            switches,
            self._threads,
            outcomes,
        )
        about = _about(deployment, local=local, write=write, inbox=inbox is not None)
        keys = Keys(deployment)
        api = Api(deployment, about, self._changes, switches, keys, self._threads)
        mail = Mail(inbox, keys.of, self._threads)
        app = Starlette(
            routes=[
                Route("/", _page),
                Mount("/static", StaticFiles(directory=_STATIC, check_dir=False)),
                *mail.routes,
                *api.routes,
            ],
            exception_handlers=ERRORS,
        )
        guarded = Guard(app, port=self.port, token=self.token, write=write)
        self._server = uvicorn.Server(
            uvicorn.Config(
                guarded,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_LAST_SECONDS,
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    @property
    def url(self) -> str:
        """To be opened in a browser; the token is in it."""
        return f"http://{loopback.HOST}:{self.port}/?token={self.token}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._changes.close)
            self._loop.call_soon_threadsafe(self._threads.close)
        self._server.should_exit = True
        self._thread.join()

    def wait(self) -> None:
        """Wait until it ends by itself, which it shouldn't."""
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve([self._listener]))


def _listen(port: int | None) -> socket.socket:
    if port is not None:
        return loopback.listen(port, "--port")
    try:
        return loopback.listen(DEFAULT_PORT, "--port")
    except Problem:
        return loopback.listen(None, "--port")


def _about(deployment: Deployment, *, local: bool, write: bool, inbox: bool) -> dict[str, Any]:
    """What the page shows of the relay."""
    region = deployment.account.region
    options = "--local" if local else f"--name {deployment.name} --region {region}"
    return {
        "name": deployment.name,
        "region": region,
        "local": local,
        "write": write,
        "inbox": inbox,
        "version": version(),
        "topic_arn": deployment.topic_arn,
        "bulk_topic_arn": deployment.bulk_topic_arn,
        "commands": {"ionctl": f"./ionctl {options}"},
        "environment": _environment(deployment.account) if local else {},
    }


def _environment(account: Account) -> dict[str, str]:
    """Variables by which the AWS CLI and SDKs reach an emulated AWS, whose key is made up."""
    credentials = account.session.get_credentials()
    return {
        "AWS_ENDPOINT_URL": account.endpoint_url or "",
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,  # boto3 knows this one alone
        "AWS_ACCESS_KEY_ID": (credentials and credentials.access_key) or "",
        "AWS_SECRET_ACCESS_KEY": (credentials and credentials.secret_key) or "",
    }


async def _page(_request: Request) -> Response:
    return FileResponse(_STATIC / "index.html", media_type="text/html; charset=utf-8")
