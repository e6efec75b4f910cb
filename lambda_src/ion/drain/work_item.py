"""A message that has been received, and what may be done about it."""

import math
from dataclasses import dataclass
from datetime import datetime

from ion.contract import Cancel, Pause, Redrive, Resume, S3Object, Send, Stop
from ion.delivery import Delivery, InDoubt
from ion.drain.templating import Bodies
from ion.envelope import Email
from ion.history import History
from ion.identity import Identity
from ion.mail import Checked, Objects
from ion.message import Message
from ion.policy.lease import Row


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """An email to be sent that the ledger hasn't been asked about.

    Args:
        email, in_doubt, content_hash, bodies, expires_at: what is known of it.
        asked: what its publisher asked for, without the content.
    """

    email: Checked
    in_doubt: InDoubt
    content_hash: str
    bodies: Bodies | None = None
    expires_at: float = math.inf
    asked: Send | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """A message that lies in S3, and is fetched by the worker that sends it."""

    s3: S3Object


@dataclass(frozen=True, slots=True)
class Suspect:
    """An email that a process died with; perhaps over it."""

    unclaimed: Unclaimed


@dataclass(frozen=True, slots=True)
class PutBack:
    """A message that is not looked at, since the run ends."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An email that this run, and no other, may send now, before its content is made.

    Args:
        email: for all recipients.
        queued_at: when it was published, hence its Date.
        row, targets, in_doubt, since, receives, expires_at: as `Job` has them.
        bodies: those that a template gives.
        asked: what its publisher asked for, without the content.
    """

    email: Checked
    queued_at: datetime
    row: Row
    targets: tuple[int, ...]
    in_doubt: InDoubt
    since: float
    receives: int
    bodies: Bodies | None = None
    expires_at: float = math.inf
    asked: Send | None = None

    async def job(self, objects: Objects) -> "Job":
        """With its content, which may be as large as the message once more, or more.

        Args:
            objects: the content of attachments that lie in S3.
        """
        checked = await self.bodies.of(self.email) if self.bodies else self.email
        email = checked.email(self.queued_at, objects)
        return Job(
            email,
            self.row,
            self.targets,
            self.in_doubt,
            self.since,
            self.receives,
            self.expires_at,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed email as it is sent.

    Args:
        email: composed, for all recipients.
        row: the ledger's, with our lease on it.
        targets: indexes of the recipients that are left.
        in_doubt: the policy for it.
        since: when this life of the message began, seconds since the epoch: its age decides when to
            give up.
        receives: how often it has been received, from all queues together.
        expires_at: it isn't sent any more then; seconds since the epoch.
    """

    email: Email
    row: Row
    targets: tuple[int, ...]
    in_doubt: InDoubt
    since: float
    receives: int
    expires_at: float = math.inf


Order = Redrive | Cancel | Stop | Pause | Resume
"""What a message may ask for that is no email."""
Task = Claimed | Unclaimed | Pointer | Suspect | Order | Delivery | PutBack


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A message and what may be done about it.

    Args:
        message: as received.
        history: its key and history.
        task: an email, claimed or not (that is for `Admission.admit_alone`); a message in S3
            (for `Admission.fetch`); an action; the message's fate, where that is decided already;
            or an order to put it back.
        row: where the fate is to be remembered, if anywhere.
        apart: the fates of recipients that the task leaves out: the server may have the email for
            them, or they must not be written to.
        identity: what an email is found by; None: it is none, or it isn't known which key it has.
    """

    message: Message
    history: History
    task: Task
    row: Row | None = None
    apart: tuple[Delivery, ...] = ()
    identity: Identity | None = None

    @property
    def bodies(self) -> Bodies | None:
        """The bodies that a template gives, if it is an email with such."""
        task = self.task.unclaimed if isinstance(self.task, Suspect) else self.task
        return task.bodies if isinstance(task, Claimed | Unclaimed) else None

    @property
    def asked(self) -> Send | None:
        """What is known of it without its content, if it is an email that may be sent now."""
        return self.task.asked if isinstance(self.task, Claimed | Unclaimed) else None

    @property
    def recipients(self) -> int:
        """Number of an email's recipients; 0: it is none, or is decided already."""
        match self.task:
            case Claimed():
                return len(self.task.targets)
            case Unclaimed():
                return len(self.task.email.envelope.recipients)
            case Pointer():
                return 1  # at least; its worker waits for the turns of the others
            case _:
                return 0

    @property
    def left(self) -> tuple[int, ...]:
        """Indexes of the recipients that are left; empty: all."""
        return self.task.targets if isinstance(self.task, Claimed) else self.history.left
