"""What the function has logged about something, lately."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from ionctl.ops.deployment import Deployment


def events(deployment: Deployment, words: str, since: datetime) -> list[dict[str, Any]]:
    """Events of ion's own that have `words` in them, the oldest first.

    Raises:
        botocore's errors: these credentials may not look.
    """
    pages = deployment.account.logs.get_paginator("filter_log_events").paginate(
        logGroupName=deployment.log_group,
        startTime=int(since.timestamp() * 1000),
        filterPattern=f'"{words}"',
    )
    lines = (one["message"] for page in pages for one in page["events"])
    return [json.loads(line) for line in lines if line.startswith("{")]
