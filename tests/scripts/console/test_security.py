"""Only the console's own page gets an answer, and a browser does nothing else with it."""

import socket
from collections.abc import Iterator

import httpx
import pytest

from consoles import Opened, email, unreachable_deployment
from ionctl.console import server
from ionctl.console.server import Console
from ionctl.problem import Problem


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with Opened() as opened:
        yield opened


@pytest.fixture(scope="module")
def read_only() -> Iterator[Opened]:
    with Opened(write=False) as opened:
        yield opened


def says(opened: Opened, request: str) -> str:
    """What is answered to a request as it is written, up to the end of the connection."""
    with socket.create_connection(("127.0.0.1", opened.console.port)) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer.decode()


def status(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error", "")


def test_the_url_has_the_token_and_this_machine_s_address(opened: Opened) -> None:
    console = opened.console
    assert console.url == f"http://127.0.0.1:{console.port}/?token={console.token}"
    assert len(console.token) >= 22, "128 bits in base64"


def test_it_listens_on_loopback_alone(opened: Opened) -> None:
    others = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    for address in others - {"127.0.0.1", "127.0.1.1", "::1"}:
        with pytest.raises(OSError):
            socket.create_connection((address, opened.console.port), timeout=1)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_this_machine_s_names_are_hosts(opened: Opened, name: str) -> None:
    host = f"{name}:{opened.console.port}"
    assert opened.client.get("/api/about", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
@pytest.mark.parametrize("path", ["/", "/static/x.js", "/api/about", "/mail/1/html"])
def test_a_name_that_was_made_to_lead_here_is_refused(opened: Opened, host: str, path: str) -> None:
    headers = {"host": host.format(port=opened.console.port)}
    assert opened.client.get(path, headers=headers).status_code == 403


def test_a_request_without_a_host_is_refused(opened: Opened) -> None:
    token = f"Authorization: Bearer {opened.console.token}"
    assert " 403 " in says(opened, f"GET /api/about HTTP/1.0\n{token}\n\n").splitlines()[0]


def test_a_request_with_two_hosts_is_refused(opened: Opened) -> None:
    hosts = f"Host: 127.0.0.1:{opened.console.port}\nHost: evil.example"
    request = f"GET /api/about HTTP/1.1\n{hosts}\nConnection: close\n\n"
    assert " 400 " in says(opened, request).splitlines()[0]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_another_page_s_request_is_refused(opened: Opened, origin: str) -> None:
    headers = {"origin": origin.format(port=opened.console.port)}
    assert opened.client.post("/api/wake", headers=headers).status_code == 403
    assert opened.client.get("/api/about", headers=headers).status_code == 403


def test_its_own_page_s_request_is_answered(opened: Opened) -> None:
    headers = {"origin": f"http://127.0.0.1:{opened.console.port}"}
    assert opened.client.get("/api/about", headers=headers).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic {token}"])
@pytest.mark.parametrize("path", ["/api/about", "/api/changes", "/api/inbox", "/api/nothing"])
def test_without_the_token_nothing_is_told(
    opened: Opened, authorization: str | None, path: str
) -> None:
    with httpx.Client(base_url=opened.client.base_url, trust_env=False) as stranger:
        if authorization is not None:
            stranger.headers["authorization"] = authorization.format(token=opened.console.token)
        code, said = status(stranger.get(path))
    assert code == 401
    assert "open the console at the address that it printed" in said


def opens(opened: Opened, token: str) -> httpx.Response:
    """What a browser gets that opens the address that was printed, with this token."""
    with httpx.Client(base_url=opened.client.base_url, trust_env=False) as browser:
        return browser.get("/", params={"token": token})


def test_the_token_of_the_address_becomes_a_cookie_that_no_script_and_no_other_site_has(
    opened: Opened,
) -> None:
    answer = opens(opened, opened.console.token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"ion-console-{opened.console.port}={opened.console.token}"
    assert {one.lower() for one in attributes} == {"httponly", "path=/", "samesite=strict"}


@pytest.mark.parametrize("token", ["", "wrong", "ü"])
def test_a_wrong_token_is_no_cookie_and_leaves_the_address(opened: Opened, token: str) -> None:
    answer = opens(opened, token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 401),  # a page at another port of this machine
        ({"sec-fetch-site": "cross-site"}, 401),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"host": "evil.example:{port}"}, 403),
    ],
)
def test_the_cookie_is_good_for_the_console_s_own_page_alone(
    opened: Opened, headers: dict[str, str], code: int
) -> None:
    port = opened.console.port
    cookie = f"a=b; ion-console-{port}={opened.console.token}"
    sent = {name: value.format(port=port) for name, value in headers.items()}
    with httpx.Client(base_url=opened.client.base_url, trust_env=False) as browser:
        answer = browser.get("/api/about", headers={"cookie": cookie, **sent})
    assert answer.status_code == code


