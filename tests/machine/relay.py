"""The relay as the handler puts it together; `broken` puts it together from other parts."""

import ssl
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from emulated import Account
from ion.aws.address_key import AddressKey
from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.objects import Objects
from ion.aws.queue import Queue
from ion.deadline import Deadline
from ion.delivery import InDoubt
from ion.drain.admission import Admission
from ion.drain.deliver import Deliverer
from ion.drain.queues import Queues
from ion.drain.run import Drain
from ion.limits import LEASE_MARGIN_SECONDS
from ion.message import Source
from ion.report.telemetry import Telemetry
from ion.settings import Security, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import Session, emails_a_connection
from machine.faults import Plan
from machine.orders import SENDER
from machine.seams import Seams
from machine.simulated_time import SKEW

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from clock import Clock

LIFE_SECONDS = 400.0
"""Then Lambda kills the function. Long enough for it to lose patience at a dot before."""
_GIVE_UP_SECONDS = 4 * 24 * 3600
_TLS = ssl.create_default_context()


def _no_s3() -> "S3Client":
    raise AssertionError("no email here has anything in S3")


@dataclass(frozen=True)
class Kind:
    """What a relay is made of."""

    ledger: type[Ledger] = Ledger
    control: type[ControlRow] = ControlRow
    admission: type[Admission] = Admission
    drain: type[Drain] = Drain
    deliverer: type[Deliverer] = Deliverer
    session: type[Session] = Session
    queues: type[Queues] = Queues
    input_queue: type[Queue] = Queue
    dead_letters: type[Queue] = Queue


class Relay:
    """One run of it.

    Args:
        kind: of relay.
        account: its AWS.
        seams: how it gets there.
        clock: the true time.
        in_doubt: the configured policy.
    """

    def __init__(
        self, kind: Kind, account: Account, seams: Seams, clock: "Clock", in_doubt: InDoubt
    ) -> None:
        self._kind = kind
        self._account = account
        self._seams = seams
        self._clock = clock
        self._in_doubt = in_doubt

    async def run(self, port: int, plan: Plan) -> object:
        """Over the mail server at this port."""
        smtp = Smtp(
            "127.0.0.1",
            port,
            Security.NONE,
            connections=plan.connections,
            pipelining=plan.pipelining,
        )
        kind, table = self._kind, self._account.table
        dynamodb = cast("Any", self._seams.dynamodb)
        deadline = Deadline.after(LIFE_SECONDS, self._clock)
        ledger = kind.ledger(dynamodb, table)
        telemetry = Telemetry()
        telemetry.level("ERROR")
        lease_until = self._now() + deadline.remaining() + LEASE_MARGIN_SECONDS
        async with Pool(partial(connect, smtp, _TLS, deadline, Logins()), smtp.connections) as pool:
            drain = kind.drain(
                queues=self._queues(cast("SQSClient", self._seams.sqs), telemetry),
                ledger=ledger,
                control=kind.control(dynamodb, table),
                objects=Objects(_no_s3),
                admission=kind.admission(
                    ledger,
                    telemetry,
                    SENDER,
                    self._in_doubt,
                    lease_until,
                    self._now,
                    address_key=AddressKey(dynamodb, table),
                ),
                pool=pool,
                workers=smtp.connections * emails_a_connection(smtp.pipelining),
                deliverer=kind.deliverer(pool, _GIVE_UP_SECONDS, self._now, lambda: 0.5),
                telemetry=telemetry,
                linger_seconds=0,
                deadline=deadline,
            )
            return await drain.run()

    def _queues(self, sqs: "SQSClient", telemetry: Telemetry) -> Queues:
        account, kind = self._account, self._kind
        return kind.queues(
            input=kind.input_queue(sqs, account.input_url, Source.INPUT),
            bulk=kind.input_queue(sqs, account.bulk_url, Source.BULK),
            later=kind.input_queue(sqs, account.later_url, Source.LATER),
            dead_letters=kind.dead_letters(sqs, account.dead_url, Source.DEAD_LETTERS),
            telemetry=telemetry,
            now=self._now,
        )

    def _now(self) -> float:
        return self._clock() + SKEW.get()
