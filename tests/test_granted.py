"""What the function's role may do and what the function does, held against each other."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from emulated import REGION, Account
from function import PASSWORD, Function, email, guarded, invoke
from ionctl.local import policies
from ionctl.local.names import names_of
from ionctl.local.variables import Variables
from smtp_server import Step, reply

NAMES = names_of("http://127.0.0.1")
TEMPLATES = "s3://ion-templates/mail"
TEMPLATES_ARNS = {
    "ListObjectsV2": "arn:aws:s3:::ion-templates",
    "GetObject": "arn:aws:s3:::ion-templates/mail/*",
}
GRANTS = {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}
VARIABLES = Variables(Path(), "secret", {"templates": {"s3": TEMPLATES}})
LAMBDAS_OWN = NAMES.log_group_arn
"""Lambda writes the function's log, with the function's role."""


class Calls:
    """Calls to AWS, as the permissions that they take on which resource."""

    def __init__(self, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: dict[str, set[str]] = defaultdict(set)
        self._arns = {
            account.input_url: NAMES.queue_arn,
            account.bulk_url: NAMES.bulk_queue_arn,
            account.later_url: NAMES.later_queue_arn,
            account.dead_url: NAMES.dead_letter_queue_arn,
            account.table: NAMES.table_arn,
            account.alarm_name: NAMES.alarm_arn,
            account.bulk_alarm_name: NAMES.bulk_alarm_arn,
            account.later_alarm_name: NAMES.later_alarm_arn,
        }
        self.on = False
        really = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

        def call(client: Any, operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
            if self.on:
                self._note(client.meta.service_model.service_name, operation, request)
            return really(client, operation, request)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def _note(self, service: str, operation: str, request: dict[str, Any]) -> None:
        match service:
            case "sqs":  # a batch takes the permission of the single call
                action = f"sqs:{operation.removesuffix('Batch')}"
                self.taken[self._arns[request["QueueUrl"]]].add(action)
            case "cloudwatch":
                self.taken[self._arns[request["AlarmName"]]].add(f"cloudwatch:{operation}")
            case "dynamodb" if operation == "BatchExecuteStatement":  # those of its statements
                for one in request["Statements"]:
                    verb, table = re.findall(r'^(\w+)|"([^"]+)"', one["Statement"])[:2]
                    action = f"dynamodb:PartiQL{verb[0].title()}"
                    self.taken[self._arns[table[1]]].add(action)
            case "dynamodb":
                for table in request["RequestItems"]:
                    self.taken[self._arns[table]].add(f"dynamodb:{operation}")
            case "s3":
                self.taken[TEMPLATES_ARNS[operation]].add(GRANTS[operation])
            case "ssm" | "secretsmanager":
                self.taken["secret"].add(f"{service}:{operation}")
            case _:
                raise AssertionError(service)


def granted(secret_action: str) -> dict[str, set[str]]:
    """By the policy that tests/scripts/local/test_agreement.py compares with Terraform's."""
    found = {
        resource: set(one["Action"])
        for one in policies.allowances(NAMES, VARIABLES)
        for resource in one["Resource"]
        if not resource.startswith(LAMBDAS_OWN)
    }
    assert found["secret"] == {"ssm:GetParameter"}
    return found | {"secret": {secret_action}}


@pytest.mark.parametrize(
    ("service", "secret_action"),
    [("ssm", "ssm:GetParameter"), ("secretsmanager", "secretsmanager:GetSecretValue")],
)
async def test_every_call_is_granted_and_everything_granted_is_used(
    account: Account,
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    secret_action: str,
) -> None:
    """Sent, put off, dead-lettered, redriven, held, rescued; a template; a secret before this."""
    make: Any = account.session.client
    client = make(service)
    make("s3").create_bucket(
        Bucket="ion-templates", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    make("s3").put_object(Bucket="ion-templates", Key="mail/hello/body.txt.j2", Body=b"Hello")
    function.monkeypatch.setenv("ION_TEMPLATES_S3", TEMPLATES)
    calls = Calls(account, monkeypatch)

    def secret(text: str) -> str:
        if service == "ssm":
            client.put_parameter(Name="/ion", Value=text, Type="SecureString", Overwrite=True)
            return str(client.get_parameter(Name="/ion")["Parameter"]["ARN"])
        try:
            return str(client.create_secret(Name="ion", SecretString=text)["ARN"])
        except client.exceptions.ResourceExistsException:
            return str(client.put_secret_value(SecretId="ion", SecretString=text)["ARN"])

    throttled = reply(454, "4.7.0 Throttling failure: too many messages")
    put_off = [reply(450, "4.7.1 greylisted")]
    relay = function.relay()
    async with guarded({Step.RCPT: put_off}, recipients={"to4@example.org": throttled}) as server:
        for password in ("before", "wrong", PASSWORD):
            function.monkeypatch.setenv(
                "ION_AWS_SECRET_ARN", secret(function.secrets(server, password))
            )
            account.publish("a dead letter", url=account.dead_url)
            for body in (
                email(),
                email(1),
                email(2, template="hello", body_text=None),
                "{broken",
                '{"action": "redrive"}',
                email(3, lane="bulk"),
            ):
                account.publish(body)
            relay = function.relay()
            calls.on = True
            await invoke(relay)
            calls.on = False
        account.shown("ion-later")
        account.publish(email(4), url=account.bulk_url)
        for _ in range(3):
            calls.on = True
            await invoke(relay)
            calls.on = False
            account.time_passes()
            account.clear("ion-bulk")
        for queue in ("ion-input", "ion-bulk", "ion-later"):  # what has nothing is asked why
            account.clear(queue)
        calls.on = True
        await invoke(relay)
        assert server.accepted
    assert dict(calls.taken) == granted(secret_action)
