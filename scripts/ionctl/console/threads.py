"""Work in threads, for which nobody waits any longer once the console ends."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Done = TypeVar("Done")


class Threads:
    """Used in the server's event loop.

    A call to AWS may take a minute, and can't be broken off: its thread is left to itself.
    """

    def __init__(self) -> None:
        self._waiting: set[anyio.CancelScope] = set()
        self._closed = False

    async def run(
        self, work: Callable[Given, Done], *given: Given.args, **named: Given.kwargs
    ) -> Done:
        """Its result.

        Raises:
            HTTPException: the console ends.
        """
        with anyio.CancelScope() as scope:
            self._waiting.add(scope)
            if self._closed:
                scope.cancel()
            try:
                call = partial(work, *given, **named)
                return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
            finally:
                self._waiting.remove(scope)
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "the console has ended")

    def close(self) -> None:
        """Wait for none of them."""
        self._closed = True
        for scope in self._waiting:
            scope.cancel()
