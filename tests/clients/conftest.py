"""What these tests ask for by name: ion's topic, and nodemailer."""

import os
from collections.abc import Iterator

import pytest
from moto import mock_aws

from clients.nodemailer import NODE, Nodemailer
from clients.topic import Topic
from emulated import REGION
from real import npm
from real.unavailable import skipped_unless_available


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "ION_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        one = Topic()
        monkeypatch.setenv("ION_TOPIC_ARN", one.arn)
        yield one


@pytest.fixture(scope="module")
def shared_nodemailer(dynamodb_endpoint: str) -> Nodemailer:
    with skipped_unless_available():
        modules = npm.modules(NODE)
    return Nodemailer(dynamodb_endpoint, modules)


@pytest.fixture
def nodemailer(shared_nodemailer: Nodemailer) -> Iterator[Nodemailer]:
    yield shared_nodemailer
    # each test has read what it published
    assert not shared_nodemailer.bodies + shared_nodemailer.bulk
