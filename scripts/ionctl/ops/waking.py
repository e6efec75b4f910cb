"""A relay woken by a person: it looks at its queues, and asks servers again that it leaves alone.

After a refused login, or a used-up quota, ion leaves a server alone for some minutes, since
providers lock out whoever goes on. A person who has mended something at the provider, and kept the
login, would wait for nothing. The count of refusals stays: refused once more, the server is left
alone for longer than before.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ion.aws.server_state import ServerStates
from ion.aws.table import TableError
from ionctl.ops import steering
from ionctl.ops.looks import Looks
from ionctl.ops.servers import named

if TYPE_CHECKING:
    from ion.policy.backoff import Backoff
    from ionctl.ops.deployment import Deployment


def wake(deployment: Deployment) -> str:
    """Wake the relay; say which servers it asks again, in words. Raises botocore's errors."""
    looks = Looks(deployment)
    runs = looks.runs()
    states = looks.states(named(runs.events if runs else ()))
    now = time.time()
    left_alone = {
        server: state.backoff
        for server, state in states.items()
        if state.backoff is not None and state.backoff.until > now
    }
    said = [_ended(deployment, server, one, now) for server, one in left_alone.items()]
    steering.wake(deployment)
    return "; ".join(["the relay is awake", *said])


def _ended(deployment: Deployment, server: str, backoff: Backoff, now: float) -> str:
    """Let a server be asked at the next run."""
    table = ServerStates(deployment.account.dynamodb, deployment.table)
    try:
        asyncio.run(table.write(server, replace(backoff, until=int(now))))
    except TableError as error:
        return f"{server} is left alone still, since the ledger can't be written to: {error}"
    return f"{server} is asked again at once, though it refused before ({backoff.reason.upper()})"
