"""The emulated account as the operator's tool has it, and dead letters that lie in it."""

from typing import Any

from emulated import Account, Between
from ionctl.ops import account as ops_account
from ionctl.ops.deployment import Deployment
from letters import written


class Functions:
    """Lambda, which only writes down whom it was asked to run.

    Attributes:
        invoked: what it was asked.
        refusal: raised in place of that; None: it runs all.
    """

    def __init__(self) -> None:
        self.invoked: list[dict[str, Any]] = []
        self.refusal: Exception | None = None

    def invoke(self, **request: Any) -> dict[str, int]:  # noqa: ANN401 - as boto3 takes it
        if self.refusal:
            raise self.refusal
        self.invoked.append(request)
        return {"StatusCode": 202}


def deployment(
    account: Account, *, sqs: Between | None = None, dynamodb: Between | None = None, **env: str
) -> Deployment:
    """The relay whose queues and table the account has.

    Args:
        account: it.
        sqs: with a hand in between.
        dynamodb: the same.
        env: more of the function's environment.
    """
    operated = ops_account.Account(account.session)
    operated.__dict__ |= {  # each is made when it is first asked for, and these are there
        "sqs": sqs or account.sqs(),
        "dynamodb": dynamodb or account.dynamodb(),
        "functions": Functions(),
    }
    variables = account.environment | env
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion"
    return Deployment(
        operated, "ion", {"FunctionArn": arn, "Environment": {"Variables": variables}}
    )


def woken(operated: Deployment) -> int:
    """How often the relay was asked to run."""
    functions: Any = operated.account.functions
    return len(functions.invoked)


def bury(
    account: Account,
    body: str,
    *,
    reason: str = "RCPT_REJECTED",
    reply: str = "550 no",
    group: str = "",
    **ion: object,
) -> str:
    """Put a dead letter into the queue; returns its SQS id."""
    attributes: dict[str, tuple[str, str | bytes]] = {
        "own": ("Binary", b"\0"),
        "reason": ("String", reason),
        "ion": ("String", written(**ion)),
    }
    if reply:
        attributes["reply"] = ("String", reply)
    return account.publish(body, attributes, account.dead_url, group)
