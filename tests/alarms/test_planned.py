"""What a person reads of `terraform plan`, and what can be left out."""

import os
from pathlib import Path

import pytest

from alarms.planned import Planned, plan
from ionctl.local.problem import Problem

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def planned_with(folder: Path, endpoint: str, **variables: object) -> Planned:
    try:
        return plan(folder / "terraform", endpoint, **variables)
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"Terraform can't plan here: {problem}")


def test_with_nobody_named_a_plan_warns_that_nobody_will_hear(
    planned: Planned, tmp_path: Path, dynamodb_endpoint: str
) -> None:
    said = " ".join(planned_with(tmp_path, dynamodb_endpoint, alarm_topic_arns=[]).said.split())
    assert "Warning: Check block assertion failed" in said
    assert "alarm_topic_arns is empty: the alarms of ion tell nobody." in said
    assert "Warning" not in planned.said


def test_without_a_dashboard_there_are_no_saved_queries_either(
    tmp_path: Path, dynamodb_endpoint: str
) -> None:
    kinds = {
        one["type"] for one in planned_with(tmp_path, dynamodb_endpoint, dashboard=False).resources
    }
    assert "aws_cloudwatch_metric_alarm" in kinds
    assert not kinds & {"aws_cloudwatch_dashboard", "aws_cloudwatch_query_definition"}
