"""Records of a table's stream, made from how its rows look now and looked before."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from ionctl.local.ministack import REGION

KEY = "email_id"
_FIRST_NUMBER = 100_000_000_000_000_000_000
"""Sequence numbers have 21 digits or more (DynamoDB API, StreamRecord)."""

Row = Mapping[str, Mapping[str, Any]]
"""In DynamoDB's types."""


class Changes:
    """Remembers the rows of one table.

    Writes that follow one another between two looks are one record here; DynamoDB has one each.

    Args:
        stream_arn: of the stream that this stands for.
        now: seconds since the epoch.
    """

    def __init__(self, stream_arn: str, now: Callable[[], float] = time.time) -> None:
        self._stream_arn = stream_arn
        self._now = now
        self._rows: dict[str, Row] = {}
        self._number = _FIRST_NUMBER

    def seen(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """Give a record for each row that is new, is another than before, or is gone."""
        found = {row[KEY]["S"]: row for row in rows}
        records = list(self._records(found))
        self._rows = found
        return records

    def _records(self, found: Mapping[str, Row]) -> Iterator[dict[str, Any]]:
        for key in [*found, *(key for key in self._rows if key not in found)]:
            old, new = self._rows.get(key), found.get(key)
            if old != new:
                yield self._record(key, old, new)

    def _record(self, key: str, old: Row | None, new: Row | None) -> dict[str, Any]:
        self._number += 1
        images = {"OldImage": old, "NewImage": new}
        return {
            "eventID": uuid4().hex,
            "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": REGION,
            "dynamodb": {
                "ApproximateCreationDateTime": int(self._now()),
                "Keys": {KEY: {"S": key}},
                **{name: image for name, image in images.items() if image is not None},
                "SequenceNumber": str(self._number),
                "SizeBytes": sum(len(str(image)) for image in images.values() if image),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": self._stream_arn,
        }
