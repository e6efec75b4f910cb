"""Work on the relay's table, waited for; what goes wrong is said in words that help."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from ion.aws import address_key, addresses, control
from ion.aws.table import TableError
from ionctl.ops.deployment import helped
from ionctl.problem import Problem
from ionctl.program import hinted

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from ionctl.ops.deployment import Deployment

Done = TypeVar("Done")

_DAMAGED = {
    control.UNREADABLE: "the control row holds what ion hasn't written, and nothing is sent: "
    "ionctl resume writes it anew",
    address_key.UNREADABLE: "the row with the key of the address hashes holds what ion hasn't "
    "written: bring it back from a backup of the table, since without it no address is found",
    addresses.UNREADABLE: "the row of that address holds what ion hasn't written, and nothing is "
    "sent to it: delete the row in DynamoDB, then say here what it should be",
}


def on_table(deployment: Deployment, work: Coroutine[Any, Any, Done]) -> Done:
    """Wait for it. Raises Problem: the table can't be used."""
    try:
        return asyncio.run(work)
    except TableError as error:
        words = hinted(_DAMAGED.get(str(error), ""))
        if not words:
            words = f"the table {deployment.table} can't be used: {helped(str(error))}"
        raise Problem(words) from error
