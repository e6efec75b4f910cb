"""What a person reads of `terraform plan`, what can be left out, and what is tagged."""

import os
from pathlib import Path

import pytest

from alarms.planned import Planned, plan
from at_length import only_at_length
from ionctl.problem import Problem

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def planned_with(folder: Path, endpoint: str, **variables: object) -> Planned:
    try:
        return plan(folder / "terraform", endpoint, **variables)
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"Terraform can't plan here: {problem}")


@only_at_length
def test_with_nobody_named_a_plan_warns_that_nobody_will_hear(
    planned: Planned, tmp_path: Path, dynamodb_endpoint: str
) -> None:
    said = " ".join(planned_with(tmp_path, dynamodb_endpoint, alarm_topic_arns=[]).said.split())
    assert "Warning: Check block assertion failed" in said
    assert "alarm_topic_arns is empty: the alarms of ion tell nobody." in said
    assert "Warning" not in planned.said


@only_at_length
def test_without_a_dashboard_there_are_no_saved_queries_either(
    tmp_path: Path, dynamodb_endpoint: str
) -> None:
    kinds = {
        one["type"] for one in planned_with(tmp_path, dynamodb_endpoint, dashboard=False).resources
    }
    assert "aws_cloudwatch_metric_alarm" in kinds
    assert not kinds & {"aws_cloudwatch_dashboard", "aws_cloudwatch_query_definition"}


def test_tags_reach_all_that_can_have_them(tmp_path: Path, dynamodb_endpoint: str) -> None:
    everything = {
        "outbox": True,
        "events": {},
        "load": {"messages_per_minute": 1},
        "feedback": {},
        "unsubscribe": True,
    }
    tags = {"team": "post"}
    plan = planned_with(tmp_path, dynamodb_endpoint, tags=tags, **everything)
    # by the provider's schema, with null for what the module leaves out
    taggable = {
        one["address"]: one["values"]["tags"] for one in plan.resources if "tags" in one["values"]
    }
    assert {"aws_dynamodb_table.outbox[0]", "aws_lambda_function.load[0]"} < taggable.keys()
    assert {"aws_sns_topic.outcome[0]", "aws_lambda_function.events[0]"} < taggable.keys()
    assert {"aws_sns_topic.feedback[0]", "aws_lambda_function.feedback[0]"} < taggable.keys()
    assert {address: has for address, has in taggable.items() if has != tags} == {}
