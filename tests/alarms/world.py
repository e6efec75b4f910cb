"""A relay in an emulated account, on a clock of its own, with what CloudWatch would measure.

Runs are real: Relay, queues, ledger, SMTP. ion's metrics are the lines that a run writes. Those of
AWS are computed as its documentation says: SQS's minute by minute from the queues, Lambda's from
the runs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import Message, sqs_backends

from alarms.cloudwatch import Alarm, CloudWatch, Series, series
from alarms.lines import points
from clock import Clock
from conftest import Log
from emulated import REGION, Account
from function import Function, invoke

if TYPE_CHECKING:
    from ion.relay.relay import Relay

MINUTE_SECONDS = 60
SWEEP_MINUTES = 5
SEEN_TOO_OFTEN = 3
"""What was received so often is left out of the age of the oldest message (SQS)."""
QUEUES = {"ion-input": "ion-input-queue", "ion-dead": "ion-input-deadletter-queue"}
"""By its name in the emulated account: its name in the module."""


class World:
    """The relay and its hours.

    Args:
        alarms: of the module.
        account: with the queues and the ledger.
        function: the package and its settings.
        log: what runs write.
        clock: stands in for time.time.
    """

    def __init__(
        self,
        alarms: Sequence[Alarm],
        account: Account,
        function: Function,
        log: Log,
        clock: Clock,
    ) -> None:
        self.watch = CloudWatch(alarms)
        self.account = account
        self.function = function
        self.clock = clock
        self.minute = 0
        self.scheduled = True
        """Whether the schedule starts the function."""
        self.lines: list[str] = []
        """All that runs have written."""
        self._log = log
        self._relay: Relay | None = None
        self._dated: set[str] = set()

    def deploy(self) -> None:
        """The function's settings have changed: its next run is in a new environment."""
        self._relay = None

    def publish(self, body: str) -> None:
        """By the input topic."""
        self.account.publish(body)
        self._date()

    async def pass_minutes(self, minutes: int) -> None:
        """So many minutes pass, with the schedule's runs in them."""
        for _ in range(minutes):
            if self.scheduled and self.minute % SWEEP_MINUTES == 0:
                await self.run()
            self._measure()
            self.skip(1)
            self.watch.look(self.minute)

    def skip(self, minutes: int) -> None:
        """So many minutes pass, and nothing happens in them."""
        self.minute += minutes
        self.clock.passes(minutes * MINUTE_SECONDS)
        for message in self._messages():
            message.visible_at = message.delayed_until = 0

    async def run(self) -> None:
        """One run, as it is scheduled."""
        if self._relay is None:
            self._relay = self.function.relay(self.clock)
        summary = await invoke(self._relay)
        self._date()
        self.ran(summary.seconds)
        new = self._log.text.splitlines()[len(self.lines) :]
        self.lines += new
        for of, values in points(new):
            self.watch.put(of, self.minute, values)

    def ran(self, seconds: float, errors: int = 0) -> None:
        """What Lambda counts of a run."""
        counted = {"Invocations": 1, "Errors": errors, "Duration": 1000 * seconds}
        for metric, value in counted.items():
            self.measured(series("AWS/Lambda", metric, FunctionName="ion"), value)

    def measured(self, of: Series, value: float) -> None:
        """AWS measures this now."""
        self.watch.put(of, self.minute, [value])

    def told(self) -> list[tuple[str, str]]:
        """What operators heard, in order: key and state."""
        return [(key, state) for _, key, state in self.watch.told]

    def _measure(self) -> None:
        for name, queue in QUEUES.items():
            sent = [
                message.sent_timestamp / 1000  # type: ignore[operator]
                for message in self._messages(name)
                if message.approximate_receive_count < SEEN_TOO_OFTEN
            ]
            of = series("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=queue)
            self.measured(of, self.clock() - min(sent, default=self.clock()))

    def _date(self) -> None:
        """What came into a queue just now came at this world's time."""
        for message in self._messages():
            if message.id not in self._dated:
                self._dated.add(message.id)
                message.sent_timestamp = int(1000 * self.clock())  # type: ignore[assignment]

    @staticmethod
    def _messages(*names: str) -> list[Message]:
        queues = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
        return [
            message
            for name, queue in queues.items()
            if not names or name in names
            for message in queue._messages  # noqa: SLF001 - moto has no clock to turn
        ]
