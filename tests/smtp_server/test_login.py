"""TLS and AUTH of the scripted server, and its scripts."""

import asyncio
import ssl

import pytest

from smtp_server import (
    NORMAL,
    Action,
    Certificate,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    glue,
    last_repeats,
    reply,
)
from smtp_server.talking import LOGIN, USERS, connected, served

# TLS and AUTH


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
@pytest.mark.parametrize("certificate", Certificate)
async def test_only_the_valid_certificate_passes(tls: Tls, certificate: Certificate) -> None:
    async def shake_hands(server: ScriptedServer) -> None:
        context = ssl.create_default_context(cafile=server.ca_pem_path)
        async with connected(server, context if tls is Tls.IMPLICIT else None) as client:
            await client.reply()
            if tls is Tls.STARTTLS:
                await client.ask_all("EHLO me", "STARTTLS")
                await client.writer.start_tls(context, server_hostname=server.host)
            assert await client.ask_all("EHLO me") == [250]

    async with ScriptedServer(tls=tls, certificate=certificate) as server:
        if certificate is Certificate.VALID:
            await shake_hands(server)
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                await shake_hands(server)
        assert "MAIL" not in server.sessions[0].verbs


async def test_plaintext_behind_starttls_is_recorded_and_not_obeyed() -> None:
    async with ScriptedServer(tls=Tls.STARTTLS) as server, connected(server) as client:
        await client.reply()
        await client.ask("EHLO me")
        assert (await client.ask(b"STARTTLS\r\nMAIL FROM:<>\r\n")).startswith("220")
        await client.writer.start_tls(server.client_context(), server_hostname=server.host)
        assert await client.ask_all("MAIL FROM:<>", "EHLO me", "STARTTLS") == [503, 250, 503]
        assert server.sessions[0].early_plaintext == b"MAIL FROM:<>\r\n"


async def test_a_client_that_speaks_no_tls_is_left() -> None:
    async with ScriptedServer(tls=Tls.IMPLICIT) as server:
        async with connected(server) as client:
            client.write("EHLO me")
            await client.reader.read()
        await server.settled()
        assert server.sessions[0].tls_error


async def test_auth_verdicts() -> None:
    script: dict[Step, Action | list[Action]] = {Step.AUTH: [NORMAL, reply(454, "4.7.0 later")]}
    async with served(script, Offer(users=USERS)) as (server, client):
        wrong = "AUTH PLAIN AGlvbgB3cm9uZw=="
        lines = ("EHLO me", "MAIL FROM:<>", wrong, LOGIN, "AUTH X", "AUTH PLAIN ?")
        assert await client.ask_all(*lines) == [250, 530, 535, 454, 504, 501]
        assert await client.ask_all("AUTH LOGIN", "*") == [334, 501]
        assert await client.ask_all("AUTH LOGIN", "bm9ib2R5", "") == [334, 334, 535]
        assert await client.ask_all("AUTH PLAIN", LOGIN[11:], LOGIN) == [334, 235, 503]
        assert server.auth_commands == 8
        assert server.sessions[0].username == "ion"


async def test_auth_is_neither_offered_nor_served_before_starttls() -> None:
    server = ScriptedServer(tls=Tls.STARTTLS, offer=Offer(users=USERS, require_tls=True))
    async with server, connected(server) as client:
        await client.reply()
        assert "AUTH" not in await client.ask("EHLO me")
        assert await client.ask_all(LOGIN, "MAIL FROM:<>") == [538, 530]


# scripts


async def test_a_sequence_counts_over_all_sessions() -> None:
    script = {
        Step.EHLO: last_repeats(reply(451, "one"), reply(452, "two")),
        Step.NOOP: [reply(450, "once")],
    }
    async with ScriptedServer(script) as server:
        codes = []
        for _ in range(3):
            async with connected(server) as client:
                await client.reply()
                codes += await client.ask_all("EHLO me", "NOOP")
        assert codes == [451, 450, 452, 250, 452, 250]


async def test_a_function_decides_by_the_moment() -> None:
    moments: list[Moment] = []

    def script(moment: Moment) -> Action:
        moments.append(moment)
        return glue(b"250 more\r\n") if moment.nth_in_session == 2 else NORMAL

    async with ScriptedServer(script) as server:
        for _ in range(2):
            async with connected(server) as client:
                await client.reply()
                assert await client.ask("NOOP a") == "250 2.0.0 OK\r\n"
                assert await client.ask("NOOP b") == "250 2.0.0 OK\r\n"
                assert await client.reply() == "250 more\r\n"
    assert moments[-1] == Moment(Step.NOOP, session=2, nth=4, nth_in_session=2, argument="b")


def test_a_script_that_fails_fails_the_test() -> None:
    def script(moment: Moment) -> Action:
        raise LookupError(moment.step)

    async def main() -> None:
        async with ScriptedServer(script) as server, connected(server) as client:
            assert await client.ended()

    with pytest.raises(LookupError):
        asyncio.run(main())
