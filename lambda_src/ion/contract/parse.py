"""One message body to one action, or to the reason why it isn't one."""

import json
import re
from typing import Any, NoReturn

import msgspec

from ion.contract.actions import Action
from ion.contract.bad_input import BadInput
from ion.outcome import Reason

# A name is repeated on the dead letter only if it looks like a field's name, not like data.
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w{0,39}", re.ASCII)
# A publisher's field name is part of msgspec's message, so it may imitate what follows it.
_STEP = rf"\.{_PLAIN_NAME.pattern}|\[\d{{1,9}}\]|\[\.\.\.\]"
_PATH = re.compile(rf" - at `(?:key in )?(\$(?:{_STEP}){{0,9}})`$", re.ASCII)
_FIELD = re.compile(rf"field `({_PLAIN_NAME.pattern})`", re.ASCII)


class _RefusedError(ValueError):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        # The parser knows the object's depth no more than this, so the path says "somewhere".
        raise _RefusedError(f"$..{twice}" if _PLAIN_NAME.fullmatch(twice) else "$..?")
    return members


def _constant(_: str) -> NoReturn:  # NaN, Infinity, -Infinity: Python reads them, JSON has none
    raise _RefusedError("$")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def parse(body: str) -> Action:
    """The action that a message body asks for.

    Raises:
        BadInput: BAD_JSON, INVALID_SCHEMA or INVALID_UNICODE, with the JSON path.
    """
    try:
        decoded = _decoder.decode(body)
        body.encode()
        if "\\ud" in body or "\\uD" in body:  # only an escape can smuggle in half a pair
            json.dumps(decoded, ensure_ascii=False).encode()
    except _RefusedError as refused:
        raise BadInput(Reason.INVALID_SCHEMA, refused.path) from None
    except json.JSONDecodeError:
        raise BadInput(Reason.BAD_JSON, "$") from None
    except UnicodeEncodeError:
        raise BadInput(Reason.INVALID_UNICODE, "$") from None
    except (RecursionError, ValueError):  # nested too deep; a number of thousands of digits
        raise BadInput(Reason.INVALID_SCHEMA, "$") from None
    try:
        action: Action = msgspec.convert(decoded, Action)
    except msgspec.ValidationError as error:
        raise BadInput(Reason.INVALID_SCHEMA, _path(str(error))) from None
    return action


def _path(said: str) -> str:
    """Where msgspec's message points at; the field it misses or doesn't know comes last."""
    at = _PATH.search(said)
    path = at[1] if at else "$"
    field = _FIELD.search(said)
    return f"{path}.{field[1]}" if field else path
