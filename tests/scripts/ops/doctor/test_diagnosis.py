"""A diagnosis as a whole: of what is well, of what says nothing, and by who may see nothing."""

import json
from collections.abc import Callable, Iterator

import boto3
import pytest

from ionctl.local.ministack import REGION
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment, find
from ionctl.ops.doctor import Options, alarms, diagnose, secret, state, wiring
from ionctl.ops.result import Finding, Grade
from wired import Wired, faults


def of_alarms(deployment: Deployment) -> Iterator[Finding]:
    return alarms.look(deployment, disabled=False)


@pytest.mark.parametrize(
    "look",
    [
        *(wiring.topics, wiring.queues, wiring.wakeups, of_alarms),
        *(state.concurrency, state.dead_letters, state.log, state.switches),
    ],
)
def test_what_is_deployed_is_well(
    wired: Wired, look: Callable[[Deployment], Iterator[Finding]]
) -> None:
    found = list(look(wired.deployment))
    assert faults(found) == []
    assert found


def test_diagnosis_goes_on_where_package_and_secret_say_nothing(wired: Wired) -> None:
    """The package here is no real one, and there is no secret."""
    diagnosis = diagnose(wired.deployment, Options())
    assert [one.check for one in diagnosis.findings if one.grade is Grade.WRONG] == [
        *("package", "secret")
    ]
    assert {"permissions", "topics", "queues", "wake-up", "alarms", "paused", "log"} <= {
        one.check for one in diagnosis.findings if one.grade is Grade.OK
    }


def test_who_may_look_at_nothing_is_told_so_of_each_check(wired: Wired) -> None:
    iam = wired.aws.iam
    iam.create_user(UserName="visitor")
    may = {"Effect": "Allow", "Action": "lambda:GetFunctionConfiguration", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="visitor", PolicyName="visit", PolicyDocument=policy)
    key = iam.create_access_key(UserName="visitor")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    deployment = find(Account(session, wired.names.endpoint), wired.names.name)
    findings = diagnose(deployment, Options()).findings
    assert {one.grade for one in findings} == {Grade.SKIPPED}
    assert {one.check for one in findings} >= {"package", "secret", "permissions", "alarms"}
    untold = [one for one in findings if "these credentials may not do that" not in one.found]
    assert untold == []


def test_secret_is_read_where_its_arn_says(wired: Wired) -> None:
    account = wired.deployment.account
    text = "[smtp]\nserver = mail.example.org\n"
    arn = account.secretsmanager.create_secret(Name="ion", SecretString=text)["ARN"]
    wired.aws.ssm.put_parameter(Name=wired.names.secret, Value=text * 2, Type="SecureString")
    assert secret.text(account, arn) == text
    assert secret.text(account, wired.names.secret_arn) == text * 2
