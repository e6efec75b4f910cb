"""CloudWatch metrics, as lines of the log (embedded metric format)."""

import json
from collections.abc import Mapping

from aws_lambda_powertools import Metrics as Powertools
from aws_lambda_powertools.metrics import MetricUnit

_NAMESPACE = "ion"
_MOST_VALUES = 100
"""Of one metric in a line (CloudWatch)."""


class Metrics:
    """Gathers values, and lets powertools write them down.

    Its own `add_metric` writes out all values gathered so far for a debug message that is not
    reads, with each value anew.
    """

    def __init__(self) -> None:
        self._powertools = Powertools(namespace=_NAMESPACE)
        self._gathered: dict[str, tuple[MetricUnit, list[float]]] = {}

    def add(self, name: str, unit: MetricUnit, value: float) -> None:
        """One more value of a metric, always in the same unit."""
        _, values = self._gathered.setdefault(name, (unit, []))
        values.append(float(value))
        if len(values) == _MOST_VALUES:
            self.flush()

    def flush(self) -> None:
        """Write out what was gathered, if anything was."""
        if not self._gathered:
            return
        gathered, self._gathered = self._gathered, {}
        self._write(gathered, {})

    def count(self, name: str, about: Mapping[str, str]) -> None:
        """Write down at once that something happened, in a line that says more about it.

        Args:
            name: of the metric, which counts one.
            about: properties of the line, for Logs Insights; no dimensions, so they cost nothing.
        """
        self._write({name: (MetricUnit.Count, [1.0])}, about)

    def _write(
        self, gathered: Mapping[str, tuple[MetricUnit, list[float]]], about: Mapping[str, str]
    ) -> None:
        metrics = {
            name: {"Unit": unit.value, "Value": values} for name, (unit, values) in gathered.items()
        }
        line = self._powertools.serialize_metric_set(metrics=metrics, metadata={**about})
        print(json.dumps(line, separators=(",", ":")))  # noqa: T201 - Lambda reads it there
