"""ionctl status: the relay at a glance."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ionctl.cli.output import console, errors, show
from ionctl.cli.target import Target, on_target
from ionctl.ops.alarms import RINGS
from ionctl.ops.result import Status, Verdict
from ionctl.ops.status import status
from ionctl.ops.verdict import figure, moment
from ionctl.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from ionctl.ops.result import (
        AlarmState,
        Depth,
        HeldServer,
        Pace,
        PauseInForce,
        Run,
        StopInForce,
    )

_STYLES = {
    Verdict.MISCONFIGURED: "bold red",
    Verdict.DISABLED: "bold red",
    Verdict.PAUSED: "bold yellow",
    Verdict.HELD: "bold red",
    Verdict.STOPPING: "bold yellow",
    Verdict.BACKLOG: "bold yellow",
    Verdict.SENDING: "bold green",
    Verdict.IDLE: "bold green",
}
_SHOWN_RUNS = 3
_LOCAL_SECONDS, _AWS_SECONDS = 2, 10
"""Between two looks of --watch. AWS charges some of them."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@on_target
def show_status(
    target: Target,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again.")] = False,
) -> None:
    """What waits and why, pauses and stops, dead letters, the last runs, and the alarms.

    The exit status is 1 if something is wrong: mail is held, a setting is wrong, the function may
    not run, or an alarm rings.
    """
    deployment = target.deployment()
    if watch and not target.as_json:
        _watch(target)
        return
    with errors.status("looking at the relay") as spinner:

        def counted(seen: int, of: int) -> None:
            spinner.update(f"looking at the dead letters: {seen:,} of {of:,}")

        seen = status(deployment, progress=counted)
    show(target, seen, picture(seen))
    if not seen.ok:
        raise typer.Exit(1)


def _watch(target: Target) -> None:
    """Until Ctrl-C. The reasons of dead letters aren't looked at, which would receive them."""
    seconds = _LOCAL_SECONDS if target.local else _AWS_SECONDS
    deployment = target.deployment()
    with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
        while True:
            live.update(picture(status(deployment, letters=False)), refresh=True)
            time.sleep(seconds)


