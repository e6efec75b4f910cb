"""One server, one mode: emails in bursts with idle gaps, and the books afterwards."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle

import pytest

from emulated import Account
from function import Function
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.smtp import session
from real.books import Balance, Letter, balance
from real.emails import Email, written
from real.modes import EMAILS
from real.server import Server

IDLE_SECONDS = 0.3
"""After so long without an email a connection is asked whether it is still there, in most tests."""
CONNECTIONS = 4
_GAP = 1.7
"""Of that time, between bursts."""
_BURSTS = (1, 8, 8, 1, 20, 3)
_MOST_ROUNDS = 12
_ROUND_SECONDS = 15 * 60
_LIMIT_SECONDS = 300.0
_POLL_SECONDS = 0.01


class Trial:
    """The relay of one deployment against one server.

    Args:
        server: serves already.
        function: deployed.
        account: where it is deployed.
        mode: of [smtp] pipelining; None: there is no such setting.
        monkeypatch: of the test.
    """

    def __init__(
        self,
        server: Server,
        function: Function,
        account: Account,
        mode: str | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.server = server
        self.mode = mode
        self.waited = 0
        """Emails that had to be tried again later."""
        self._account = account
        self._monkeypatch = monkeypatch
        self._function = function
        secrets = server.secrets(function.root)
        (function.root / "config-secrets.cfg").write_text(secrets, encoding="utf-8")
        if mode is not None:
            monkeypatch.setenv("ION_SMTP_PIPELINING", mode)

    def carry(
        self,
        count: int = EMAILS,
        *,
        idle_seconds: float | None = IDLE_SECONDS,
        kills: bool = False,
        connections: int = CONNECTIONS,
        bursts: Sequence[int] = _BURSTS,
    ) -> Balance:
        """Publish emails, have the function send them, and count.

        Args:
            count: emails.
            idle_seconds: when a connection counts as idle; None: as shipped.
            kills: the server is killed in the middle of each burst of several, and comes back.
            connections: at most.
            bursts: sizes, over and over again.
        """
        if idle_seconds is not None:
            self._monkeypatch.setattr(session, "IDLE_SECONDS", idle_seconds)
        gap_seconds = _GAP * session.IDLE_SECONDS
        self._monkeypatch.setenv("ION_SMTP_CONNECTIONS", str(connections))
        self._monkeypatch.setenv("ION_DRAIN_LINGER_SECONDS", str(int(gap_seconds) + 2))
        relay = self._function.relay()
        emails = list(written(count, self.server.odd))
        with ThreadPoolExecutor(1) as environment:

            def invoke() -> Future[Summary]:
                return environment.submit(asyncio.run, relay.run(Deadline.after(900)))

            run = invoke()
            for number, burst in enumerate(_in_bursts(emails, bursts)):
                for email in burst:
                    self._account.publish(email.body)
                if run.done():
                    run.result()  # an invocation that raised is no matter of course
                    run = invoke()
                if kills and len(burst) > 1:
                    self._await(run, len(burst) * (1 + number % 3) // 4)
                    self.server.kill()
                    self.server.start()
                self._await(run, 0)
                time.sleep(gap_seconds)
            run.result()
            self.waited = len(self._account.waiting())
            for _ in range(_MOST_ROUNDS):
                if not self._account.waiting():
                    break
                self._account.time_passes(_ROUND_SECONDS)
                invoke().result()
        assert self.server.alive, "the server has ended by itself"
        return self._books(emails)

    def assert_undisturbed(self, books: Balance) -> None:
        """Nobody is lost, none who is good is dead, none doubled, and no email waits for a retry.

        Where the mode is what kills the server, one email on each connection may be in doubt before
        the relay knows.
        """
        assert not books.faults
        in_doubt = CONNECTIONS if self.mode == "deep" and self.server.breaks_when_deep else 0
        assert books.in_doubt <= in_doubt
        assert self.waited <= books.in_doubt

    def _await(self, run: Future[Summary], most: int) -> None:
        """Until so many emails are queued at most, or the run has given up for now."""
        ends = time.monotonic() + _LIMIT_SECONDS
        while len(self._account.waiting()) > most and not run.done():
            assert time.monotonic() < ends, "the run doesn't end"
            time.sleep(_POLL_SECONDS)

    def _books(self, emails: Sequence[Email]) -> Balance:
        return balance(
            emails,
            self.server.stored(),
            [_letter(dead.body, dead.attributes) for dead in self._account.dead()],
            [json.loads(one.body)["email_id"] for one in self._account.waiting()],
            {
                str(row["email_id"]): int(row["doubts"])
                for row in self._account.rows()
                if "doubts" in row
            },
        )


def _in_bursts(emails: Sequence[Email], sizes: Sequence[int]) -> Iterator[Sequence[Email]]:
    left = list(emails)
    for size in cycle(sizes):
        burst, left = left[:size], left[size:]
        if not burst:
            return
        yield burst


def _letter(body: str, attributes: dict[str, tuple[str, str | bytes]]) -> Letter:
    def text(name: str) -> str:
        return str(attributes.get(name, ("", ""))[1])

    left = json.loads(text("ion") or "{}").get("left", ())
    return Letter(json.loads(body)["email_id"], text("reason"), text("reply"), tuple(left))
