"""What the console answers: JSON, and errors in one line."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ion.aws.errors import AWS_ERRORS
from ion.aws.table import TableError
from ion.contract import BadInput
from ion.contract.hints import hint
from ionctl.ops.deployment import said
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

_MOST_BYTES = 2 * 1024 * 1024
"""Of a request's body: a message has 256 KiB at most, escaped in JSON up to six times as much."""
OWN_FAULT = "the console has failed: its terminal says how"

T = TypeVar("T")


def answer(result: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """A result as JSON."""
    return Response(msgspec.json.encode(result), status, media_type="application/json")


def refusal(status: int, words: str) -> Response:
    """An error, in one line."""
    return answer({"error": " ".join(words.split())}, HTTPStatus(status))


async def asked(request: Request, kind: type[T]) -> T:
    """What the request's body asks for.

    Raises:
        HTTPException: it is too large, or no JSON in UTF-8 at all.
        msgspec.DecodeError: it asks for something else.
    """
    octets = bytearray()
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > _MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "more than 2 MB")
    try:
        return msgspec.json.decode(octets, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "no JSON that can be read") from error


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, error.detail)


def _bad_input(_request: Request, error: Exception) -> Response:
    assert isinstance(error, BadInput)
    right = hint(error.reason, error.path, error.problem)
    return refusal(HTTPStatus.BAD_REQUEST, f"{error} ({right})" if right else str(error))


def _not_understood(_request: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.BAD_REQUEST, str(error))


def _problem(_request: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.CONFLICT, str(error))


def _aws(_request: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.BAD_GATEWAY, f"AWS refuses: {said(error)}")


def _table(_request: Request, error: Exception) -> Response:
    return refusal(HTTPStatus.BAD_GATEWAY, f"the ledger's table can't be used: {error}")


def _own_fault(_request: Request, _error: Exception) -> Response:
    return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, OWN_FAULT)


ERRORS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    HTTPException: _http,
    BadInput: _bad_input,
    msgspec.DecodeError: _not_understood,
    msgspec.ValidationError: _not_understood,
    Problem: _problem,
    TableError: _table,
    **dict.fromkeys(AWS_ERRORS, _aws),
    Exception: _own_fault,
}
"""By exception: the answer."""
