"""The function's log as it grows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ionctl.ops import log

if TYPE_CHECKING:
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.log import Event, Wanted

_LATE = timedelta(minutes=1)
"""By so much may CloudWatch be late with a line."""


class Follower:
    """Gives each event once, as soon as the log shows it.

    Args:
        deployment: whose log.
        wanted: which events.
        since: from when on.
    """

    def __init__(self, deployment: Deployment, wanted: Wanted, since: datetime) -> None:
        self._deployment = deployment
        self._wanted = wanted
        self._since = since
        self._given: dict[str, datetime] = {}
        """Events, and when the log was read that had them."""

    def more(self) -> list[Event]:
        """Events that haven't been given, oldest first. Raises botocore's errors."""
        now = datetime.now(UTC)
        part = log.read(self._deployment, self._wanted, self._since, now)
        new = [one for one in part.events if _key(one) not in self._given]
        self._given |= {_key(one): now for one in part.events}
        if part.cut:  # the next read goes on there
            self._since = max(part.until, self._since)
        else:
            self._since = max(now - _LATE, self._since)
            old = now - 3 * _LATE
            self._given = {key: at for key, at in self._given.items() if at > old}
        return new


def _key(event: Event) -> str:
    return f"{event.at.timestamp()} {json.dumps(event.record, sort_keys=True)}"
