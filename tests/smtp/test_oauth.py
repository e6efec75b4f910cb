"""A token endpoint's answers: a token, a refusal of the login, or nothing that can be used."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from ion.deadline import Deadline
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.report.redact import redact
from ion.settings import OAuth
from ion.smtp.oauth import Token, fetch, https_context
from smtp.client import soon
from smtp_server.certificates import Certificate
from token_endpoint import (
    Answer,
    TokenEndpoint,
    answer,
    chatter,
    issue,
    refuse,
    silent,
    trickle,
    trusting,
)

SHORT_SECONDS = 0.3
WHILE_SECONDS = 5.0
"""Many times that, and less than the endpoint's own time-out."""
PATIENCE_SECONDS = 30


def fetched(
    said: Answer,
    deadline: Callable[[], Deadline] = soon,
    *,
    certificate: Certificate = Certificate.VALID,
    **changes: str,
) -> tuple[Token | Outcome, TokenEndpoint]:
    async def main() -> tuple[Token | Outcome, TokenEndpoint]:
        async with TokenEndpoint(said, certificate=certificate) as endpoint:
            oauth = replace(endpoint.oauth(), **changes)
            return await fetch(oauth, trusting(), deadline()), endpoint

    return asyncio.run(main())


def put_off(said: Token | Outcome) -> str:
    """The words for a fault of the endpoint's: the site's, and nobody's attempt."""
    assert isinstance(said, Outcome), said
    assert (said.stage, said.scope) == (Stage.AUTH, Scope.SITE)
    assert (said.kind, said.reason) == (Kind.UNAVAILABLE, Reason.AUTH_LATER)
    assert "canary" not in f"{said!r}{said}"
    return said.detail


def test_an_application_asks_with_credentials_of_its_own() -> None:
    token, endpoint = fetched(issue("canary-token", 3599))
    assert token == Token("canary-token", 3599)
    (request,) = endpoint.requests
    assert request.line == "POST /tenant/token?x=y HTTP/1.1"
    assert request.form == {
        "grant_type": "client_credentials",
        "client_id": "canary-id",
        "client_secret": "canary-secret",
        "scope": "a b",
    }
    assert request.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert request.headers["connection"] == "close"


def test_with_a_refresh_token_it_asks_for_a_user() -> None:
    _, endpoint = fetched(
        issue("canary-token"), refresh_token="canary refresh&x=1", client_secret="", scope=""
    )
    assert endpoint.requests[0].form == {
        "grant_type": "refresh_token",
        "client_id": "canary-id",
        "refresh_token": "canary refresh&x=1",
    }


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3599, 3599),
        ("3599", 3599),
        (0, 0),
        (None, None),
        (-1, None),
        (1.5, None),
        ("soon", None),
        ([], None),
        (True, None),
        (10**12, None),
    ],
)
def test_how_long_a_token_does_is_believed_where_it_is_a_number(
    expires_in: object, seconds: int | None
) -> None:
    assert fetched(issue("t", expires_in))[0] == Token("t", seconds)


def test_how_long_it_does_may_be_left_out_and_of_what_kind_it_is() -> None:
    assert fetched(answer(200, {"access_token": "t"}))[0] == Token("t", None)


def test_an_answer_in_chunks_is_one_answer() -> None:
    body = json.dumps({"access_token": "t", "token_type": "bearer"}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in (body[:9], body[9:], b""))
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    assert fetched(said)[0] == Token("t", None)


def test_the_longest_token_that_an_auth_line_takes_is_used() -> None:
    longest = "x" * 8192
    assert fetched(issue(longest))[0] == Token(longest, 3600)


async def test_a_host_with_a_dead_address_is_reached_at_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One refuses; one says nothing at all, and must leave time for those behind it."""
    monkeypatch.setattr("ion.smtp.oauth._CONNECT_SECONDS", SHORT_SECONDS)
    async with TokenEndpoint(issue("t")) as endpoint:
        refusing, mute = ("127.0.0.2", endpoint.port), ("127.0.0.3", endpoint.port)
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for address in (refusing, mute, (endpoint.host, endpoint.port))
        ]
        of_the_name, look_up = iter([found]), socket.getaddrinfo
        monkeypatch.setattr(  # create_connection looks an address up as well
            socket, "getaddrinfo", lambda *a, **k: next(of_the_name, None) or look_up(*a, **k)
        )
        with nothing_accepted(mute):
            assert await fetch(endpoint.oauth(), trusting(), soon(WHILE_SECONDS)) == Token(
                "t", 3600
            )


@contextmanager
def nothing_accepted(address: tuple[str, int]) -> Iterator[None]:
    """Somebody listens there, and the line is full: the next SYN gets no answer."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(address, backlog=0))
        for _ in range(8):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield


