"""A deployed relay for the tests of the operator's tools, in an account of its own.

Its function never runs: what it would have written is put into its log, its table and its queues
by the test.
"""

import json
import os
import secrets
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.server_state import ServerStates
from ionctl.local import clients, deploy
from ionctl.local.names import names_of
from ionctl.local.variables import Settings, Variables
from ionctl.ops import local_stack
from ionctl.ops.account import Account
from ionctl.ops.deployment import Deployment, find
from ionctl.ops.local_stack import LocalStack, MailServerAddress

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

_STREAM = "2026/11/28/[$LATEST]0"


class Operated:
    """A relay called `name`, deployed as ./run.sh does it.

    Args:
        endpoint: of the ministack that it is in.
        folder: for its package.
        alarm_topic_arns: who hears its alarms.
    """

    def __init__(
        self,
        endpoint: str,
        folder: Path,
        *,
        name: str = "ion",
        account: str = "",
        settings: Settings | None = None,
        alarm_topics: tuple[str, ...] = (),
    ) -> None:
        account = account or f"1{secrets.randbelow(10**11):011d}"
        self.names = names_of(endpoint, account, name)
        self.clients = clients.connect(self.names)
        self.alarm_topic_arns = tuple(
            self.clients.sns.create_topic(Name=one)["TopicArn"] for one in alarm_topics
        )
        package = folder / "empty.zip"
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("empty", "")
        deploy.deploy(
            self.clients,
            self.names,
            Variables(
                package,
                self.names.secret_arn,
                settings or {},
                alarm_topic_arns=self.alarm_topic_arns,
            ),
        )
        self.clients.logs.create_log_stream(
            logGroupName=self.names.log_group, logStreamName=_STREAM
        )
        self.account = Account(
            boto3.Session(self.names.access_key, "test", region_name="us-east-1"), endpoint
        )

    @property
    def deployment(self) -> Deployment:
        """As a command finds it."""
        return find(self.account, self.names.name)

    def local_file(self, path: Path) -> None:
        """Write the file that `ionctl --local` reads; `path` is in ION_LOCAL_FILE."""
        os.environ[local_stack.FILE_VARIABLE] = str(path)
        local_stack.write(
            LocalStack(
                pid=os.getpid(),
                name=self.names.name,
                console_url="http://127.0.0.1:1/?token=t",
                endpoint_url=self.names.endpoint,
                region="us-east-1",
                access_key_id=self.names.access_key,
                secret_access_key="test",
                topic_arn=self.names.topic_arn,
                bulk_topic_arn=self.names.bulk_topic_arn,
                mail_server=MailServerAddress(
                    host="127.0.0.1",
                    port=1,
                    username="u",
                    password="p",
                    ca_file="ca.pem",
                ),
            )
        )

    # -- what the function would have written -------------------------------------------

    def logged(self, message: str, at: datetime | None = None, **about: object) -> None:
        """An event in the function's log."""
        at = at or datetime.now(UTC)
        record = {"level": "INFO", "message": message, **about}
        self.printed(json.dumps(record), at)

    def printed(self, line: str, at: datetime) -> None:
        """A line in its log, of whatever kind."""
        self.clients.logs.put_log_events(
            logGroupName=self.names.log_group,
            logStreamName=_STREAM,
            logEvents=[{"timestamp": int(at.timestamp() * 1000), "message": line}],
        )

    def ran(self, at: datetime | None = None, **summary: object) -> None:
        """A run that has ended."""
        usual = {
            **dict.fromkeys(("received", "sent", "deferred", "released", "dead_lettered"), 0),
            "seconds": 1.0,
            "stopped": "empty",
            "error": "",
            "held": "",
            "held_by": "",
        }
        self.logged("run ended", at, **(usual | summary))

    def queued(
        self, body: str, url: str = "", delay: int = 0, attributes: Mapping[str, str] | None = None
    ) -> str:
        """A message in a queue, the input queue's if nothing else is said; returns its id."""
        values: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in (attributes or {}).items()
        }
        return self.clients.sqs.send_message(
            QueueUrl=url or self.names.queue_url,
            MessageBody=body,
            DelaySeconds=delay,
            MessageAttributes=values,
        )["MessageId"]

    def row(self, email_id: str, **values: Any) -> None:  # noqa: ANN401 - text and numbers
        """A row of the ledger's."""
        item = {"email_id": email_id, **values}
        self.clients.dynamodb.put_item(
            TableName=self.names.table,
            Item={
                name: {"S": value} if isinstance(value, str) else {"N": str(value)}
                for name, value in item.items()
            },
        )

    @property
    def control(self) -> ControlRow:
        return ControlRow(self.clients.dynamodb, self.names.table)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.clients.dynamodb, self.names.table)

    @property
    def server_states(self) -> ServerStates:
        return ServerStates(self.clients.dynamodb, self.names.table)
