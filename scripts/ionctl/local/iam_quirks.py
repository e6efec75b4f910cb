"""What ministack's IAM gets wrong, made up for: the role may do there what it may do in AWS.

Where AWS would allow a call by the role's policy, ministack 1.5.33 asks for something else:

- a batch call to SQS needs the permission for the single one in AWS (SQS Developer Guide, "Amazon
  SQS batch actions"), and so does SNS's PublishBatch (Service Authorization Reference, "Amazon
  SNS"); ministack wants one named after the batch call, which AWS doesn't have;
- SSM's GetParameter may name a parameter by its ARN; ministack puts its own prefix before that. It
  may ask for a version ("name:3"), which ministack takes for a part of the name;
- DynamoDB's BatchExecuteStatement needs in AWS, for each statement, the permission of its kind on
  its table (Developer Guide, "IAM security policies with PartiQL"); ministack looks into none of
  them and wants one named after the call, on "*". So a DELETE, or another table, would pass here
  that AWS refuses; but the call passes only for who may both insert and update, as the ledger does.

So the role gets a second policy, made from what the first one allows and from nothing else: a
permission that the deployment forgets is missing here too.
"""

import json
from typing import Any

from ionctl.ops.account import Account

POLICY = "ministack-quirks"

_BATCHED = {
    *("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"),
    "sns:Publish",
}
_STATEMENTS = {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"}


def make_up(clients: Account, role: str) -> None:
    """Give a role its second policy."""
    statements: list[dict[str, Any]] = []
    for policy in clients.iam.list_role_policies(RoleName=role)["PolicyNames"]:
        written = clients.iam.get_role_policy(RoleName=role, PolicyName=policy)
        # boto3 has parsed it, whatever its types say
        document: Any = written["PolicyDocument"]
        statements += document["Statement"]
    clients.iam.put_role_policy(
        RoleName=role,
        PolicyName=POLICY,
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": list(filter(None, map(_translated, statements)))}
        ),
    )


def _translated(statement: dict[str, Any]) -> dict[str, Any] | None:
    """Give what ministack wants to see for a statement; None: no more than the statement."""
    if statement["Effect"] != "Allow":
        return None
    actions = set(_listed(statement["Action"]))
    resources = _listed(statement["Resource"])
    if batched := sorted(actions & _BATCHED):
        wanted, on = [f"{action}Batch" for action in batched], resources
    elif "ssm:GetParameter" in actions:
        wanted = ["ssm:GetParameter"]
        on = [f"{arn.partition('parameter/')[0]}parameter/{arn}" for arn in resources]
        on += [f"{arn}:*" for arn in resources]
    elif actions >= _STATEMENTS:
        wanted, on = ["dynamodb:BatchExecuteStatement"], ["*"]
    else:
        return None
    return {"Effect": "Allow", "Action": wanted, "Resource": on}


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
