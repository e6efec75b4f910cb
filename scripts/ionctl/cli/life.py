"""ionctl show: what became of an email, or of all emails to an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ionctl.cli.ask import progress, sure
from ionctl.cli.conditions import age, named
from ionctl.cli.output import errors, show
from ionctl.cli.target import Target, on_target
from ionctl.ops import rows
from ionctl.ops.by_address import are_meant, emails_to
from ionctl.ops.life import life
from ionctl.ops.result import Life, LifeState
from ionctl.ops.verdict import moment
from ionctl.printable import printable
from ionctl.program import command

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.result import EmailFound, Emails, LifeEvent, ProviderNotice

_STYLES = {
    LifeState.SENT: "bold green",
    LifeState.DEAD_LETTERED: "bold red",
    LifeState.IN_DOUBT: "bold red",
    LifeState.NEVER_SEEN: "bold red",
    LifeState.BOUNCED: "bold red",
}
_WRONG = (
    *(LifeState.DEAD_LETTERED, LifeState.IN_DOUBT, LifeState.NEVER_SEEN),
    *(LifeState.SUPPRESSED, LifeState.BOUNCED),
)
_ROWS = 30
"""Emails in a list for people; --json has all."""
_FURTHER = timedelta(days=7)
"""Back to which one is told to look, who hasn't."""


@on_target
def show_life(
    target: Target,
    key: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The email_id, an SQS message id, the Message-ID header, the mail server's id, "
            "the id that SNS returned; or a recipient's address.",
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Look so far back in the log: 30m, 12h, 7d."),
    ] = None,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan",
            help="Look through the whole ledger, too: for an address, a Message-ID or a mail "
            "server's id that the log has forgotten.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before a large scan.")] = False,
) -> None:
    """What became of an email, from the ledger, the log, the dead letters and the queues.

    Of an address, all emails to it. The exit status is 1 if there is none, or if it was
    dead-lettered, suppressed, bounced, or may or may not have been sent.
    """
    key = named(key, "ID")
    begin = datetime.now(UTC) - age(since, "--since") if since else None
    deployment = target.deployment()
    if scan:
        sure_of_scan(deployment, yes=yes)
    if are_meant(deployment, key, begin, scan=scan):
        with progress(f"looking for emails to {key}") as told:
            emails = emails_to(deployment, key, since=begin, scan=scan, progress=told)
        show(target, emails, listed(emails))
        if not emails.emails:
            raise typer.Exit(1)
        return
    if scan:
        with progress("looking for it") as told:
            found = life(deployment, key, since=begin, scan=True, with_cause=True, progress=told)
    else:
        with errors.status("looking for it"):
            found = life(deployment, key, since=begin, with_cause=True)
    show(target, found, picture(found))
    if found.state in _WRONG:
        raise typer.Exit(1)


def sure_of_scan(deployment: Deployment, *, yes: bool) -> None:
    """Ask before a scan of a large ledger, with its price."""
    whole = rows.size(deployment)
    if whole.octets > rows.LARGE_BYTES:
        what = f"{whole.octets / 1e9:,.1f} GB of ledger, {whole.rows:,} rows"
        sure(f"Read {what}, for about ${whole.dollars:,.2f}", yes=yes)


def picture(found: Life) -> RenderableType:
    """The state, what is known, and what happened when."""
    mark = ("● ", _STYLES.get(found.state, "bold yellow"))
    parts: list[RenderableType] = [Text.assemble(mark, printable(found.words)), Text()]
    about = Table.grid(padding=(0, 2))
    about.add_column(style="dim", no_wrap=True)
    about.add_column()
    about.add_row("email_id", Text(printable(found.email_id)))
    if found.provider_id:
        about.add_row("server's id", Text(printable(found.provider_id)))
    if found.header_message_id:
        about.add_row("Message-ID", Text(printable(found.header_message_id)))
    if found.fates and (len(found.fates) > 1 or found.fates[0] != found.state):
        about.add_row("recipients", Text(_fates(found.fates)))
    for notice in found.notices:
        about.add_row("provider", Text(printable(_notice(notice))))
    for letter in found.letters:
        addresses = ", ".join(letter.recipients) or "recipients can't be read"
        about.add_row("dead letter", Text(printable(f"{letter.message_id} ({addresses})")))
    for line in found.unknown:
        about.add_row("not seen", Text(printable(line), style="yellow"))
    parts.append(about)
    if found.events:
        parts += [Text(), _timeline(found.events)]
    else:
        now = datetime.now(UTC)
        since = moment(found.looked_back_to, now)
        parts.append(Text(f"The log has nothing of it since {since}; --since looks further back."))
    return Group(*parts)