@pytest.mark.parametrize("cookie", ["ion-console-{port}=wrong", "ion-console-1={token}", "{token}"])
def test_another_cookie_is_none(opened: Opened, cookie: str) -> None:
    named = cookie.format(port=opened.console.port, token=opened.console.token)
    with httpx.Client(base_url=opened.client.base_url, trust_env=False) as browser:
        assert browser.get("/api/about", headers={"cookie": named}).status_code == 401


def test_a_token_in_the_query_is_none(opened: Opened) -> None:
    with httpx.Client(base_url=opened.client.base_url, trust_env=False) as stranger:
        assert stranger.get(f"/api/about?token={opened.console.token}").status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/dead/redrive"),
        ("POST", "/api/dead/discard"),
        ("POST", "/api/dead/1/edit"),
        ("POST", "/api/publish"),
        ("POST", "/api/check"),
        ("POST", "/api/pause"),
        ("POST", "/api/resume"),
        ("POST", "/api/stop"),
        ("POST", "/api/cancel"),
        ("POST", "/api/wake"),
        ("POST", "/api/switches"),
        ("DELETE", "/api/inbox"),
        ("PUT", "/api/anything"),
        ("BREW", "/"),
    ],
)
def test_a_console_that_only_looks_changes_nothing(
    read_only: Opened, method: str, path: str
) -> None:
    read_only.arrives(email().as_bytes())
    before = read_only.inbox.count_and_newest()
    code, said = status(read_only.client.request(method, path, json={"mode": "down"}))
    assert (code, "--write" in said) == (403, True)
    assert read_only.inbox.count_and_newest() == before
    assert read_only.switched.mode == "well"


def test_the_page_is_bound_to_itself(opened: Opened) -> None:
    for path in ("/", "/static/nothing.js", "/api/about", "/api/nothing", "/mail/1/html"):
        headers = opened.client.get(path).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'; "
            "frame-ancestors 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["x-dns-prefetch-control"] == "off"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_what_holds_emails_is_kept_by_no_cache(opened: Opened) -> None:
    kept = opened.arrives(email().as_bytes())
    for path in ("/api/inbox", f"/mail/{kept}/source", "/api/nothing"):
        assert opened.client.get(path).headers["cache-control"] == "no-store"
    assert opened.client.get("/static/nothing.js").headers["cache-control"] == "no-cache"


def test_a_large_body_is_refused_with_its_length_said_or_not(opened: Opened) -> None:
    large = b'{"body": "' + b"x" * 2 * 1024 * 1024 + b'"}'
    pieces = (large[start : start + 65536] for start in range(0, len(large), 65536))
    for content in (large, pieces):
        assert status(opened.client.post("/api/check", content=content))[0] == 413


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"where": 1}',
        b'{"why": "x", "y": 1}',
        b'{"why": "\xff"}',
        b'{"why": "\\ud800"}',
        b'{"where": {"tag": ' + b"[" * 100_000,
        b"\0" * 100,
    ],
    ids=range(9),
)
def test_what_is_not_understood_is_refused_in_a_line(opened: Opened, content: bytes) -> None:
    code, said = status(opened.client.post("/api/stop", content=content))
    assert code == 400
    assert said
    assert "\n" not in said


@pytest.mark.parametrize("path", ["/static/../server.py", "/static/%2e%2e/server.py"])
def test_nothing_outside_static_is_served(opened: Opened, path: str) -> None:
    request = f"GET {path} HTTP/1.1\nHost: 127.0.0.1:{opened.console.port}\nConnection: close\n\n"
    assert " 404 " in says(opened, request).splitlines()[0]


def test_a_fault_of_the_console_s_own_is_told_without_its_traceback(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("ionctl.console.operations.dead", broken)
    code, said = status(opened.client.get("/api/dead"))
    assert (code, said) == (500, "the console has failed: its terminal says how")


def test_aws_s_refusal_is_told_in_a_line(opened: Opened) -> None:
    code, said = status(opened.client.get("/api/dead"))
    assert code in (409, 502)
    assert "EndpointConnectionError" in said


def test_the_usual_port_is_left_to_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(server, "DEFAULT_PORT", taken)
        with Console(unreachable_deployment(), write=False) as console:
            assert console.port != taken
        with pytest.raises(Problem, match=f"port {taken} on 127.0.0.1 is in use.*--port"):
            Console(unreachable_deployment(), port=taken, write=False)


def test_a_free_usual_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    monkeypatch.setattr(server, "DEFAULT_PORT", free)
    with Console(unreachable_deployment(), write=False) as console:
        assert console.port == free
