"""./run.sh as a person meets it: a process, its output, its end."""

import json
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from at_length import only_at_length
from ionctl import loopback
from ionctl.console.server import DEFAULT_PORT
from ionctl.local import mailbox_simulator
from ionctl.local.host_package import host_package
from ionctl.local.stack import ROOT
from ionctl.ops import local_stack
from ionctl.ops.account import local_account
from ionctl.ops.local_stack import LocalStack
from ionctl.problem import Problem
from seen_browser import SeenBrowser

COMMAND = [sys.executable, "-P", "-m", "ionctl.local"]
UP = "console      http://"


def environment(temporary: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT / 'lambda_src'}",
        "TMPDIR": str(temporary),
        # what a person may have: none of it may matter
        "AWS_PROFILE": "nobody-has-this-one",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
        **SeenBrowser(temporary.parent).environment,
    }


@pytest.fixture(scope="module", autouse=True)
def _package_at_hand(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Once it is built it stays: `environment` leads to no registry."""
    host_package(ROOT, tmp_path_factory.mktemp("package") / "ion-host.zip", lambda _step: None)


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


TERRAFORM = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="Terraform isn't installed"
)


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """Who runs the tests in the background or with nohup lets every process ignore these."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, hangup)


class Run:
    def __init__(self, temporary: Path, *arguments: str) -> None:
        self.temporary = temporary
        self._output = temporary.parent / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                env=environment(temporary),
                cwd=temporary.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    @property
    def told(self) -> list[str]:
        """What is no progress."""
        return [line for line in self.output.splitlines() if not line.startswith("ion: ")]

    def press(self, signum: signal.Signals) -> int:
        # as a terminal does: to the whole foreground group
        os.killpg(self.process.pid, signum)
        return self.process.wait(timeout=30)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    running: list[Run] = []
    yield running
    for run in running:
        if run.process.poll() is None:
            run.press(signal.SIGTERM)


def processes_of(temporary: Path) -> list[str]:
    """Of ours: each has got TMPDIR from us, or a folder below it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(temporary).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # gone meanwhile, or somebody else's
    return found


def parent_of(process: Path) -> int:
    """0: it is gone."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


@pytest.mark.system
@pytest.mark.parametrize(
    ("moment", "signum", "status", "options"),
    [
        (UP, signal.SIGINT, 0, ()),
        pytest.param(UP, signal.SIGTERM, 0, (), marks=only_at_length),
        ("starting the emulated AWS", signal.SIGINT, 130, ()),
        ("deploying", signal.SIGHUP, 129, ()),
        pytest.param(
            *("terraform apply", signal.SIGINT, 130, ("--terraform",)),
            marks=[TERRAFORM, only_at_length],
        ),
    ],
)
def test_leaves_nothing_behind(
    temporary: Path,
    runs: list[Run],
    moment: str,
    signum: signal.Signals,
    status: int,
    options: tuple[str, ...],
) -> None:
    module = sorted((ROOT / "terraform").rglob("*"))
    run = Run(temporary, *options)
    runs.append(run)
    run.wait_for(moment)
    if moment == UP:
        # we, the watchdog, ministack, the function
        wait_until(lambda: len(processes_of(temporary)) == 4)
    if options:
        wait_until(lambda: any("terraform-provider" in one for one in processes_of(temporary)))
    assert run.press(signum) == status, run.output
    assert not processes_of(temporary)
    assert not list(temporary.iterdir())
    assert "Traceback" not in run.output
    assert sorted((ROOT / "terraform").rglob("*")) == module


@pytest.mark.system
@pytest.mark.parametrize("options", [("--no-console",), ()])
def test_killed_it_leaves_no_process_no_port_and_no_folder(
    temporary: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    file = temporary / "stack.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(file))
    run = Run(temporary, *options)
    runs.append(run)
    run.wait_for("all of it " if options else UP)
    if options:
        assert run.told[-1] == f"all of it    {file}"  # where there is no console
    stack = local_stack.read()
    assert (stack.pid, bool(stack.console_url)) == (run.process.pid, not options)
    port = urlsplit(stack.endpoint_url).port
    assert port is not None
    os.killpg(run.process.pid, signal.SIGKILL)
    run.process.wait()
    wait_until(lambda: not processes_of(temporary))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((loopback.HOST, port), timeout=10)
    assert [*temporary.iterdir()] == [file]
    with pytest.raises(Problem, match="no local relay runs"):
        local_stack.read()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One that only watches for what happens; no test changes it for another."""
    temporary = tmp_path_factory.mktemp("run") / "tmp"
    temporary.mkdir()
    with ExitStack() as taken:
        with suppress(OSError):  # another stack has it
            taken.enter_context(socket.create_server((loopback.HOST, DEFAULT_PORT)))
        run = Run(temporary, "--verbose", "--open")
        run.wait_for(UP)
    yield run
    run.press(signal.SIGTERM)


@pytest.fixture
def stack(up: Run, monkeypatch: pytest.MonkeyPatch) -> LocalStack:
    file = up.temporary / f"ion-{os.getuid()}.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(file))
    return local_stack.read()


@pytest.fixture
def console(stack: LocalStack) -> Iterator[httpx.Client]:
    """What a browser does at the address that was told."""
    address, _, token = stack.console_url.partition("?token=")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=60) as client:
        yield client


@pytest.mark.system
def test_four_lines_say_where_all_is(up: Run, stack: LocalStack) -> None:
    server = stack.mail_server
    login = f"STARTTLS; {server.username}, {server.password}"
    assert up.told[:4] == [
        f"topic        {stack.topic_arn} at {stack.endpoint_url}",
        f"mail server  {server.host}:{server.port} ({login})",
        "to end it    Ctrl-C",
        f"console      {stack.console_url}",
    ]


@pytest.mark.system
def test_a_port_that_is_taken_is_another_one_in_words(up: Run, stack: LocalStack) -> None:
    port = urlsplit(stack.console_url).port
    assert port != DEFAULT_PORT
    assert f"ion: port {DEFAULT_PORT} is in use, so the console is at {port}\n" in up.output


@pytest.mark.system
def test_a_browser_is_led_to_it_and_no_list_of_processes_shows_the_token(
    up: Run, stack: LocalStack
) -> None:
    command, page, _ = SeenBrowser(up.temporary.parent).opened()
    assert command == (up.temporary / f"ion-{os.getuid()}.html").as_uri()
    assert stack.console_url in page


@pytest.mark.system
def test_the_first_email_is_in_the_console(console: httpx.Client) -> None:
    inbox = console.get("/api/inbox").json()["emails"]
    first = inbox[-1]
    assert first["subject"] == "It works: your first email through ion"
    assert first["to"] == ["Ann Example <ann@example.org>"]
    html = console.get(f"/mail/{first['id']}/html").text
    assert "<h1>It works.</h1>" in html
    assert 'src="data:image/png;base64,' in html
    whole = console.get(f"/api/inbox/{first['id']}").json()
    assert whole["text"].startswith("It works.")
    assert "the message deleted" in whole["text"]
    (path,) = (one for one in whole["attachments"] if one["filename"] == "path.png")
    assert path["inline"]


@pytest.mark.system
def test_what_the_first_email_says_to_try_happens_and_is_told_in_a_line(
    up: Run, stack: LocalStack, console: httpx.Client
) -> None:
    first = console.get("/api/inbox").json()["emails"][-1]
    attachments = console.get(f"/api/inbox/{first['id']}").json()["attachments"]
    (number,) = (one["n"] for one in attachments if one["filename"] == "try-this.json")
    message = console.get(f"/mail/{first['id']}/attachments/{number}").text
    local_account(stack).sns.publish(TopicArn=stack.topic_arn, Message=message)
    up.wait_for(f'dead-lettered RCPT_REJECTED {mailbox_simulator.NO_SUCH_USER}: {{ "action"')


@pytest.mark.system
def test_the_consoles_switches_are_those_of_the_mail_server(
    stack: LocalStack, console: httpx.Client
) -> None:
    server = stack.mail_server
    for mode, code in (("wrong_login", 535), ("well", 235)):
        assert console.post("/api/switches", json={"mode": mode}).is_success
        with smtplib.SMTP(server.host, server.port, timeout=60) as client:
            client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
            client.ehlo()
            login = f"\0{server.username}\0{server.password}"
            reply = client.docmd("AUTH", f"PLAIN {b64encode(login.encode()).decode()}")
        assert reply[0] == code


@pytest.mark.system
def test_ionctl_finds_it(up: Run, stack: LocalStack) -> None:
    status = subprocess.run(
        [sys.executable, "-P", "-m", "ionctl.cli", "--local", "--json", "dead", "list"],
        env={**environment(up.temporary), local_stack.FILE_VARIABLE: str(local_stack.local_file())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert status.returncode == 0, status.stderr
    assert stack.pid == up.process.pid


@pytest.mark.system
def test_the_end_of_the_emulated_aws_is_told(temporary: Path, runs: list[Run]) -> None:
    run = Run(temporary, "--no-console", "--verbose")
    runs.append(run)
    run.wait_for("all of it ")
    (emulator,) = (
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if parent_of(process) == run.process.pid
        and b"ministack" in (process / "cmdline").read_bytes()
    )
    os.kill(emulator, signal.SIGKILL)
    assert run.process.wait(timeout=60) == 1
    assert "ion: ministack has ended by itself" in run.output
    assert "Traceback" not in run.output


@pytest.mark.system
def test_once_tells_the_fate_of_each_file(temporary: Path) -> None:
    folder = temporary.parent
    (folder / "good.json").write_text(
        '{"action": "send", "recipient": "ann@example.org", "subject": "Hi", "body_text": "…"}'
    )
    (folder / "bounce.json").write_text(
        '{"action": "send", "recipient": "bounce@simulator.test", "body_text": "…"}'
    )
    (folder / "broken.json").write_text('{"action": ')
    (folder / "binary.json").write_bytes(b"\xff")
    (folder / "control.json").write_text("\x01")
    files = ["good.json", "b*e.json", "broken.json", "binary.json", "control.json"]
    ended = subprocess.run(
        [*COMMAND, "--once", "--out", "there", *files],
        env=environment(temporary),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.splitlines() == [
        "good.json → sent to ann@example.org",
        f"bounce.json → dead-lettered RCPT_REJECTED {mailbox_simulator.NO_SUCH_USER}",
        "broken.json → dead-lettered BAD_JSON line 1, column 12",
        "binary.json → not published: it isn't UTF-8, and SNS takes only text",
        "control.json → not published: it has the character U+0001, which SQS takes in no message",
        "there: emails 1, dead letters 2, events 3",
    ]
    assert ended.stderr.splitlines()[-1] == (
        "ion: 4 of 5 went wrong: 2 dead-lettered, 2 not published"
    )
    assert {path.name for path in (folder / "there").iterdir()} == {
        "good.eml",
        "bounce.dead-letter.json",
        "broken.dead-letter.json",
        "events.jsonl",
    }
    lines = (folder / "there" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = list(map(json.loads, lines))
    told = {(one["type"], one["data"]["reason"]) for one in events}
    assert told == {
        ("ion.email.sent", "ACCEPTED"),
        ("ion.email.bounced", "RCPT_REJECTED"),
        ("ion.email.bounced", "BAD_JSON"),
    }
    assert [one["time"] for one in events] == sorted(one["time"] for one in events)
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("option", ["--port", "--smtp-port", "--console-port"])
def test_busy_port_is_a_clear_error(temporary: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = subprocess.run(
            [*COMMAND, option, str(port)],
            env=environment(temporary),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"ion: port {port} on 127.0.0.1 is in use: ")
    assert option in ended.stderr
    assert not list(temporary.iterdir())


def test_missing_file_is_a_clear_error(temporary: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "--once", "nowhere.json"],
        env=environment(temporary),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr == "ion: nowhere.json can't be read: No such file or directory\n"


def test_a_folder_that_cannot_be_written_to_is_told_before_anything_starts(temporary: Path) -> None:
    (temporary.parent / "good.json").write_text("{}")
    (temporary.parent / "out").write_text("a file")
    ended = subprocess.run(
        [*COMMAND, "--once", "good.json"],
        env=environment(temporary),
        cwd=temporary.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr == "ion: --out out: is no folder\n"


def test_terraform_not_installed_is_a_clear_error(temporary: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, "--terraform"],
        env={**environment(temporary), "PATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("ion: --terraform needs Terraform")
