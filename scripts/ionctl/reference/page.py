"""docs/ionctl.md: every command with its options, exit statuses, and what it may do in AWS.

Made from the commands themselves and from the policies that the tests hold against their calls.
"""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer.main

from ionctl.cli.main import app
from ionctl.reference.policy import DIAGNOSE, LOOK, STEER, policy
from ionctl.reference.results import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docs" / "ionctl.md"
_EVERY = ("--name", "--profile", "--region", "--local", "--json")
"""Options that each command has."""
_HELP = "--help"

_BEGINNING = """\
# ionctl: see it and steer it

`ionctl` says what a relay does and why, and does what a person asks of it, on AWS and on the \
local stack alike. This page is made from the program by `scripts/reference`; `ionctl COMMAND \
--help` says the same.

## Which relay
On AWS it is the function called `--name` (default: `ion`; `ION_NAME` in the environment goes \
before that) in the region and account of your AWS configuration: `--profile`, `--region`, or \
`AWS_PROFILE`, `AWS_REGION` and the other variables of AWS. With `--local` it is the relay of a \
running `./run.sh`. These options may stand before the command's name or after it:

"""
_STATUSES = """\
## Exit statuses
| | |
|---|---|
| 0 | well |
| 1 | something is wrong, or can't be done; a line on stderr says what, and what to do |
| 2 | a mistake in the command line |

`status` is 1 if mail is held, a setting is wrong, the function may not run, or an alarm rings. \
`show` is 1 if the email was never seen, was dead-lettered, suppressed or bounced, or may or may \
not have been sent.

## JSON
With `--json` a command prints one JSON object to stdout, of the type that \
[schema/ionctl.json](schema/ionctl.json) has for it under `commands`; times are in UTC. Fields \
may be added in later versions, and are not renamed. What people are told beside it goes to \
stderr.

"""
_POLICIES = """\
## What it may do in AWS
ionctl uses the credentials of the person, never the function's. Policies for a relay called \
`ion`; with customer-managed keys add `kms:Decrypt`, and for who steers `kms:GenerateDataKey`, \
on them. What may not be looked at, `status` and `show` name under *not seen*, and tell the \
rest.

To receive a message is a permission to look at dead letters, and SQS has none that is less: who \
may look may read emails.

"""


def page() -> str:
    """The whole of it."""
    parts = [_BEGINNING, _table(_options(_group(), _EVERY)), "\n## Commands\n", _index(), "\n"]
    parts += [_described(name, command) for name, command in commands()]
    parts += [_STATUSES, _POLICIES]
    for title, statements in (
        ("To look", (LOOK,)),
        ("To steer, beside that", (STEER,)),
        ("For `doctor`, beside the first", (DIAGNOSE,)),
    ):
        parts.append(f"### {title}\n```json\n{policy(*statements)}\n```\n\n")
    return "".join(parts).rstrip() + "\n"


def commands() -> Iterator[tuple[str, Any]]:
    """Each command with its whole name, in the order of the program's help."""
    yield from _commands(_group(), "")


def _group() -> Any:  # noqa: ANN401 - typer brings a click of its own
    return typer.main.get_command(app())


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - as above
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        elif not command.hidden:
            yield f"{before}{name}", command


def _index() -> str:
    return _table(
        [
            (f"[`{name}`](#{name.replace(' ', '-')})", _first(command).rstrip("."))
            for name, command in commands()
        ]
    )


def _first(command: Any) -> str:  # noqa: ANN401 - as above
    return cleandoc(command.help or "").partition("\n")[0]


def _described(name: str, command: Any) -> str:  # noqa: ANN401 - as above
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    usage = " ".join(["ionctl", name, *("[OPTIONS]" if _options(command) else "",)]).strip()
    words = " ".join([usage, *map(_argument, arguments)])
    paragraphs = cleandoc(command.help or "").split("\n\n")
    says = "\n\n".join(" ".join(one.split()) for one in paragraphs)
    rows = [(f"`{_argument(one)}`", one.help or "") for one in arguments if one.help]
    table = _table([*rows, *_options(command)])
    also = [one for one in COMMANDS if one.startswith(f"{name} ") and one not in dict(commands())]
    prints = [f"`{COMMANDS[name].__name__}`"] if name in COMMANDS else []
    prints += [f"of `{one}` `{COMMANDS[one].__name__}`" for one in also]
    kind = f"\n`--json` prints {', '.join(prints)}.\n" if prints else ""
    return f"### {name}\n```\n{words}\n```\n{says}\n{table and chr(10)}{table}{kind}\n"


def _argument(argument: Any) -> str:  # noqa: ANN401 - as above
    name: str = argument.metavar or argument.name.upper()
    name = name.strip("[]").removesuffix("...")
    name = f"{name}…" if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _options(command: Any, only: tuple[str, ...] = ()) -> list[tuple[str, str]]:  # noqa: ANN401
    rows = []
    for one in command.params:
        names = one.opts
        if one.param_type_name != "option" or _HELP in names:
            continue
        if bool(only) != bool(set(names) & set(_EVERY)):
            continue
        value = f" {one.metavar}" if one.metavar and not one.is_flag else ""
        if not value and not one.is_flag:
            value = f" {one.type.name.upper()}"
        said = one.help or ""
        more = " May be given several times." if one.multiple and "everal" not in said else ""
        rows.append((f"`{', '.join(names)}{value}`", f"{said}{more}"))
    return rows


def _table(rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    lines = [f"| {name} | {says} |" for name, says in rows]
    return "\n".join(["| | |", "|---|---|", *lines, ""])
