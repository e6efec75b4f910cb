"""The command line of ./run.sh."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

OUT = Path("out")
TIMEOUT_SECONDS = 120

_USAGE = """\
./run.sh [--verbose] [--open | --no-console] [--terraform] …
       ./run.sh --once FILE … [--out FOLDER] [--timeout SECONDS] …
       ./run.sh --dry-run [--queue-url URL] [--endpoint-url URL]"""
_DESCRIPTION = """\
The whole relay on this machine: an emulated AWS with ion in it, a mail server that keeps what it
gets, and a console in the browser. It stays up until Ctrl-C. Nothing leaves this machine."""
_ONCE = """\
Publish each file as it is, wait, say in a line what became of it, and end: with status 0 if
everything was sent or done, with 1 if something was dead-lettered, is still queued or wasn't
published."""
_DRY_RUN = """\
Look at the messages in a queue, here or in AWS, and say what the relay would do with each.
Sends and deletes nothing."""
_EPILOG = """\
Exit status: 0 well, 1 something went wrong (the last line says what), 2 a mistake in the command
line. While it is up, ./ionctl --local steers it, and a status file has its addresses:
ION_LOCAL_FILE names it, else it is ion-UID.json in the folder for temporary files. Of several
stacks the one that was started last has the file."""
_OF_STAYING_UP = ("verbose", "open", "console_port", "no_console")
_OF_ONCE = ("out", "timeout")
_OF_DRY_RUN = ("queue_url", "endpoint_url")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Give what was asked for; a mistake ends the process with status 2, as argparse does it."""
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    if options.once and options.dry_run:
        parser.error("--once and --dry-run are two things: choose one")
    if options.once and not options.files:
        parser.error("--once needs at least one file: ./run.sh --once docs/examples/send-*.json")
    for name in _OF_STAYING_UP:
        if getattr(options, name) and (options.once or options.dry_run):
            parser.error(f"{_written(name)} is for the stack that stays up")
    if options.no_console and (options.open or options.console_port):
        parser.error("--no-console leaves no console to open")
    if options.files and not options.once:
        parser.error(f"{options.files[0]}: to publish files, say --once")
    for needed, given, names in (
        ("--once", options.once, _OF_ONCE),
        ("--dry-run", options.dry_run, _OF_DRY_RUN),
    ):
        for name in names:
            if getattr(options, name) is not None and not given:
                parser.error(f"{_written(name)} goes with {needed}")
    options.out = options.out or OUT
    options.timeout = options.timeout or TIMEOUT_SECONDS
    return options


def _written(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.sh",
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument(
        "--verbose",
        "--tail",
        action="store_true",
        help="a line on the terminal about each email and each event",
    )
    parser.add_argument(
        "--terraform", action="store_true", help="deploy with terraform apply, as in the real AWS"
    )
    parser.add_argument("--port", type=port, help="of the emulated AWS (default: a free one)")
    parser.add_argument(
        "--smtp-port", type=port, metavar="PORT", help="of the mail server (default: a free one)"
    )

    console = parser.add_argument_group("console")
    console.add_argument("--open", action="store_true", help="open it in a browser")
    console.add_argument(
        "--console-port", type=port, metavar="PORT", help="(default: 8466, or a free one)"
    )
    console.add_argument(
        "--no-console", action="store_true", help="for scripts: the status file says where all is"
    )

    once = parser.add_argument_group("--once FILE …", _ONCE)
    once.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    once.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help=f"for what comes of it: emails (.eml), dead letters (.json), events (default: {OUT})",
    )
    once.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help=f"how long to wait in all (default: {TIMEOUT_SECONDS})",
    )

    dry_run = parser.add_argument_group("--dry-run", _DRY_RUN)
    dry_run.add_argument("--dry-run", action="store_true", help=argparse.SUPPRESS)
    dry_run.add_argument(
        "--queue-url",
        metavar="URL",
        help="(default: ION_AWS_QUEUE_URL, else the queues of the ./run.sh that is up)",
    )
    dry_run.add_argument(
        "--endpoint-url", metavar="URL", help="of AWS (default: where the queue's URL leads)"
    )
    return parser


def port(text: str) -> int:
    """Give a port's number; argparse calls it by its name when it says what is wrong."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError
    return number


def seconds(text: str) -> float:
    """Give a time to wait; argparse calls it by its name when it says what is wrong."""
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise ValueError
    return number
