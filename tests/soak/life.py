"""One execution environment of the function, from its cold start to its death."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from breaches import breaches
from smtp_server import Offer, ScriptedServer, Tls
from soak.account import Account
from soak.aws_chaos import AwsChaos
from soak.clock import Clock
from soak.front import Front
from soak.http1 import Upstream
from soak.manner import Manner
from soak.nursery import Nursery, Process
from soak.script import MailScript
from soak.smtp_chaos import SmtpChaos
from soak.witness import Sort, Witness

_GRACE_SECONDS = 4
"""Real ones, while the clock stands still at the end of an invocation's time; then AWS kills it."""
_PAUSE_SECONDS = 0.05
_USER, _PASSWORD = "ion", "secret"


class Life:
    """Makes its own mail server and its own way to AWS, so that what comes is known to be its.

    Args:
        number: of it.
        moments: that it sees (steps of a conversation, calls to AWS) before it is killed.
        witness: told when it is over.
        clock: that ends its invocations.
        manner: in which it speaks, and to what sort of mail server.
    """

    def __init__(
        self, number: int, moments: int, witness: Witness, clock: Clock, manner: Manner
    ) -> None:
        self.number = number
        self.moments = moments
        self.invocations = 0
        self._witness = witness
        self._clock = clock
        self._manner = manner
        self._process: Process | None = None
        self._over_since: float | None = None
        self._spared = False

    @property
    def was_killed(self) -> bool:
        return self._process is not None and self._process.killed

    def moment(self) -> None:
        """It gets on; perhaps as far as it was to come."""
        self.moments -= 1
        if self.moments == 0 and self._process is not None and not self._spared:
            self._process.kill()

    def spare(self) -> None:
        """It isn't to be killed any more: where it overruns its time, the clock waits for it."""
        self._spared = True

    def check(self) -> None:
        """Do as AWS does with an invocation whose time is up."""
        if self._process is None or self._spared or not self._clock.lives(self.number):
            return
        if not self._clock.is_over(self.number):
            self._over_since = None
        elif self._over_since is None:
            self._over_since = time.monotonic()
        elif time.monotonic() - self._over_since > _GRACE_SECONDS:
            self._process.kill()

    def mail_server(self, chaos: SmtpChaos) -> ScriptedServer:
        manner = self._manner
        script = MailScript(
            self.number, chaos, self._witness, lambda: server.submissions, self.moment, manner
        )
        offer = self._offer = manner.on(Offer(users={_USER: _PASSWORD}, mechanisms=("PLAIN",)))
        server = ScriptedServer(script, tls=Tls.STARTTLS, offer=offer)
        return server

    def front(self, account: Account, upstream: Upstream, chaos: AwsChaos) -> Front:
        return Front(self.number, upstream, chaos, self._witness, account.dead_url, self.moment)

    async def live(
        self,
        nursery: Nursery,
        environment: Mapping[str, str],
        server: ScriptedServer,
        front: Front,
        seconds: Callable[[], float | None],
    ) -> None:
        """Invocation after invocation, until it is killed or there are no more.

        Args:
            nursery: where it is born.
            environment: its own.
            server: its mail server.
            front: its AWS.
            seconds: how long the next invocation may last; None: there is none.
        """
        process = self._process = Process(nursery)
        try:
            await process.begin(environment)
            await self._invocations(process, server, seconds)
            status = await process.ended()
        finally:
            process.kill()  # if this is given up, it must not go on
        assert status == 0 or process.killed, f"the function ended:\n{nursery.last_words()}"
        await server.settled()
        await front.quiet()
        self._witness.ended(self.number, Sort.KILL)
        # Each invocation may have to learn anew what could not be written down.
        connections = self.invocations * self._manner.connections
        seen = breaches(server.sessions, self._manner.mode, self._offer, connections)
        self._witness.faults += seen
        self._clock.ended(self.number)

    async def _invocations(
        self, process: Process, server: ScriptedServer, seconds: Callable[[], float | None]
    ) -> None:
        while (may_last := seconds()) is not None:
            self.invocations += 1
            self._clock.began(self.number, may_last)
            summary = await process.invoke(may_last)
            if summary is None:
                return
            await server.settled()
            self._witness.ended(self.number, Sort.AWS)
            self._clock.ended(self.number)
            await asyncio.sleep(_PAUSE_SECONDS)


def write_secrets(root: Path, server: ScriptedServer) -> None:
    """The function's way to its mail server."""
    (root / "ca.pem").write_bytes(server.ca_pem_path.read_bytes())
    secrets = (
        f"[smtp]\nserver = {server.host}\nport = {server.port}\nca_file = ca.pem\n"
        f"username = {_USER}\npassword = {_PASSWORD}\n"
    )
    (root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
