"""Each metric that is drawn or alarmed on is one that is really emitted."""

import pytest

from alarms import drawn
from alarms.aws_metrics import AWS_METRICS
from alarms.cloudwatch import Series
from alarms.every_kind import every_kind_of_run
from alarms.lines import points
from alarms.planned import Planned
from alarms.world import World
from bench import cost
from function import email, guarded
from ionctl.ops import prices

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def named(planned: Planned) -> set[Series]:
    alarmed = {of for alarm in planned.alarms for of in (alarm.of, *alarm.inputs.values())}
    return alarmed | drawn.metrics(planned.dashboard)


async def test_ions_metrics_are_those_that_its_runs_emit(planned: Planned, world: World) -> None:
    await every_kind_of_run(world)
    emitted = {of for of, _values in points(world.lines)}
    ours = {of for of in named(planned) if of[0] == "ion"}
    assert ours
    assert ours - emitted == set()
    # and each that is emitted, and paid for, is drawn or alarmed on
    assert {metric for _, metric, _ in emitted} - {metric for _, metric, _ in ours} == set()


async def test_a_month_costs_what_the_cost_sheet_counts(world: World) -> None:
    """A metric costs in the hours in which it is written."""
    async with guarded() as server:
        world.function.knows(server)
        await world.pass_minutes(10)
        assert list(points(world.lines)) == []
        world.publish(email())
        await world.pass_minutes(10)
    written = {metric for (_, metric, _), _ in points(world.lines)}
    assert len(written) * prices.METRIC_MONTH == pytest.approx(cost.metrics())


def test_awss_metrics_are_those_of_its_documentation(planned: Planned) -> None:
    theirs = {of for of in named(planned) if of[0] != "ion"}
    assert theirs
    for namespace, metric, dimensions in theirs:
        dimension, metrics = AWS_METRICS[namespace]
        assert metric in metrics
        assert [name for name, _ in dimensions] == [dimension]


@pytest.mark.parametrize("namespace", ["AWS/SQS", "AWS/SNS", "AWS/Lambda", "AWS/DynamoDB"])
def test_awss_metrics_are_of_the_modules_own_resources(planned: Planned, namespace: str) -> None:
    kinds = {
        "AWS/SQS": ("aws_sqs_queue", "name"),
        "AWS/SNS": ("aws_sns_topic", "name"),
        "AWS/Lambda": ("aws_lambda_function", "function_name"),
        "AWS/DynamoDB": ("aws_dynamodb_table", "name"),
    }
    kind, attribute = kinds[namespace]
    there = {one["values"][attribute] for one in planned.resources if one["type"] == kind}
    asked = {value for of in named(planned) if of[0] == namespace for _, value in of[2]}
    assert asked <= there
