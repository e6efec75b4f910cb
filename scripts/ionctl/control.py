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

from ion.aws.control import ControlRow
from ion.aws.ledger import Ledger
from ion.aws.table import TableError
from ion.contract import BadInput, Cancel, Pause, Stop, parse
from ion.policy.control import Control, TooManyStopsError

if TYPE_CHECKING:
    import argparse

    from mypy_boto3_dynamodb import DynamoDBClient


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
    orders.add_parser(
        "resume", help="end every pause and every stop; mends a row that can't be read"
    )
    cancel = orders.add_parser("cancel", help="an email isn't sent, unless it is under way or sent")
    cancel.add_argument("email_id")
    pause = orders.add_parser("pause", help="nothing is received, and mail waits")
    pause.add_argument("--lane", choices=["normal", "bulk"], help="only this one")
    stop = orders.add_parser("stop", help="emails are dead-lettered as STOPPED; without where, all")
    stop.add_argument(
        "--tag", action="append", default=[], metavar="NAME=VALUE", help="all of them"
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
        print(f"ionctl: {bad}", file=sys.stderr)
    except TooManyStopsError as error:
        print(f"ionctl: {error}", file=sys.stderr)
    except TableError as error:
        print(f"ionctl: the table {options.table} can't be used: {error}", file=sys.stderr)
    return 1


async def _run(options: argparse.Namespace, client: DynamoDBClient) -> int:
    row, now = ControlRow(client, options.table), time.time()
    if options.order == "show":
        control = await row.read()
    elif options.order == "resume":
        control = await row.clear(now)
    else:
        action = parse(msgspec.json.encode(_asked(options)).decode())
        if isinstance(action, Cancel):
            in_time = await Ledger(client, options.table).cancel(action.email_id, now)
            print("cancelled" if in_time else "too late: it is under way, or has had its fate")
            return 0 if in_time else 1
        control = await row.change(lambda was: _changed(was, action, now, options))
    for line in _lines(control, now):
        print(line)
    return 0


def _asked(options: argparse.Namespace) -> dict[str, object]:
    """The message that would ask for it by the topic: it is checked in the same way."""
    if options.order == "cancel":
        return {"action": "cancel", "email_id": options.email_id}
    asked = {"action": options.order, "until": options.until}
    if options.order == "pause":
        return asked | {"lane": options.lane}
    tags = {name: value for name, _, value in (one.partition("=") for one in options.tag)}
    where = {
        "tag": tags or None,
        "sender": options.sender,
        "recipient_domain": options.recipient_domain,
        "email_id": options.email_id,
    }
    given = {name: value for name, value in where.items() if value is not None}
    return asked | {"where": given or None}


def _changed(was: Control, action: object, now: float, options: argparse.Namespace) -> Control:
    by, why = options.by[:1000], options.why[:1000]
    if isinstance(action, Pause):
        return was.with_pause(action, now, by=by, why=why)
    if isinstance(action, Stop):
        return was.with_stop(action, now, by=by, why=why, new_id=uuid4().hex[:8])
    return was


def _lines(control: Control, now: float) -> list[str]:
    """What is in force, a line each."""
    pauses = [one for one in control.pauses if one.until.timestamp() > now]
    stops = [one for one in control.stops if one.until.timestamp() > now]
    lines = [
        f"pause of {one.lane or 'everything'}{_about(one.until, one.by, one.why)}" for one in pauses
    ]
    for one in stops:
        where = msgspec.json.encode(one.where).decode() if one.where else "everything"
        about = _about(one.until, one.by, one.why)
        lines.append(f"stop {one.id} of {where}, {one.stopped} stopped{about}")
    return lines or ["nothing is paused or stopped"]


def _about(until: object, by: str, why: str) -> str:
    return f", until {until}, by {by or 'unknown'}{': ' if why else ''}{why}"
