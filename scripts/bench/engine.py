"""A sender by ion's own engine, put together as its drain does it: parse, compose, pool, send."""

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import repeat

from bench.emails import QUEUED_AT, endless
from bench.meter import Meter, Sample
from bench.task import HOST, Task
from ion.contract import Send, parse
from ion.deadline import Deadline
from ion.envelope import Email
from ion.mail import compose
from ion.outcome import Kind, Outcome
from ion.settings import Pipelining, Security, Smtp
from ion.smtp.connect import connect, tls_context
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.smtp.session import DEEPEST, Session

_SECONDS = 600.0


def ion(task: Task) -> Sample:
    """From the message body to the server's 250, or from bytes."""
    return asyncio.run(_ion(task))


async def _ion(task: Task) -> Sample:
    smtp = Smtp(
        server=HOST,
        port=task.port,
        security=Security.STARTTLS if task.ca_file else Security.NONE,
        ca_file=task.ca_file,
        connections=task.connections,
        pipelining=Pipelining(task.pipelining),
    )
    deadline = Deadline.after(_SECONDS)
    async with Pool(
        partial(connect, smtp, tls_context(smtp), deadline, Logins()), task.connections
    ) as pool:
        await _open_all(pool, smtp)
        workers = task.connections * DEEPEST  # as many as the relay has
        meter = Meter(workers, task.emails)
        emails = repeat(next(_composed())) if task.prebuilt else _composed()

        async def work() -> None:
            while not meter.over:
                email = next(emails)
                session = await _borrowed(pool, smtp)
                try:
                    outcomes = await session.send(email, deadline)
                finally:
                    await pool.release(session)
                for outcome in outcomes:
                    if outcome.kind is not Kind.ACCEPTED:
                        raise RuntimeError(f"not accepted: {outcome}")
                meter.sent()

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())
    return meter.sample()


async def _open_all(pool: Pool, smtp: Smtp) -> None:
    """Open every connection before the clock runs."""
    first = await _borrowed(pool, smtp)
    places = smtp.connections * first.depth  # in `deep`, a session takes several
    borrowed = [first, *[await _borrowed(pool, smtp) for _ in range(places - 1)]]
    for session in borrowed:
        await pool.release(session)


async def _borrowed(pool: Pool, smtp: Smtp) -> Session:
    """A session in the mode asked for: a figure of another one would have the wrong name."""
    session = await pool.acquire()
    if isinstance(session, Outcome):
        raise ConnectionError(str(session))
    if session.pipelining is not smtp.pipelining:
        raise RuntimeError(f"pipelining is {session.pipelining}, not {smtp.pipelining}")
    return session


def _composed() -> Iterator[Email]:
    for key, body in endless():
        action = parse(body)
        assert isinstance(action, Send)
        yield compose(action, key=key, queued_at=QUEUED_AT, default_sender=None)
