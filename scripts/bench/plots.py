"""The figures as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Only this command's environment has it, and not that of the tests, where types are checked.
import matplotlib as mpl  # type: ignore[import-not-found]
from matplotlib import pyplot as plt

from bench import contenders as names
from bench import cost, drains
from bench.cost import Bill, Steady
from bench.drains import Drains
from bench.rounds import Rounds
from bench.sinks import Offer
from ion.settings import Pipelining

_LINES = (
    ("ion, envelope (default)", names.ION[Pipelining.ENVELOPE], "#c0392b", "o", "-"),
    ("ion, deep", names.ION[Pipelining.DEEP], "#e67e22", "D", "-"),
    ("ion, off", names.ION[Pipelining.OFF], "#8e44ad", "P", ":"),
    ("smtp-source", names.SMTP_SOURCE, "#2c3e50", "s", "--"),
    ("aiosmtplib, bytes", names.AIOSMTPLIB_BYTES, "#2980b9", "^", "--"),
    ("aiosmtplib, EmailMessage", names.AIOSMTPLIB, "#7fb3d5", "v", "--"),
    ("first ion", names.FIRST_ION, "#27ae60", "*", "none"),
)
_PARTS = {
    "publishing": ("publishing (SNS)", "#95a5a6"),
    "queue": ("queue (SQS)", "#e67e22"),
    "ledger": ("ledger (DynamoDB)", "#2980b9"),
    "function": ("function (Lambda)", "#c0392b"),
    "log": ("log (CloudWatch)", "#27ae60"),
}
_STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "ion",  # the same figures give the same file
}


def draw(
    folder: Path,
    rounds: Rounds,
    found: Drains,
    backlog: Sequence[tuple[str, Bill]],
    months: Sequence[Steady],
) -> list[str]:
    """Draw everything that was measured; give the names of the files, as SVG."""
    mpl.use("svg")
    mpl.rcParams.update(_STYLE)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, figure in (
        ("sending", _sending(rounds)),
        ("cpu", _cpu(rounds)),
        ("drain", _drain(found)),
        ("cost", _cost(backlog, months)),
    ):
        if figure is None:
            continue
        path = folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None}, facecolor="white", bbox_inches="tight")
        # matplotlib ends some lines with a blank
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("".join(f"{line.rstrip()}\n" for line in lines), encoding="utf-8")
        plt.close(figure)
        drawn.append(path.name)
    return drawn


def _sending(rounds: Rounds) -> Any:  # noqa: ANN401 - matplotlib's Figure, untyped here
    if not rounds.figures:
        return None
    figure, axes = plt.subplots(1, 3, figsize=(11, 4.6), sharey=True)
    for axis, rtt_ms in zip(axes, names.RTTS, strict=True):
        for label, name, colour, marker, style in _LINES:
            points = [
                (one.connections, one.emails_per_s)
                for one in rounds.figures
                if (one.name, one.offer, one.rtt_ms) == (name, Offer.PIPELINING, rtt_ms)
            ]
            if points:
                axis.plot(
                    *zip(*sorted(points), strict=True),
                    color=colour,
                    marker=marker,
                    markersize=9 if marker == "*" else 6,
                    linestyle=style,
                    label=label,
                    zorder=3 if label.startswith("ion") else 2,  # of equals ion's are seen
                )
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xticks([1, 4, 16], ["1", "4", "16"])
        axis.minorticks_off()
        axis.set_xlim(0.8, 20)
        axis.set_title(f"round trip {rtt_ms:g} ms")
        axis.set_xlabel("connections")
    axes[0].set_ylabel("emails a second")
    axes[0].yaxis.set_major_formatter("{x:,.0f}")
    shown = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4)
    figure.suptitle("Sending 4 KB emails (more is better)")
    figure.tight_layout()
    return figure


def _cpu(rounds: Rounds) -> Any:  # noqa: ANN401
    bars = [
        (label, one.cpu_s_per_1000, colour)
        for label, name, colour, _, _ in reversed(_LINES)
        if (one := rounds.find(name, 0.0, 1, Offer.PIPELINING))
    ]
    if not bars:
        return None
    figure, axis = plt.subplots(figsize=(8, 0.6 + 0.42 * len(bars)))
    labels, seconds, colours = zip(*bars, strict=True)
    drawn = axis.barh(labels, seconds, color=colours)
    axis.bar_label(drawn, fmt="%.2f", padding=3)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("CPU seconds for 1,000 emails, one connection, 0 ms (less is better)")
    return figure


def _drain(found: Drains) -> Any:  # noqa: ANN401
    if not found.all:
        return None
    kinds = (
        ("first ion, one connection", drains.FIRST_ION, 1, "#27ae60"),
        ("ion, envelope, 4 connections", drains.ION[Pipelining.ENVELOPE], 4, "#d98880"),
        ("ion, envelope, 16 connections", drains.ION[Pipelining.ENVELOPE], 16, "#c0392b"),
        ("ion, deep, 4 connections", drains.ION[Pipelining.DEEP], 4, "#f0b27a"),
        ("ion, deep, 16 connections", drains.ION[Pipelining.DEEP], 16, "#e67e22"),
    )
    figure, axis = plt.subplots(figsize=(8, 4))
    width = 0.8 / len(kinds)
    for index, (label, name, connections, colour) in enumerate(kinds):
        bars = [
            (place + (index - (len(kinds) - 1) / 2) * width, one.figure.emails_per_s)
            for place, (rtt_ms, _) in enumerate(drains.CONDITIONS)
            if (one := found.find(name, rtt_ms, connections))
        ]
        if bars:
            drawn = axis.bar(*zip(*bars, strict=True), width, color=colour, label=label)
            axis.bar_label(drawn, fmt="{:,.3g}", padding=2, fontsize=8)
    axis.set_yscale("log")
    axis.set_ylim(1, 1.4 * max(one.figure.emails_per_s for one in found.all))  # room for labels
    axis.yaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_minor_formatter("")
    axis.set_xticks(
        range(len(drains.CONDITIONS)),
        [f"mail server {smtp:g} ms\nAWS {aws:g} ms" for smtp, aws in drains.CONDITIONS],
    )
    axis.grid(visible=False, axis="x")
    axis.set_ylabel("emails a second")
    axis.set_title("The whole drain under TLS, emulated AWS (more is better)")
    figure.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2)
    return figure


def _cost(backlog: Sequence[tuple[str, Bill]], months: Sequence[Steady]) -> Any:  # noqa: ANN401
    if not backlog:
        return None
    height = 1.5 + 0.32 * max(len(backlog), len(months))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, height))
    _stacked(left, [(label, bill) for label, bill in reversed(backlog)])
    left.set_title("a full queue, by round trip, connections, mode")
    _stacked(right, [(f"{one.emails_per_s:g}/s", one.bill) for one in reversed(months)])
    right.set_title("emails one by one, by their rate")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=5)
    figure.suptitle(f"Dollars for a million emails, list prices, {cost.MEMORY_GB * 1024:.0f} MB")
    figure.tight_layout()
    return figure


def _stacked(axis: Any, bills: Sequence[tuple[str, Bill]]) -> None:  # noqa: ANN401
    begins = [0.0] * len(bills)
    labels = [label for label, _ in bills]
    for part, (label, colour) in _PARTS.items():
        amounts = [bill.parts[part] for _, bill in bills]
        axis.barh(labels, amounts, left=begins, color=colour, label=label)
        begins = [begin + amount for begin, amount in zip(begins, amounts, strict=True)]
    for place, total in enumerate(begins):
        axis.text(total, place, f" {total:.2f}", va="center", fontsize=9)
    axis.set_xlim(0, 1.15 * max(begins))
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("dollars")
