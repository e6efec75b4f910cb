"""nodemailer with ion's transport, before a topic of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import boto3

from clients.topic import read, taken
from ion.contract import Send, parse
from ionctl.local.ministack import CREDENTIALS, ISOLATION, REGION
from wiring import topic_before

NODE = Path(__file__).parent / "node"
TRANSPORT = Path(__file__).parents[2] / "clients/node"
SECONDS = 100

HI = {"to": "ann@example.org", "text": "hi"}


class Nodemailer:
    """Sends by nodemailer to a topic of its own, and reads what is published to it."""

    def __init__(self, endpoint: str, modules: Path) -> None:
        self._endpoint = endpoint
        self._modules = modules
        session = boto3.Session("test", "test", region_name=REGION)
        self._sqs = session.client("sqs", endpoint_url=endpoint)
        sns = session.client("sns", endpoint_url=endpoint)
        self.arn, self._url = self._topic_and_queue(sns, f"node-{os.getpid()}")
        self.bulk_arn, self._bulk_url = self._topic_and_queue(sns, f"node-bulk-{os.getpid()}")

    def _topic_and_queue(self, sns: Any, name: str) -> tuple[str, str]:  # noqa: ANN401 - boto3's
        url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        return topic_before(url, self._sqs, sns, name), url

    def send(
        self,
        *mails: dict[str, Any],
        arn: str | None = None,
        bulk_arn: str = "",
        options: dict[str, str] | None = None,
    ) -> list[Any]:
        """What sendMail or cancel gave for each, or the error as {"error", "code", "part"}."""
        environment = {
            "NODE_PATH": str(self._modules),
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self._endpoint,
            "ION_TOPIC_ARN": self.arn if arn is None else arn,
            "ION_BULK_TOPIC_ARN": bulk_arn,
            **CREDENTIALS,
            **ISOLATION,
        }
        done = subprocess.run(
            ["node", str(NODE / "send.js"), str(TRANSPORT), json.dumps(options or {})],
            input=json.dumps(mails),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        results: list[Any] = json.loads(done.stdout)
        return results

    @property
    def bodies(self) -> list[str]:
        return taken(self._sqs, self._url)

    @property
    def bulk(self) -> list[str]:
        """Bodies of what has been published to the topic for bulk."""
        return taken(self._sqs, self._bulk_url)

    @property
    def groups(self) -> dict[str, str]:
        """MessageGroupIds of what has been published, by email_id."""
        return {json.loads(body)["email_id"]: group for body, group in read(self._sqs, self._url)}

    def published(self) -> dict[str, Send]:
        """What the relay reads, by email_id: a queue keeps no order."""
        actions = [parse(body) for body in self.bodies]
        return {str(one.email_id): one for one in actions if isinstance(one, Send)}
