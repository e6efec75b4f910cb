"""Where a dry run looks: queues, the account they are in, and the relay they are of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3

from ionctl.local.ministack import REGION
from ionctl.ops import local_stack
from ionctl.ops.account import Account, local_account
from ionctl.ops.deployment import Deployment, find
from ionctl.problem import Problem

QUEUE_URL = "ION_AWS_QUEUE_URL"
"""Environment variable that names a queue."""
_QUEUE_NAME = re.compile(r"(.+)-(?:input|bulk|later)-queue")
"""Begins with the module's `name`, which is the function's name, too."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to look.

    Args:
        urls: of queues.
        name: of their relay, if it follows from the queue's name.
    """

    account: Account
    urls: Sequence[str]
    name: str | None

    def deployment(self) -> Deployment:
        """Give the relay. Raises Problem: it isn't known, or can't be looked at."""
        if self.name is None:
            queue = self.urls[0].rpartition("/")[2]
            raise Problem(
                f"{queue} isn't called NAME-input-queue, NAME-bulk-queue or NAME-later-queue, so "
                "its function isn't known"
            )
        return find(self.account, self.name)


def named(url: str, endpoint_url: str | None) -> Place:
    """Give the place of one queue.

    Args:
        url: its own.
        endpoint_url: of AWS; None: where `url` leads.

    Raises:
        Problem: it is no URL.
    """
    if not urlsplit(url).netloc:
        raise Problem(
            f"{url} is no queue's URL: those begin with https:// (aws sqs get-queue-url "
            "--queue-name NAME tells it)"
        )
    account = Account(boto3.Session(region_name=_region(url)), endpoint_url or _emulator(url))
    named = _QUEUE_NAME.fullmatch(url.rpartition("/")[2])
    return Place(account, (url,), named[1] if named else None)


def of_local_stack() -> Place:
    """Give the queues of the local stack that is up. Raises Problem: none is."""
    try:
        stack = local_stack.read()
    except Problem as problem:
        raise Problem(
            f"which queue? Say so with --queue-url, or in {QUEUE_URL}; {problem}"
        ) from problem
    account = local_account(stack)
    relay = find(account, stack.name)
    urls = (relay.queue_url, relay.bulk_queue_url, relay.later_queue_url)
    return Place(account, urls, stack.name)


def _emulator(queue_url: str) -> str | None:
    """Give the address of the emulated AWS that a queue is in; None: the real one."""
    address = urlsplit(queue_url)
    if re.search(r"\.amazonaws\.com(\.cn)?$", address.hostname or ""):
        return None
    return f"{address.scheme}://{address.netloc}"


def _region(queue_url: str) -> str | None:
    named = re.match(r"https://(?:sqs\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.", queue_url)
    if named:
        return named[1]
    # boto3 wants one, whatever it is for; None: as the person's own configuration says
    return None if boto3.Session().region_name else REGION
