"""Imported by the Python of ministack before anything else: alarms with all attributes, queries.

To the protocol of Terraform's provider (Query, XML) ministack 1.5.33 answers with half of an
alarm's attributes, and each plan would set the others again. To boto3's it answers with all. Saved
queries of Logs Insights it doesn't know; here they are kept, each in its account.
"""

import json
import sys
from importlib import import_module
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape


def _answer_in_full() -> None:
    cloudwatch = vars(import_module("ministack.services.cloudwatch"))
    answered = cloudwatch["_describe_alarms"]

    def describe_alarms(
        params: dict[str, Any], given: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> object:
        if is_cbor or is_json:
            return answered(params, given, is_cbor, is_json)
        names = [value for key, (value, *_) in params.items() if key.startswith("AlarmNames.")]
        _, _, body = answered({}, {"AlarmNames": names}, False, True)
        found = f"<DescribeAlarmsResult>{_xml(json.loads(body))}</DescribeAlarmsResult>"
        return cloudwatch["_xml"](200, "DescribeAlarmsResponse", found)

    cloudwatch["_describe_alarms"] = describe_alarms


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


def _keep_saved_queries() -> None:
    logs = vars(import_module("ministack.services.cloudwatch_logs"))
    answered = logs["handle_request"]
    kept: dict[tuple[str, str], dict[str, Any]] = {}

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> object:
        account = logs["get_account_id"]()
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if not action.endswith(("QueryDefinition", "QueryDefinitions")):
            return await answered(method, path, headers, body, query)
        said = json.loads(body)
        one = said.setdefault("queryDefinitionId", str(uuid4()))
        if action == "DescribeQueryDefinitions":
            mine = [what for (whose, _), what in kept.items() if whose == account]
            return logs["json_response"]({"queryDefinitions": mine})
        if action == "DeleteQueryDefinition":
            return logs["json_response"]({"success": bool(kept.pop((account, one), None))})
        kept[account, one] = said
        return logs["json_response"]({"queryDefinitionId": one})

    logs["handle_request"] = handle_request


if any("ministack" in word for word in sys.orig_argv[1:2]):
    _answer_in_full()
    _keep_saved_queries()
