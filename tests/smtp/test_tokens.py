"""Tokens are kept as long as they will do, and no longer."""

import asyncio
import ssl

import pytest

from clock import Clock
from ion.outcome import Outcome
from ion.settings import OAuth
from ion.smtp.tokens import Tokens
from smtp.client import soon
from token_endpoint import TokenEndpoint, answer, issue, refuse, trusting


@pytest.mark.parametrize(
    ("expires_in", "kept_seconds"),
    [(3600, 3300), (86_399, 86_099), (900, 600), (600, 300), (300, 150), (60, 30), (None, 300)],
)
async def test_a_token_is_kept_until_five_minutes_before_its_end_or_for_half_its_time(
    expires_in: object, kept_seconds: int
) -> None:
    clock = Clock()

    async with TokenEndpoint(issue("one", expires_in), issue("two")) as endpoint:
        tokens, oauth = Tokens(trusting, clock), endpoint.oauth()
        assert await tokens.get(oauth, soon()) == "one"
        clock.passes(kept_seconds - 1)
        assert await tokens.get(oauth, soon()) == "one"
        clock.passes(1)
        assert await tokens.get(oauth, soon()) == "two"
        assert len(endpoint.requests) == 2


def test_a_token_outlives_the_run_that_asked_for_it() -> None:
    """Each run has an event loop of its own."""
    tokens = Tokens(trusting)

    async def first() -> OAuth:
        async with TokenEndpoint(issue("one")) as endpoint:
            assert await tokens.get(endpoint.oauth(), soon()) == "one"
            return endpoint.oauth()

    oauth = asyncio.run(first())
    assert asyncio.run(tokens.get(oauth, soon())) == "one"


async def test_a_token_is_for_the_credentials_that_were_shown_for_it() -> None:
    async with TokenEndpoint(issue("one"), issue("two"), issue("three")) as endpoint:
        tokens = Tokens(trusting)
        assert await tokens.get(endpoint.oauth(), soon()) == "one"
        assert await tokens.get(endpoint.oauth(client_secret="x"), soon()) == "two"
        assert await tokens.get(endpoint.oauth(refresh_token="x"), soon()) == "three"
        assert await tokens.get(endpoint.oauth(), soon()) == "one"


async def test_a_token_that_is_forgotten_is_asked_for_anew() -> None:
    async with TokenEndpoint(issue("one"), issue("two")) as endpoint:
        tokens, oauth = Tokens(trusting), endpoint.oauth()
        assert await tokens.get(oauth, soon()) == "one"
        tokens.forget(oauth, "an older one")
        assert await tokens.get(oauth, soon()) == "one"
        tokens.forget(oauth, "one")
        tokens.forget(oauth, "one")
        assert await tokens.get(oauth, soon()) == "two"


async def test_the_time_that_its_endpoint_takes_is_a_part_of_a_token_s_own() -> None:
    """`expires_in` counts from the answer on, which may have been made long before it is here."""
    clock = Clock()

    async def late(writer: asyncio.StreamWriter) -> None:
        clock.passes(9)
        writer.write(issue("one", 3600))
        await writer.drain()

    async with TokenEndpoint(late, issue("two")) as endpoint:
        tokens, oauth = Tokens(trusting, clock), endpoint.oauth()
        assert await tokens.get(oauth, soon()) == "one"
        clock.passes(3300 - 9)
        assert await tokens.get(oauth, soon()) == "two"


async def test_the_certificates_that_are_trusted_are_read_once() -> None:
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(trusting())
        return made[-1]

    tokens = Tokens(make)
    assert made == [], "only where there is a login by token"
    async with TokenEndpoint(issue("one"), issue("two")) as endpoint:
        assert await tokens.get(endpoint.oauth(), soon()) == "one"
        assert await tokens.get(endpoint.oauth(scope="x"), soon()) == "two"
    assert len(made) == 1


async def test_tokens_that_are_of_no_use_any_more_are_not_kept() -> None:
    """Credentials may change as often as they like while the environment lives."""
    clock = Clock()
    async with TokenEndpoint(issue("one")) as endpoint:
        tokens = Tokens(trusting, clock)
        for number in range(3):
            await tokens.get(endpoint.oauth(client_secret=f"{number}"), soon())
            clock.passes(3300)
        assert repr(tokens) == "<Tokens, 1 kept>"


async def test_a_failure_is_not_kept() -> None:
    said = (answer(503, b""), refuse("invalid_client"), issue("one"))
    async with TokenEndpoint(*said) as endpoint:
        tokens, oauth = Tokens(trusting), endpoint.oauth()
        assert isinstance(await tokens.get(oauth, soon()), Outcome)
        assert isinstance(await tokens.get(oauth, soon()), Outcome)
        assert await tokens.get(oauth, soon()) == "one"


async def test_tokens_show_none_of_themselves() -> None:
    async with TokenEndpoint(issue("canary-token")) as endpoint:
        tokens = Tokens(trusting)
        await tokens.get(endpoint.oauth(), soon())
        assert repr(tokens) == "<Tokens, 1 kept>"
