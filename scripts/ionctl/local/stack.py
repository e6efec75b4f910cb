"""The whole relay on this machine, up inside a `with`, gone after it."""

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ion.mail import is_address
from ion.settings import SettingsError, load
from ionctl.local import clients, deploy, iam_quirks, terraform, unsubscribing
from ionctl.local.authority import Authority
from ionctl.local.cloudwatch import QueueMetric
from ionctl.local.command import run
from ionctl.local.function_log import FunctionLog
from ionctl.local.host_package import host_package
from ionctl.local.interrupt import held
from ionctl.local.mail_server import Login, MailServer
from ionctl.local.mail_session import Arrived
from ionctl.local.mailbag import Mailbag
from ionctl.local.ministack import Ministack
from ionctl.local.names import names_of
from ionctl.local.peek import Queued, peek
from ionctl.local.provider import Provider
from ionctl.local.stream.stand_in import LedgerStream
from ionctl.local.variables import Settings, Variables
from ionctl.problem import Problem

ROOT = Path(__file__).resolve().parents[3]

_INSTALL_SECONDS = 900
"""The first time everything is downloaded, over whatever line there is."""
_POLL_SECONDS = 0.1


class Method(StrEnum):
    """How ion gets into the emulated AWS."""

    BOTO3 = "boto3"
    TERRAFORM = "terraform"


