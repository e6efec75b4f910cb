"""What tests of the events function ask for by name."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from events.telling import REGION, Ear, forget_clients


@pytest.fixture
def ear(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        ear = Ear.new()
        for name, value in ear.environment.items():
            monkeypatch.setenv(name, value)
        forget_clients()
        yield ear
    forget_clients()
