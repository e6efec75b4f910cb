"""A pool over sessions to a scripted server."""

import asyncio

from ion.smtp.pool import Pool
from ion.smtp.session import Session

WORKERS = 10


async def session_of(pool: Pool, *, fresh: bool = False) -> Session:
    session = await pool.acquire(fresh=fresh)
    assert isinstance(session, Session), session
    return session


async def settle_down() -> None:
    """Everybody gets as far as possible without the network."""
    for _ in range(10):
        await asyncio.sleep(0)