def picture(seen: Status) -> RenderableType:
    """The one screen: first whether it is stuck, why, and what to do."""
    said = seen.words.removesuffix(seen.advice).rstrip()
    verdict = (seen.verdict.upper(), _STYLES[seen.verdict])
    lines: list[RenderableType] = [Text.assemble(verdict, "  ", printable(said))]
    if seen.advice:
        lines.append(Text.assemble(("→ ", "bold"), printable(seen.advice)))
    where = Text(f"{seen.name} · {seen.region} · {seen.at:%Y-%m-%d %H:%M:%S} UTC", style="dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, rows in _sections(seen):
        for number, row in enumerate(rows):
            table.add_row("" if number else name, row)
    return Group(*lines, Text(), where, table)


def _sections(seen: Status) -> Iterator[tuple[str, list[RenderableType]]]:
    """Names and lines; what there is nothing of is left out."""
    if seen.held:
        yield "held", [_held(one, seen.at) for one in seen.held]
    if seen.pauses:
        yield "paused", [Text(printable(line)) for line in pause_lines(seen.pauses, seen.at)]
    if seen.stops:
        yield "stops", [Text(printable(line)) for line in stop_lines(seen.stops, seen.at)]
    yield "queues", [_queues(seen)]
    if seen.deferred or seen.next_retry:
        yield "deferred", [Text(_put_off(seen))]
    if seen.dead_letters:
        yield "dead letters", [Text(_dead_letters(seen))]
    yield "pace", [Text(_pace(one, seen.at)) for one in seen.pace]
    runs = [Text(printable(_run(one, seen.at))) for one in seen.runs[:_SHOWN_RUNS]]
    yield "last runs", [*runs] or [Text("none in the last hour", style="dim")]
    yield "alarms", _alarms(seen.alarms)
    if seen.unknown:
        yield "not seen", [Text(printable(line), style="yellow") for line in seen.unknown]


def _queues(seen: Status) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for _ in range(5):
        table.add_column(justify="right", no_wrap=True)
    table.add_row(
        "", *(Text(one, style="dim") for one in ("to go", "in hand", "for later", "oldest"))
    )
    for name, depth in (
        ("normal", seen.queues.input),
        ("bulk", seen.queues.bulk),
        ("later", seen.queues.later),
        ("dead", seen.queues.dead_letter),
    ):
        table.add_row(Text(name), *_depth(name, depth))
    return table


def _depth(name: str, depth: Depth) -> Iterable[Text]:
    is_later, is_dead = name == "later", name == "dead"
    in_hand = 0 if is_later else depth.in_flight
    later = depth.delayed + (depth.in_flight if is_later else 0)
    for count in (depth.visible, in_hand, later):
        style = "dim" if not count else "red" if is_dead else "bold"
        yield Text(f"{count:,}", style=style)
    yield Text("" if depth.oldest_seconds is None else age(depth.oldest_seconds))


def _put_off(seen: Status) -> str:
    line = f"{seen.deferred:,} in the last hour"
    if seen.next_retry:
        line += f"; the next mail is due {moment(seen.next_retry, seen.at)}"
    return line


def _dead_letters(seen: Status) -> str:
    reasons = ", ".join(f"{one.reason} {one.count:,}" for one in seen.dead_letters or [])
    counted = seen.queues.dead_letter.visible
    cut = f" (the first {seen.dead_letters_seen:,} of {counted:,})"
    return reasons + (cut if 0 < seen.dead_letters_seen < counted else "")


def _held(one: HeldServer, now: datetime) -> RenderableType:
    since = f"since {moment(one.since, now)}" if one.since else ""
    tries = (
        f"next try {moment(one.next_try, now)}" if one.next_try else "next try with the next run"
    )
    return Text.assemble(
        (f"{one.server or 'AWS'} ", "bold"),
        (f"{one.reason} ", "red"),
        printable(one.reply),
        (f" ({', '.join(filter(None, (since, tries)))})", "dim"),
    )


def pause_lines(pauses: Iterable[PauseInForce], at: datetime) -> Iterator[str]:
    """A line a pause, seen at a moment."""
    for one in pauses:
        what = f"{one.lane} mail" if one.lane else "everything"
        yield f"{what} until {moment(one.until, at)}{_by(one.by, one.why)}"


def stop_lines(stops: Iterable[StopInForce], at: datetime) -> Iterator[str]:
    """A line a stop."""
    for one in stops:
        what = conditions(one.where)
        until = moment(one.until, at)
        yield f"{one.id}: {what} until {until}, {one.stopped:,} stopped{_by(one.by, one.why)}"


def conditions(where: dict[str, object] | None) -> str:
    """A stop's, in words."""
    if not where:
        return "every email"
    tags = where.get("tag") or {}
    parts = (
        [f"tag {name}={value}" for name, value in tags.items()] if isinstance(tags, dict) else []
    )
    rest = {name: value for name, value in where.items() if name != "tag" and value is not None}
    return ", ".join([*parts, *(f"{name.replace('_', ' ')} {rest[name]}" for name in rest)])


def _by(by: str, why: str) -> str:
    return f", by {by or 'unknown'}{f': {why}' if why else ''}"


def _pace(one: Pace, now: datetime) -> str:
    rate = "no limit known" if one.rate is None else f"{figure(one.rate)} recipients a second"
    line = f"{one.server}: {rate}, {one.connections} connection{'s' * (one.connections != 1)}"
    if one.learned and one.since:
        line += f", since it throttled at {moment(one.since, now)}"
    return line


def _run(one: Run, now: datetime) -> str:
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("sent", one.sent),
            ("deferred", one.deferred),
            ("put back", one.released),
            ("dead-lettered", one.dead_lettered),
        )
        if count
    ]
    what = ", ".join(counts) or ("nothing sent" if one.received else "nothing to do")
    ended = f", ended by {one.stopped}" if one.stopped != "empty" else ""
    ago = age((now - one.ended_at) / timedelta(seconds=1))
    return f"{ago} ago: {what} in {one.seconds:.1f} s{ended}"


def _alarms(alarms: list[AlarmState]) -> list[RenderableType]:
    if not alarms:
        return [Text("none found", style="dim")]
    rings = [one for one in alarms if one.state == RINGS]
    lines: list[RenderableType] = [
        Text(f"{one.key} rings: docs/operations.md#{one.key}", style="red") for one in rings
    ]
    if quiet := len(alarms) - len(rings):
        lines.append(Text(f"{quiet} quiet"))
    heard = {one.heard_by for one in alarms}
    if heard == {0}:
        lines.append(Text("nobody hears them: see alarm_topic_arns", style="yellow"))
    elif 0 in heard:
        deaf = ", ".join(sorted({one.key for one in alarms if one.heard_by == 0}))
        lines.append(Text(f"nobody hears {deaf}", style="yellow"))
    elif None not in heard:
        lines.append(Text(f"heard by {max(count or 0 for count in heard)}"))
    return lines


def age(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"
