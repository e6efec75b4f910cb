"""ionctl console, as it is started on a terminal and ended by Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from ionctl.local.ministack import ISOLATION
from ionctl_program import ROOT, printed
from relays import Operated
from terminal import Ionctl


@contextmanager
def running(relay: Operated, *words: str) -> Iterator[subprocess.Popen[str]]:
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
