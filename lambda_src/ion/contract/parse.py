"""One message body to one action, or to the reason why it isn't one."""

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, NoReturn

import msgspec

from ion.contract.actions import Action
from ion.contract.attachment import NO_BUCKET, NO_CONTENT, TWO_CONTENTS, Attachment, S3Object
from ion.contract.bad_input import BadInput
from ion.contract.claim_check import NO_BUCKET_POINTED_TO, NamedPointer, Pointer
from ion.contract.paths import header, member, somewhere
from ion.contract.send import NEVER, NO_BODY, NO_RECIPIENT, NO_TEMPLATE, NO_WAY_OUT, Mailbox, Send
from ion.contract.steering import Cancel, Pause, Redrive, Resume, Stop, StopWhere, Where
from ion.contract.tags import NO_TAG, TagName, TagValue
from ion.contract.times import NO_TIME
from ion.nearest import nearest
from ion.outcome import Problem, Reason

# What msgspec says. The names in its paths are the contract's own; `[...]` is a header or a tag,
# and `key` the name of one.
_AT = re.compile(r" - at (`key` in )?`(\$[\w.\[\]]*)`$", re.ASCII)
_UNKNOWN = "Object contains unknown field `"
_MISSING = re.compile(r"Object missing required field `(\w+)`", re.ASCII)
_WRONG_TYPE = re.compile(r"Expected `[^`]*`, got `[^`]*`")

_BYTE_ORDER_MARK = "\ufeff"
"""Some programs begin UTF-8 with it; RFC 8259 section 8.1 lets a reader pass over it."""

_ABSENT = {
    NO_RECIPIENT: "recipient",
    NO_BODY: "body_text",
    NO_TEMPLATE: "template",
    NO_CONTENT: "content",
}
"""What is missing where one field of several would do: the field that is named."""
_WRONG = {
    TWO_CONTENTS: "s3",
    NO_BUCKET: "bucket",
    NO_BUCKET_POINTED_TO: "s3BucketName",
    NEVER: "expires_at",
    NO_TAG: "tag",
    NO_WAY_OUT: "unsubscribe",
    **{NO_TIME[name]: name for name in NO_TIME},
}
"""What is wrong with a value beyond its type: the field."""

_ACTIONS = (Send, Redrive, Cancel, Stop, Pause, Resume)

_POINTER = "$[1]"
"""The path of a claim check's pointer."""

_MOST_NAMES = 100
"""Fields that are compared with the one that is missing."""
MOST_LEVELS = 64
"""Of objects and lists inside a context: what goes through it may recurse."""


class _RefusedError(ValueError):
    def __init__(self, path: str, problem: Problem) -> None:
        super().__init__(path)
        self.path = path
        self.problem = problem


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        # The parser doesn't know how deep the object lies.
        raise _RefusedError(somewhere(twice), Problem.DUPLICATE)
    return members


def _constant(_: str) -> NoReturn:  # NaN, Infinity, -Infinity: Python reads them, JSON has none
    raise _RefusedError("$", Problem.VALUE)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def without_mark(body: str) -> str:
    """The JSON text of a body."""
    return body.removeprefix(_BYTE_ORDER_MARK)


def parse(body: str, *, default_action: str | None = None) -> Action:
    """The action that a message body asks for.

    Args:
        body: as published, or as fetched.
        default_action: if it names none.

    Raises:
        BadInput: BAD_JSON, INVALID_SCHEMA or INVALID_UNICODE, with the JSON path.
    """
    try:
        decoded = _decoder.decode(without_mark(body))
        body.encode()
        if "\\ud" in body or "\\uD" in body:  # only an escape can smuggle in half a pair
            json.dumps(decoded, ensure_ascii=False).encode()
    except _RefusedError as refused:
        raise BadInput(Reason.INVALID_SCHEMA, refused.path, refused.problem) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadInput(Reason.BAD_JSON, "$", detail=place) from None
    except UnicodeEncodeError:
        raise BadInput(Reason.INVALID_UNICODE, "$") from None
    except (RecursionError, ValueError):  # nested too deep; a number of thousands of digits
        raise BadInput(Reason.INVALID_SCHEMA, "$", Problem.VALUE) from None
    if default_action is not None and isinstance(decoded, dict):
        decoded.setdefault("action", default_action)
    try:
        action: Action = msgspec.convert(decoded, Action)
    except msgspec.ValidationError as error:
        raise _bad_input(_said_of_pointer(decoded) or str(error), decoded) from None
    if isinstance(action, Send) and action.context and _is_deeper(action.context, MOST_LEVELS):
        raise BadInput(Reason.INVALID_SCHEMA, "$.context", Problem.VALUE)
    return action


