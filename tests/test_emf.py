"""The rules for lines of metrics are CloudWatch's: for each there is a line that breaks it."""

import time
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import ValidationError

import emf

NOW = int(time.time() * 1000)
GOOD: dict[str, Any] = {
    "_aws": {
        "Timestamp": NOW,
        "CloudWatchMetrics": [
            {
                "Namespace": "ion",
                "Dimensions": [["service"]],
                "Metrics": [{"Name": "Sent", "Unit": "Count"}, {"Name": "Rate"}],
            }
        ],
    },
    "service": "ion",
    "Sent": [1.0, 1.0],
    "Rate": 0.5,
    "reason": "auth",
}


def test_a_good_line_has_metrics_and_properties() -> None:
    emf.check(GOOD)
    assert emf.metrics(GOOD) == ["Sent", "Rate"]
    assert emf.properties(GOOD) == {"reason": "auth"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("_aws.Timestamp", NOW // 1000, id="seconds"),
        pytest.param("_aws.Timestamp", NOW + 0.5, id="a fraction"),
        ("_aws.CloudWatchMetrics", []),
        ("_aws.CloudWatchMetrics.0.Namespace", ""),
        ("_aws.CloudWatchMetrics.0.Dimensions", []),
        ("_aws.CloudWatchMetrics.0.Dimensions.0", ["nothing"]),
        ("_aws.CloudWatchMetrics.0.Metrics", []),
        ("_aws.CloudWatchMetrics.0.Metrics.0.Unit", "Pieces"),
        ("_aws.CloudWatchMetrics.0.Metrics.0.Name", "nothing"),
        ("service", ""),
        ("service", 1),
        ("Sent", [1.0] * 101),
        ("Sent", []),
        ("Sent", "1"),
    ],
)
def test_a_line_that_breaks_a_rule_is_told(path: str, value: object) -> None:
    line: Any = deepcopy(GOOD)
    *parents, last = path.split(".")
    inner = line
    for name in parents:
        inner = inner[int(name) if name.isdigit() else name]
    inner[int(last) if last.isdigit() else last] = value
    with pytest.raises((ValidationError, AssertionError, KeyError)):
        emf.check(line)
