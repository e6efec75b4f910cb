"""What the function's role may do, held against what the function does.

By the role's own policies, in our own reading: IAM's simulator isn't in every emulator, and wants
a permission of its own. Boundaries, policies of the organisation and of keys aren't looked at, nor
are conditions: what is granted under one counts as granted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ionctl.ops.doctor.arns import Arns
from ionctl.ops.doctor.check import ok, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_iam import IAMClient

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

_QUEUE = (
    *("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
    *("sqs:SendMessage", "sqs:GetQueueAttributes"),
)
_TABLE = ("dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")
_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
_S3 = re.compile(r"s3://([^/]+)/?(.*)")


@dataclass(frozen=True, slots=True)
class Need:
    """One use of a permission."""

    action: str
    resource: str


def needs(deployment: Deployment, key_arn: str = "") -> list[Need]:
    """What the function does in AWS with the settings that it has, beside what messages name.

    Args:
        deployment: the relay.
        key_arn: of KMS, by which its queues are encrypted; empty: they have none of their own.
    """
    arns, environment = Arns(deployment), deployment.environment
    alarms = [
        arns.alarm(environment[f"ION_AWS_{which}ALARM_NAME"]) for which in ("", "BULK_", "LATER_")
    ]
    found = [Need(one, queue) for queue in (*arns.drained, arns.dead_letter) for one in _QUEUE]
    found += [Need(one, arns.table) for one in _TABLE]
    found += [Need("cloudwatch:SetAlarmState", alarm) for alarm in alarms]
    found += [Need(one, f"{arns.log_group}:log-stream:any") for one in _LOG]
    if secret := environment.get("ION_AWS_SECRET_ARN"):
        is_parameter = secret.split(":")[2:3] == ["ssm"]
        action = "ssm:GetParameter" if is_parameter else "secretsmanager:GetSecretValue"
        found.append(Need(action, secret))
    if outbox := environment.get("ION_AWS_OUTBOX_TABLE"):
        found.append(Need("dynamodb:BatchGetItem", arns.other_table(outbox)))
    if key_arn:
        found += [Need(one, key_arn) for one in _KEY]
    if templates := _S3.fullmatch(environment.get("ION_TEMPLATES_S3", "").rstrip("/")):
        bucket, prefix = f"arn:{arns.partition}:s3:::{templates[1]}", templates[2]
        found.append(Need("s3:GetObject", f"{bucket}/{prefix}/any" if prefix else f"{bucket}/any"))
        found.append(Need("s3:ListBucket", bucket))
    return found


def look(deployment: Deployment) -> Iterator[Finding]:
    """Name the permissions that are missing, by resource.

    Raises:
        botocore's errors: these credentials may not look at the role.
    """
    role = deployment.configuration["Role"].rsplit("/", 1)[-1]
    policies = list(_statements(deployment.account.iam, role))
    missing: dict[str, list[str]] = {}
    for need in needs(deployment, _key_of(deployment)):
        if not is_allowed(policies, need):
            missing.setdefault(need.resource, []).append(need.action)
    for resource, actions in missing.items():
        name = re.split(r"[:/]", resource.removesuffix(":log-stream:any"))[-1]
        yield wrong(
            "permissions",
            f"the role {role} may not {', '.join(actions)} on {resource}",
            "terraform apply puts the module's role right; to a role of your own (role_arn) give "
            "what the output role_policy_json says",
            about=name,
        )
    if not missing:
        yield ok("permissions", f"the role {role} may do all that ion does")


def _key_of(deployment: Deployment) -> str:
    """ARN of the input queue's key; empty: it has none, or it is called by another name."""
    about = deployment.account.sqs.get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=["KmsMasterKeyId"]
    )
    key = about.get("Attributes", {}).get("KmsMasterKeyId", "")
    return key if key.startswith("arn:") and ":key/" in key else ""


def is_allowed(statements: Sequence[Mapping[str, Any]], need: Need) -> bool:
    """True if one allows it and none denies it without a condition."""
    about = [one for one in statements if _is_about(one, need)]
    if any(one["Effect"] == "Deny" and "Condition" not in one for one in about):
        return False
    return any(one["Effect"] == "Allow" for one in about)


def _is_about(statement: Mapping[str, Any], need: Need) -> bool:
    # an action's case doesn't matter, a resource's does
    return _matches(statement, "Action", need.action, str.lower) and _matches(
        statement, "Resource", need.resource, str
    )


def _matches(statement: Mapping[str, Any], key: str, value: str, form: type[str] | Any) -> bool:  # noqa: ANN401 - str, or a method of it
    if key in statement:
        return any(fnmatchcase(form(value), form(one)) for one in _listed(statement[key]))
    others = _listed(statement.get(f"Not{key}", "*"))
    return not any(fnmatchcase(form(value), form(one)) for one in others)


def _statements(iam: IAMClient, role: str) -> Iterator[Mapping[str, Any]]:
    """Those of the role's own policies and of those attached to it."""
    documents: list[Any] = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=role)
        for name in page["PolicyNames"]
    ]
    for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=role):
        for attached in page["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)
            documents.append(policy["PolicyVersion"]["Document"])
    for document in documents:  # boto3 has parsed it
        yield from _listed(document["Statement"])


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]
