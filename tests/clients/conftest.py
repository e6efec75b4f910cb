"""What these tests ask for by name: ion's topic."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from clients.topic import Topic
from emulated import REGION


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "ION_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        one = Topic()
        monkeypatch.setenv("ION_TOPIC_ARN", one.arn)
        yield one