def test_a_token_is_in_no_repr() -> None:
    assert "canary" not in f"{Token('canary', 1)!r}{Token('canary', 1)}"


# -- row 87: the endpoint is ill -------------------------------------------------------------------

GARBAGE: list[Answer] = [
    b"",
    b"\r\n",
    b"canary",
    b"SSH-2.0-canary\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 canary OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: canary\r\n" * 1000 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    answer(200, b""),
    answer(200, b"<html>canary</html>"),
    answer(200, b"\xff\xfe"),
    answer(200, b"[" * 50_000),
    answer(200, b"1" * 5_000),
    answer(200, ["canary"]),
    answer(200, {"canary": 1}),
    answer(200, {"access_token": 7}),
    answer(200, {"access_token": ""}),
    answer(200, {"access_token": "canary two"}),
    answer(200, {"access_token": "canary\r\nRSET"}),
    answer(200, {"access_token": "canary\x01\x01"}),
    answer(200, {"access_token": "känary"}),
    answer(200, {"access_token": "x" * 8193}),
    answer(200, {"access_token": "canary", "token_type": "mac"}),
    answer(200, {"access_token": "canary", "token_type": None}),
    answer(200, {"error": "invalid_client"}),
    answer(200, {"access_token": "t", "x": "x" * 100_000}),
    answer(204, b""),
    answer(404, b"canary not found"),
    answer(400, b"canary"),
    answer(400, {"error": {"code": "canary"}}),
]


