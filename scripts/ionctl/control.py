"""ionctl control: pause, stop, resume and cancel, past the queue, and what is in force."""

from __future__ import annotations

import asyncio
import getpass
import sys
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import msgspec
from botocore.exceptions import (
    BotoCoreError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from ion.aws.control import UNREADABLE, ControlRow
from ion.aws.ledger import Ledger
from ion.aws.table import TableError
from ion.contract import BadInput, Cancel, Pause, Stop, StopWhere, given_tags, parse
from ion.contract.hints import hint
from ion.policy.control import Control, TooManyStopsError, over_already
from ion.policy.lease import Cancelling

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_dynamodb import DynamoDBClient

_WHAT_TO_SET = {
    NoRegionError.__name__: "set AWS_DEFAULT_REGION (or AWS_PROFILE) to where ion is",
    NoCredentialsError.__name__: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    EndpointConnectionError.__name__: "AWS isn't reached: see network, AWS_DEFAULT_REGION and "
    "AWS_ENDPOINT_URL",
    "ResourceNotFoundException": "there is no such table there: see --table, AWS_DEFAULT_REGION "
    "and AWS_PROFILE",
    UNREADABLE: "its control row holds what ion hasn't written, and nothing is sent; "
    "./control.sh resume writes it anew",
}
"""By error: what helps."""
_CANCELLED = {
    Cancelling.CANCELLED: "cancelled",
    Cancelling.UNTRIED: "cancelled; nothing of that id has been tried yet: it may be queued, "
    "scheduled, still to come, or have another id",
    Cancelling.TOO_LATE: "too late: it is under way, or has had its fate",
}


class _UsageError(Exception):
    """What was typed can't be meant."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands and their options."""
    parser = commands.add_parser(
        "control",
        help="pause, stop, resume, cancel",
        description="Writes to the table that every running function reads every five "
        "seconds. AWS credentials are the shell's; it takes dynamodb:BatchGetItem, PartiQLInsert "
        "and PartiQLUpdate on the table.",
    )
    parser.add_argument("--table", default="ion-ledger", help="default: ion-ledger")
    parser.set_defaults(run=run)
    orders = parser.add_subparsers(required=True, dest="order", metavar="ORDER")
    orders.add_parser("show", help="what is in force")
    orders.add_parser("resume", help="end every pause and every stop; writes a damaged row anew")
    cancel = orders.add_parser("cancel", help="an email isn't sent, unless it is under way or sent")
    cancel.add_argument("email_id")
    pause = orders.add_parser("pause", help="nothing is received, and mail waits")
    pause.add_argument("--lane", choices=["normal", "bulk"], help="only this one")
    stop = orders.add_parser("stop", help="emails are dead-lettered as STOPPED; without where, all")
    stop.add_argument(
        "--tag", action="append", default=[], metavar="NAME=VALUE", help="several: all of them"
    )
    stop.add_argument("--sender", metavar="ADDRESS")
    stop.add_argument("--recipient-domain", metavar="DOMAIN")
    stop.add_argument("--email-id", metavar="KEY")
    for one in (pause, stop):
        one.add_argument("--until", metavar="TIME", help="2027-03-08T09:00:00Z; default: an hour")
        one.add_argument("--why", default="", help="for those who see it in force")
        one.add_argument("--by", default=getpass.getuser(), help="default: your user name")


def run(options: argparse.Namespace) -> int:
    """Do it, and print what is in force then; 1: it can't be done, or it is too late."""
    try:
        client: DynamoDBClient = boto3.client("dynamodb")
        return asyncio.run(_run(options, client))
    except BadInput as bad:
        right = hint(bad.reason, bad.path, bad.problem)
        said = f"{bad} ({right})" if right else str(bad)
    except (TooManyStopsError, _UsageError) as error:
        said = str(error)
    except BotoCoreError as error:
        said = _helped(f"AWS can't be used: {type(error).__name__}")
    except TableError as error:
        said = _helped(f"the table {options.table} can't be used: {error}")
    print(f"ionctl: {said}", file=sys.stderr)
    return 1


def _helped(said: str) -> str:
    """What went wrong, with what helps."""
    what = _WHAT_TO_SET.get(said.rpartition(" ")[2])
    return f"{said}: {what}" if what else said


async def _run(options: argparse.Namespace, client: DynamoDBClient) -> int:
    row, now = ControlRow(client, options.table), time.time()
    if options.order == "show":
        control = await row.read()
    elif options.order == "resume":
        control = await row.clear(now)
    else:
        action = parse(msgspec.json.encode(_asked(options)).decode())
        if isinstance(action, Cancel):
            how = await Ledger(client, options.table).cancel(action.email_id, now)
            print(_CANCELLED[how])
            return 1 if how is Cancelling.TOO_LATE else 0
        if isinstance(action, Pause | Stop) and (over := over_already(action, now)):
            raise _UsageError(f"--until {options.until}: {over}, nothing is changed")
        control = await row.change(lambda was: _changed(was, action, now, options))
    for line in _lines(control, now):
        print(line)
    if options.order == "resume":
        print("what waits goes out when a message, an alarm or the schedule wakes the relay next")
    return 0


def _asked(options: argparse.Namespace) -> dict[str, object]:
    """The message that would ask for it by the topic: it is checked in the same way."""
    if options.order == "cancel":
        return {"action": "cancel", "email_id": options.email_id}
    asked = {"action": options.order, "until": options.until}
    if options.order == "pause":
        return asked | {"lane": options.lane}
    tags: dict[str, str] = {}
    for name, _, value in (one.partition("=") for one in options.tag):
        if name in tags:
            raise _UsageError(
                f"--tag {name} is there twice: an email has a tag once, so none has both"
            )
        tags[name] = value
    where = {
        "tag": tags or None,
        "sender": options.sender,
        "recipient_domain": options.recipient_domain,
        "email_id": options.email_id,
    }
    given = {name: value for name, value in where.items() if value is not None}
    return asked | {"where": given or None}


def _changed(was: Control, action: object, now: float, options: argparse.Namespace) -> Control:
    by, why = (
        "".join(one if one.isprintable() else " " for one in words)[:1000]
        for words in (options.by, options.why)
    )
    if isinstance(action, Pause):
        return was.with_pause(action, now, by=by, why=why)
    if isinstance(action, Stop):
        return was.with_stop(action, now, by=by, why=why, new_id=uuid4().hex[:8])
    return was


def _lines(control: Control, now: float) -> list[str]:
    """What is in force, a line each."""
    lines = [
        f"pause of {one.lane or 'everything'}{_about(one.until, one.by, one.why)}"
        for one in control.pauses_at(now)
    ]
    for one in control.stops_at(now):
        about = _about(one.until, one.by, one.why)
        lines.append(f"stop {one.id} of {_conditions(one.where)}, {one.stopped} stopped{about}")
    return lines or ["nothing is paused or stopped"]


def _conditions(where: StopWhere | None) -> str:
    """Those that are given, as they were typed."""
    if where is None:
        return "everything"
    told = [f"--tag {name}={value}" for name, value in given_tags(where.tag).items()]
    told += [
        f"--{name.replace('_', '-')} {value}"
        for name in ("sender", "recipient_domain", "email_id")
        if (value := getattr(where, name)) is not None
    ]
    return " ".join(told) or "everything"


def _about(until: object, by: str, why: str) -> str:
    return f", until {until}, by {by or 'unknown'}{': ' if why else ''}{why}"
