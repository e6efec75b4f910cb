"""ionctl console, as it is started on a terminal and ended by Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from ionctl.local.ministack import ISOLATION
from ionctl.ops import local_stack
from ionctl_program import ROOT, printed
from relays import Operated
from seen_browser import SeenBrowser
from terminal import Ionctl


@contextmanager
def running(
    relay: Operated, *words: str, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The program at that relay, as if its account were AWS's own."""
    path = os.pathsep.join(str(ROOT / one) for one in ("scripts", "lambda_src"))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ionctl.cli", "console", *words],
        env={
            **ISOLATION,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": path,
            "AWS_ACCESS_KEY_ID": relay.names.access_key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": relay.names.endpoint,
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, process.communicate()[1]
    return line


def client(url: str) -> httpx.Client:
    address = urlsplit(url)
    token = address.query.removeprefix("token=")
    return httpx.Client(
        base_url=f"http://{address.netloc}",
        headers={"authorization": f"Bearer {token}"},
        trust_env=False,
    )


def test_it_shows_the_relay_and_changes_nothing_until_ctrl_c(relay: Operated) -> None:
    with running(relay) as process:
        with client(first_line(process)) as page:
            about = page.get("/api/about").json()
            assert (about["name"], about["region"]) == ("ion", "us-east-1")
            assert (about["write"], about["inbox"], about["local"]) == (False, False, False)
            assert page.get("/api/status").json()["queues"]["input"]["visible"] == 0
            assert page.get("/api/inbox").status_code == 404
            assert page.get("/api/switches").status_code == 404
            assert page.post("/api/pause", json={}).status_code == 403
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0
    assert out == ""
    assert err == "It only looks; --write lets it change. Ctrl-C ends it.\n"


def test_with_write_it_changes_something(relay: Operated) -> None:
    with running(relay, "--write") as process, client(first_line(process)) as page:
        assert page.post("/api/pause", json={"why": "x"}).json()["pauses"][0]["why"] == "x"


def test_as_json_it_is_the_address(relay: Operated) -> None:
    with running(relay, "--json") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        with client(printed("console", "".join(lines))["url"]) as page:
            assert page.get("/api/about").status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.communicate() == ("", "")


def test_of_the_local_relay_it_is_the_address_of_the_console_that_runs(
    local: Operated, ionctl: Ionctl
) -> None:
    ran = ionctl("--local", "console")
    assert (ran.status, ran.out, ran.err) == (0, "http://127.0.0.1:1/?token=t\n", "")


@pytest.mark.parametrize("words", [["--write"], ["--port", "9000"]])
def test_the_local_relay_s_console_is_not_served_twice(
    local: Operated, ionctl: Ionctl, words: list[str]
) -> None:
    ran = ionctl("--local", "console", *words)
    assert ran.status == 2
    assert "./run.sh" in ran.err


def test_a_browser_is_led_to_it_by_a_file_and_no_command_line_has_the_token(
    relay: Operated, tmp_path: Path
) -> None:
    browser = SeenBrowser(tmp_path)
    with running(relay, "--open", environment=browser.environment) as process:
        url = first_line(process)
        command, page, mode = browser.opened()
        process.send_signal(signal.SIGINT)
        process.communicate()
    _, _, token = url.partition("token=")
    assert command.startswith("file:///")
    assert token not in command
    assert f'content="0; url={url}"' in page
    assert mode == 0o600
    assert not Path(urlsplit(command).path).parent.exists()


def test_that_of_the_local_stack_is_beside_its_file(
    local: Operated, ionctl: Ionctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = SeenBrowser(tmp_path)
    for name, value in browser.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("webbrowser._tryorder", None)  # it reads the environment once
    stack = msgspec.structs.replace(local_stack.read(), console_url="http://127.0.0.1:1/?token=x")
    local_stack.write(stack)
    assert ionctl("--local", "console", "--open").status == 0
    command, page, mode = browser.opened()
    assert Path(urlsplit(command).path) == local_stack.door()
    assert (stack.console_url in page, mode) == (True, 0o600)
    local_stack.remove(stack.pid)
    assert not local_stack.door().exists()