@pytest.mark.row(87)
@pytest.mark.parametrize("said", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_answer_puts_the_login_off(said: Answer) -> None:
    outcome, endpoint = fetched(said)
    assert put_off(outcome)
    assert len(endpoint.requests) == 1


@pytest.mark.row(87)
@pytest.mark.parametrize(
    ("said", "what"),
    [
        (answer(200, b"<html>canary</html>"), "not JSON"),
        (answer(200, {"error": "invalid_client"}), "no access token in the answer"),
        (answer(200, {"access_token": "canary", "token_type": "mac"}), "token type not bearer"),
        (answer(200, {"access_token": "x" * 8193}), "access token too long"),
        (answer(200, {"access_token": "a\r\nb"}), "access token with characters not allowed"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(said: Answer, what: str) -> None:
    detail = put_off(fetched(said)[0])
    assert detail == redact(detail) == f"token endpoint: {what}"


@pytest.mark.row(87)
@pytest.mark.parametrize(
    "said",
    [
        *[answer(status, b"canary") for status in (500, 502, 503, 504, 429, 408)],
        *[refuse("invalid_client", status) for status in (500, 503, 429, 408)],
        refuse("temporarily_unavailable"),
        refuse("server_error"),
        refuse("slow_down"),
    ],
)
def test_an_endpoint_that_says_later_puts_the_login_off(said: Answer) -> None:
    detail = put_off(fetched(said)[0])
    assert detail[3:] == " from the token endpoint"
    assert redact(detail) == detail


@pytest.mark.row(87)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int) -> None:
    async with TokenEndpoint(issue("canary")) as other:
        said = answer(status, b"", f"Location: {other.url}")
        async with TokenEndpoint(said) as endpoint:
            detail = put_off(await fetch(endpoint.oauth(), trusting(), soon()))
        assert detail == "token endpoint: redirect, not followed: check the address"
        assert (len(endpoint.requests), other.connections) == (1, 0)


@pytest.mark.row(87)
@pytest.mark.parametrize("said", [silent, trickle])
def test_a_slow_endpoint_is_waited_for_no_longer_than_there_is_time(said: Answer) -> None:
    outcome, endpoint = fetched(said, lambda: soon(SHORT_SECONDS))
    assert put_off(outcome) == "token endpoint: timed out"
    assert len(endpoint.requests) == 1


@pytest.mark.row(87)
async def test_a_slow_endpoint_is_not_listened_to_any_longer_by_a_thread_left_behind() -> None:
    """Every read is quick, so that none of them times out by itself."""
    hung_up = asyncio.Event()

    async def trickles(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)
        except OSError:
            hung_up.set()

    async with TokenEndpoint(trickles) as endpoint:
        said = await fetch(endpoint.oauth(), trusting(), soon(SHORT_SECONDS))
        assert put_off(said) == "token endpoint: timed out"
        await asyncio.wait_for(hung_up.wait(), PATIENCE_SECONDS)


@pytest.mark.row(87)
def test_without_time_nothing_is_asked() -> None:
    outcome, endpoint = fetched(issue("canary"), lambda: soon(0))
    assert put_off(outcome) == "token endpoint: timed out"
    assert endpoint.requests == []


@pytest.mark.row(87)
def test_an_answer_without_an_end_is_read_no_further() -> None:
    assert put_off(fetched(chatter)[0]) == "token endpoint: malformed reply"


@pytest.mark.row(87)
async def test_an_endpoint_that_is_down_puts_the_login_off() -> None:
    async with TokenEndpoint(b"") as endpoint:
        oauth = endpoint.oauth()
    assert put_off(await fetch(oauth, trusting(), soon())) == ("token endpoint: connection refused")
    nowhere = replace(oauth, token_url="https://no-such-host.invalid/")
    assert put_off(await fetch(nowhere, trusting(), soon())).startswith("token endpoint: ")


@pytest.mark.row(87)
async def test_who_accepts_no_connection_is_waited_for_no_longer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # nobody calls accept()
        oauth = OAuth(f"https://127.0.0.1:{listening.getsockname()[1]}/", "id", "secret", "x")
        said = await fetch(oauth, trusting(), soon(SHORT_SECONDS))
    assert put_off(said) == "token endpoint: timed out"


@pytest.mark.row(87)
@pytest.mark.parametrize(
    "certificate", [c for c in Certificate if c is not Certificate.VALID], ids=lambda c: c.name
)
def test_to_a_wrong_certificate_no_credentials_are_shown(certificate: Certificate) -> None:
    outcome, endpoint = fetched(issue("canary"), certificate=certificate)
    assert put_off(outcome) == "token endpoint: certificate verify failed"
    assert endpoint.requests == []


async def test_the_certificates_of_endpoints_are_checked() -> None:
    context = https_context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)

    async with TokenEndpoint(issue("canary")) as endpoint:  # of a CA that the system lacks
        said = put_off(await fetch(endpoint.oauth(), context, soon()))
        assert said == "token endpoint: certificate verify failed"


# -- row 89: the endpoint refuses us ---------------------------------------------------------------


@pytest.mark.row(89)
@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (refuse("invalid_client", 401), "invalid_client"),
        (refuse("invalid_grant"), "invalid_grant"),
        (refuse("unauthorized_client"), "unauthorized_client"),
        (refuse("invalid_scope"), "invalid_scope"),
        (refuse("unsupported_grant_type"), "unsupported_grant_type"),
        (refuse("invalid_request", 403), "invalid_request"),
        (refuse("canary-secret"), "another error"),
        (refuse("invalid_client", 401, error_codes=[7000215]), "invalid_client, AADSTS7000215"),
        (refuse("invalid_client", 401, error_codes=[7000222, 1]), "invalid_client, AADSTS7000222"),
        *[
            (refuse("invalid_client", error_codes=codes), "invalid_client")
            for codes in ([], ["canary"], [True], [1234], [12345678], "canary", {"a": 1}, [[1]])
        ],
    ],
)
def test_a_refusal_of_the_endpoint_is_one_of_the_login(said: Answer, detail: str) -> None:
    outcome, _ = fetched(said)
    assert isinstance(outcome, Outcome)
    assert (outcome.stage, outcome.scope) == (Stage.AUTH, Scope.SITE)
    assert (outcome.kind, outcome.reason) == (Kind.MISCONFIGURED, Reason.AUTH)
    assert outcome.detail == f"token refused: {detail}"
    assert redact(str(outcome)) == str(outcome), "all of it may be written"
