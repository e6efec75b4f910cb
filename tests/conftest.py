"""What tests ask for by name: an AWS account, and what the relay wrote to its log."""

import functools
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import moto.core.models
import pytest
from aws_lambda_powertools import Metrics
from botocore.loaders import JSONFileLoader, Loader
from moto import mock_aws
from moto.sqs.models import SQSBackend

import emf
from emulated import REGION, Account, without_waiting
from function import Function, deployed
from ionctl import program
from ionctl.local.ministack import CREDENTIALS, ISOLATION, Ministack
from ionctl.local.stack import ministack_python
from kill.account import Emulator, emulator
from relays import Operated

# A shared machine is slow at times; that isn't a finding.
hypothesis.settings.register_profile("ion", deadline=None)
hypothesis.settings.load_profile("ion")

# What is begun in the background of a shell ignores it, and so would all that tests begin.
signal.signal(signal.SIGINT, signal.default_int_handler)

# For Terraform and its provider: Go's garbage collector reads the provider's schemas again and
# again, which stay. Less often (default: 100) is a quarter of their time.
os.environ.setdefault("GOGC", "400")


@functools.cache
def _model(path: str, load: Callable[..., Any] = JSONFileLoader.load_file) -> Any:  # noqa: ANN401 - JSON
    return load(JSONFileLoader(), path)


@functools.cache
def _services(
    type_name: str, listed: Callable[..., list[str]] = Loader.list_available_services
) -> list[str]:
    return listed(Loader(), type_name)


# Each relay has a session of boto3's, and each session would parse the models of AWS's services
# anew, and look through their folders: half of the work of the tests that make one. botocore only
# reads them.
setattr(JSONFileLoader, "load_file", lambda _self, path: _model(path))  # noqa: B010 - mypy: a method
setattr(Loader, "list_available_services", lambda _self, type_name: _services(type_name))  # noqa: B010

# For what is called by `requests`, which nothing here uses, each mock_aws would prepare answers.
moto.core.models.RESPONSES_METHODS.clear()


LONGEST = (
    "system/test_terraform_protect.py",
    "machine/test_machine.py",
    "system/test_terraform_plan.py",
    "system/test_soak.py",
    "system/test_terraform_examples.py",
    "system/test_terraform_module.py",
    "system/test_flow.py",
    "docs/test_pages.py",
    "docs/test_readme.py",
    "system/test_kill_flow.py",
    "docs/test_operations.py",
    "scripts/test_package.py",
    "scripts/test_release_all.py",
    "scripts/local/test_agreement.py",
    "report/test_redaction.py",
)
"""Files of minutes, in the order in which they begin: what waits for Terraform beside work."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, or one process would be busy with it at the end."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in ranks)

    def rank(item: pytest.Item) -> tuple[int, bool]:
        return ranks.get(item.path, len(LONGEST)), item.get_closest_marker("system") is None

    items.sort(key=rank)


@pytest.fixture(autouse=True)
def _called_by_its_usual_name() -> Iterator[None]:
    """A command that a test has run chose a relay, which hints go on naming."""
    yield
    program.begin("ionctl")


class Log:
    """What went to standard output, which is where Lambda reads events and metrics from."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().out
        return self._text

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line for line in self._lines if "_aws" not in line]

    @property
    def metrics(self) -> dict[str, list[float]]:
        """All that was flushed, by name."""
        found: dict[str, list[float]] = {}
        for line in self._metric_lines:
            for metric in emf.metrics(line):
                found.setdefault(metric, []).extend(line[metric])
        return found

    def about(self, metric: str) -> list[dict[str, Any]]:
        """What each line of a metric says beside its value."""
        return [emf.properties(line) for line in self._metric_lines if metric in emf.metrics(line)]

    @property
    def _metric_lines(self) -> list[dict[str, Any]]:
        """Each as CloudWatch takes it, or the test fails."""
        lines = [line for line in self._lines if "_aws" in line]
        for line in lines:
            emf.check(line)
        return lines

    @property
    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Iterator[Log]:
    """Ask for it before anything makes a Telemetry."""
    _forget_logger()
    Metrics().clear_metrics()
    yield Log(capsys)
    _forget_logger()


def _forget_logger() -> None:
    """Powertools' logger lives as long as the process and writes to the stdout it was born with."""
    for name, logger in list(logging.Logger.manager.loggerDict.items()):
        if hasattr(logger, "powertools_handler"):
            del logging.Logger.manager.loggerDict[name]


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A ministack for all tests, started for the first that asks."""
    with Ministack(ministack_python(), tmp_path_factory.mktemp("ministack")) as ministack:
        yield ministack.endpoint


@pytest.fixture(scope="session")
def clocked_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The same with a clock of its own, for tests in which hours pass outside this process."""
    with emulator(tmp_path_factory.mktemp("clocked")) as running:
        yield running


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, dynamodb_endpoint: str) -> Iterator[Account]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "ION_"))]:
        monkeypatch.delenv(name)
    # moto takes any credentials, ministack its own; moto lets calls to this endpoint through.
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_endpoint)
    monkeypatch.setattr(SQSBackend, "receive_message", without_waiting)
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield Account(dynamodb_endpoint)


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a person's own AWS configuration; credentials that open nothing."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ION_"))]:
        monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, **ISOLATION}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def relay(credentials: None, dynamodb_endpoint: str, tmp_path: Path) -> Operated:
    """One for the operator's tools to look at."""
    return Operated(dynamodb_endpoint, tmp_path)


@pytest.fixture
def function(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Function:
    return deployed(account, tmp_path, monkeypatch)
