"""Connections that need an access token: how often one is asked for, and which one is shown."""

import asyncio
from dataclasses import replace

from clock import Clock
from ion.smtp.connector import Connector
from ion.smtp.logins import Logins
from ion.smtp.session import Session
from ion.smtp.tokens import Tokens
from smtp.client import context_for, settings_for, soon
from smtp_server import Offer, ScriptedServer, Tls
from token_endpoint import TokenEndpoint, issue, trusting

CONNECTIONS = 8
RENEWALS = 6


async def test_tokens_are_renewed_without_limit_each_once_for_all_connections() -> None:
    """Five minutes before their end. The server has forgotten each token that was replaced."""
    clock, users = Clock(), {"ion": ""}
    tokens = [f"token-{number}" for number in range(RENEWALS)]
    server = ScriptedServer(tls=Tls.IMPLICIT, offer=Offer(users=users, mechanisms=("XOAUTH2",)))

    async with server, TokenEndpoint(*map(issue, tokens)) as endpoint:
        smtp = replace(settings_for(server, Tls.IMPLICIT), password=None, oauth=endpoint.oauth())
        connector = Connector(context_for(smtp), soon(), Tokens(trusting, clock))
        logins = Logins()
        for count, token in enumerate(tokens, 1):
            users["ion"] = token
            for seconds in (3299, 1):
                opened = await asyncio.gather(
                    *(connector.open(smtp, logins) for _ in range(CONNECTIONS))
                )
                for attempt in opened:
                    assert isinstance(attempt.connected, Session), attempt.connected
                    assert attempt.token == token
                    attempt.connected.close()
                assert len(endpoint.requests) == count
                await server.settled()
                clock.passes(seconds)
    assert server.auth_commands == 2 * RENEWALS * CONNECTIONS
