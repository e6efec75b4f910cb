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
        topics = {"ION_TOPIC_ARN": self.arn if arn is None else arn, "ION_BULK_TOPIC_ARN": bulk_arn}
        command = [str(NODE / "send.js"), str(TRANSPORT), json.dumps(options or {})]
        printed = self._node(command, json.dumps(mails), [self._modules], topics)
        results: list[Any] = json.loads(printed)
        return results

    def run(self, program: str, folder: Path) -> str:
        """What a program prints that has nodemailer, the AWS SDK and ion's transport installed.

        Args:
            program: CommonJS.
            folder: for it; empty.
        """
        (folder / "ion-nodemailer-transport").symlink_to(TRANSPORT)
        script = folder / "program.cjs"
        script.write_text(program, "utf-8")
        return self._node([str(script)], "", [self._modules, folder], {})

    def _node(
        self, command: list[str], stdin: str, modules: list[Path], environment: dict[str, str]
    ) -> str:
        done = subprocess.run(
            ["node", *command],
            input=stdin,
            env={
                "NODE_PATH": os.pathsep.join(map(str, modules)),
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": self._endpoint,
                **environment,
                **CREDENTIALS,
                **ISOLATION,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

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
