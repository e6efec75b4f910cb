"""A console with an inbox, for tests: its relay is never asked unless the test gives one."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from types import TracebackType
from typing import Self

import boto3
import httpx

from ionctl.console.inbox import Inbox
from ionctl.console.outcomes import Outcomes
from ionctl.console.server import Console
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment

NOWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Mail:
    """An email that has arrived."""

    content: bytes
    recipients: tuple[str, ...] = ("ann@example.org",)
    sender: str = "bounces@example.org"
    confirmed: bool = True
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Switched:
    """A mail server that remembers how it was told to behave."""

    mode: str = "well"


def unreachable_deployment() -> Deployment:
    """A relay in an AWS that isn't reached."""
    return Deployment(
        Account(boto3.Session("a", "b", region_name="eu-west-1"), NOWHERE),
        "ion",
        {
            "FunctionArn": "arn:aws:lambda:eu-west-1:123456789012:function:ion",
            "Environment": {
                "Variables": {
                    f"ION_AWS_{name}_URL": f"{NOWHERE}/123456789012/ion-{name.lower()}"
                    for name in ("QUEUE", "BULK_QUEUE", "LATER_QUEUE", "DEAD_LETTER_QUEUE")
                }
                | {"ION_AWS_LEDGER_TABLE": "ion-ledger"}
            },
        },
    )


class Opened:
    """A console that runs, and a client of it that knows its token.

    Args:
        deployment: its relay; None: one that isn't reached.
        write: whether it may change something.
        outcomes: events of the relay; None: it tells none.
    """

    def __init__(
        self,
        deployment: Deployment | None = None,
        *,
        write: bool = True,
        outcomes: Outcomes | None = None,
    ) -> None:
        self.inbox = Inbox()
        self.switched = Switched()
        self.console = Console(
            deployment or unreachable_deployment(),
            port=0,
            write=write,
            inbox=self.inbox,
            switches=self.switched,
            outcomes=outcomes,
        )

    def __enter__(self) -> Self:
        self.console.__enter__()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.console.port}",
            headers={"authorization": f"Bearer {self.console.token}"},
            trust_env=False,
            timeout=60,
            # Each request by a connection of its own: one that waits is closed by the server after
            # seconds, and on a slow machine that may be just when it is used again.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.console.__exit__(kind, error, trace)
        self.client.close()

    def arrives(self, content: bytes, *, confirmed: bool = True) -> str:
        """An email arrives; gives its id in the inbox."""
        self.inbox.put(Mail(content, confirmed=confirmed))
        return self.inbox.newest_first()[0].id


def email(**fields: str) -> EmailMessage:
    """An email with a text part, and these fields."""
    message = EmailMessage()
    usual = {"From": "Bob <bob@example.org>", "To": "ann@example.org", "Subject": "Hello"}
    for name, value in (usual | {n.replace("_", "-"): v for n, v in fields.items()}).items():
        message[name] = value
    message.set_content("Some words.\n")
    return message
