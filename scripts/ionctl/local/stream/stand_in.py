"""The stream's and the mapping's stand-in: looks at the ledger, and invokes the events function.

ministack has both, but its stream sees no PartiQL, by which the relay writes, and its mapping tries
a batch again without end.
"""

import json
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from ionctl.local import deploy_events
from ionctl.local.names import Names
from ionctl.local.stream.changes import Changes
from ionctl.local.stream.mapping import Delivery, InvocationError, Record, Rules
from ionctl.ops.account import Account

_INTERVAL_SECONDS = 0.3
_IDLE_PARTS = 4
"""A look at a large ledger takes its time: then the pause is so many times as long."""
_BATCH = deploy_events.BATCH

_log = logging.getLogger(__name__)


class LedgerStream:
    """Delivers what is written in the ledger, in a thread between `__enter__` and `__exit__`."""

    def __init__(self, clients: Account, names: Names) -> None:
        self._clients = clients
        self._names = names
        self._stop = threading.Event()
        self._looked = threading.Condition()
        self._looks = 0
        """That are through, with all that they found delivered."""
        self._thread = threading.Thread(target=self._run, name="ledger stream", daemon=True)
        rules = Rules(
            retries=deploy_events.RETRIES, record_age_seconds=deploy_events.RECORD_AGE_SECONDS
        )
        self._delivery = Delivery(
            rules,
            self._invoke,
            self._give_up,
            time.time,
            lambda seconds: not self._stop.wait(seconds),
        )

    def __enter__(self) -> Self:
        self._switch_off_the_mapping()
        table = self._clients.dynamodb.describe_table(TableName=self._names.table)["Table"]
        self._changes = Changes(table["LatestStreamArn"])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def catch_up(self, timeout_seconds: float) -> bool:
        """Wait until all that is in the ledger now has been delivered. False: it hasn't."""
        with self._looked:
            enough = self._looks + 2  # the one under way may have begun before
            return self._looked.wait_for(lambda: self._looks >= enough, timeout_seconds)

    def _switch_off_the_mapping(self) -> None:
        functions = self._clients.functions
        mappings = functions.list_event_source_mappings(FunctionName=self._names.events_function)
        for one in mappings["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=one["UUID"], Enabled=False)

    def _run(self) -> None:
        pause = _INTERVAL_SECONDS
        while not self._stop.wait(pause):
            began = time.monotonic()
            try:
                records = self._changes.seen(self._rows())
            except (BotoCoreError, ClientError) as error:
                _log.warning("the ledger couldn't be read: %s", error)  # the next look brings it
                continue
            pause = max(_INTERVAL_SECONDS, _IDLE_PARTS * (time.monotonic() - began))
            told = [record for record in records if starts_a_run(record)]
            for start in range(0, len(told), _BATCH):
                self._delivery.deliver(told[start : start + _BATCH])
            with self._looked:
                self._looks += 1
                self._looked.notify_all()

    def _rows(self) -> list[Any]:
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._names.table, ConsistentRead=True
        )
        return [item for page in pages for item in page["Items"]]

    def _invoke(self, records: Sequence[Record]) -> list[str]:
        try:
            answer = self._clients.functions.invoke(
                FunctionName=self._names.events_function,
                Payload=json.dumps({"Records": records}).encode(),
            )
            said = json.load(answer["Payload"])
        except (BotoCoreError, ClientError, ValueError) as error:
            raise InvocationError(type(error).__name__) from error
        if answer.get("FunctionError"):
            raise InvocationError(str(said))
        return [one["itemIdentifier"] for one in said["batchItemFailures"]]

    def _give_up(self, records: Sequence[Record], condition: str) -> None:
        """Say so in the failure queue, as Lambda does: without the records themselves."""
        first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
        about = {
            "requestContext": {
                "functionArn": self._names.events_function_arn,
                "condition": condition,
            },
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "batchSize": len(records),
                "streamArn": records[0]["eventSourceARN"],
            },
        }
        self._clients.sqs.send_message(
            QueueUrl=self._names.events_queue_url, MessageBody=json.dumps(about)
        )


def starts_a_run(record: Record) -> bool:
    """True if the mapping's filters let a record through (`deploy_events.FILTERS`)."""
    new = record["dynamodb"].get("NewImage", {})
    has_timeline = new.get("timeline", {}).get("S", "") != ""
    return has_timeline or (record["eventName"] == "INSERT" and "S" in new.get("told", {}))
