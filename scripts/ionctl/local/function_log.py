"""What the function logs, read as it grows."""

import json
from typing import Any

from ionctl.local.names import Names
from ionctl.ops.account import Account


class FunctionLog:
    """Remembers how far it has been read.

    ministack knows no pages of a log, and gives 10,000 lines at most: so each read goes on from
    the time of the last line seen.
    """

    def __init__(self, clients: Account, names: Names) -> None:
        self._clients = clients
        self._names = names
        self._since_milliseconds = 0
        self._seen = 0
        """Of the lines of that very millisecond."""

    def new_lines(self) -> list[str]:
        """Give what has been logged since the last call."""
        lines: list[str] = []
        while True:
            events = self._clients.logs.filter_log_events(
                logGroupName=self._names.log_group, startTime=self._since_milliseconds
            ).get("events", [])  # an emulator that is killed may leave an answer without any
            if len(events) <= self._seen:
                return lines
            lines += [event["message"].rstrip() for event in events[self._seen :]]
            self._since_milliseconds = events[-1]["timestamp"]
            self._seen = sum(event["timestamp"] == self._since_milliseconds for event in events)

    def new_events(self) -> list[dict[str, Any]]:
        """Give what ion itself has logged; the lines that Lambda writes around it left out."""
        return [json.loads(line) for line in self.new_lines() if line.startswith("{")]
