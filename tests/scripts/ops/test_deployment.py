"""Finding a relay: what its properties are, and what is said where there is none."""

import dataclasses
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from ionctl.ops.account import Account
from ionctl.ops.deployment import find, relays, said
from ionctl.problem import Problem
from relays import Operated


def test_everything_that_is_known_of_a_relay_follows_from_its_function(relay: Operated) -> None:
    found, names = find(relay.account, "ion"), relay.names
    assert (found.queue_url, found.bulk_queue_url) == (names.queue_url, names.bulk_queue_url)
    assert found.later_queue_url == names.later_queue_url
    assert found.dead_letter_queue_url == names.dead_letter_queue_url
    assert (found.table, found.log_group) == (names.table, names.log_group)
    assert (found.topic_arn, found.bulk_topic_arn) == (names.topic_arn, names.bulk_topic_arn)
    assert found.environment["POWERTOOLS_SERVICE_NAME"] == "ion"
    assert found.alarm_prefix == "ion-"


def test_a_name_that_is_not_there_is_told_with_those_that_are(
    relay: Operated, tmp_path: Path
) -> None:
    with pytest.raises(Problem, match=r"no relay called shop in us-east-1: there is ion; see --n"):
        find(relay.account, "shop")
    Operated(relay.names.endpoint, tmp_path, name="ion-staging", account=relay.names.account)
    assert relays(relay.account) == ["ion", "ion-staging"]
    with pytest.raises(Problem, match=r"there are ion, ion-staging; see --name"):
        find(relay.account, "shop")


def test_an_account_without_a_relay_says_where_to_look(dynamodb_endpoint: str) -> None:
    empty = Account(
        boto3.Session("199999999999", "test", region_name="us-east-1"), dynamodb_endpoint
    )
    with pytest.raises(Problem, match="none at all there; see --region and --profile, or --local"):
        find(empty, "ion")


def test_another_program_of_that_name_is_no_relay(relay: Operated) -> None:
    relay.clients.functions.update_function_configuration(FunctionName="ion", Handler="other.run")
    with pytest.raises(Problem, match="the function ion is no relay of ion: there is none at all"):
        find(relay.account, "ion")


def test_a_relay_of_another_version_is_told_as_such(relay: Operated) -> None:
    environment = {**relay.deployment.environment}
    del environment["ION_AWS_LATER_QUEUE_URL"]
    relay.clients.functions.update_function_configuration(
        FunctionName="ion", Environment={"Variables": environment}
    )
    with pytest.raises(Problem, match=r"no ION_AWS_LATER_QUEUE_URL\. Use the ionctl of that"):
        find(relay.account, "ion")


class _Functions:
    """Lambda, which answers with an error, or with a configuration."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401
        self._answer = answer

    def get_function_configuration(self, **_: str) -> Any:  # noqa: ANN401
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def get_paginator(self, _: str) -> Any:  # noqa: ANN401
        raise self._answer


def _account(answer: Any) -> Account:  # noqa: ANN401
    account = Account(boto3.Session("a", "b", region_name="eu-west-1"))
    vars(account)["functions"] = _Functions(answer)
    return account


def test_an_environment_under_a_key_that_may_not_be_used_names_the_permission() -> None:
    configuration = {
        "Handler": "ion.handler.run",
        "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "…"}},
    }
    with pytest.raises(Problem, match=r"can't be read \(AccessDeniedException\): .* kms:Decrypt"):
        find(_account(configuration), "ion")


def _refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "of a secret"}}, "GetFunction")


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (NoCredentialsError(), "set AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="https://x"), "see network, --region"),
        (_refused("ExpiredTokenException"), "aws sso login"),
        (_refused("UnrecognizedClientException"), "aws sts get-caller-identity"),
        (_refused("AccessDeniedException"), "docs/ionctl.md has the policy"),
        (_refused("AuthorizationError"), "docs/ionctl.md has the policy"),
    ],
)
def test_an_error_of_aws_is_told_with_what_helps_and_without_its_text(
    error: Exception, helps: str
) -> None:
    with pytest.raises(Problem) as caught:
        find(_account(error), "ion")
    assert str(caught.value).startswith("the function ion can't be looked at: ")
    assert helps in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_error_of_which_nothing_is_known_is_its_code() -> None:
    assert said(_refused("Unheard")) == "Unheard"


def test_a_relay_that_may_not_be_listed_still_gives_a_way_on() -> None:
    account = _account(_refused("ResourceNotFoundException"))
    with pytest.raises(Problem, match="say which one with --name, and where with --region"):
        find(account, "ion")


def test_a_deployment_does_not_show_its_configuration(relay: Operated) -> None:
    shown = repr(dataclasses.replace(relay.deployment, configuration={"Environment": "secret"}))
    assert "secret" not in shown
