"""People who steer the relay: by the topic, or past the queues as `ionctl` does."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from emulated import Account
from ion.aws.control import ControlRow
from ion.contract import Cancel, Pause, Resume, Stop
from ion.policy.control import Control
from machine.books import Books
from machine.relay import Kind

if TYPE_CHECKING:
    from clock import Clock


@dataclass(frozen=True)
class Order:
    """What somebody wants.

    Args:
        what: a message of the topic. A cancel's key is filled in when it is given.
        seconds: from then until it ends; None: it doesn't say.
        directly: it is written past the queues.
    """

    what: Cancel | Stop | Pause | Resume
    seconds: float | None = None
    directly: bool = True

    def until(self, now: float) -> "Order":
        """As it is given at that time."""
        if self.seconds is None or isinstance(self.what, Cancel | Resume):
            return self
        until = datetime.fromtimestamp(now + self.seconds, UTC).isoformat()
        return replace(self, what=msgspec.structs.replace(self.what, until=until))

    def of(self, key: str) -> "Order":
        """The same, if it is a cancel: of this key."""
        if not isinstance(self.what, Cancel):
            return self
        return replace(self, what=Cancel(email_id=key))


class Operators:
    """Of one story.

    Args:
        kind: of relay: `ionctl` has its parts.
        account: its AWS.
        clock: the true time.
        books: told of what they want.
    """

    def __init__(self, kind: Kind, account: Account, clock: "Clock", books: Books) -> None:
        self._kind = kind
        self._account = account
        self._clock = clock
        self._books = books

    async def give(self, order: Order) -> None:
        """Publish it, or carry it out."""
        now = self._clock()
        what = order.until(now).what
        if not order.directly:
            body = msgspec.json.encode(what).decode()
            self._books.commands.add(body)
            self._account.publish(body)
            return
        client = cast("Any", self._account.dynamodb(batch_execute_statement=self._written))
        if isinstance(what, Cancel):
            await self._kind.ledger(client, self._account.table).cancel(what.email_id, now)
        else:
            row = ControlRow(client, self._account.table)
            await row.change(lambda was: _changed(was, what, now))

    def _written(self, real: Any, request: dict[str, Any]) -> Any:  # noqa: ANN401 - boto3's
        answer = real(**request)
        self._books.written(self._clock(), request["Statements"], answer["Responses"])
        return answer


def _changed(was: Control, what: Stop | Pause | Resume, now: float) -> Control:
    match what:
        case Pause():
            return was.with_pause(what, now)
        case Stop():
            return was.with_stop(what, now, new_id=f"at {now}")
        case Resume():
            return Control()
