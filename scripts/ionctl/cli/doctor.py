"""ionctl doctor."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ionctl.cli.output import errors, show
from ionctl.cli.target import Target, on_target
from ionctl.ops.doctor import Options, diagnose, diagnose_secrets
from ionctl.ops.result import Diagnosis, Finding, Grade
from ionctl.printable import printable
from ionctl.problem import UsageProblem

_MARKS = {
    Grade.OK: ("✓", "green"),
    Grade.WARNING: ("!", "yellow"),
    Grade.WRONG: ("✗", "bold red"),
    Grade.SKIPPED: ("\N{EN DASH}", "dim"),
}


@on_target
def doctor(
    target: Target,
    *,
    probe: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Send one email there through the whole relay."),
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Look at a config-secrets.cfg instead, before anything is deployed: its servers, "
            "the login, the sender's domain. AWS isn't asked.",
        ),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="From, in the place of the relay's own sender."),
    ] = None,
    dkim_selector: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Of the sender's DKIM key (s= in a signature)."),
    ] = None,
    nameserver: Annotated[
        str | None,
        typer.Option(
            metavar="HOST[:PORT]", help="Ask this one about the sender's domain (an IP address)."
        ),
    ] = None,
) -> None:
    """Find what is wrong with a relay, and what to do about it.

    Settings and secret, each mail server with a login, SPF, DKIM and DMARC of the sender's domain,
    permissions, topics, queues, alarms and who hears them. Changes nothing. Exit status 1:
    something is wrong.
    """
    if secrets is not None and probe is not None:
        raise UsageProblem(f"--probe {probe}: goes with a deployed relay, not with --secrets")
    options = Options(
        nameserver=nameserver,
        dkim_selectors=tuple(dkim_selector or ()),
        sender=sender,
        probe=probe,
    )
    with errors.status("looking") as status:

        def progress(says: str) -> None:
            status.update(Text(printable(f"looking at {says}")))

        found = (
            diagnose(target.deployment(), options, progress)
            if secrets is None
            else diagnose_secrets(secrets, options, progress)
        )
    show(target, found, _picture(found))
    if not found.ok:
        raise typer.Exit(1)


def _picture(diagnosis: Diagnosis) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in diagnosis.findings:
        mark, style = _MARKS[finding.grade]
        table.add_row(Text(mark, style), Text(finding.check, style), _words(finding))
    return Group(table, Text(""), _verdict(diagnosis))


def _words(finding: Finding) -> RenderableType:
    about = f"{finding.about}: " if finding.about and finding.about not in finding.found else ""
    found = Text(printable(about + finding.found))
    if not finding.advice:
        return found
    advice = Text(printable(f"→ {finding.advice}"), "cyan")
    return Group(found, Padding(advice, (0, 0, 0, 2), expand=False))


def _verdict(diagnosis: Diagnosis) -> Text:
    count = sum(one.grade is Grade.WRONG for one in diagnosis.findings)
    warned = sum(one.grade is Grade.WARNING for one in diagnosis.findings)
    also = f", and {warned} to know of" if warned else ""
    if count:
        return Text(printable(f"{diagnosis.name}: {count} wrong{also}"), "bold red")
    return Text(printable(f"{diagnosis.name}: nothing is wrong{also}"), "bold green")
