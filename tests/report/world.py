"""A relay whose every output is searched for canaries."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from canaries import WORDS, hits
from emulated import Account
from ion.deadletter.letter import IN_USE
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.relay.relay import Relay
from smtp_server import Action, Moment, Offer, ScriptedServer, Step, Tls

ROOT = Path(__file__).parents[2]

USERNAME = f"{WORDS['username']}@login.example"

ADDRESS = f"{WORDS['recipient']}@{WORDS['domain']}.example"

MESSAGE_ID = re.compile(rf"<[0-9a-f]{{32}}@{WORDS['domain']}\.example>")
"""A Message-ID of ion's making: a digest of the key, and the domain of the sender."""


def email(number: int = 0, **fields: object) -> str:
    """An email with a canary in every field."""
    everything: dict[str, object] = {
        "action": "send",
        "email_id": f"order-{number}",
        "recipient": {"email": ADDRESS, "name": WORDS["name"]},
        "cc": [f"{WORDS['cc']}@{WORDS['idn']}.example", f"{WORDS['local']}@post.example"],
        "bcc": f"{WORDS['bcc']}@b.example",
        "sender": f"{WORDS['sender']}.{number}@{WORDS['domain']}.example",
        "reply_to": f"{WORDS['replyto']}@r.example",
        "subject": f"about {WORDS['subject']}",
        "body_text": f"Dear all,\n{WORDS['line']}\n",
        "body_html": f"<p>{WORDS['html']}</p>",
        "headers": {f"X-{WORDS['header']}": WORDS["value"]},
    }
    return json.dumps(everything | fields)


@dataclass
class World:
    """A function with its account, and all that can be seen of what it did."""

    account: Account
    root: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    username: str = USERNAME
    printed: str = ""
    summaries: list[Summary] = field(default_factory=list)

    def relay(self) -> Relay:
        return Relay()

    def run(
        self,
        script: Mapping[Step, Any] | Callable[[Moment], Action] | None = None,
        change: Callable[[Relay], None] = lambda _: None,
        *,
        offer: Mapping[str, Any] = MappingProxyType({}),
        times: int = 1,
    ) -> Summary:
        """Invocations of a new environment, with one and the same server; the last one's answer."""

        async def main() -> list[Summary]:
            users = {self.username: WORDS["password"]}
            async with ScriptedServer(
                script, tls=Tls.STARTTLS, offer=Offer(users=users, **offer)
            ) as server:
                shutil.copy(server.ca_pem_path, self.root / "ca.pem")
                secrets = (
                    f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
                    f"username = {self.username}\npassword = {WORDS['password']}\n"
                )
                (self.root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
                relay = self.relay()
                change(relay)
                return [await relay.run(Deadline.after(900)) for _ in range(times)]

        self.summaries += asyncio.run(main())
        return self.summaries[-1]

    def publish(self, body: str) -> None:
        self.account.publish(body, {"customer": ("String", WORDS["attribute"])})

    @property
    def reasons(self) -> list[str]:
        return [str(dead.attributes["reason"][1]) for dead in self.account.dead()]

    def leaks(self) -> dict[str, list[str]]:
        """Where a canary is that should not be there.

        The sender's domain is in the Message-ID, by which an email is found.
        """
        out, err = self.capsys.readouterr()
        self.printed += out
        places: dict[str, object] = {
            "log": self.printed,
            "stderr": err,
            "other loggers": self.caplog.text,
            "answer": self.summaries,
            "ledger": self.account.rows(),
            "dead letter": [
                {name: value for name, value in dead.attributes.items() if name in IN_USE}
                for dead in self.account.dead()
            ],
        }
        found = {place: hits(MESSAGE_ID.sub("", str(told))) for place, told in places.items()}
        return {place: canaries for place, canaries in found.items() if canaries}

    def events(self) -> list[str]:
        """What was logged, by name; shows that there was something to look through."""
        self.printed += self.capsys.readouterr().out
        lines = [json.loads(line) for line in self.printed.splitlines()]
        return [line["message"] for line in lines if "_aws" not in line]
