"""One execution environment of the function: the clients, and the settings while they hold."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.alarm import Alarm, AlarmError
from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.objects import Objects
from ion.aws.outbox import Outbox
from ion.aws.queue import Queue
from ion.aws.schedule import Schedule
from ion.aws.secrets import SecretStore
from ion.aws.server_state import ServerStates
from ion.aws.template_files import TemplateFiles
from ion.contract import Lane
from ion.deadline import Deadline
from ion.drain.admission import Admission
from ion.drain.allowance import Allowance, function_bytes, return_what_is_freed
from ion.drain.claim_checks import ClaimChecks
from ion.drain.deliver import Deliverer
from ion.drain.memory import Memory
from ion.drain.progress import Summary
from ion.drain.queues import Queues
from ion.drain.retention import Retention
from ion.drain.run import Drain
from ion.drain.settle import Settler
from ion.drain.suppression_list import SuppressionList
from ion.drain.templating import Templates
from ion.limits import LEASE_MARGIN_SECONDS
from ion.mail.dkim import Signer
from ion.message import Source
from ion.policy.guard import StagingGuard
from ion.policy.rate import Pace
from ion.relay.configuration import Configuration
from ion.relay.servers import Servers
from ion.report.telemetry import Telemetry
from ion.settings import Dkim, Settings, SettingsError, Smtp, TemplateBucket, aws_names
from ion.smtp.pool import Pool
from ion.smtp.session import emails_a_connection
from ion.smtp.tokens import Tokens
from ion.template import Files, Folder, Renderer
from ion.unsubscribe.links import Links

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Relay:
    """The clients, and the settings until something proves wrong; outlives an invocation."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        return_what_is_freed()
        self.telemetry = Telemetry()
        self.session = boto3.Session()
        aws, config = aws_names(os.environ), _client_config()
        cloudwatch = self.session.client("cloudwatch", config=config)
        self.alarm = Alarm(cloudwatch, aws.alarm_name)
        self.bulk_alarm = Alarm(cloudwatch, aws.bulk_alarm_name)
        self.later_alarm = Alarm(cloudwatch, aws.later_alarm_name)
        sqs = self.session.client("sqs", config=config)
        self.queues = Queues(
            input=Queue(sqs, aws.queue_url, Source.INPUT),
            bulk=Queue(sqs, aws.bulk_queue_url, Source.BULK),
            later=Queue(sqs, aws.later_queue_url, Source.LATER),
            dead_letters=Queue(sqs, aws.dead_letter_queue_url, Source.DEAD_LETTERS),
            telemetry=self.telemetry,
            now=now,
        )
        dynamodb = self.session.client("dynamodb", config=config)
        self.ledger = Ledger(dynamodb, aws.ledger_table)
        self.address_key = AddressKey(dynamodb, aws.ledger_table)
        self.control = ControlRow(dynamodb, aws.ledger_table)
        self._events = aws.events
        self.addresses = Addresses(dynamodb, aws.ledger_table)
        self.outbox = Outbox(dynamodb, aws.outbox_table)
        self.server_states = ServerStates(dynamodb, aws.ledger_table)
        self.objects = Objects(self._s3)
        schedule = Schedule(dynamodb, aws.ledger_table)
        self.retention = Retention(schedule, self.telemetry, now)
        store = SecretStore(self.session, aws.secret_arn) if aws.secret_arn else None
        self.configuration = Configuration(_package(), os.environ, store, self.telemetry, now)
        self.tokens = Tokens(now=now)
        self._servers: Servers | None = None
        self._s3_client: S3Client | None = None
        self._making = threading.Lock()
        self._renderers: dict[TemplateBucket | None, Renderer] = {}

    async def run(self, deadline: Deadline) -> Summary:
        """One run over the queue; in any case the alarm is set back."""
        began = time.monotonic()
        summary = Summary(stopped="error", held="error")  # if the run breaks
        try:
            summary = await self._drain_queue(deadline)
            if (
                summary.error and not summary.sent
            ) or summary.paused:  # what waits may wait for long
                summary.dead_lettered += await self._retain(deadline)
        finally:
            await self._rearm(summary)
            summary.seconds = round(time.monotonic() - began, 3)
            if summary.advice:
                self.telemetry.advised(summary.advice)
            if summary.held:
                self.telemetry.held(summary.held, summary.held_by)
            if summary.paused:
                self.telemetry.paused(summary.paused)
            self.telemetry.ended(asdict(summary))
        return summary

    async def _drain_queue(self, deadline: Deadline) -> Summary:
        try:
            servers = await self._configured()
        except SettingsError as error:
            self.telemetry.misconfigured(str(error))
            return Summary(stopped="settings", error=str(error))
        summary = await servers.run(deadline)
        if summary.stopped == "deadline" and summary.came_to_nothing:
            summary.held = "deadline"
        return summary

    async def _configured(self) -> Servers:
        """The servers of the settings in force; if one turned us away, they may be others now."""
        again = self._servers is not None and bool(self._servers.turned_away)
        settings = await asyncio.to_thread(self.configuration.settings, again=again)
        if self._servers is None or settings is not self._servers.settings:
            self.telemetry.level(settings.log_level)
            drain = partial(self._drain, settings)
            self._servers = Servers(
                self.configuration,
                settings,
                self.tokens,
                self.server_states,
                self.telemetry,
                drain,
            )
        return self._servers

    async def _retain(self, deadline: Deadline) -> int:
        settler = Settler(self.queues, self.ledger, self.telemetry, events=self._events)
        return await self.retention.run(self.queues, settler, deadline)

    def _drain(
        self, settings: Settings, smtp: Smtp, pool: Pool, pace: Pace, deadline: Deadline
    ) -> Drain:
        lease_until = time.time() + deadline.remaining() + LEASE_MARGIN_SECONDS
        memory = Memory(Allowance.of(function_bytes(os.environ), smtp.connections))
        claim_checks = ClaimChecks(self.objects, self.outbox, memory)
        guard = StagingGuard(settings.guard)
        suppression_list = SuppressionList(
            self.addresses, self.address_key, is_on=settings.suppression_list, guard=guard
        )
        return Drain(
            queues=self.queues,
            ledger=self.ledger,
            control=self.control,
            objects=self.objects,
            admission=Admission(
                self.ledger,
                self.telemetry,
                settings.sender,
                settings.in_doubt,
                lease_until,
                address_key=self.address_key,
                templates=Templates(self._renderer(settings.templates), self.telemetry, deadline),
                claim_checks=claim_checks,
                suppression_list=suppression_list,
                links=self._links(settings.unsubscribe_url),
            ),
            pool=pool,
            workers=smtp.connections * emails_a_connection(smtp.pipelining),
            deliverer=Deliverer(
                pool, settings.give_up_after_seconds, guard=guard, signer=_signer(settings.dkim)
            ),
            telemetry=self.telemetry,
            linger_seconds=settings.linger_seconds,
            deadline=deadline,
            pace=pace,
            memory=memory,
            events=self._events,
        )

    def _links(self, url: str) -> Links | None:
        return Links(url, self.address_key) if url else None

    def _renderer(self, bucket: TemplateBucket | None) -> Renderer:
        """The one of this environment: what it has compiled outlives a run."""
        if bucket not in self._renderers:
            self._renderers[bucket] = Renderer(template_files(bucket, _package(), self._s3))
        return self._renderers[bucket]

    def _s3(self) -> "S3Client":
        """Made for the first object: it takes a tenth of a second, and most queues need none."""
        with self._making:
            if self._s3_client is None:
                self._s3_client = self.session.client("s3", config=_s3_config())
            return self._s3_client

    async def _rearm(self, summary: Summary) -> None:
        """The alarms whose queues may have mail left; those of queues found empty are OK.

        What is paused would wake us for nothing, minute by minute.
        """
        if summary.stopped == "paused":
            return
        looked = summary.stopped == "empty"
        alarms = [self.alarm] * (Lane.NORMAL not in summary.paused)
        if Lane.BULK not in summary.paused:
            alarms += [self.bulk_alarm] * (bool(summary.bulk) or not looked)
        alarms += [self.later_alarm] * (bool(summary.later) or not looked)
        for alarm in alarms:
            try:
                await alarm.rearm()
            except AlarmError as error:  # the schedule wakes us all the same
                self.telemetry.trouble("the alarm could not be set back", code=str(error))


def _signer(dkim: Dkim | None) -> Signer | None:
    return Signer(dkim.domain, dkim.selector, dkim.key) if dkim else None


def template_files(
    bucket: TemplateBucket | None, package: Path, s3: "Callable[[], S3Client]"
) -> Files:
    """The templates, wherever they are: in S3 if that is set, else in the package."""
    if bucket is None:
        return Folder(package / "templates")
    return TemplateFiles(s3, bucket.bucket, bucket.prefix)


def _package() -> Path:
    """Folder of the package's files."""
    return Path(os.environ.get("LAMBDA_TASK_ROOT", Path(__file__).parents[2]))


def _client_config() -> Config:
    return Config(
        retries={"mode": "standard", "max_attempts": 3},
        connect_timeout=5,
        read_timeout=30,  # a long poll is answered after 20 s at the latest
        max_pool_connections=16,
        # A third of what a call costs in CPU: a second look at what our own code has put together
        # (AWS looks too), and a name for the client that is put together anew for each call.
        parameter_validation=False,
        user_agent="ion",
    )


def _s3_config() -> Config:
    """A worker waits for it, with an email in its hands, so not for long."""
    return _client_config().merge(
        Config(read_timeout=10, retries={"mode": "standard", "max_attempts": 2})
    )
