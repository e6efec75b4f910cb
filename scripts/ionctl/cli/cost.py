"""ionctl cost: what a relay has cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ionctl.cli.output import errors, show
from ionctl.cli.target import Target, on_target
from ionctl.ops import cost as ops_cost
from ionctl.printable import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.ops.result import Cost


@on_target
def cost(
    target: Target,
    days: Annotated[
        int, typer.Option(metavar="N", min=1, max=455, help="Of the last N days.")
    ] = 30,
) -> None:
    """What the last 30 days cost, by CloudWatch's metrics and list prices of us-east-1."""
    with errors.status("adding up"):
        found = ops_cost.cost(target.deployment(), days)
    show(target, found, picture(found))


def picture(found: Cost) -> RenderableType:
    """The sum, and what it is made of."""
    each = ""
    if found.dollars_a_million is not None:
        each = f", ${found.dollars_a_million:,.2f} a million"
    days = round((found.until - found.since).total_seconds() / 86_400)
    what = f"{found.emails:,} emails in {days} days{each}; list prices of us-east-1, no free tier"
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    table.add_column(justify="right")
    for one in found.lines:
        table.add_row(one.what, f"{one.amount:,.0f}", one.unit, f"${one.dollars:,.2f}")
    notes = [Text(printable(line), style="dim") for line in found.unknown]
    return Group(Text.assemble((f"${found.dollars:,.2f}", "bold"), f"  {what}"), table, *notes)
