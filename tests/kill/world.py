"""A relay that is killed, its mail server and its AWS: what the kill tests are played with."""

import asyncio
import itertools
import json
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from breaches import breaches
from ion.settings import Pipelining
from kill.account import Account, Emulator
from kill.books import Books, Life
from kill.child import Nursery
from kill.points import Trap
from kill.proxy import Proxy
from smtp_server import Action, Moment, Offer, ScriptedServer, Step, Tls, reply

_ROOT = Path(__file__).parents[2]
RUNS_AT_MOST = 5
"""After the kill, until the queue is empty."""
_RUN_SECONDS = 60

OFFER = Offer(users={"ion": "secret"}, pipelining=True, enforces_pipelining=True)


def email(key: str, body: str = "x", **fields: object) -> str:
    """The body of a message; the key is also its only recipient's name."""
    least = {"action": "send", "email_id": key, "recipient": f"{key}@example.org"}
    return json.dumps(least | {"sender": "ion@example.org", "body_text": body} | fields)


@dataclass
class World:
    """A relay, and what happens to it."""

    account: Account
    proxy: Proxy
    server: ScriptedServer
    nursery: Nursery
    policy: str
    trap: Trap
    refuses: set[str]
    pipelining: Pipelining
    connections: int | None = None
    """None: as many as there are by default, or one where what follows what must be known."""
    lives: list[Life] = field(default_factory=list)
    arrived: list[tuple[str, float]] = field(default_factory=list)
    """Keys, and when the life ended in which the server took the email."""

    @property
    def environment(self) -> dict[str, str]:
        """The function's."""
        one = self.pipelining is not Pipelining.OFF
        connections = 1 if self.connections is None and one else self.connections
        environment = {
            **self.account.environment,
            "ION_DRAIN_LINGER_SECONDS": "0",
            "ION_RETRY_IN_DOUBT": self.policy,
            "ION_SMTP_PIPELINING": self.pipelining,
        }
        if connections is not None:
            environment["ION_SMTP_CONNECTIONS"] = str(connections)
        return environment

    async def live(self) -> bool:
        """One run, to its end or its death, and an hour after it; False: it was killed."""
        kills = self.trap.sprung
        child = self.trap.child = self.nursery.child(self.environment)
        try:
            status = await asyncio.to_thread(child.wait, _RUN_SECONDS)
        finally:
            child.end()
        await self.server.settled()  # what was on its way has arrived
        self.proxy.wait_quiet()
        killed = self.trap.sprung > kills
        assert status == (-signal.SIGKILL if killed else 0), self.nursery.log.read_text()
        self.close_life()
        return not killed

    def close_life(self) -> None:
        """What came of it goes into the books, and an hour passes."""
        keys = [one.recipients[0].partition("@")[0] for one in self.server.accepted]
        new, now = keys[len(self.arrived) :], self.account.clock.now()
        self.lives.append(self.account.life(new))
        self.arrived += [(key, now) for key in new]
        self.account.time_passes()

    async def live_until_empty(self) -> None:
        """Runs enough for the kill, and for all that is to be done after it."""
        runs = 0
        while runs < RUNS_AT_MOST and self.account.waiting():
            runs += await self.live()

    async def live_until_killed(self) -> None:
        """For a point that only comes when the queue is empty already."""
        while not self.trap.sprung and len(self.lives) < RUNS_AT_MOST:
            await self.live()

    @property
    def pipelined(self) -> bool:
        """The first email's commands came in one flight; after the kill, who knows."""
        commands = [one for session in self.server.sessions for one in session.commands]
        return next(one.pipelined for one in commands if one.verb == "MAIL")

    def faults(self, due: Mapping[str, str]) -> list[str]:
        left = [one.body for one in self.account.waiting()]
        dead = self.account.dead_letters()
        cancelled = self.account.having("cancelled")
        found = Books(due, self.lives, dead, left, self.policy, cancelled).faults()
        found += breaches(self.server.sessions, self.pipelining, OFFER, connections=1)
        return found


class Maker:
    """Makes a world inside a running loop."""

    def __init__(self, aws: Emulator, proxy: Proxy, nursery: Nursery) -> None:
        self.proxy, self.nursery = proxy, nursery
        self.account = Account(aws, proxy)
        self.pipelining = Pipelining.OFF

    def server(
        self, trap: Trap, refuses: set[str], *, at_first_dot: Callable[[], object] | None = None
    ) -> ScriptedServer:
        """A mail server that knows these by name: deferred, throttled, and those it refuses.

        Args:
            trap: told of each step.
            refuses: keys.
            at_first_dot: what happens before the first email is answered; the server waits for it.
        """
        deferred, dots = Counter[str](), itertools.count()

        def script(moment: Moment) -> Action:
            if at_first_dot and moment.step is Step.DOT and next(dots) == 0:
                at_first_dot()
            action = trap.at_step(moment)
            key = moment.argument.partition("@")[0]
            if moment.step is Step.RCPT and key in refuses:
                return reply(550, "5.1.1 no such user")
            if moment.step is Step.RCPT and key == "deferred":
                deferred[key] += 1
                return reply(450, "4.2.1 busy") if deferred[key] == 1 else action
            if moment.step is Step.RCPT and key == "throttled":
                deferred[key] += 1
                return reply(454, "4.7.0 Throttling failure") if deferred[key] == 1 else action
            return action

        return ScriptedServer(script, tls=Tls.STARTTLS, offer=OFFER)

    def world(self, server: ScriptedServer, trap: Trap, refuses: set[str], policy: str) -> World:
        shutil.copy(_ROOT / "config.cfg", self.nursery.root)
        shutil.copy(server.ca_pem_path, self.nursery.root / "ca.pem")
        secrets = (
            f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
            "username = ion\npassword = secret\n"
        )
        (self.nursery.root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
        self.proxy.watch = trap.at_call
        return World(
            self.account, self.proxy, server, self.nursery, policy, trap, refuses, self.pipelining
        )
