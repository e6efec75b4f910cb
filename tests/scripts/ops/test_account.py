"""The account of a person's own configuration."""

from pathlib import Path

import pytest

from ionctl.ops.account import account
from ionctl.problem import Problem

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