def _is_deeper(data: dict[str, Any], levels: int) -> bool:
    level: list[Any] = [data]
    for _ in range(levels):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level]
        level = [one for each in inner for one in each if isinstance(one, dict | list)]
    return bool(level)


def _said_of_pointer(message: Any) -> str:  # noqa: ANN401 - any JSON
    """What keeps a list from being a claim check; empty: nothing, or it isn't meant to be one."""
    if isinstance(message, list) and message and isinstance(message[0], str):
        try:
            msgspec.convert(message, NamedPointer)
        except msgspec.ValidationError as error:
            return str(error)
    return ""


def _bad_input(said: str, message: Any) -> BadInput:  # noqa: ANN401 - any JSON
    """The message of msgspec in our words."""
    at = _AT.search(said)
    path, what = (at[2], said[: at.start()]) if at else ("$", said)
    if said.startswith(_UNKNOWN):
        name = said[len(_UNKNOWN) : -1]
        if name in message:  # and not a part of it that only looks like a path
            return _unknown("$", name, message)
        return _unknown(path, what[len(_UNKNOWN) : -1], message)
    if missing := _MISSING.fullmatch(what):
        return _missing(path, missing[1], message)
    if what in _ABSENT:
        return BadInput(Reason.INVALID_SCHEMA, member(path, _ABSENT[what]), Problem.MISSING)
    if what in _WRONG:
        return BadInput(Reason.INVALID_SCHEMA, member(path, _WRONG[what]), Problem.VALUE)
    if at and at[1]:
        path = _named(path, message, lambda name, _: not _fits(name, TagName))
    elif path.endswith("[...]"):
        path = path.removesuffix("[...]")
        kind = str if path == "$.headers" else TagValue
        path = _named(path, message, lambda _, value: not _fits(value, kind | None))
    problem = Problem.TYPE if _WRONG_TYPE.fullmatch(what) else Problem.VALUE
    return BadInput(Reason.INVALID_SCHEMA, path, problem)


def _named(path: str, message: Any, is_wrong: Callable[[str, object], bool]) -> str:  # noqa: ANN401 - any JSON
    """The path of the first wrong one among headers or tags."""
    members = message
    for name in path.split(".")[1:]:
        members = members[name]
    return header(path, next(name for name, value in members.items() if is_wrong(name, value)))


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type, or one with bounds
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _missing(path: str, name: str, message: Any) -> BadInput:  # noqa: ANN401 - any JSON
    """The missing field, unless it seems to be there under another name: that one helps more.

    Of other fields msgspec sees the unknown before the missing; of the action it can't, and in a
    pointer an unknown one is no fault.
    """
    if name == "action" or path == _POINTER:
        here = message[1] if path == _POINTER else message
        for other in islice(here, _MOST_NAMES):
            bad = _unknown(path, other, message)
            if bad.did_you_mean == name:
                return bad
    return BadInput(Reason.INVALID_SCHEMA, member(path, name), Problem.MISSING)


def _unknown(path: str, name: str, message: Any) -> BadInput:  # noqa: ANN401 - any JSON
    near = nearest(name, _known(path, message)) or ""
    return BadInput(Reason.INVALID_SCHEMA, member(path, name), Problem.UNKNOWN, near)


def _known(path: str, message: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    """The fields of the object at a path."""
    if path == _POINTER:
        return Pointer.__struct_encode_fields__
    if path == "$":
        asked = message.get("action")
        action = next((one for one in _ACTIONS if one.__struct_config__.tag == asked), Send)
        return ("action", *action.__struct_fields__)
    if path == "$.where":
        return (StopWhere if message["action"] == "stop" else Where).__struct_fields__
    if path.startswith("$.attachments["):
        return (S3Object if path.endswith(".s3") else Attachment).__struct_fields__
    return Mailbox.__struct_fields__
