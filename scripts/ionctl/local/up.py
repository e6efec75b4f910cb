"""./run.sh as it stays up: the stack, its console, and the first email."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from ionctl import loopback
from ionctl.console.door import open_in_browser
from ionctl.console.inbox import Inbox
from ionctl.console.outcomes import FILE, Outcomes
from ionctl.console.server import DEFAULT_PORT, Console
from ionctl.local import first_email, interrupt, invitation, outcomes
from ionctl.local.announcement import addresses, announced
from ionctl.local.events_file import EventsFile
from ionctl.local.mail_session import Arrived
from ionctl.local.mailbag import Mailbag
from ionctl.local.stack import Method, Stack
from ionctl.local.variables import Settings
from ionctl.local.watch import Watch
from ionctl.ops import local_stack
from ionctl.ops.account import local_account
from ionctl.ops.deployment import find
from ionctl.problem import Problem

_POLL_SECONDS = 1.0
_ON: Settings = {"suppression": {"list": "on"}}
"""Over config.cfg: who bounces, complains or unsubscribes here isn't written to any more."""

Say = Callable[[str], None]
"""Tells the person about a step."""


def stay_up(options: argparse.Namespace, say: Say) -> int:
    """Run until Ctrl-C; give the exit status.

    Raises:
        Problem: it doesn't come up, or a part of it has ended by itself.
    """
    if options.console_port is not None:
        loopback.free_port(options.console_port, "--console-port")  # before all the rest in vain
    inbox, news = Inbox(), SimpleQueue[Arrived]()

    def arrived(email: Arrived) -> None:
        inbox.put(email)
        if options.verbose:
            news.put(email)

    with (
        Stack(
            Method.TERRAFORM if options.terraform else Method.BOTO3,
            port=options.port,
            smtp_port=options.smtp_port,
            say=say,
            mailbag=Mailbag(1, arrived),  # the inbox keeps the others
            settings=_ON,
            events=True,
            feedback=True,
        ) as stack,
        _console(stack, inbox, options, say) as console_url,
        announced(stack, console_url) as told,
    ):
        say("sending the first email")
        stack.publish(first_email.message())
        try:
            stack.wait_for_emails(1)
        except TimeoutError as error:
            raise Problem(str(error)) from error
        print(invitation.text(told, on_terminal=sys.stdout.isatty()), flush=True)
        if options.open:
            open_in_browser(console_url, local_stack.door())
        try:
            _watch(stack, Watch(stack, news) if options.verbose else None)
        except interrupt.Interrupted:
            say("going down")
    return 0


def _watch(stack: Stack, watch: Watch | None) -> None:
    """Tell what happens, if that is wanted, until the emulated AWS ends or we are interrupted."""
    while True:
        stack.ministack.check()
        if watch is None:
            time.sleep(_POLL_SECONDS)
            continue
        for line in watch.news(_POLL_SECONDS):
            print(line, flush=True)


@contextmanager
def _console(stack: Stack, inbox: Inbox, options: argparse.Namespace, say: Say) -> Iterator[str]:
    """Give the URL of a stack's console; empty: none is wanted."""
    if options.no_console:
        yield ""
        return
    told = addresses(stack)
    heard = outcomes.Outcomes(stack.aws, stack.names, "console-events")
    with (
        EventsFile(stack.aws.sqs, heard.queue_url, file := stack.folder / FILE),
        Console(
            find(local_account(told), told.name),
            port=options.console_port,
            write=True,
            inbox=inbox,
            switches=stack.mail_server,
            outcomes=Outcomes(file),
        ) as console,
    ):
        if console.port not in (options.console_port, DEFAULT_PORT):
            say(f"port {DEFAULT_PORT} is in use, so the console is at {console.port}")
        yield console.url
