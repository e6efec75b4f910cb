"""ionctl pause, resume, stop, cancel, wake: orders past the queue."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from ion.contract import Lane  # noqa: TC001 - Typer reads the annotations
from ionctl.cli.ask import sure
from ionctl.cli.conditions import age, asked, given, named, tags
from ionctl.cli.output import console, show
from ionctl.cli.status import pause_lines, stop_lines
from ionctl.cli.target import Target, on_target
from ionctl.ops import steering, waking
from ionctl.printable import printable
from ionctl.problem import UsageProblem
from ionctl.program import command

if TYPE_CHECKING:
    from ion.contract import Cancel, Pause, Stop
    from ionctl.ops.result import InForce

_BY_PATH = {
    "$.lane": "--lane",
    "$.until": "--until",
    "$.where.tag": "--tag",
    "$.where.sender": "--sender",
    "$.where.recipient_domain": "--domain",
    "$.where.email_id": "--id",
    "$.email_id": "EMAIL_ID",
}
_Until = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="2027-03-08T09:00:00Z; default: for an hour."),
]
_For = Annotated[str | None, typer.Option("--for", metavar="AGE", help="30m, 12h, 7d.")]
_Why = Annotated[str, typer.Option(metavar="TEXT", help="For those who see it in force.")]
_By = Annotated[str | None, typer.Option(metavar="NAME", help="Default: your user name.")]


@on_target
def pause(
    target: Target,
    lane: Annotated[
        Lane | None, typer.Option(help="Only this one: normal or bulk.", metavar="LANE")
    ] = None,
    until: _Until = None,
    lasting: _For = None,
    why: _Why = "",
    by: _By = None,
) -> None:
    """Receive nothing: mail waits. Ends by itself, or by `resume`."""
    order = asked("pause", given(lane=lane, until=until_of(until, lasting)), _BY_PATH)
    done = steering.pause(
        target.deployment(), cast("Pause", order), by=by or getpass.getuser(), why=why
    )
    show(target, done, _pictured(done))


@on_target
def stop(  # noqa: PLR0913 - a parameter an option
    target: Target,
    *,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="NAME=VALUE", help="Several: all of them."),
    ] = None,
    sender: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="In From, without a name.")
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", "--recipient-domain", metavar="DOMAIN", help="Of a recipient."),
    ] = None,
    email_id: Annotated[
        str | None, typer.Option("--id", "--email-id", metavar="KEY", help="The email_id.")
    ] = None,
    until: _Until = None,
    lasting: _For = None,
    why: _Why = "",
    by: _By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Dead-letter emails as STOPPED, queued ones and those to come. Without conditions, all.

    `dead redrive --reason STOPPED` sends them after all.
    """
    where = given(tag=tags(tag or ()), sender=sender, recipient_domain=domain, email_id=email_id)
    fields = given(where=where, until=until_of(until, lasting))
    order = cast("Stop", asked("stop", fields, _BY_PATH))
    deployment = target.deployment()
    if not where:
        sure("Dead-letter every email, whatever it is", yes=yes)
    done = steering.stop(deployment, order, by=by or getpass.getuser(), why=why)
    show(target, done, _pictured(done))


@on_target
def resume(
    target: Target,
    stop_id: Annotated[
        str | None, typer.Option("--stop", metavar="ID", help="End only this stop.")
    ] = None,
    lane: Annotated[
        Lane | None, typer.Option(metavar="LANE", help="End only the pause of this lane.")
    ] = None,
    by: _By = None,
) -> None:
    """End every pause and every stop, or one, and wake the relay."""
    if stop_id is not None and lane is not None:
        raise UsageProblem("--stop and --lane: one at a time")
    done = steering.resume(
        target.deployment(), by=by or getpass.getuser(), lane=lane, stop_id=stop_id
    )
    show(target, done, _pictured(done))


@on_target
def cancel(
    target: Target,
    email_id: Annotated[str, typer.Argument(metavar="EMAIL_ID")],
    by: _By = None,
) -> None:
    """Let an email not be sent, unless it is under way or has had its fate (then exit with 1)."""
    fields = {"email_id": named(email_id, "EMAIL_ID")}
    order = cast("Cancel", asked("cancel", fields, _BY_PATH))
    done = steering.cancel(target.deployment(), order.email_id, by=by or getpass.getuser())
    show(target, done, Text(printable(f"{done.email_id}: {done.words}")))
    if done.how == "too_late":
        raise typer.Exit(1)


@on_target
def wake(target: Target) -> None:
    """Let the relay look at its queues now, and ask a server again that it leaves alone."""
    words = waking.wake(target.deployment())
    if not target.as_json:
        console.print(printable(f"{words}: {command('status')} shows what it does"), markup=False)


def until_of(until: str | None, lasting: str | None) -> str | None:
    """The time at which it ends, as a message has it."""
    if lasting is None:
        return until
    if until is not None:
        raise UsageProblem("--until and --for: one of them is enough")
    return (datetime.now(UTC) + age(lasting, "--for")).isoformat(timespec="seconds")


def _pictured(done: InForce) -> Text:
    """What was done, and all that is in force."""
    at = datetime.now(UTC)
    lines = [done.words]
    lines += [f"paused: {line}" for line in pause_lines(done.pauses, at)]
    lines += [f"stop {line}" for line in stop_lines(done.stops, at)]
    return Text(printable("\n".join(lines)))