class Stack:
    """An emulated AWS with ion deployed in it, and a mail server that ion sends to.

    Attributes:
        folder: gone with the stack, also if its process is killed.

    Example:
        with Stack() as stack:
            stack.publish({"recipient": "ann@example.org", "subject": "Hi", "body_text": "…"})
            (email,) = stack.wait_for_emails(1)

    Args:
        method: how ion is deployed.
        port, smtp_port: of the emulated AWS and of the mail server; None: free ones.
        package: the Lambda package; None: built now, for this machine.
        settings: overrides of config.cfg by section and key.
        say: told about each step as it begins.
        mailbag: for the emails that arrive; None: one that keeps all of them.
        events: whether it is told on the outcome topic what became of each email.
        feedback: whether bounces and complaints of the mail server come back by the feedback topic.
    """

    def __init__(  # noqa: PLR0913 - what the command line says
        self,
        method: Method = Method.BOTO3,
        *,
        port: int | None = None,
        smtp_port: int | None = None,
        package: Path | None = None,
        settings: Settings | None = None,
        say: Callable[[str], None] = lambda _step: None,
        mailbag: Mailbag | None = None,
        events: bool = False,
        feedback: bool = False,
    ) -> None:
        self._method = method
        self._port = port
        self._smtp_port = smtp_port
        self._package = package
        self._settings = settings or {}
        self._say = say
        self._events = events
        self._feedback = feedback
        self._provider = Provider()
        self._exit = ExitStack()
        self.mailbag = mailbag or Mailbag()

    def __enter__(self) -> Self:
        try:
            self._bring_up()
        except BaseException as error:
            self._take_down(error)
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Take it down. Raises Problem: what broke it was the end of the emulated AWS."""
        self._take_down(error)

    def _take_down(self, error: BaseException | None) -> None:
        with held():
            if error is None:
                self._exit.close()
            else:
                self._exit.__exit__(type(error), error, error.__traceback__)

    def _bring_up(self) -> None:
        if self._method is Method.TERRAFORM:
            terraform.find()  # before anything else is begun in vain
        with held():
            self.folder = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="ion-")))
        self.mail_server = MailServer(Authority(self.folder), self._arrived, self._smtp_port)
        self._exit.enter_context(self.mail_server)
        self.ministack = Ministack(ministack_python(), self.folder, self._port, remove=True)
        self._say("starting the emulated AWS")
        with held():
            self.ministack.start()
            self._exit.push(self.ministack)
        # it takes a second or two, in which there is enough to do
        self.names = names_of(self.ministack.endpoint)
        self.aws = clients.connect(self.names)
        secrets = config_secrets(self.mail_server.login)
        package = self._package
        if package is None:
            check_settings(ROOT, self._settings, secrets)
            package = host_package(ROOT, self.folder / "ion-host.zip", self._say)
        self.ministack.wait()
        self.operators_topic_arn = self._operators()
        variables = Variables(
            package=package,
            secret_arn=self.put_secret(secrets),
            settings=self._settings,
            alarm_topic_arns=(self.operators_topic_arn,),
            outbox=True,
            attachment_buckets=(self.names.files_arn,),
            events=self._events,
            feedback=self._feedback,
            unsubscribe=True,
        )
        self.aws.s3.create_bucket(Bucket=self.names.files)
        if self._method is Method.TERRAFORM:
            self._say("terraform apply, which takes a minute or two")
            terraform.apply(
                ROOT / "terraform",
                self.folder,
                self.names,
                variables,
            )
        else:
            self._say("deploying")
            deploy.deploy(self.aws, self.names, variables)
        for role in (self.names.role, self.names.unsubscribe_role):
            iam_quirks.make_up(self.aws, role)
        unsubscribing.reach(self.aws, self.names)
        if self._feedback:
            iam_quirks.make_up(self.aws, self.names.feedback_role)
            self._exit.enter_context(self._provider.telling(self.aws.sns, self.names))
        self._exit.enter_context(QueueMetric(self.aws, self.names))
        if self._events:
            iam_quirks.make_up(self.aws, self.names.events_role)
            self.ledger_stream = self._exit.enter_context(LedgerStream(self.aws, self.names))

    def _arrived(self, email: Arrived) -> None:
        self.mailbag.put(email)
        self._provider.arrived(email)

    def _operators(self) -> str:
        """Make a topic for the alarms, which a queue hears in a person's place; give its ARN."""
        sns, sqs, name = self.aws.sns, self.aws.sqs, f"{self.names.name}-operators"
        topic_arn = sns.create_topic(Name=name)["TopicArn"]
        queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
        about = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        queue_arn = about["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
        return topic_arn

    def put_secret(self, text: str) -> str:
        """Keep config-secrets.cfg's text where the function reads it; give the secret's ARN."""
        self.aws.ssm.put_parameter(
            Name=self.names.secret, Value=text, Type="SecureString", Overwrite=True
        )
        return self.names.secret_arn

    def publish(self, message: Mapping[str, Any] | str, *, bulk: bool = False) -> str:
        """Put a message on the input topic, or on the bulk topic; give SNS's id of it."""
        body = message if isinstance(message, str) else json.dumps(message)
        topic_arn = self.names.bulk_topic_arn if bulk else self.names.topic_arn
        return self.aws.sns.publish(TopicArn=topic_arn, Message=body)["MessageId"]

    def invoke(self) -> dict[str, Any]:
        """Run the relay, after the run that may be under way; give what it returned."""
        while True:
            try:
                response = self.aws.functions.invoke(
                    FunctionName=self.names.function, Payload=b"{}"
                )
            except self.aws.functions.exceptions.TooManyRequestsException:
                time.sleep(_POLL_SECONDS)
            else:
                returned: dict[str, Any] = json.load(response["Payload"]) or {}
                return returned

    def wake(self) -> None:
        """Wake the relay as SNS would, without waiting; a run under way makes it no difference."""
        self.aws.functions.invoke(
            FunctionName=self.names.function, InvocationType="Event", Payload=b"{}"
        )

    def wait_for_emails(self, count: int, timeout_seconds: float = 30) -> tuple[Arrived, ...]:
        """Wait until there are `count` emails in all, and give them.

        Raises:
            TimeoutError: fewer have come; the text has the function's last words.
        """
        emails = self.mailbag.wait(count, timeout_seconds)
        if len(emails) < count:
            raise TimeoutError(
                f"{len(emails)} of {count} emails within {timeout_seconds} s; "
                "the function's log ends so:\n" + "\n".join(self.log()[-20:])
            )
        return emails

    def queued(self) -> tuple[Queued, ...]:
        """What input, bulk and later queue hold: visible, in flight and delayed.

        Looked at in the order in which messages are moved, so that none is missed on its way; one
        that is just being moved may be there twice.
        """
        names = self.names
        urls = (names.queue_url, names.bulk_queue_url, names.later_queue_url)
        return tuple(one for url in urls for one in self._peek(url))

    def dead_letters(self) -> tuple[Queued, ...]:
        """What the dead-letter queue holds."""
        return self._peek(self.names.dead_letter_queue_url)

    def _peek(self, queue_url: str) -> tuple[Queued, ...]:
        return peek(self.ministack.endpoint, queue_url)

    def wait_until_settled(self, timeout_seconds: float = 30) -> bool:
        """Wait until each message has its fate: nothing is queued. False: something is still."""
        deadline = time.monotonic() + timeout_seconds
        while self.queued():
            if time.monotonic() > deadline:
                return False
            self.ministack.check()
            time.sleep(_POLL_SECONDS)
        return True

    def log(self) -> list[str]:
        """What the function has logged, line by line."""
        return FunctionLog(self.aws, self.names).new_lines()

    def events(self) -> list[dict[str, Any]]:
        """What ion itself has logged; the lines that Lambda writes around it left out."""
        return FunctionLog(self.aws, self.names).new_events()


def check_settings(root: Path, settings: Settings, secrets: str) -> None:
    """Find out at once what the function would only write into its log.

    Args:
        root: the folder with config.cfg.
        settings: overrides of it.
        secrets: text of config-secrets.cfg.

    Raises:
        Problem: with these settings the function would send nothing.
    """
    arn = "arn:aws:ssm:us-east-1:000000000000:parameter/ion"
    variables = Variables(root / "ion.zip", arn, settings)
    environment = deploy.environment(names_of("http://127.0.0.1"), variables)
    try:
        load(root, environment, lambda _: secrets, is_address)
    except SettingsError as error:
        raise Problem(str(error)) from error


def config_secrets(login: Login) -> str:
    """Give the text of config-secrets.cfg for a mail server."""
    return (
        "[smtp]\n"
        f"server = {login.host}\n"
        f"port = {login.port}\n"
        "security = starttls\n"
        f"username = {login.username}\n"
        f"password = {login.password}\n"
        f"ca_file = {login.ca_file}\n"
    )


def ministack_python() -> Path:
    """Give the Python that runs ministack and the function, in an environment made for both."""
    status, output = run(
        [ROOT / "scripts" / "venv.sh", "ministack", ROOT / "scripts" / "ministack.txt"],
        folder=ROOT,
        timeout_seconds=_INSTALL_SECONDS,
        show_stderr=True,
    )
    if status:
        raise Problem("the environment of the emulated AWS couldn't be made, see above")
    return Path(output.strip())
