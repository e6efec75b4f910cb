"""The function as Lambda runs it, for tests: its package, its environment, its invocations."""

import asyncio
import importlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from emulated import Account
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.relay.relay import Relay
from smtp_server import Offer, ScriptedServer, Step, Tls

ROOT = Path(__file__).parents[1]
USER, PASSWORD = "ion", "canary-password"


def email(number: int = 0, **fields: object) -> str:
    least = {"action": "send", "recipient": f"to{number}@example.org", "body_text": "x"}
    return json.dumps(least | {"sender": "ion@example.org"} | fields)


def guarded(
    script: dict[Step, Any] | None = None,
    *,
    pipelining: bool = False,
    **parts: Any,  # noqa: ANN401
) -> ScriptedServer:
    """A server as they are out there: STARTTLS, then a login."""
    offer = Offer(users={USER: PASSWORD}, pipelining=pipelining)
    return ScriptedServer(script, tls=Tls.STARTTLS, offer=offer, **parts)


class Context:
    """What Lambda hands over beside the event."""

    aws_request_id = "request"

    def __init__(self, seconds: float = 900) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self._seconds * 1000)


@dataclass
class Function:
    """The package and its environment; `cold` is the entry of a new execution environment."""

    root: Path
    monkeypatch: pytest.MonkeyPatch

    def cold(self) -> ModuleType:
        self.monkeypatch.delitem(sys.modules, "ion.handler", raising=False)
        return importlib.import_module("ion.handler")

    def relay(self, now: Callable[[], float] = time.time) -> Relay:
        return Relay(now)

    def secrets(
        self,
        server: ScriptedServer,
        password: str = PASSWORD,
        section: str = "smtp",
        username: str = USER,
    ) -> str:
        ca_file = f"ca-{server.port}.pem"
        shutil.copy(server.ca_pem_path, self.root / ca_file)
        return (
            f"[{section}]\nserver = {server.host}\nport = {server.port}\nca_file = {ca_file}\n"
            f"username = {username}\npassword = {password}\n"
        )

    def knows(
        self,
        server: ScriptedServer,
        password: str = PASSWORD,
        *,
        backup: ScriptedServer | None = None,
    ) -> None:
        """Its secrets file is for this server, or these."""
        text = self.secrets(server, password)
        if backup is not None:
            text += self.secrets(backup, section="smtp:backup")
        (self.root / "config-secrets.cfg").write_text(text, encoding="utf-8")


def new_load(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The entry of the load publisher in a new execution environment."""
    monkeypatch.delitem(sys.modules, "ion.load", raising=False)
    return importlib.import_module("ion.load")


async def invoke(relay: Relay) -> Summary:
    return await relay.run(Deadline.after(900))


def once(function: Function, account: Account, server: ScriptedServer | None = None) -> Summary:
    """One invocation of a new execution environment."""

    async def main() -> Summary:
        async with server or guarded() as running:
            function.knows(running)
            return await invoke(function.relay())

    return asyncio.run(main())


def deployed(account: Account, root: Path, monkeypatch: pytest.MonkeyPatch) -> Function:
    """The function in this account, with its package in this folder."""
    shutil.copy(ROOT / "config.cfg", root)
    environment = {
        **account.environment,
        "LAMBDA_TASK_ROOT": str(root),
        "ION_DRAIN_LINGER_SECONDS": "0",  # nothing comes later here
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Function(root, monkeypatch)
