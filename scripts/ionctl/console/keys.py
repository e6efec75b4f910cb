"""From an email's Message-ID back to its key in the relay.

The relay makes the one of the other's hash, which nobody turns around: so the keys are learnt of,
from what this console publishes and from the relay's log. One that isn't known yet is asked for
again with the next look.
"""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS
from ion.mail import message_id_left
from ionctl.ops import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from ionctl.ops.deployment import Deployment

_LEAST_SECONDS = 2.0
"""Between two looks at the log."""
_OVERLAP = timedelta(minutes=1)
"""Lines come into a log a little late, and out of order."""
_MOST_KEYS = 20_000
_SENT = log.Wanted(("sent",))
_message_id = re.compile(r"<([0-9a-f]{32})@")


class Keys:
    """Used by several threads.

    Args:
        deployment: the relay, whose log is read from now on.
        clock: seconds that only grow.
    """

    def __init__(self, deployment: Deployment, clock: Callable[[], float] = time.monotonic) -> None:
        self._deployment = deployment
        self._clock = clock
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()
        self._since = datetime.now(UTC) - _OVERLAP
        self._looked_at = clock() - _LEAST_SECONDS

    def add(self, key: str) -> None:
        """A key that is known now."""
        with self._lock:
            self._keys[message_id_left(key)] = key
            if len(self._keys) > _MOST_KEYS:
                del self._keys[next(iter(self._keys))]

    def of(self, message_id: str) -> str:
        """The key of the email with that Message-ID; empty: it isn't known."""
        found = _message_id.search(message_id)
        if found is None:
            return ""  # no email of the relay's
        if found[1] not in self._keys:
            self._look()
        return self._keys.get(found[1], "")

    def _look(self) -> None:
        with self._lock:
            if self._clock() - self._looked_at < _LEAST_SECONDS:
                return
            self._looked_at = self._clock()
            since = self._since
        try:
            part = log.read(self._deployment, _SENT, since)
        except AWS_ERRORS:
            return  # the link is missing, and the next look is the next chance
        for event in part.events:
            self.add(event.text("email_id"))
        self._since = part.until - _OVERLAP
