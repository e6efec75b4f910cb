"""An execution environment: AWS's runtime client in a process, with the package unpacked."""

import json
import os
import platform
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from interpreter import interpreter
from ionctl.build.wheels import LAMBDA_PYTHON
from ionctl.local.command import run
from ionctl.local.ministack import CREDENTIALS, ISOLATION, REGION
from runtime.api import Answer, RuntimeApi

_ROOT = Path(__file__).parents[2]
_BUILD_SECONDS = 300
_DEATH_SECONDS = 10
_LAMBDAS_NAME = {"x86_64": "x86_64", "aarch64": "arm64"}


def target() -> tuple[str, str]:
    """The package's architecture and the Python that runs it: as on Lambda if there is one."""
    found = interpreter(LAMBDA_PYTHON)
    if found is None or sys.platform != "linux":
        return "host", sys.executable
    return _LAMBDAS_NAME[platform.machine()], found.path


def build(architecture: str, output: Path) -> None:
    """Build the package as release.sh does."""
    command = [sys.executable, "-m", "ionctl.build.package", "--architecture", architecture]
    _run([*command, "--output", str(output)], _ROOT / "scripts")


def runtime_python(python: str) -> Path:
    """Give the Python of an environment that holds what Lambda's runtime holds."""
    requirements = _ROOT / "tests" / "runtime" / "requirements.txt"
    said = _run([str(_ROOT / "scripts" / "venv.sh"), "runtime", str(requirements), python], _ROOT)
    return Path(said.splitlines()[-1])


def _run(command: list[str], folder: Path) -> str:
    status, output = run(command, folder=folder, timeout_seconds=_BUILD_SECONDS)
    assert status == 0, output
    return output


class Execution:
    """Runs between `__enter__` and `__exit__`; begins with a cold start.

    Args:
        package: the zip file.
        folder: where it is unpacked, and where the log is.
        python: see `runtime_python`.
        environment: of the function, as it is set in Lambda's configuration.
        handler: the function's, in the same place.
    """

    def __init__(
        self,
        package: Path,
        folder: Path,
        python: Path,
        environment: Mapping[str, str],
        handler: str = "ion.handler.run",
    ) -> None:
        self.root = folder / "task"
        with zipfile.ZipFile(package) as content:
            content.extractall(self.root)
        self._python = python
        self._environment = environment
        self._handler = handler
        self._log = folder / "log"
        self._api = RuntimeApi()

    def __enter__(self) -> Self:
        self._api.__enter__()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", "awslambdaric", self._handler],
                cwd=self.root,
                env=self._whole_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(_DEATH_SECONDS)
        self._api.__exit__(kind, error, traceback)

    def _whole_environment(self) -> dict[str, str]:
        """What Lambda defines beside the function's own (Lambda's "Defined runtime variables")."""
        return {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": "",
            "_HANDLER": self._handler,
            "LAMBDA_TASK_ROOT": str(self.root),
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "ion",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "Text",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/ion",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/28/[$LATEST]0",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{LAMBDA_PYTHON}",
            "AWS_REGION": REGION,
            "POWERTOOLS_SERVICE_NAME": "ion",
            **CREDENTIALS,
            **ISOLATION,
            **self._environment,
        }

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, event: object = None, *, seconds: float = 900) -> Answer:
        """Have the handler called, with so much time, and give what came of it."""
        answer = self._api.end(self._api.begin(event, seconds))
        assert not answer.request_id or self._api.idle.wait(_DEATH_SECONDS)
        return answer

    def freeze(self) -> None:
        """As Lambda does between invocations: no instruction is run until `thaw`."""
        assert self._api.idle.is_set()
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def text(self) -> str:
        """What it has written, which is what CloudWatch Logs gets."""
        return self._log.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The same as the JSON that each line is."""
        return [json.loads(line) for line in self.text.splitlines()]
