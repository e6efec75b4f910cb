"""The module as Terraform plans it, made once, and a relay whose hours pass at once."""

import os
import time

import pytest

from alarms.planned import Planned, plan
from alarms.world import World
from clock import Clock
from conftest import Log
from emulated import Account
from function import Function
from ionctl.problem import Problem


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory, dynamodb_endpoint: str) -> Planned:
    try:
        folder = tmp_path_factory.mktemp("planned") / "terraform"
        return plan(folder, dynamodb_endpoint, events={}, feedback={})
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"Terraform can't plan here: {problem}")


@pytest.fixture
def world(
    planned: Planned,
    account: Account,
    function: Function,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    clock = Clock(float(int(time.time())))
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ion")
    return World(planned.alarms, account, function, log, clock)
