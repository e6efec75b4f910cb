"""Alarms of a deployment: those that are missing, silent, unheard, and those that ring."""

from dataclasses import replace

from ionctl.local import alarms as local_alarms
from ionctl.ops.alarms import KEYS
from ionctl.ops.doctor import alarms
from ionctl.ops.result import Grade
from wired import Wired, faults


def test_alarms_that_are_known_are_those_that_are_deployed(wired: Wired) -> None:
    assert sorted(KEYS) == sorted(one.name for one in local_alarms.alarms(wired.names))


def test_alarms_that_are_missing_disabled_or_ring(wired: Wired) -> None:
    cloudwatch = wired.aws.cloudwatch
    cloudwatch.delete_alarms(AlarmNames=["ion-held-alarm", "ion-no-run-alarm"])
    cloudwatch.disable_alarm_actions(AlarmNames=["ion-errors-alarm"])
    cloudwatch.set_alarm_state(
        AlarmName="ion-deadletter-alarm", StateValue="ALARM", StateReason="a test"
    )
    found = [words for _, words in faults(alarms.look(wired.deployment, disabled=False))]
    local_alarms.put(wired.aws, wired.names, wired.variables)
    cloudwatch.enable_alarm_actions(AlarmNames=["ion-errors-alarm"])
    cloudwatch.set_alarm_state(
        AlarmName="ion-deadletter-alarm", StateValue="OK", StateReason="a test"
    )
    missing, disabled, rings = found
    assert missing == "ion-held-alarm, ion-no-run-alarm missing"
    assert disabled == "actions are disabled of ion-errors-alarm"
    assert rings.startswith("rings: Mail could not be sent")


def test_alarms_without_a_topic_are_heard_by_nobody(wired: Wired) -> None:
    local_alarms.put(wired.aws, wired.names, replace(wired.variables, alarm_topic_arns=()))
    (finding,) = [
        one for one in alarms.look(wired.deployment, disabled=False) if one.grade is Grade.WRONG
    ]
    local_alarms.put(wired.aws, wired.names, wired.variables)
    assert finding.found == "nobody hears any of the 16 alarms"
    assert "alarm_topic_arns" in finding.advice


def test_alarm_of_a_disabled_relay_may_be_silent(wired: Wired) -> None:
    cloudwatch = wired.aws.cloudwatch
    cloudwatch.disable_alarm_actions(AlarmNames=["ion-no-run-alarm"])
    as_enabled = faults(alarms.look(wired.deployment, disabled=False))
    as_disabled = faults(alarms.look(wired.deployment, disabled=True))
    cloudwatch.enable_alarm_actions(AlarmNames=["ion-no-run-alarm"])
    assert len(as_enabled) == 1
    assert as_disabled == []
