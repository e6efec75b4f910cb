"""Imported by ministack's Python before anything else: what Terraform's provider misses in 1.5.33.

- To the provider's protocol (Query, XML) DescribeAlarms answers with half of an alarm's attributes,
  and each plan would set the others again. To boto3's it answers with all, and with a
  period and a statistic of alarms on an expression as well.
- Saved queries of Logs Insights are unknown.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Answer = tuple[int, dict[str, str], bytes]


def _show_alarms_whole() -> None:
    cloudwatch = vars(import_module("ministack.services.cloudwatch"))
    answered = cloudwatch["_describe_alarms"]

    def describe_alarms(
        params: dict[str, Any], given: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> object:
        if is_cbor or is_json:
            return answered(params, given, is_cbor, is_json)
        names = [value for key, (value, *_) in params.items() if key.startswith("AlarmNames.")]
        _, _, body = answered({}, {"AlarmNames": names}, False, True)
        found = _xml({"DescribeAlarmsResult": _without_defaults(json.loads(body))})
        return cloudwatch["_xml"](HTTPStatus.OK, "DescribeAlarmsResponse", found)

    cloudwatch["_describe_alarms"] = describe_alarms


def _without_defaults(described: dict[str, Any]) -> dict[str, Any]:
    """An alarm on an expression has neither period nor statistic: its metrics have."""
    for alarm in described["MetricAlarms"]:
        if not alarm.get("MetricName"):
            del alarm["Period"], alarm["Statistic"]
    return described


def _xml(value: object) -> str:
    if isinstance(value, dict):
        return "".join(
            f"<{key}>{_xml(part)}</{key}>"
            for key, part in value.items()
            if not key.endswith("Timestamp")  # of another form in XML, and the provider reads none
        )
    if isinstance(value, list):
        return "".join(f"<member>{_xml(part)}</member>" for part in value)
    return escape(json.dumps(value) if isinstance(value, bool | int | float) else str(value or ""))


def _keep_queries() -> None:
    """Those of all accounts together: an id is in one only, and a name is asked for with its id."""
    logs = vars(import_module("ministack.services.cloudwatch_logs"))
    handled: Callable[..., Awaitable[Answer]] = logs["handle_request"]
    kept: dict[str, dict[str, Any]] = {}

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if not action.endswith(("QueryDefinition", "QueryDefinitions")):
            return await handled(method, path, headers, body, query)
        given: dict[str, Any] = json.loads(body)
        answer: dict[str, Any] = {}
        if action == "PutQueryDefinition":
            key = given.setdefault("queryDefinitionId", str(uuid4()))
            kept[key], answer["queryDefinitionId"] = given, key
        elif action == "DeleteQueryDefinition":
            answer["success"] = kept.pop(given["queryDefinitionId"], None) is not None
        else:
            prefix = given.get("queryDefinitionNamePrefix", "")
            found = [one for one in kept.values() if one["name"].startswith(prefix)]
            answer["queryDefinitions"] = found
        json_of_aws = {"Content-Type": "application/x-amz-json-1.1"}
        return HTTPStatus.OK, json_of_aws, json.dumps(answer).encode()

    logs["handle_request"] = handle_request


if any("ministack" in word for word in sys.orig_argv[1:2]):
    _show_alarms_whole()
    _keep_queries()
