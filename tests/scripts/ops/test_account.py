"""The account of a person's own configuration."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import TYPE_CHECKING, cast

import pytest

from ionctl.ops.account import Account, account, local_account
from ionctl.ops.local_stack import LocalStack, MailServerAddress
from ionctl.problem import Problem

if TYPE_CHECKING:
    import boto3

pytestmark = pytest.mark.usefixtures("credentials")


@pytest.fixture
def profiles(credentials: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text("[profile work]\nregion = eu-north-1\n[profile bare]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.delenv("AWS_DEFAULT_REGION")


@pytest.mark.usefixtures("profiles")
def test_profile_and_region_are_the_persons() -> None:
    assert account("work").region == "eu-north-1"
    assert account("work", "eu-west-3").region == "eu-west-3"


@pytest.mark.usefixtures("profiles")
def test_a_profile_that_is_not_there_is_told() -> None:
    with pytest.raises(Problem, match=r"profile \(wrok\) could not be found: see aws configure"):
        account("wrok")


@pytest.mark.usefixtures("profiles")
def test_a_region_that_is_not_known_is_asked_for() -> None:
    with pytest.raises(Problem, match=r"You must specify a region. Say where ion is: --region"):
        account("bare")


def test_a_client_is_made_once_and_of_the_region() -> None:
    one = account(region="eu-west-3")
    assert one.sqs is one.sqs
    clients = (
        *(one.cloudwatch, one.dynamodb, one.events, one.functions, one.iam, one.logs, one.s3),
        *(one.secretsmanager, one.sns, one.sqs, one.ssm),
    )
    services = [client.meta.service_model.service_name for client in clients]
    assert services == [
        *("cloudwatch", "dynamodb", "events", "lambda", "iam", "logs", "s3"),
        *("secretsmanager", "sns", "sqs", "ssm"),
    ]
    assert {client.meta.region_name for client in clients} <= {"eu-west-3", "aws-global"}


def test_the_local_stack_is_reached_whatever_the_persons_configuration_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("no configuration")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-this-one")
    server = MailServerAddress(host="localhost", port=1, username="", password="", ca_file="")
    stack = LocalStack(
        pid=1,
        name="ion",
        console_url="",
        endpoint_url="http://127.0.0.1:1",
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        topic_arn="",
        bulk_topic_arn="",
        mail_server=server,
    )
    local = local_account(stack)
    assert local.sqs.meta.endpoint_url == "http://127.0.0.1:1"
    assert local.region == "us-east-1"


class Meeting:
    """A session that notices if two threads make a client with it at once."""

    region_name = "eu-west-1"

    def __init__(self) -> None:
        self._both = Barrier(2)
        self.met = False

    def client(self, service: str, **_: object) -> str:
        with suppress(BrokenBarrierError):
            self._both.wait(timeout=0.5)
            self.met = True
        return service


def test_threads_make_one_client_after_the_other() -> None:
    session = Meeting()
    one = Account(cast("boto3.Session", session))
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda name: getattr(one, name), ("sqs", "sns")))
    assert (made, session.met) == (["sqs", "sns"], False)
