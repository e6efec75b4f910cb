"""What Terraform would make of the module, by the real provider: alarms, dashboard, queries."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alarms.cloudwatch import Alarm, Series
from ionctl.local.ministack import CREDENTIALS
from ionctl.local.stack import ROOT
from ionctl.local.terraform import Copy, emulated

OPERATORS = "arn:aws:sns:us-east-1:123456789012:operators"

Json = dict[str, Any]


@dataclass(frozen=True)
class Planned:
    """The resources of a plan."""

    resources: tuple[Json, ...]
    said: str
    """What `terraform plan` wrote for a person."""

    @property
    def alarms(self) -> list[Alarm]:
        """Those that tell a person."""
        return [
            _alarm(resource["index"], resource["values"])
            for resource in self.resources
            if resource["type"] == "aws_cloudwatch_metric_alarm" and resource["name"] == "operators"
        ]

    @property
    def dashboard(self) -> Json:
        """Its body."""
        (one,) = (one for one in self.resources if one["type"] == "aws_cloudwatch_dashboard")
        body: Json = json.loads(one["values"]["dashboard_body"])
        return body

    @property
    def queries(self) -> dict[str, str]:
        """By key, the text of each saved query."""
        return {
            resource["index"]: resource["values"]["query_string"]
            for resource in self.resources
            if resource["type"] == "aws_cloudwatch_query_definition"
        }


def plan(folder: Path, endpoint: str, **variables: object) -> Planned:
    """Plan the module.

    Args:
        folder: that doesn't exist yet.
        endpoint: of an emulated AWS, asked for account and region.
        variables: the module's.
    """
    environment = emulated(endpoint, CREDENTIALS["AWS_ACCESS_KEY_ID"])
    copy = Copy(ROOT / "terraform", folder, environment)
    given = {"package": "versions.tf", "alarm_topic_arns": [OPERATORS], **variables}
    (copy.folder / "test.auto.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
    said = copy.run("plan", "-input=false", "-out=plan")
    shown: Json = json.loads(copy.run("show", "-json", "plan"))
    return Planned(tuple(shown["planned_values"]["root_module"]["resources"]), said)


def _alarm(key: str, values: Json) -> Alarm:
    queries = {one["id"]: one for one in values["metric_query"]}
    told = queries.pop("told", {})
    inputs = {one: query["metric"][0] for one, query in queries.items()}
    values = next(iter(inputs.values()), {}) | {
        name: value for name, value in values.items() if value is not None
    }
    return Alarm(
        key=key,
        of=_series(values),
        inputs={one: _series(metric) for one, metric in inputs.items()},
        expression=told.get("expression", ""),
        statistic=values.get("statistic") or values["stat"],
        comparison=values["comparison_operator"],
        threshold=values["threshold"],
        period_minutes=values["period"] // 60,
        datapoints=values["datapoints_to_alarm"],
        evaluation_periods=values["evaluation_periods"],
        missing=values["treat_missing_data"],
        description=values["alarm_description"],
    )


def _series(values: Json) -> Series:
    return values["namespace"], values["metric_name"], frozenset(values["dimensions"].items())
