"""The dashboard as Terraform plans it is one that CloudWatch takes, and that a person can read."""

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from alarms import drawn
from alarms.planned import Json, Planned, plan
from at_length import only_at_length
from ionctl.ops import prices

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

COLUMNS = 24
"""Of CloudWatch's grid."""
LONGEST_EXPRESSION = 1024
MOST_METRICS = 500
"""Of a widget (CloudWatch)."""

PROPERTIES = {
    "metric": {"title", "region", "view", "metrics", "stat", "stacked", "period"},
    "log": {"title", "region", "view", "query"},
    "alarm": {"title", "alarms"},
}
"""Those that are used, of "Dashboard body structure and syntax"."""
OPTIONS = {"label", "id", "stat", "visible", "expression", "yAxis"}
VIEWS: dict[str, set[str | None]] = {
    "metric": {"timeSeries", "singleValue"},
    "log": {"table"},
    "alarm": {None},
}


@pytest.fixture
def widgets(planned: Planned) -> list[Json]:
    body = planned.dashboard
    assert body.keys() == {"start", "periodOverride", "widgets"}
    found: list[Json] = body["widgets"]
    return found


def test_widgets_are_of_cloudwatchs_structure(widgets: list[Json]) -> None:
    for widget in widgets:
        assert widget.keys() == {"type", "x", "y", "width", "height", "properties"}
        properties = widget["properties"]
        assert properties.keys() <= PROPERTIES[widget["type"]]
        assert properties.get("view") in VIEWS[widget["type"]]
        assert properties["title"]
        if widget["type"] != "alarm":
            assert properties["region"] == "us-east-1"


def test_widgets_lie_side_by_side(widgets: list[Json]) -> None:
    cells = [
        set(
            itertools.product(
                range(one["x"], one["x"] + one["width"]), range(one["y"], one["y"] + one["height"])
            )
        )
        for one in widgets
    ]
    assert all(x < COLUMNS for some in cells for x, _ in some)
    assert sum(map(len, cells)) == len(set().union(*cells))


def test_lines_are_of_metric_maths_structure(widgets: list[Json]) -> None:
    for widget in (one for one in widgets if one["type"] == "metric"):
        drawn_lines = list(drawn.lines(widget))
        assert 0 < len(drawn_lines) <= MOST_METRICS
        ids = [options["id"] for _, options in drawn_lines if "id" in options]
        assert len(ids) == len(set(ids))
        for of, options in drawn_lines:
            assert options.keys() <= OPTIONS
            assert re.fullmatch(r"[a-z][a-zA-Z0-9_]*", options.get("id", "a"))
            assert (of is None) == ("expression" in options)
            stat = options.get("stat", widget["properties"].get("stat"))
            assert of is None or stat in {"Sum", "Maximum", "Minimum", "p50", "p95", "p99"}
            expression = options.get("expression", "")
            assert len(expression) <= LONGEST_EXPRESSION
            assert drawn.names_in(expression) <= set(ids)


def test_each_alarm_is_on_it(planned: Planned, widgets: list[Json]) -> None:
    (widget,) = (one for one in widgets if one["type"] == "alarm")
    arns = widget["properties"]["alarms"]
    names = {
        one["values"]["alarm_name"]
        for one in planned.resources
        if one["type"] == "aws_cloudwatch_metric_alarm" and one["name"] == "operators"
    }
    assert {arn.rpartition(":")[2] for arn in arns} == names
    assert all(re.match(r"arn:aws:cloudwatch:us-east-1:\d{12}:alarm:", arn) for arn in arns)


def test_a_plan_shows_the_page_before_anything_is_made(planned: Planned) -> None:
    assert json.loads(json.dumps(planned.dashboard))["widgets"]


def test_the_cost_of_the_day_is_by_the_list_prices_of_the_cost_sheet(widgets: list[Json]) -> None:
    (widget,) = (one for one in widgets if one["properties"].get("view") == "singleValue")
    ((_, cost),) = [(of, options) for of, options in drawn.lines(widget) if of is None]
    ids = {options["id"]: of for of, options in drawn.lines(widget) if of is not None}
    each = {
        ("AWS/SNS", "NumberOfMessagesPublished"): prices.SNS_PUBLISH,
        ("AWS/SQS", "NumberOfMessagesSent"): prices.SQS_REQUEST,
        ("AWS/SQS", "NumberOfMessagesReceived"): prices.SQS_REQUEST,
        ("AWS/SQS", "NumberOfMessagesDeleted"): prices.SQS_REQUEST,
        ("AWS/SQS", "NumberOfEmptyReceives"): prices.SQS_REQUEST,
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): prices.DYNAMODB_WRITE_UNIT,
        ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): prices.DYNAMODB_READ_UNIT,
        ("AWS/Lambda", "Invocations"): prices.LAMBDA_REQUEST + prices.CLOUDWATCH_CALL,
        ("AWS/Lambda", "Duration"): prices.LAMBDA_GB_SECOND / 1000 / 2,  # 512 MB
        ("AWS/Logs", "IncomingBytes"): (prices.LOG_GB + prices.LOG_GB_MONTH) / 1e9,
    }
    for name, of in ids.items():
        dollars = value(cost["expression"], {one: float(one == name) for one in ids})
        assert dollars == pytest.approx(each[of[:2]])


def test_a_day_without_one_of_the_calls_has_a_cost_all_the_same(widgets: list[Json]) -> None:
    """A metric of which there is nothing, such as bulk where there is none, has no data."""
    (widget,) = (one for one in widgets if one["properties"].get("view") == "singleValue")
    ((_, cost),) = [(of, options) for of, options in drawn.lines(widget) if of is None]
    ids = [options["id"] for of, options in drawn.lines(widget) if of is not None]
    assert value(cost["expression"], dict.fromkeys(ids)) == 0


def test_the_cost_of_the_day_is_of_a_day(planned: Planned, widgets: list[Json]) -> None:
    """By any time range of the page: "auto" would set the period by that, not by the widget."""
    (widget,) = (one for one in widgets if one["properties"].get("view") == "singleValue")
    assert planned.dashboard["periodOverride"] == "inherit"
    assert widget["properties"]["period"] == 86400


def value(expression: str, of: Mapping[str, float | None]) -> float:
    """What an expression of sums, products and FILL comes to; None: no data."""
    fill = {"FILL": lambda one, otherwise: otherwise if one is None else one}
    return float(eval(expression, {"__builtins__": {}}, {**of, **fill}))


@only_at_length
def test_what_is_off_is_not_drawn(tmp_path: Path, dynamodb_endpoint: str) -> None:
    planned = plan(tmp_path / "terraform", dynamodb_endpoint)
    drawn_names = {value for of in drawn.metrics(planned.dashboard) for _, value in of[2]}
    assert not {one for one in drawn_names if "events" in one or "feedback" in one}


def test_what_is_told_afterwards_is_drawn_where_it_is_on(planned: Planned) -> None:
    drawn_names = {value for of in drawn.metrics(planned.dashboard) for _, value in of[2]}
    assert drawn_names >= {
        *("ion-outcome-topic", "ion-events-failure-queue", "ion-events"),
        *("ion-feedback-topic", "ion-feedback-queue", "ion-feedback-deadletter-queue"),
        "ion-feedback",
    }
