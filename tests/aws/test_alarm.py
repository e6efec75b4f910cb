"""The alarm goes back to OK so that it can go off again."""

import asyncio

import pytest

from emulated import Account, Answer, failing, unreachable
from ion.aws.alarm import AlarmError


def test_the_alarm_is_set_back(account: Account) -> None:
    account.ring()
    assert account.alarm_state == "ALARM"
    asyncio.run(account.alarm().rearm())
    assert account.alarm_state == "OK"


@pytest.mark.row(37)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failing("ResourceNotFound"), "ResourceNotFound"),
        (failing("AccessDenied"), "AccessDenied"),
        (unreachable, "EndpointConnectionError"),
    ],
)
def test_a_failure_is_one_kind_of_error_without_awss_text(
    account: Account, answer: Answer, said: str
) -> None:
    with pytest.raises(AlarmError) as caught:
        asyncio.run(account.alarm(account.cloudwatch(set_alarm_state=answer)).rearm())
    assert str(caught.value) == said


@pytest.mark.row(37)
def test_an_alarm_that_is_not_there_is_such_a_failure(account: Account) -> None:
    account.session.client("cloudwatch").delete_alarms(AlarmNames=[account.alarm_name])
    with pytest.raises(AlarmError, match="ResourceNotFound"):
        asyncio.run(account.alarm().rearm())
