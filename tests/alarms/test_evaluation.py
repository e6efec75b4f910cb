"""The evaluator gives what the tables of CloudWatch's user guide give."""

import pytest

from alarms.cloudwatch import ALARM, NEW, OK, Alarm, CloudWatch, series

OF = series("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName="ion-input-queue")


def alarm(datapoints: int, evaluation_periods: int, missing: str, minutes: int = 5) -> Alarm:
    return Alarm(
        "key",
        OF,
        "Sum",
        "GreaterThanThreshold",
        0,
        minutes,
        datapoints,
        evaluation_periods,
        missing,
    )


@pytest.mark.parametrize(
    ("datapoints", "points", "breaching", "not_breaching"),
    [
        (3, "0-X-X", OK, OK),
        (3, "0----", OK, OK),
        (3, "-----", ALARM, OK),
        (3, "0XX-X", ALARM, ALARM),
        (3, "--X--", ALARM, OK),
        (2, "0-X-X", ALARM, ALARM),
        (2, "00X0X", ALARM, ALARM),
        (2, "0-X--", ALARM, OK),
        (2, "----0", ALARM, OK),
        (2, "---X-", ALARM, OK),
    ],
)
def test_missing_data_is_treated_as_in_the_guides_tables(
    datapoints: int, points: str, breaching: str, not_breaching: str
) -> None:
    windows = [{"0": 0.0, "X": 1.0, "-": None}[point] for point in points]
    assert alarm(datapoints, 3, "breaching").state(windows) == breaching
    assert alarm(datapoints, 3, "notBreaching").state(windows) == not_breaching


def test_windows_slide_with_the_minute() -> None:
    """Of five minutes: at the end of minute 5 those from 1 to 5, of minute 6 those from 2 to 6."""
    watch = CloudWatch([alarm(1, 1, "notBreaching")], more_windows=0)
    watch.put(OF, 1, [1])
    states = []
    for now in range(1, 9):
        watch.look(now)
        states.append(watch.states["key"])
    assert states == [OK, ALARM, ALARM, ALARM, ALARM, ALARM, OK, OK]


def test_an_alarm_acts_on_transitions_only() -> None:
    watch = CloudWatch([alarm(1, 1, "notBreaching", minutes=1)], more_windows=0)
    assert watch.states["key"] == NEW
    for minute in (1, 2, 3, 6):
        watch.put(OF, minute, [1])
    for now in range(1, 9):
        watch.look(now)
    assert watch.told == [(2, "key", ALARM), (5, "key", OK), (7, "key", ALARM), (8, "key", OK)]


def test_data_may_come_late() -> None:
    watch = CloudWatch([alarm(1, 1, "notBreaching")], more_windows=0, late_minutes=2)
    watch.put(OF, 1, [1])
    for now in range(1, 9):
        watch.look(now)
    assert watch.told == [(4, "key", ALARM), (7, "key", OK)]
