"""./run.sh: the whole relay on this machine, one command."""

import argparse
import os
import sys
from collections.abc import Sequence

from ionctl import outlet, program
from ionctl.local import interrupt, once, once_files
from ionctl.local.fate import summary
from ionctl.local.ministack import ISOLATION
from ionctl.local.options import parse
from ionctl.local.outcomes import Outcomes
from ionctl.local.stack import ROOT, Method, Stack
from ionctl.local.up import stay_up
from ionctl.problem import Problem

_EVENTS_SECONDS = 30
"""An event follows what it tells of within a second or two, on a machine that isn't loaded."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` ask for; give the exit status."""
    return outlet.run("ion", lambda: _ended(arguments))


def _ended(arguments: Sequence[str] | None) -> int:
    options = parse(arguments)
    interrupt.listen()
    program.begin()
    program.chose("--local")
    try:
        if options.dry_run:
            from ionctl.local.dry_run import dry_run  # noqa: PLC0415 - the others start sooner

            for line in dry_run(ROOT, options.queue_url, options.endpoint_url):
                print(line)
            return 0
        _isolate()
        return _run_once(options) if options.once else stay_up(options, _say)
    except Problem as problem:
        print(f"ion: {problem}", file=sys.stderr)
        return 1
    except interrupt.Interrupted as interrupted:
        return 128 + interrupted.signum  # as the shell has it


def _isolate() -> None:
    """Keep the person's own AWS out of this: profiles, credentials, endpoints."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(ISOLATION)


def _say(step: str) -> None:
    """Tell about a step; on stderr, so that stdout holds results alone."""
    print(f"ion: {step}", file=sys.stderr, flush=True)


def _run_once(options: argparse.Namespace) -> int:
    files = once_files.read(options.files)
    once_files.make_folder(options.out)
    with Stack(
        Method.TERRAFORM if options.terraform else Method.BOTO3,
        port=options.port,
        smtp_port=options.smtp_port,
        say=_say,
        events=True,
    ) as stack:
        outcomes = Outcomes(stack.aws, stack.names)
        _say(f"waiting until each message has its fate, at most {options.timeout:g} s")
        fates = once.run(stack, files, options.timeout, options.out)
        if not stack.ledger_stream.catch_up(_EVENTS_SECONDS):
            _say(f"not all events were told within {_EVENTS_SECONDS} s")
        events = outcomes.heard()
        once_files.write_events(events, options.out)
    for fate in fates:
        print(fate)
    emails = sum(len(fate.emails) for fate in fates)
    dead_letters = sum(len(fate.dead_letters) for fate in fates)
    told = f"emails {emails}, dead letters {dead_letters}, events {len(events)}"
    print(f"{options.out}: {told}", flush=True)
    if wrong := summary(fates, options.timeout):
        _say(wrong)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
