"""Drains before a server that takes R emails a second, as SES does: how much of R they use.

PYTHONPATH=lambda_src:scripts .venv/bench/bin/python -m bench.throttle
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

from bench.account import Account
from bench.daemons import module
from bench.task import HOST
from ionctl.local.ministack import Ministack
from ionctl.local.stack import ministack_python

LIMIT = 40.0
SECONDS = 12.0
_ROOT = Path(__file__).parents[2]
_SLOWER = b"454 Throttling failure: Maximum sending rate exceeded.\r\n"
_TURN_SECONDS = 300
_MOST_TURNS = 20
_EHLO = b"250-throttle.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_REPLIES = {
    "EHLO": _EHLO,
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True, slots=True)
class Throttled:
    """What came of one case.

    Args:
        drains: side by side.
        told: `max_rate` was set to the limit.
        strict: no second at all may see more than the limit; else a second's worth may come at
            once.
        limit: R, emails a second.
        rate: that the server took, emails a second, while there was mail for all drains; without
            the first second.
        share: that, of R.
        throttled: emails that the server refused for now, in all.
        unsent: emails that ended anywhere but at the server, once the rest had been sent, too.
    """

    drains: int
    told: bool
    strict: bool
    limit: float
    rate: float
    share: float
    throttled: int
    unsent: int


class Server:
    """Speaks SMTP in a thread of its own, from `with` to its end.

    Args:
        limit: emails a second.
        strict: as above.
    """

    def __init__(self, limit: float, *, strict: bool) -> None:
        self._limit = limit
        self._strict = strict
        self._tokens, self._at = limit, 0.0
        self.taken: list[float] = []
        """When, on the clock that never goes back."""
        self.recipients: list[str] = []
        """Of those; of an email to several the last one."""
        self.throttled = 0
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, HOST, 0), self._loop
        ).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _end_all(self) -> None:
        """End the conversations with clients that are gone, or are about to be."""
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    def rate(self) -> float:
        """As `Throttled.rate`."""
        first, last = bisect(self.taken, self.taken[0] + 1), len(self.taken) * 9 // 10
        return (last - first) / (self.taken[last] - self.taken[first])

    def _takes(self, now: float, recipient: str) -> bool:
        if self._strict:
            taken = len(self.taken) - bisect(self.taken, now - 1) < self._limit
        else:
            self._tokens = min(self._limit, self._tokens + self._limit * (now - self._at))
            taken = self._tokens >= 1
            self._tokens -= taken
            self._at = now
        if taken:
            self.taken.append(now)
            self.recipients.append(recipient)
        else:
            self.throttled += 1
        return taken

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipient = ""
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            writer.write(b"220 throttle.example\r\n")
            while line := await reader.readline():
                verb = line[:4].decode().upper()
                writer.write(_REPLIES.get(verb, b"250 ok\r\n"))
                if verb == "QUIT":
                    break
                if verb == "RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                if verb == "DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    taken = self._takes(time.monotonic(), recipient)
                    writer.write(b"250 taken\r\n" if taken else _SLOWER)
        self._writers.discard(writer)
        writer.close()


@dataclass(frozen=True, slots=True)
class _Site:
    ministack: Ministack
    folder: Path

    def case(
        self, limit: float, seconds: float, *, drains: int, told: bool, strict: bool
    ) -> Throttled:
        emails = round(limit * seconds)
        account = Account(self.ministack.endpoint, emails)
        with Server(limit, strict=strict) as server:
            (self.folder / "config-secrets.cfg").write_text(
                f"[smtp]\nserver = {HOST}\nport = {server.port}\nsecurity = none\n",
                encoding="utf-8",
            )
            environment = {
                **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
                **account.environment,
                "AWS_ENDPOINT_URL": self.ministack.endpoint,
                "LAMBDA_TASK_ROOT": str(self.folder),
                "ION_DRAIN_LINGER_SECONDS": "0",
                "ION_SMTP_MAX_RATE": f"{limit:g}" if told else "",
                "ION_AWS_CONCURRENCY": str(drains),
            }
            self._drain(environment, drains)
            rate = server.rate()
            for _ in range(_MOST_TURNS):  # what was throttled comes back after a second or two
                if len(server.taken) == emails:
                    break
                time.sleep(1)
                self._drain(environment, 1)
            came_to = Throttled(
                drains=drains,
                told=told,
                strict=strict,
                limit=limit,
                rate=round(rate, 2),
                share=round(rate / limit, 3),
                throttled=server.throttled,
                unsent=emails - len(server.taken) + account.left(),
            )
        account.delete()
        return came_to

    def _drain(self, environment: dict[str, str], drains: int) -> None:
        children = [
            subprocess.Popen(
                module("bench.throttle", "--drain"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            for _ in range(drains)
        ]
        ends = [child.wait(_TURN_SECONDS) for child in children]
        if any(ends):
            raise RuntimeError(f"the drains ended with {ends}")


def run(
    limit: float = LIMIT, seconds: float = SECONDS, say: Callable[[str], None] = print
) -> list[Throttled]:
    """Every case; each takes a little more than so many seconds."""
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="ion-bench-") as name,
        Ministack(ministack_python(), Path(name)) as ministack,
    ):
        shutil.copy(_ROOT / "config.cfg", name)
        site = _Site(ministack, Path(name))
        for told in (True, False):
            for drains in (1, 3):
                for strict in (False, True):
                    one = site.case(limit, seconds, drains=drains, told=told, strict=strict)
                    say(
                        f"{drains} drains, max_rate {'set' if told else 'empty'}, "
                        f"{'any second counts' if strict else 'a second may burst'}: "
                        f"{one.share:.3f} R, {one.throttled} throttled, {one.unsent} unsent"
                    )
                    results.append(one)
    return results


def _drain() -> None:
    """One run of the relay, as Lambda would have it."""
    from ion.deadline import Deadline  # noqa: PLC0415 - only here
    from ion.relay.relay import Relay  # noqa: PLC0415

    summary = asyncio.run(Relay().run(Deadline.after(_TURN_SECONDS)))
    if summary.error or summary.stopped != "empty":
        raise RuntimeError(f"the run ended by {summary.stopped}: {summary.error}")


def main() -> None:
    """Measure, and write the figures to standard output as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=LIMIT, help="R, emails a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of mail, each time")
    parser.add_argument("--drain", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.drain:
        _drain()
        return
    results = run(asked.limit, asked.seconds, lambda line: print(line, file=sys.stderr))
    print(json.dumps([asdict(one) for one in results], indent=1))


if __name__ == "__main__":
    main()