def listed(found: Emails) -> RenderableType:
    """Emails to an address, the newest first, and why it isn't written to."""
    now = datetime.now(UTC)
    parts: list[RenderableType] = [Text(_counted(found, now), "bold"), Text()]
    for one in found.suppressions:
        until = f" until {moment(one.until, now)}" if one.until else ""
        since = moment(one.since, now)
        words = f"suppressed: {one.scope} since {since}{until} ({one.why})"
        if one.scope == "erased":
            words = f"erased at {since}: nothing that was published before is sent to it"
        parts.append(Text(printable(words), "yellow"))
    parts += [_line(email, now) for email in found.emails[:_ROWS]]
    if (more := len(found.emails) - _ROWS) > 0:
        parts.append(Text(f"{more} more with --json", "dim"))
    if found.emails:
        parts += [Text(), Text(f"{command('show')} ID has the whole life of one.", "dim")]
    if found.scanned is None:
        looked_back = now - found.looked_back_to
        further = "" if looked_back >= _FURTHER else "--since 7d looks further back, "
        parts.append(Text(f"{further}--scan looks through the whole ledger.", "dim"))
    parts += [Text(printable(f"not seen: {line}"), "yellow") for line in found.unknown]
    return Group(*parts)


def _counted(found: Emails, now: datetime) -> str:
    count = len(found.emails)
    many = f"{count:,} email{'s' * (count != 1)}" if count else "No email"
    since = f"since {moment(found.looked_back_to, now)}"
    scanned = ""
    if found.scanned is not None:
        scanned = f", and among all {found.scanned:,} rows of the ledger"
    return printable(f"{many} to {found.address} found in the log {since}{scanned}")


def _line(email: EmailFound, now: datetime) -> Text:
    state = str(email.state).replace("_", "-")
    line = Text.assemble(
        (f"{moment(email.at, now):<20}  ", "dim"),
        (f"{state:<13}", _STYLES.get(email.state, "bold yellow")),
        f"  {printable(email.email_id)}",
    )
    about = [email.reason if email.email_state is not LifeState.SENT else ""]
    if email.email_state is not email.state:
        whole = str(email.email_state).replace("_", "-")
        about = [f"the email: {' '.join(filter(None, (whole, *about)))}"]
    about += [f"in the {email.queue} queue" if email.queue else ""]
    if said := ", ".join(filter(None, about)):
        line.append(f"  {printable(said)}", "dim")
    return line


def _notice(one: ProviderNotice) -> str:
    whom = "all recipients" if one.recipient is None else f"recipient {one.recipient + 1}"
    at = f" at {moment(one.at, datetime.now(UTC))}" if one.at else ""
    return f"{one.what} ({whom}){at}{f': {one.detail}' if one.detail else ''}"


def _fates(fates: list[str]) -> str:
    """Each with its number, as in to, cc and bcc; many: counted."""
    words = [one.replace("_", "-") for one in fates]
    if len(words) <= 5:
        return ", ".join(f"{number} {word}" for number, word in enumerate(words, 1))
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def _timeline(events: list[LifeEvent]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    day = None
    for one in events:
        at = one.at.astimezone(UTC)
        line = Text(printable(one.words))
        if one.server and one.server not in one.words:
            line.append(f" by {printable(one.server)}")
        if one.recipients:
            whom = ", ".join(str(index + 1) for index in one.recipients)
            line.append(f" for recipient{'s' * (len(one.recipients) > 1)} {whom}")
        if one.ms:
            line.append(f" in {one.ms:,} ms", style="dim")
        if one.reply:
            line.append(f": {printable(one.reply)}", style="dim")
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S}" if at.date() != day else f"{at:%H:%M:%S}", line)
        day = at.date()
    return table
