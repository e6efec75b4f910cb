"""What a role may do and what a function does, held against each other."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

import pytest
from botocore.client import BaseClient

_UNDER_A_KEY: Final = {
    # SQS Developer Guide, "Configuring KMS permissions": producers, consumers.
    "sqs:SendMessage": ("kms:GenerateDataKey", "kms:Decrypt"),
    "sqs:ReceiveMessage": ("kms:Decrypt",),
    # SNS Developer Guide, "Managing encryption keys": publishers.
    "sns:Publish": ("kms:GenerateDataKey", "kms:Decrypt"),
    # DynamoDB Developer Guide, "Encryption at rest: how it works": the table's key is decrypted
    # for the caller, about every five minutes.
    "dynamodb:BatchGetItem": ("kms:Decrypt",),
    "dynamodb:Query": ("kms:Decrypt",),
    "dynamodb:PartiQLInsert": ("kms:Decrypt",),
    "dynamodb:PartiQLUpdate": ("kms:Decrypt",),
    # Systems Manager User Guide, "SecureString parameter encryption and decryption".
    "ssm:GetParameter": ("kms:Decrypt",),
    # Secrets Manager User Guide, "Secret encryption and decryption".
    "secretsmanager:GetSecretValue": ("kms:Decrypt",),
}
"""What a service asks KMS for with its caller's permissions, by what it was asked for."""

SERVICES_OWN: Final = {
    # Lambda Developer Guide, "Sending function logs to CloudWatch Logs".
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    # The same, "Process DynamoDB records with Lambda": an event source mapping's poller.
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    # The same, "Giving Lambda functions access to resources in an Amazon VPC".
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
    # The same, "Visualize Lambda function invocations using AWS X-Ray".
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
"""What Lambda itself does with the function's role: no call of the function's shows it."""

_NAMES: Final = {"sqs": "QueueUrl", "sns": "TopicArn", "cloudwatch": "AlarmName"}
"""What a request calls the resource that it is about."""


@dataclass(frozen=True, order=True)
class Call:
    """One use of a permission.

    Args:
        key: of the row (DynamoDB), or the prefix of the keys that are listed (S3).
    """

    action: str
    resource: str
    key: str = ""


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource, or on those of a pattern, that a policy allows.

    Args:
        key: pattern of what a call may have as its key; None: any.
    """

    sid: str
    action: str
    resource: str
    key: str | None = None

    def allows(self, call: Call) -> bool:
        return (
            call.action == self.action
            and fnmatchcase(call.resource, self.resource)
            and (self.key is None or fnmatchcase(call.key, self.key))
        )


def grants(policy: str) -> list[Grant]:
    """What a policy allows, exactly: a star in an action, or alone as a resource, is refused.

    The network interfaces of a VPC and traces are the exception: no policy can name them.
    """
    found = [
        Grant(one["Sid"], action, resource, key)
        for one in _listed(json.loads(policy)["Statement"])
        if one["Effect"] == "Allow"
        for action in _listed(one["Action"])
        for resource in _listed(one["Resource"])
        for key in _keys(one)
    ]
    for one in found:
        assert "*" not in one.action, one
        assert one.resource != "*" or one.action in SERVICES_OWN, one
    return found


def ungranted(calls: set[Call], granted: list[Grant]) -> list[Call]:
    return sorted(call for call in calls if not any(one.allows(call) for one in granted))


def unused(calls: set[Call], granted: list[Grant]) -> list[Grant]:
    """Grants that no call has used, nor Lambda itself."""
    return [
        one
        for one in granted
        if one.action not in SERVICES_OWN and not any(one.allows(call) for call in calls)
    ]


def with_keys(calls: set[Call], key: Callable[[Call], str]) -> set[Call]:
    """These calls, and what AWS asks KMS for because of them; `key` encrypts what is called."""
    return calls | {
        Call(action, key(call)) for call in calls for action in _UNDER_A_KEY.get(call.action, ())
    }


class Recorder:
    """Notes every call to AWS of this process, while it is on.

    Args:
        arns: of what a call names (a queue's URL, a table, an alarm …), as the policy has them.
        secret_arn: of whatever secret is read.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, arns: Mapping[str, str], secret_arn: str = ""
    ) -> None:
        self.calls: set[Call] = set()
        self.on = False
        self._arns = arns
        self._secret_arn = secret_arn
        really = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

        def call(client: Any, operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
            if self.on:
                service = client.meta.service_model.service_name
                self.calls.update(self._taken(service, operation, request))
            return really(client, operation, request)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def _taken(self, service: str, operation: str, request: dict[str, Any]) -> Iterator[Call]:
        """The permissions that a call takes, and on what."""
        match service:
            case "sqs" | "sns" | "cloudwatch":  # a batch takes the permission of the single call
                named = self._arns[request[_NAMES[service]]]
                yield Call(f"{service}:{operation.removesuffix('Batch')}", named)
            case "dynamodb":
                yield from self._taken_of_tables(operation, request)
            case "s3" if operation == "ListObjectsV2":
                bucket = f"arn:aws:s3:::{request['Bucket']}"
                yield Call("s3:ListBucket", bucket, request["Prefix"])
            case "s3":  # HeadObject takes the permission of GetObject
                assert operation in {"GetObject", "HeadObject"}
                action = "s3:GetObjectVersion" if "VersionId" in request else "s3:GetObject"
                yield Call(action, f"arn:aws:s3:::{request['Bucket']}/{request['Key']}")
            case "ssm" | "secretsmanager":
                yield Call(f"{service}:{operation}", self._secret_arn)
            case _:
                raise AssertionError(service)

    def _taken_of_tables(self, operation: str, request: dict[str, Any]) -> Iterator[Call]:
        match operation:
            case "BatchExecuteStatement":  # those of its statements
                for one in request["Statements"]:
                    verb, table = re.findall(r'^(\w+)|"([^"]+)"', one["Statement"])[:2]
                    action = f"dynamodb:PartiQL{verb[0].title()}"
                    yield Call(action, self._arns[table[1]], _row(one))
            case "Query":
                index = f"{self._arns[request['TableName']]}/index/{request['IndexName']}"
                yield Call("dynamodb:Query", index)
            case _:
                for table, asked in request["RequestItems"].items():
                    for key in asked["Keys"]:
                        yield Call(f"dynamodb:{operation}", self._arns[table], key["email_id"]["S"])


def _row(statement: Mapping[str, Any]) -> str:
    """Key of the row that a statement of PartiQL is about."""
    before = statement["Statement"].partition('"email_id"=')[0]
    place = 0 if before == statement["Statement"] else before.count("?")  # an INSERT begins with it
    return str(statement["Parameters"][place]["S"])


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]


def _keys(statement: Mapping[str, Any]) -> list[str | None]:
    """Patterns of keys, of which each is a grant of its own."""
    match statement.get("Condition"):
        case None:
            return [None]
        case {"StringLike": {"s3:prefix": patterns}}:
            return _listed(patterns)
        case {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": patterns}}:
            return _listed(patterns)
        case other:
            raise AssertionError(f"a condition that is not understood here: {other}")
