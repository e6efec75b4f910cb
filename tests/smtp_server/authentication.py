"""The exchanges of AUTH (RFC 4954, RFC 4616, RFC 2195; XOAUTH2 as Google and Microsoft have it)."""

import base64
import binascii
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from smtp_server.actions import Reply

Ask = Callable[[bytes], Awaitable[bytes]]
"""Sends a 334 challenge, gives the decoded response."""

OK: Final = Reply(235, ("2.7.0 Authentication successful",))
INVALID: Final = Reply(535, ("5.7.8 Authentication credentials invalid",))
MALFORMED: Final = Reply(501, ("5.5.2 malformed response",))
_BAD_TOKEN: Final = b'{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}'
_CRAM_CHALLENGE: Final = b"<1896.697170952@smtp.example>"


class ExchangeError(Exception):
    """The exchange ended before the credentials were complete."""

    def __init__(self, reply: Reply | None) -> None:
        super().__init__()
        self.reply = reply  # still to be sent


@dataclass(frozen=True)
class Login:
    """Who it claims to be, and what the server says to that."""

    username: str
    reply: Reply


def decode(response: str) -> bytes:
    """A client's response in base64; "=" is the empty one.

    Raises:
        ExchangeError: It is not base64, or "*": the client gave up.
    """
    try:
        return b"" if response == "=" else base64.b64decode(response, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ExchangeError(MALFORMED) from error


async def log_in(mechanism: str, initial: str, ask: Ask, users: Mapping[str, str]) -> Login:
    """Runs one mechanism's exchange.

    Raises:
        ExchangeError: As `decode`, or from `ask`.
    """
    first = decode(initial) if initial else None
    if mechanism == "CRAM-MD5":
        if first is not None:
            raise ExchangeError(MALFORMED)
        name, _, digest = (await ask(_CRAM_CHALLENGE)).rpartition(b" ")
        username = name.decode(errors="replace")
        password = users.get(username, "").encode()
        right = hmac.new(password, _CRAM_CHALLENGE, "md5").hexdigest().encode() == digest
    elif mechanism == "LOGIN":
        username = (first or await ask(b"Username:")).decode(errors="replace")
        right = await ask(b"Password:") == users.get(username, "").encode()
    elif mechanism == "XOAUTH2":
        said = await ask(b"") if first is None else first
        parts = re.fullmatch(rb"user=([^\x01]+)\x01auth=Bearer ([^\x01]+)\x01\x01", said)
        username = parts[1].decode(errors="replace") if parts else ""
        right = parts is not None and parts[2] == users.get(username, "").encode()
        if not right and await ask(_BAD_TOKEN):  # says why; to be answered with an empty line
            raise ExchangeError(MALFORMED)
    else:
        fields = (await ask(b"") if first is None else first).split(b"\0")
        if len(fields) != 3:  # authorization identity, user name, password
            raise ExchangeError(MALFORMED)
        username = fields[1].decode(errors="replace")
        right = fields[2] == users.get(username, "").encode()
    return Login(username, OK if right and username in users else INVALID)
