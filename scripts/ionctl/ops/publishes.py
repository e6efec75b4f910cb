"""SNS's delivery log: which SQS message became of a publish.

SNS writes it where Terraform's `log_publishes` says so, a log group a topic: `sns/REGION/ACCOUNT/
TOPIC`, and of what it couldn't deliver the same with `/Failure` (SNS Developer Guide, "message
delivery status"). It has the id that `publish` returned beside that which SQS gave the message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ionctl.ops.log import MOST_PAGES

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import FilterLogEventsRequestTypeDef

    from ionctl.ops.deployment import Deployment

_FAILURES = "/Failure"


@dataclass(slots=True)
class Publishes:
    """What the log has of a publish.

    Args:
        is_on: False: there is no such log.
        ids: of the SQS messages that were made of it.
        failed: why it couldn't be delivered, as SNS says it; empty: nothing is known of that.
    """

    is_on: bool = False
    ids: list[str] = field(default_factory=list)
    failed: str = ""


def groups(deployment: Deployment) -> list[str]:
    """Names of the log groups, those of failures included."""
    names = []
    for arn in (deployment.topic_arn, deployment.bulk_topic_arn):
        _, _, _, region, account, topic = arn.split(":", 5)
        names += [f"sns/{region}/{account}/{topic}{end}" for end in ("", _FAILURES)]
    return names


def sqs_ids(deployment: Deployment, sns_id: str, since: datetime) -> Publishes:
    """What became of a publish. Raises botocore's errors.

    Args:
        deployment: whose topics.
        sns_id: as `publish` returned it.
        since: look through the logs from then on.
    """
    found = Publishes()
    for group in groups(deployment):
        for record in _records(deployment, group, sns_id, since, found):
            _note(record, sns_id, found)
    return found


def _records(
    deployment: Deployment, group: str, sns_id: str, since: datetime, found: Publishes
) -> list[Any]:
    logs = deployment.account.logs
    request: FilterLogEventsRequestTypeDef = {
        "logGroupName": group,
        "startTime": int(since.timestamp() * 1000),
        "endTime": int(datetime.now(UTC).timestamp() * 1000) + 1,
        "filterPattern": f'{{ $.notification.messageId = "{sns_id}" }}',
    }
    records: list[Any] = []
    for _ in range(MOST_PAGES):
        try:
            answer = logs.filter_log_events(**request)
        except logs.exceptions.ResourceNotFoundException:
            return records
        found.is_on = True
        records += [_json(line["message"]) for line in answer["events"]]
        if not (token := answer.get("nextToken")):
            break
        request["nextToken"] = token
    return records


def _note(record: Any, sns_id: str, found: Publishes) -> None:  # noqa: ANN401 - SNS's JSON
    """Take from an event what it says of that publish. An emulator may know no patterns."""
    try:
        if record["notification"]["messageId"] != sns_id:
            return
        delivery = record["delivery"]
        response = _json(delivery["providerResponse"])
        if record["status"] == "SUCCESS":
            found.ids.append(str(response["sqsMessageId"]))
        else:
            words = response.get("ErrorMessage") if isinstance(response, dict) else ""
            found.failed = f"{words or delivery['providerResponse']} ({delivery['statusCode']})"
    except (KeyError, TypeError):
        return


def _json(text: object) -> Any:  # noqa: ANN401 - SNS's JSON
    try:
        return json.loads(str(text))
    except ValueError:
        return None
