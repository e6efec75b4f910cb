"""The relay's processes, from outside: born, told to run, killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ionctl.local.ministack import CREDENTIALS, ISOLATION
from soak.clock import CLOCKED

_ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_LAST_WORDS = 2000
_SLEEPS_DIVIDED_BY = 10
"""Of boto3's pauses between its tries: seconds that only the clock needs."""


class Nursery:
    """Imports the function once and forks its environments, one at a time.

    Args:
        root: where the package's files are (LAMBDA_TASK_ROOT).
        log: what they write.
        environment: of them all.
    """

    def __init__(self, root: Path, log: Path, environment: Mapping[str, str]) -> None:
        self._root = root
        self._log = log
        self._environment = environment

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                Path(__file__).with_name("function.py"),
                env={
                    **{name: os.environ[name] for name in _INHERITED if name in os.environ},
                    **CREDENTIALS,
                    **ISOLATION,
                    **self._environment,
                    "SOAK_SLEEPS_DIVIDED_BY": str(_SLEEPS_DIVIDED_BY),
                    "PYTHONPATH": f"{CLOCKED}:{_ROOT / 'lambda_src'}",
                    "LAMBDA_TASK_ROOT": str(self._root),
                },
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # its input ends, and so does it
        await self._process.wait()

    async def fork(self, environment: Mapping[str, str]) -> int:
        """Its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(dict(environment)).encode() + b"\n")
        return await self.number()

    async def number(self) -> int:
        """The next that it says: a pid or an exit status."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"the function can't be imported:\n{self.last_words()}"
        return int(line)

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-_LAST_WORDS:]


class Process:
    """One execution environment. The nursery's one before must be dead.

    Args:
        nursery: where it is born, by `begin`.
    """

    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._pid: int | None = None
        self.killed = False

    async def begin(self, environment: Mapping[str, str]) -> None:
        called: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        called = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(
            lambda reader, writer: called.set_result((reader, writer)), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        try:
            self._pid = await self._nursery.fork({**environment, "SOAK_CONTROL_PORT": str(port)})
            self._reader, self._writer = await called
        finally:
            server.close()  # whoever is born too late finds nobody there, and goes

    async def invoke(self, seconds: float) -> dict[str, Any] | None:
        """One invocation's summary; None: it died."""
        try:
            self._writer.write(f"{seconds}\n".encode())
            said = await self._reader.readline()
        except ConnectionError:
            return None
        return json.loads(said) if said else None

    def kill(self) -> None:
        """SIGKILL, at once."""
        if self._pid is not None and not self.killed:
            self.killed = True
            os.kill(self._pid, signal.SIGKILL)

    async def ended(self) -> int:
        """Its exit status, once it is gone; negative for a signal. Tells it to go."""
        self._writer.close()
        status = await self._nursery.number()
        self._pid = None
        return status
