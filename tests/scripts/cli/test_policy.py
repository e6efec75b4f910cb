"""What ionctl calls in AWS is what the policies of docs/ionctl.md allow, and no less."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from ion.contract import Pause
from ion.settings import Security, SettingsError, Smtp
from ionctl.ops import erasing, letters, steering, suppressing
from ionctl.ops.account import Account
from ionctl.ops.by_address import emails_to
from ionctl.ops.cost import cost
from ionctl.ops.deployment import Deployment, relays
from ionctl.ops.doctor import secret, ses
from ionctl.ops.doctor.examine import diagnose
from ionctl.ops.doctor.mail import Options
from ionctl.ops.life import life
from ionctl.ops.publishing import publish
from ionctl.ops.status import status
from ionctl.problem import Problem
from ionctl.reference.policy import DIAGNOSE, LOOK, STEER, Statements, policy
from relays import Operated

_SERVICES = {"sesv2": "ses"}
"""By client: what IAM calls the service."""
_ACTIONS = {"lambda": {"Invoke": "InvokeFunction"}, "monitoring": {}}
_NOT_HERE = {"iam:GetPolicy", "iam:GetPolicyVersion"}
"""Of a role with managed policies, which the module's own role has none of."""
Calls = set[tuple[str, str]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Actions and, where a call names it, the resource's name."""
    seen: Calls = set()
    really = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def call(client: Any, operation: str, request: dict[str, Any]) -> Any:  # noqa: ANN401
        service = client.meta.service_model.service_name
        names = [operation.removesuffix("Batch")]
        if operation == "BatchExecuteStatement":
            verbs = {one["Statement"].split()[0].title() for one in request["Statements"]}
            names = [f"PartiQL{verb}" for verb in verbs]
        for name in names:
            action = _ACTIONS.get(service, {}).get(name, name)
            seen.add((f"{_SERVICES.get(service, service)}:{action}", _resource(request)))
        return really(client, operation, request)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return seen


def _resource(request: dict[str, Any]) -> str:
    """The last part of what a call is about."""
    for key in ("QueueUrl", "TopicArn"):
        if key in request:
            return str(request[key]).replace("/", ":").rpartition(":")[2]
    return ""


def _of(part: Statements) -> set[str]:
    return {action for actions, _ in part.values() for action in actions}


def _look(deployment: Deployment) -> None:
    relays(deployment.account)
    status(deployment)
    life(deployment, "order-17")
    with suppress(Problem):
        life(deployment, "<a@example.org>", scan=True)
    emails_to(deployment, "ann@example.org", scan=True)
    letters.look(deployment)
    steering.in_force(deployment)
    suppressing.entries(deployment, letters.silent)
    suppressing.check(deployment, "ann@example.org")
    cost(deployment)


def _steer(deployment: Deployment) -> None:
    letters.redrive(deployment)
    steering.pause(deployment, Pause(), by="ann", why="a test")
    steering.resume(deployment, by="ann")
    steering.cancel(deployment, "order-17")
    suppressing.add(deployment, "ann@example.org")
    erasing.erase(deployment, "ann@example.org", dry_run=False, progress=letters.silent)
    publish(deployment, '{"action": "resume"}')
    publish(deployment, '{"action": "resume"}', bulk=True)


def _read_secret(account: Account) -> None:
    secret.text(account, "arn:aws:secretsmanager:us-east-1:123456789012:secret:ion/mail-AbCdEf")


def _ask_ses(account: Account) -> None:
    smtp = Smtp("email-smtp.us-east-1.amazonaws.com", 587, Security.STARTTLS)
    list(ses.look(account, smtp, "example.org"))


def _bury(relay: Operated) -> None:
    for _ in range(2):
        relay.queued("{}", relay.names.dead_letter_queue_url, attributes={"reason": "STOPPED"})


def test_to_look_takes_what_the_policy_for_it_allows(
    dynamodb_endpoint: str, tmp_path: Path, calls: Calls
) -> None:
    relay = Operated(dynamodb_endpoint, tmp_path, alarm_topics=("operators",))
    _bury(relay)
    relay.queued("{}")
    calls.clear()
    _look(relay.deployment)
    assert {action for action, _ in calls} == _of(LOOK)


def test_to_steer_takes_what_the_policy_for_it_allows(
    relay: Operated, tmp_path: Path, calls: Calls
) -> None:
    _bury(relay)
    deployment = relay.deployment
    calls.clear()
    letters.redrive(deployment, maximum=1)
    letters.discard(deployment, file=tmp_path / "letters.jsonl")
    letters.restore(deployment, tmp_path / "letters.jsonl")
    _steer(deployment)
    used = {action for action, _ in calls}
    assert used <= _of(LOOK) | _of(STEER)
    assert used >= _of(STEER)


def test_to_diagnose_takes_what_the_policy_for_it_allows(relay: Operated, calls: Calls) -> None:
    deployment = relay.deployment
    calls.clear()
    diagnose(deployment, Options())
    for look in (_read_secret, _ask_ses):  # of another relay: one whose provider is SES
        with suppress(ClientError, SettingsError):  # that there is none doesn't matter
            look(deployment.account)
    assert {action for action, _ in calls} - _of(LOOK) == _of(DIAGNOSE) - _NOT_HERE


def test_what_is_moved_and_published_goes_where_the_policy_names_it(
    relay: Operated, tmp_path: Path, calls: Calls
) -> None:
    _bury(relay)
    deployment = relay.deployment
    calls.clear()
    letters.discard(deployment, file=tmp_path / "letters.jsonl")
    letters.restore(deployment, tmp_path / "letters.jsonl")
    _steer(deployment)
    allowed = {
        (action, arn.rpartition(":")[2])
        for one in json.loads(policy(STEER))["Statement"]
        for action in one["Action"]
        for arn in one["Resource"]
    }
    changes = {one for one in calls if one[1] and one[0] in _of(STEER)}
    assert changes == {one for one in allowed if one[0].startswith(("sqs:", "sns:"))}
