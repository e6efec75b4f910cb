"""What the function itself has met with at a mail server: it stands elsewhere in the network."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS
from ion.aws.server_state import ServerStates
from ion.aws.table import TableError
from ionctl.ops.log import Event, Wanted, read_back

if TYPE_CHECKING:
    from ion.settings import Smtp
    from ionctl.ops.deployment import Deployment

_LOOK_BACK = timedelta(days=1)
_LAST_RUNS = timedelta(minutes=15)
"""The schedule starts one every 5 minutes."""


class Witness:
    """A deployed function; each answer is empty where it isn't known.

    Args:
        deployment: its relay's; None: there is none yet.
        smtp: the server, with the login in force.
    """

    def __init__(self, deployment: Deployment | None, smtp: Smtp) -> None:
        self._deployment = deployment
        self._smtp = smtp

    @property
    def is_deployed(self) -> bool:
        """False: there is no function yet."""
        return self._deployment is not None

    @property
    def in_vpc(self) -> bool:
        """True if it leaves AWS, if at all, by ways of the deployer's."""
        if self._deployment is None:
            return False
        return bool(self._deployment.configuration.get("VpcConfig", {}).get("SubnetIds"))

    def refusal(self) -> str:
        """What the server said to this login, which the function doesn't try for a while."""
        if self._deployment is None:
            return ""
        states = ServerStates(self._deployment.account.dynamodb, self._deployment.table)
        name = self._smtp.name
        try:
            backoff = asyncio.run(states.read([name]))[name].backoff
        except TableError:
            return ""
        if backoff is None or backoff.is_over(self._smtp, time.time()):
            return ""
        until = datetime.fromtimestamp(backoff.until, UTC)
        return f"{backoff.error}; it asks again at {until:%H:%M} UTC"

    def last_run(self) -> str:
        """Why the server held the last run; empty, too: it didn't."""
        events = self._events("run ended", _LAST_RUNS)
        is_held = bool(events) and events[-1].text("held_by") == self._smtp.name
        return events[-1].text("error") if is_held else ""

    def last_suspension(self) -> str:
        """What was wrong when the server last let no mail go, with the time."""
        found = self._events("delivery suspended", _LOOK_BACK)
        mine = [one for one in found if one.text("server") == self._smtp.name]
        return f"{mine[-1].text('reply')} (at {mine[-1].at:%H:%M} UTC)" if mine else ""

    def _events(self, name: str, span: timedelta) -> list[Event]:
        if self._deployment is None:
            return []
        try:
            return read_back(self._deployment, Wanted(names=(name,)), span).events
        except AWS_ERRORS:
            return []
