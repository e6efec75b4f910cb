"""What tests of the events function ask for by name."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from events.telling import REGION, Ear
from ion.events import handler


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


def forget_clients() -> None:
    """A new execution environment."""
    for made in (handler._sns, handler._sqs):  # noqa: SLF001 - what Lambda would forget, too
        made.cache_clear()
