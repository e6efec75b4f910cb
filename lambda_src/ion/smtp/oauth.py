"""One request to a token endpoint (RFC 6749 sections 4.4 and 6): an access token, or why not.

In `smtp`, since a token is a part of the login: what goes wrong here is an `Outcome` at AUTH.
"""

import asyncio
import http.client
import io
import json
import re
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ion.deadline import Deadline
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.settings import OAuth

REQUEST_SECONDS = 10.0
"""From the look-up of the name to the end of the answer."""
_CONNECT_SECONDS = 4.0
"""To one address of several: a dead one must leave time for another."""
_MOST_BYTES = 64 * 1024
"""Of an answer, with its headers. Microsoft's and Google's have 2 to 4 KB."""
_MOST_TOKEN_BYTES = 8 * 1024
"""With a user name and in base64, this still fits into an AUTH line (12,288 octets, RFC 4954
section 4). Microsoft's have about 2 KB."""
_TLS_PORT = 443

_OK = 200
_REDIRECTS = range(300, 400)
_TOO_MANY = frozenset({408, 429})
_CLIENT_ERRORS = range(400, 500)
_LATER = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
_KNOWN = frozenset(
    {
        *("invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"),
        *("unsupported_grant_type", "invalid_scope"),
    }
)
"""Codes of RFC 6749 section 5.2. No other word of an answer is repeated: it may quote what we
showed."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Args:
        text: printable ASCII without blanks (RFC 6750 section 2.1 allows less).
        seconds: how long it will do; None: the endpoint didn't say.
    """

    text: str = field(repr=False)
    seconds: int | None


def https_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, certificate and host name verified. Costs milliseconds: keep it."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def fetch(oauth: OAuth, tls: ssl.SSLContext, deadline: Deadline) -> Token | Outcome:
    """Ask for a token, once; follows no redirect, goes over no proxy.

    Args:
        oauth: where, and with which credentials.
        tls: of `https_context`.
        deadline: of the invocation.
    """
    until = Deadline.after(deadline.clip(REQUEST_SECONDS), deadline.clock)
    try:
        async with asyncio.timeout(until.remaining()):  # the look-up of a name knows no deadline
            status, body = await asyncio.to_thread(_post, oauth, tls, until)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _unavailable(f"token endpoint: {_why(error)}")
    if status in _REDIRECTS:
        return _unavailable("token endpoint: redirect, not followed: check the address")
    answer = _json_object(body)
    if status == _OK:
        token = "not JSON" if answer is None else _token(answer)
        return token if isinstance(token, Token) else _unavailable(f"token endpoint: {token}")
    code = (answer or {}).get("error")
    is_refusal = isinstance(code, str) and code not in _LATER
    if status in _CLIENT_ERRORS and status not in _TOO_MANY and is_refusal:
        return _refused(str(code), answer or {})
    return _unavailable(f"{status} from the token endpoint")


# -- HTTP --------------------------------------------------------------------------------------


def _post(oauth: OAuth, tls: ssl.SSLContext, until: Deadline) -> tuple[int, bytes]:
    """Status and body of the answer.

    Raises:
        OSError, HTTPException, ValueError: there was none, or none that can be read.
    """
    url = urlsplit(oauth.token_url)
    host, port = url.hostname or "", url.port or _TLS_PORT
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "Connection": "close",
    }
    connection = http.client.HTTPSConnection(host, port, context=tls)
    try:
        plain = _connected(host, port, until)
        connection.sock = plain
        plain.settimeout(_left(until))
        connection.sock = tls.wrap_socket(plain, server_hostname=host)
        connection.sock.settimeout(_left(until))
        connection.request("POST", target, urlencode(_form(oauth)), headers)
        response = http.client.HTTPResponse(_Bounded(connection.sock, until), method="POST")  # type: ignore[arg-type]
        response.begin()
        return response.status, response.read()
    finally:
        connection.close()


def _form(oauth: OAuth) -> dict[str, str]:
    """The credentials go in the body, as Microsoft and Google have it (RFC 6749 section 2.3.1)."""
    fields = {
        "grant_type": "refresh_token" if oauth.refresh_token else "client_credentials",
        "client_id": oauth.client_id,
        "client_secret": oauth.client_secret,
        "scope": oauth.scope,
        "refresh_token": oauth.refresh_token,
    }
    return {name: value for name, value in fields.items() if value}


def _connected(host: str, port: int, until: Deadline) -> socket.socket:
    """The first address that answers. As `create_connection`, which gives each the whole time."""
    failed: OSError = OSError("no address")
    for *_, (address, *_rest) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        seconds = min(_CONNECT_SECONDS, _left(until))
        try:
            return socket.create_connection((str(address), port), timeout=seconds)
        except OSError as error:
            failed = error
    raise failed


def _left(until: Deadline) -> float:
    """A socket's time-out; it takes none for 0."""
    if not (seconds := until.remaining()):
        raise TimeoutError
    return seconds


class _Bounded(io.RawIOBase):
    """What an endpoint says, within a time and a size in all.

    `http.client` has a time-out for each read, and a bound for each line.
    """

    def __init__(self, sock: socket.socket, until: Deadline) -> None:
        self._sock = sock
        self._until = until
        self._left = _MOST_BYTES

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` asks of a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a buffer, as io has it
        if self._left <= 0:
            raise ValueError("too long")
        self._sock.settimeout(_left(self._until))
        count = self._sock.recv_into(buffer)
        self._left -= count
        return count


def _why(error: Exception) -> str:
    """What went wrong, in words of ours."""
    for kind, words in (
        (ssl.SSLCertVerificationError, "certificate verify failed"),
        (TimeoutError, "timed out"),
        (ssl.SSLError, "TLS handshake failed"),
        (socket.gaierror, "host name not found"),
        (ConnectionRefusedError, "connection refused"),
        (OSError, "connection failed"),
    ):
        if isinstance(error, kind):
            return words
    return "malformed reply"


# -- what the answer says ----------------------------------------------------------------------


def _json_object(body: bytes) -> dict[str, Any] | None:
    """The answer; None: it isn't a JSON object."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _token(answer: dict[str, Any]) -> Token | str:
    """The token, or what is wrong with the answer."""
    text, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
    if not isinstance(text, str):
        return "no access token in the answer"
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return "token type not bearer"
    if len(text) > _MOST_TOKEN_BYTES:
        return "access token too long"
    if not re.fullmatch(r"[!-~]+", text):
        return "access token with characters not allowed"
    seconds = str(answer.get("expires_in"))  # a number; of some endpoints, one in quotes
    return Token(text, int(seconds) if re.fullmatch(r"[0-9]{1,9}", seconds) else None)


def _refused(code: str, answer: dict[str, Any]) -> Outcome:
    """The endpoint knows us, and says no: as a server does that refuses a password."""
    detail = f"token refused: {code if code in _KNOWN else 'another error'}"
    codes = answer.get("error_codes")  # Microsoft's: AADSTS7000215 is a wrong client secret
    first = codes[0] if isinstance(codes, list) and codes else None
    if type(first) is int and re.fullmatch(r"[0-9]{5,7}", str(first)):
        detail += f", AADSTS{first}"
    return Outcome(Stage.AUTH, Kind.MISCONFIGURED, Scope.SITE, Reason.AUTH, detail=detail)


def _unavailable(detail: str) -> Outcome:
    return Outcome(Stage.AUTH, Kind.UNAVAILABLE, Scope.SITE, Reason.AUTH_LATER, detail=detail)
