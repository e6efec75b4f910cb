"""ionctl load: how fast mail goes, tried out."""

from typing import Annotated

import typer
from rich.text import Text

from ionctl.cli.ask import progress, sure
from ionctl.cli.output import show
from ionctl.cli.target import Target, on_target
from ionctl.ops.loading import load as publish_and_follow
from ionctl.ops.publishing import see_address
from ionctl.ops.result import Loaded
from ionctl.printable import printable
from ionctl.program import command


@on_target
def load(  # noqa: PLR0913 - what the options say
    target: Target,
    *,
    to: Annotated[str, typer.Option(metavar="ADDRESS", help="Who gets them all.")],
    count: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="Emails.")] = 100,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, metavar="N", help="A second.")] = 10,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Default: the relay's own.")
    ] = None,
    bulk: Annotated[bool, typer.Option("--bulk", help="By the topic for bulk.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Publish test emails at a rate, and tell how long each took to the mail server.

    Exit status 1: not all of them were sent. `stop --tag load=RUN` ends those that wait.
    """
    for option, address in (("--to", to), ("--from", sender)):
        if address is not None:
            see_address(option, address)
    deployment = target.deployment()
    if not target.local:
        sure(f"Send {count} real emails to {to}", yes=yes)
    with progress("sent or dead-lettered") as told:
        done = publish_and_follow(
            deployment, to, count, rate, sender=sender, bulk=bulk, progress=told
        )
    show(target, done, Text(printable(_pictured(done))))
    if done.sent < done.asked:
        raise typer.Exit(1)


def _pictured(done: Loaded) -> str:
    ends = f"{done.sent} sent, {done.dead_lettered} dead-lettered"
    lines = [f"load {done.run}: {done.published} of {done.asked} published, {ends}"]
    if done.p50 is not None and done.p95 is not None and done.p99 is not None:
        lines.append(f"{done.per_second:.1f} emails a second, over {done.seconds:.1f} s")
        lines.append(
            f"from publish to the mail server: {done.p50:.2f} s (median), {done.p95:.2f} s (95 %), "
            f"{done.p99:.2f} s (99 %)"
        )
    if unfinished := done.published - done.sent - done.dead_lettered:
        lines.append(
            f"{unfinished} had no fate in time: {command('status')} says why, "
            f"{command('stop')} --tag load={done.run} ends them"
        )
    return "\n".join(lines)
