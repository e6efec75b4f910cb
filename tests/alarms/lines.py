"""The lines that a run writes: metrics (embedded metric format), and events."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from alarms.cloudwatch import Series


def points(lines: Iterable[str]) -> Iterator[tuple[Series, list[float]]]:
    """What CloudWatch reads from the lines: metrics and their values."""
    for line in map(json.loads, lines):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                about = frozenset((name, line[name]) for name in dimensions)
                for metric in directive["Metrics"]:
                    name = metric["Name"]
                    values = line[name] if isinstance(line[name], list) else [line[name]]
                    yield (directive["Namespace"], name, about), values


def events(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The other lines."""
    return [line for line in map(json.loads, lines) if "_aws" not in line]
