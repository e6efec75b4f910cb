"""One email through the whole relay, and its fate as the ledger has it."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ion.aws.table import Table
from ion.delivery import Status
from ion.policy.lease import RowStatus
from ionctl.ops import log, publishing
from ionctl.ops.doctor.check import ok, wrong
from ionctl.program import command

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import Finding

SECONDS = 60.0
"""A run may be under way, or the function may have to start in a VPC."""
_POLL_SECONDS = 0.5
_CLOCKS_DIFFER = timedelta(minutes=2)
"""Between this machine and the log."""
_SUBJECT = "ionctl doctor: a probe"
_TEXT = """This email was sent by ionctl doctor --probe, to see whether the relay works.
It does. Nothing has to be done about it.
"""
_UNDECIDED = frozenset({RowStatus.SENDING.value, None})


def look(deployment: Deployment, address: str, sender: str | None) -> Iterator[Finding]:
    """Publish an email, and wait for its fate.

    Args:
        deployment: the relay.
        address: of the recipient.
        sender: From; None: the relay's own.

    Raises:
        botocore's errors, TableError: it can't be published, or looked up.
    """
    email = {
        "action": "send",
        "recipient": address,
        "subject": _SUBJECT,
        "body_text": _TEXT,
        **({"sender": sender} if sender else {}),
    }
    since = datetime.now(UTC) - _CLOCKS_DIFFER
    email_id = publishing.publish(deployment, json.dumps(email)).email_id
    yield _fate(email_id, _wait(deployment, email_id, since))


def _wait(deployment: Deployment, email_id: str, since: datetime) -> Mapping[str, Any]:
    """The ledger's row, or what the log has of an email that was refused before there was one."""
    table = Table(deployment.account.dynamodb, deployment.table)
    wanted = log.Wanted(names=(Status.DEAD,), about=email_id)
    until = time.monotonic() + SECONDS
    while True:
        row = asyncio.run(table.read([email_id])).get(email_id, {})
        if row.get("status") not in _UNDECIDED or time.monotonic() > until:
            return row
        refused = [event.record for event in log.read(deployment, wanted, since).events]
        if refused and not row:
            return {**refused[-1], "status": Status.DEAD}
        time.sleep(_POLL_SECONDS)


def _fate(email_id: str, row: Mapping[str, Any]) -> Finding:
    status = row.get("status")
    server = f" by [{row['server']}]" if row.get("server") else ""
    said = " ".join(str(row[name]) for name in ("reason", "reply") if row.get(name))
    show = f"{command('show')} {email_id}"
    if status == RowStatus.SENT:
        reply = row.get("reply") or "without a word"
        return ok("probe", f"the server took it{server}: {reply} ({show})", about=email_id)
    if status == RowStatus.DEFERRED:
        words, advice = f"deferred{server}: {said}", f"it is tried again; {show} follows it"
    elif status is None:
        words = f"nothing has become of it within {SECONDS:g} s"
        advice = f"see what else is wrong here, and {command('status')}; {show} follows it"
    elif status == RowStatus.SENDING:
        words, advice = f"still being sent after {SECONDS:g} s", f"{show} follows it"
    else:
        words = f"not sent ({str(status).replace('_', '-')}){server}: {said}"
        advice = f"docs/reasons.md says what {row.get('reason', 'the reason')} means; {show}"
    return wrong("probe", words, advice, about=email_id)
