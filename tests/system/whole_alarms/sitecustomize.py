"""Imported by the Python of ministack before anything else: DescribeAlarms with all attributes.

To the protocol of Terraform's provider (Query, XML) ministack 1.5.33 answers with half of an
alarm's attributes, and each plan would set the others again. To boto3's it answers with all.
"""

import json
import sys
from importlib import import_module
from typing import Any
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


if any("ministack" in word for word in sys.orig_argv[1:2]):
    _answer_in_full()
