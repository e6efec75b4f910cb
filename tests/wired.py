"""A deployment of which nothing runs, for the doctor's looks at it."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import boto3

from ionctl.local import clients, deploy
from ionctl.local.ministack import REGION
from ionctl.local.names import names_of
from ionctl.local.variables import Variables
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment, find
from ionctl.ops.result import Finding, Grade


class Wired:
    """The deployment, in an account of its own.

    Args:
        endpoint: of the ministack that it is in.
        package: of its function.
    """

    def __init__(self, endpoint: str, package: Path) -> None:
        account = f"4{secrets.randbelow(10**11):011d}"
        names = self.names = names_of(endpoint, account)
        self.aws = clients.connect(names)
        operators = self.aws.sns.create_topic(Name="operators")["TopicArn"]
        self.aws.sns.subscribe(
            TopicArn=operators, Protocol="lambda", Endpoint=f"{names.function_arn}-other"
        )
        self.variables = Variables(package, names.secret_arn, alarm_topic_arns=(operators,))
        deploy.deploy(self.aws, names, self.variables)

    @property
    def deployment(self) -> Deployment:
        session = boto3.Session(self.names.access_key, "test", region_name=REGION)
        return find(Account(session, self.names.endpoint), self.names.name)

    def subscription(self, topic_arn: str, protocol: str) -> dict[str, Any]:
        there = self.aws.sns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]
        (one,) = [dict(one) for one in there if one["Protocol"] == protocol]
        return one


def faults(found: Iterable[Finding]) -> list[tuple[str, str]]:
    """What is wrong: about what, and in which words."""
    wrong = [one for one in found if one.grade is not Grade.OK]
    assert all(one.advice for one in wrong)
    return [(one.about, one.found) for one in wrong]
