"""CloudWatch: the alarm on visible messages, set back so that it can go off again."""

import asyncio
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS, code_of

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class AlarmError(Exception):
    """The alarm could not be set back. The schedule still wakes the relay."""


class Alarm:
    """The alarm that wakes the relay. An alarm acts on transitions only, hence `rearm`."""

    def __init__(self, client: "CloudWatchClient", name: str) -> None:
        self._client = client
        self._name = name

    async def rearm(self) -> None:
        """Set the alarm to OK; if messages are left, CloudWatch finds it in ALARM again soon.

        Raises:
            AlarmError: with AWS's code.
        """
        try:
            await asyncio.to_thread(
                self._client.set_alarm_state,
                AlarmName=self._name,
                StateValue="OK",
                StateReason="ion has looked at the queue",
            )
        except AWS_ERRORS as error:
            raise AlarmError(code_of(error)) from error
