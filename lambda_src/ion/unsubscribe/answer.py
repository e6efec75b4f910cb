"""A request to its answer: a POST unsubscribes, and whatever else comes changes nothing.

Programs follow links to look for harm in them, so a GET shows a button and that is all (RFC 8058
section 3.2). The one who clicks is known by the token alone: no cookie, no redirect.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.aws.table import TableError
from ion.policy.suppression import AddressState, Suppression, Why
from ion.report.unsubscribing import UnsubscribeLog
from ion.unsubscribe import page
from ion.unsubscribe.links import PATH
from ion.unsubscribe.request import Request
from ion.unsubscribe.token import Subscription, read

_READS = frozenset({"GET", "HEAD"})
_RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said.

    Args:
        status: of HTTP.
        words: of the page.
        headers: beside those of each page.
    """

    status: int
    words: page.Words
    headers: Mapping[str, str] = field(default_factory=dict)


class Unsubscriber:
    """Answers requests.

    Args:
        key: by which tokens are read.
        addresses: where it is written down.
        log: told of it.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        key: AddressKey,
        addresses: Addresses,
        log: UnsubscribeLog,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._addresses = addresses
        self._log = log
        self._now = now

    async def answer(self, request: Request) -> Answer:
        """Do what is asked for, and say so."""
        _, found, token = request.path.rpartition(PATH)  # a domain of one's own may put more before
        if not found:
            return Answer(404, page.UNKNOWN)
        if request.method not in _READS | {"POST"}:
            return Answer(405, page.NOT_ALLOWED, {"Allow": "GET, HEAD, POST"})
        try:
            return await self._answer(request, token)
        except TableError as error:
            self._log.trouble(str(error))
            return Answer(503, page.LATER, {"Retry-After": str(_RETRY_SECONDS)})

    async def _answer(self, request: Request, token: str) -> Answer:
        subscription = await self._subscription(token)
        if subscription is None:
            self._log.forged()
            return Answer(403, page.FORGED)
        if request.method in _READS:
            return Answer(200, page.ASK)
        if not request.is_one_click:
            return Answer(400, page.NOT_ONE_CLICK)
        now = datetime.fromtimestamp(self._now(), UTC)
        change = partial(_unsubscribed, subscription.scope, now)
        await self._addresses.change(subscription.hashed, change)
        self._log.unsubscribed(subscription.hashed, subscription.scope)
        return Answer(200, page.DONE)

    async def _subscription(self, token: str) -> Subscription | None:
        key = await self._key.read()  # None: no email has had a link yet
        return None if key is None else read(key, token)


def _unsubscribed(scope: str, at: datetime, state: AddressState) -> AddressState:
    return state.suppressed(Suppression(scope, Why.UNSUBSCRIBE, at))
