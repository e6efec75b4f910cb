"""The function's scratch disk may be full, or not be there: mail needs memory only."""

import asyncio
import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ionctl.local.ministack import CREDENTIALS, ISOLATION
from kill.account import Account, Emulator
from kill.proxy import Proxy
from smtp_server import Moment, Offer, ScriptedServer, Step, Tls, reply
from smtp_server.actions import NORMAL, Action
from soak.clock import CLOCKED

ROOT = Path(__file__).parents[1]
RUN_SECONDS = 60
BROKEN = '{"action": "send", "recipient": '
REDRIVE = '{"action": "redrive"}'
BIG = "a line of a long letter, to and fro\n" * 6000
"""Beyond what is written at once, and near to what a message can hold."""


def email(key: str, **fields: object) -> str:
    least = {"action": "send", "email_id": key, "recipient": f"{key}@example.org"}
    return json.dumps(least | {"sender": "ion@example.org", "body_text": "x"} | fields)


@dataclass
class World:
    """The relay, its package and its disk."""

    account: Account
    root: Path
    scratch: Path

    def invoke(self) -> dict[str, Any]:
        """What the process reports."""
        environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            **CREDENTIALS,
            **ISOLATION,
            **self.account.clock.environment,
            "PYTHONPATH": f"{CLOCKED}:{ROOT / 'lambda_src'}",
            "TMPDIR": str(self.scratch),
        }
        package = {"LAMBDA_TASK_ROOT": str(self.root), "ION_DRAIN_LINGER_SECONDS": "0"}
        process = subprocess.run(
            [sys.executable, "-B", Path(__file__).with_name("full_disk.py")],
            env=environment,
            input=json.dumps({**self.account.environment, **package}) + "\n",
            capture_output=True,  # pipes: what it prints needs no disk
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        report: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
        return report

    async def serve(self, script: Mapping[str, Action]) -> tuple[ScriptedServer, dict[str, Any]]:
        """An invocation with a server that has an answer of its own for some recipients."""

        def by_recipient(moment: Moment) -> Action:
            key = moment.argument.partition("@")[0] if moment.step is Step.RCPT else ""
            return script.get(key, NORMAL)

        server = ScriptedServer(by_recipient, tls=Tls.STARTTLS, offer=Offer(users={"ion": "p"}))
        async with server:
            shutil.copy(server.ca_pem_path, self.root / "ca.pem")
            (self.root / "config-secrets.cfg").write_text(
                f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
                "username = ion\npassword = p\n",
                encoding="utf-8",
            )
            report = await asyncio.to_thread(self.invoke)
        return server, report


@pytest.fixture
def world(clocked_aws: Emulator, tmp_path: Path) -> Iterator[World]:
    root, scratch = tmp_path / "package", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    shutil.copy(ROOT / "config.cfg", root)
    with Proxy(clocked_aws.endpoint.removeprefix("http://")) as proxy:
        account = Account(clocked_aws, proxy)
        yield World(account, root, scratch)
        account.delete()


@pytest.mark.row(36)
def test_with_a_full_disk_mail_is_sent_dead_lettered_and_brought_back(world: World) -> None:
    """Big or small, TLS and login included, from a cold start on."""
    for body in (
        email("small"),
        email("big", body_text=BIG),
        email("rich", body_text=None, body_html=f"<p>{BIG}</p>", recipient="to@bücher.example"),
        email("refused"),
        email("busy"),
        BROKEN,
    ):
        world.account.publish(body)
    script = {"refused": reply(550, "5.1.1 no such user"), "busy": reply(450, "4.2.1 busy")}
    server, report = asyncio.run(world.serve(script))
    assert report["attempts"] == [], "nothing is even tried to be written"
    assert sorted(len(one.content) // 100_000 for one in server.accepted) == [0, 2, 4]
    answer = report["answer"]
    assert (answer["sent"], answer["dead_lettered"], answer["deferred"]) == (3, 2, 1)
    dead = sorted(world.account.dead_letters())
    assert dead == [("refused", "RCPT_REJECTED"), (BROKEN, "BAD_JSON")]

    world.account.time_passes()
    world.account.publish(REDRIVE)
    server, report = asyncio.run(world.serve({}))
    assert report["attempts"] == []
    assert (report["answer"]["redriven"], report["answer"]["sent"]) == (2, 2)
    keys = [one.recipients[0].partition("@")[0] for one in server.accepted]
    assert sorted(keys) == ["busy", "refused"]
    assert world.account.waiting() == ()
    assert world.account.dead_letters() == [(BROKEN, "BAD_JSON")]
    assert list(world.scratch.iterdir()) == []


@pytest.mark.row(36)
def test_the_disk_really_is_full(world: World) -> None:
    """Before the function is imported and after it has run; else the test above shows nothing."""
    _, report = asyncio.run(world.serve({}))
    before, after = report["bites"]
    assert before == after
    assert set(before) == {os.strerror(errno.EFBIG)}
