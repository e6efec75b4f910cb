"""The relay over HTTP: what is asked of it, and what is done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ion.contract import Lane, Where  # noqa: TC001 - msgspec reads them when the console runs
from ion.policy.suppression import ALL
from ionctl.console import operations
from ionctl.console.answers import answer, asked
from ionctl.console.contract import contract
from ionctl.console.moved import discarded, redriven
from ionctl.console.switches import MODES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from ionctl.console.changes import Changes
    from ionctl.console.keys import Keys
    from ionctl.console.switches import Switches
    from ionctl.console.threads import Threads
    from ionctl.ops.deployment import Deployment


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a request asks for."""


class _Chosen(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dead letters: those named, else those that it is true of. Neither: nothing was chosen."""

    ids: list[str] = []
    where: Where | None = None


class _Text(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message's text."""

    body: str
    bulk: bool = False
    as_it_is: bool = False


class _Pause(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lane: str | None = None
    until: str | None = None
    why: str = ""


class _Stop(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    where: dict[str, Any] | None = None
    until: str | None = None
    why: str = ""


class _Resume(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only that lane's pause, or only that stop; neither: everything."""

    lane: Lane | None = None
    stop_id: str | None = None


class _Cancel(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    email_id: str


class _Suppress(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, and which mail isn't written to it."""

    address: str
    scope: str = ALL


class _Unsuppress(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, and the entry that ends; none: all of them."""

    address: str
    scope: str | None = None


class _Switch(_Body, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mode: str


class Api:
    """Routes of the relay.

    Args:
        deployment: it.
        about: what the page shows of it, and goes by.
        changes: told when something was changed from here.
        switches: None: the mail server isn't ours.
        keys: told what is published from here.
        threads: in which AWS is asked.
    """

    def __init__(
        self,
        deployment: Deployment,
        about: dict[str, Any],
        changes: Changes,
        switches: Switches | None,
        keys: Keys,
        threads: Threads,
    ) -> None:
        self._deployment = deployment
        self._about = about
        self._changes = changes
        self._switches = switches
        self._keys = keys
        self._threads = threads

    @property
    def routes(self) -> list[Route]:
        """All of them."""
        reading: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/api/about": self._tell_about,
            "/api/status": self._status,
            "/api/changes": self._stream,
            "/api/emails/{key:path}": self._life,
            "/api/dead": self._dead,
            "/api/dead/{id}": self._letter,
            "/api/contract": self._contract,
            "/api/switches": self._modes,
        }
        changing: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/api/dead/redrive": self._redrive,
            "/api/dead/discard": self._discard,
            "/api/dead/{id}/edit": self._edit,
            "/api/check": self._check,
            "/api/publish": self._publish,
            "/api/pause": self._pause,
            "/api/stop": self._stop,
            "/api/resume": self._resume,
            "/api/cancel": self._cancel,
            "/api/suppress": self._suppress,
            "/api/unsuppress": self._unsuppress,
            "/api/wake": self._wake,
            "/api/switches": self._switch,
        }
        return [
            *(Route(path, method, methods=["GET"]) for path, method in reading.items()),
            *(Route(path, method, methods=["POST"]) for path, method in changing.items()),
        ]

    async def _ask(self, operation: Callable[..., Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the operation has it
        return await self._threads.run(operation, self._deployment, *given, **named)

    async def _do(self, operation: Callable[..., Any], *given: Any, **named: Any) -> Any:  # noqa: ANN401 - the same
        """The same of what changes something."""
        try:
            return await self._ask(operation, *given, **named)
        finally:
            self._changes.look_now()

    # -- looking -------------------------------------------------------------------------

    async def _tell_about(self, _request: Request) -> Response:
        return answer(self._about)

    async def _status(self, _request: Request) -> Response:
        return answer(await self._ask(operations.status, letters=True))

    async def _stream(self, _request: Request) -> Response:
        return StreamingResponse(self._changes.stream(), media_type="text/event-stream")

    async def _life(self, request: Request) -> Response:
        asked, scan = request.path_params["key"].strip(), "scan" in request.query_params
        return answer(await self._ask(operations.found, asked, scan=scan))

    async def _dead(self, request: Request) -> Response:
        reason, path = (request.query_params.get(name, "") for name in ("reason", "path"))
        return answer(await self._ask(operations.dead, reason, path))

    async def _letter(self, request: Request) -> Response:
        message_id = request.path_params["id"]
        return answer(await self._ask(operations.letter, message_id))

    async def _contract(self, _request: Request) -> Response:
        return answer(contract())

    # -- dead letters --------------------------------------------------------------------

    async def _redrive(self, request: Request) -> Response:
        chosen = await asked(request, _Chosen)
        if not chosen.ids and chosen.where is None:
            raise HTTPException(400, "no letter was chosen: say ids or where")
        moved = await self._do(operations.redrive, chosen.where, chosen.ids)
        return answer({**msgspec.to_builtins(moved), "words": redriven(moved)})

    async def _discard(self, request: Request) -> Response:
        chosen = await asked(request, _Chosen)
        if not chosen.ids:
            raise HTTPException(400, "no letter was chosen: say ids")
        moved, jsonl = await self._do(operations.discard, chosen.ids)
        told = {"words": discarded(moved), "jsonl": jsonl}
        return answer({**msgspec.to_builtins(moved), **told})

    async def _edit(self, request: Request) -> Response:
        body = (await asked(request, _Text)).body
        return answer(await self._do(operations.edit, request.path_params["id"], body))

    # -- publishing ----------------------------------------------------------------------

    async def _check(self, request: Request) -> Response:
        body = (await asked(request, _Text)).body
        return answer(await self._ask(operations.check, body))

    async def _publish(self, request: Request) -> Response:
        text = await asked(request, _Text)
        published = await self._do(
            operations.publish, text.body, bulk=text.bulk, as_it_is=text.as_it_is
        )
        self._keys.add(published.email_id)
        return answer(published)

    # -- steering ------------------------------------------------------------------------

    async def _pause(self, request: Request) -> Response:
        order = await asked(request, _Pause)
        about = {"lane": order.lane, "until": order.until}
        return answer(await self._do(operations.pause, about, order.why))

    async def _stop(self, request: Request) -> Response:
        order = await asked(request, _Stop)
        about = {"where": order.where, "until": order.until}
        return answer(await self._do(operations.stop, about, order.why))

    async def _resume(self, request: Request) -> Response:
        order = await asked(request, _Resume)
        return answer(await self._do(operations.resume, order.lane, order.stop_id))

    async def _cancel(self, request: Request) -> Response:
        email_id = (await asked(request, _Cancel)).email_id
        return answer(await self._do(operations.cancel, email_id))

    async def _suppress(self, request: Request) -> Response:
        entry = await asked(request, _Suppress)
        return answer(await self._do(operations.suppress, entry.address, entry.scope))

    async def _unsuppress(self, request: Request) -> Response:
        entry = await asked(request, _Unsuppress)
        return answer(await self._do(operations.unsuppress, entry.address, entry.scope))

    async def _wake(self, _request: Request) -> Response:
        words = await self._do(operations.wake)
        return answer({"words": f"{words[0].upper()}{words[1:]}."})

    # -- the local mail server -----------------------------------------------------------

    async def _modes(self, _request: Request) -> Response:
        return answer({"mode": str(self._switched.mode), "modes": MODES})

    async def _switch(self, request: Request) -> Response:
        mode = (await asked(request, _Switch)).mode
        names = [one.name for one in MODES]
        if mode not in names:
            raise HTTPException(400, f"no mode {mode!r}: there are {', '.join(names)}")
        self._switched.mode = mode
        self._changes.look_now()
        return await self._modes(request)

    @property
    def _switched(self) -> Switches:
        if self._switches is None:
            raise HTTPException(404, "only the local relay's mail server has switches")
        return self._switches
