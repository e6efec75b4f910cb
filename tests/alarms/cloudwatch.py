"""CloudWatch, as far as metric alarms need it: data by the minute, evaluation, transitions.

From "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" in the CloudWatch
user guide, whose tables test_evaluation.py holds it to. An alarm is looked at each minute, over
windows that end with that minute (periods of 60 s and more). Beyond the N windows of an alarm
CloudWatch retrieves more, "the evaluation range", in case that some are empty; how many more it
doesn't promise. In the guide's examples it is two.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Series = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, metric, dimensions."""

OK, ALARM, NEW = "OK", "ALARM", "INSUFFICIENT_DATA"

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
}


def computed(expression: str, sides: Mapping[str, Sequence[float | None]]) -> list[float | None]:
    """What metric math makes of two metrics: FILL is for missing data, else there is no result.

    It knows one form of an expression.
    """
    form = re.fullmatch(r"IF\(FILL\((\w+), 0\) > 0 AND (\w+) < 1, 1, 0\)", expression)
    if form is None:
        raise NotImplementedError(expression)
    return [
        None if few is None else float((some or 0) > 0 and few < 1)
        for some, few in zip(sides[form[1]], sides[form[2]], strict=True)
    ]


def series(namespace: str, metric: str, **dimensions: str) -> Series:
    """The name of a metric's data."""
    return namespace, metric, frozenset(dimensions.items())


@dataclass(frozen=True)
class Alarm:
    """A definition, in the words of PutMetricAlarm."""

    key: str
    of: Series
    statistic: str
    comparison: str
    threshold: float
    period_minutes: int
    datapoints: int
    evaluation_periods: int
    missing: str
    description: str = ""
    inputs: Mapping[str, Series] = field(default_factory=dict)
    """Of an expression: its metrics, by their ids in it."""
    expression: str = ""

    def state(self, windows: Sequence[float | None]) -> str:
        """Its state by what it retrieves.

        Args:
            windows: the evaluation range, the most recent last; None: no data.
        """
        if self.missing not in {"breaching", "notBreaching"}:
            raise NotImplementedError(self.missing)
        real = [value for value in windows if value is not None]
        breaches = [_COMPARISONS[self.comparison](value, self.threshold) for value in real]
        # "most recent real data points" if there are enough, else all of them and as few filled in
        # as possible
        considered = breaches[-self.evaluation_periods :]
        filled = self.evaluation_periods - len(considered)
        breaching = sum(considered) + filled * (self.missing == "breaching")
        return ALARM if breaching >= self.datapoints else OK


@dataclass
class CloudWatch:
    """Data, alarms, and what the alarms told.

    Args:
        alarms: the definitions.
        more_windows: that are retrieved beyond those of an alarm.
        late_minutes: after which data can be seen.
    """

    alarms: Sequence[Alarm]
    more_windows: int = 2
    late_minutes: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)
    """Minute, alarm's key, new state: each transition is an action, once."""

    def __post_init__(self) -> None:
        self.states = {alarm.key: NEW for alarm in self.alarms}
        self._data: dict[Series, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))

    def put(self, of: Series, minute: int, values: Iterable[float]) -> None:
        """Add values of a metric; `minute` is when they were measured."""
        self._data[of][minute].extend(values)

    def look(self, now: int) -> None:
        """Evaluate all alarms at the end of the minute before `now`."""
        for alarm in self.alarms:
            state = alarm.state(self._windows(alarm, now))
            if state != self.states[alarm.key]:
                if not (self.states[alarm.key] == NEW and state == OK):  # the start tells nothing
                    self.told.append((now, alarm.key, state))
                self.states[alarm.key] = state

    def rung(self) -> set[str]:
        """Keys of the alarms that have rung."""
        return {key for _, key, state in self.told if state == ALARM}

    def _windows(self, alarm: Alarm, now: int) -> list[float | None]:
        if not alarm.expression:
            return self._windows_of(alarm, alarm.of, now)
        sides = {one: self._windows_of(alarm, of, now) for one, of in alarm.inputs.items()}
        return computed(alarm.expression, sides)

    def _windows_of(self, alarm: Alarm, of: Series, now: int) -> list[float | None]:
        data = self._data.get(of, {})
        seen = now - self.late_minutes
        statistic = _STATISTICS[alarm.statistic]
        windows: list[float | None] = []
        for back in range(alarm.evaluation_periods + self.more_windows, 0, -1):
            begin = now - back * alarm.period_minutes
            end = min(begin + alarm.period_minutes, seen)
            values = [value for minute in range(begin, end) for value in data.get(minute, ())]
            windows.append(statistic(values) if values else None)
        return windows
