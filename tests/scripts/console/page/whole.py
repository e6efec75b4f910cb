"""The whole local stack with its console, for the page's tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ionctl import loopback
from ionctl.console.inbox import Inbox
from ionctl.console.server import Console
from ionctl.local.announcement import addresses
from ionctl.local.mailbag import Mailbag
from ionctl.local.stack import Stack
from ionctl.ops.account import local_account
from ionctl.ops.deployment import find


@dataclass(frozen=True, slots=True)
class Whole:
    """A stack that runs, and its console."""

    stack: Stack
    console: Console
    inbox: Inbox

    @property
    def address(self) -> str:
        return self.console.url.split("/?")[0]

    def publish(self, recipient: str, **fields: Any) -> None:  # noqa: ANN401 - as JSON has it
        self.stack.publish({"action": "send", "recipient": recipient, **fields})

    def forget_backoff(self) -> None:
        """Have the mail server asked again at the next run, and not only minutes later."""
        dynamodb, table = self.stack.aws.dynamodb, self.stack.names.table
        for row in dynamodb.scan(TableName=table)["Items"]:
            if row["email_id"]["S"].startswith(" hold "):
                dynamodb.delete_item(TableName=table, Key={"email_id": row["email_id"]})


@contextmanager
def whole() -> Iterator[Whole]:
    """Bring one up."""
    inbox = Inbox()
    settings = {"drain": {"linger_seconds": "0"}}
    with Stack(mailbag=Mailbag(listener=inbox.put), settings=settings) as stack:
        told = addresses(stack)
        port = loopback.free_port(None, "--console-port")
        deployment = find(local_account(told), told.name)
        with Console(
            deployment, port=port, write=True, inbox=inbox, switches=stack.mail_server
        ) as console:
            yield Whole(stack, console, inbox)
