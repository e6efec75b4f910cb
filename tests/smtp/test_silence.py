"""Connections that end in the middle of an email, and those that fall silent."""

import pytest

from ion.limits import DOT_BUDGET_SECONDS
from ion.outcome import Kind, Reason, Scope, Stage
from smtp.client import (
    LONG_SECONDS,
    WITH_LOGIN,
    closed,
    connected,
    content_of,
    email,
    impatient,
    soon,
)
from smtp.conversing import ENVELOPE, STAGES, one
from smtp_server import (
    NORMAL,
    Action,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    garbage,
    hang,
    in_body,
    reply,
    trickle,
)

LARGE_BYTES = 16_000_000
"""More than the kernels between us and the server take from us unread."""

ANY_SIZE = Offer(size_bytes=None)

ANY_SIZE_WITH_LOGIN = Offer(users=WITH_LOGIN.users, size_bytes=None)


# -- connections that end, and those that fall silent --------------------------------------


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
@pytest.mark.parametrize(
    ("step", "kind"),
    [
        *[pytest.param(s, Kind.OUT_OF_STEP, marks=pytest.mark.row(51)) for s in ENVELOPE],
        pytest.param(Step.DOT, Kind.IN_DOUBT, marks=pytest.mark.row(52)),
    ],
)
async def test_a_lost_connection_is_in_doubt_only_behind_the_dot(
    tls: Tls, step: Step, kind: Kind, *, reset: bool
) -> None:
    offer = WITH_LOGIN if tls is not Tls.NONE else None
    async with ScriptedServer({step: drop(reset=reset)}, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        outcome = await one(session)
        assert (outcome.kind, outcome.scope) == (kind, Scope.CONNECTION)
        assert not session.usable
        await closed(session, server)
        assert len(server.accepted) == (1 if kind is Kind.IN_DOUBT else 0)


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
@pytest.mark.parametrize(
    ("step", "kind"),
    [
        *[pytest.param(s, Kind.OUT_OF_STEP, marks=pytest.mark.row(51)) for s in ENVELOPE],
        pytest.param(Step.DOT, Kind.IN_DOUBT, marks=pytest.mark.row(52)),
    ],
)
async def test_silence_is_in_doubt_only_behind_the_dot(tls: Tls, step: Step, kind: Kind) -> None:
    offer = WITH_LOGIN if tls is not Tls.NONE else None
    async with ScriptedServer({step: hang()}, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        deadline = impatient(session, STAGES[step])
        (outcome,) = await session.send(email(), deadline)
        assert (outcome.kind, outcome.detail) == (kind, "timed out waiting for the reply")
        assert not session.usable
        await closed(session, server)
        assert len(server.accepted) == (1 if kind is Kind.IN_DOUBT else 0)


@pytest.mark.row(51)
@pytest.mark.parametrize("tls", Tls)
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("octets", [LARGE_BYTES])
async def test_a_connection_lost_in_a_large_body_certainly_didnt_send_it(
    tls: Tls, octets: int, *, reset: bool
) -> None:
    offer = ANY_SIZE if tls is Tls.NONE else ANY_SIZE_WITH_LOGIN
    script = {Step.BODY: [in_body(100_000, drop(reset=reset))]}
    async with ScriptedServer(script, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        (outcome,) = await session.send(email(content=content_of(octets)), soon())
        assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.BODY)
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []


@pytest.mark.row(51)
@pytest.mark.row(58)
@pytest.mark.parametrize("tls", Tls)
async def test_a_body_that_isnt_read_certainly_didnt_get_through(tls: Tls) -> None:
    offer = ANY_SIZE if tls is Tls.NONE else ANY_SIZE_WITH_LOGIN
    script = {Step.BODY: trickle(LONG_SECONDS)}  # an octet, and then nothing for a long time
    async with ScriptedServer(script, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        deadline = impatient(session, Stage.BODY, DOT_BUDGET_SECONDS + 0.5)
        large = email(content=content_of(LARGE_BYTES))
        (outcome,) = await session.send(large, deadline)
        assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.BODY)
        assert outcome.detail == "timed out while writing"
        assert not session.usable
        assert not server.submissions[0].saw_dot


@pytest.mark.row(58)
@pytest.mark.parametrize("tls", Tls)
@pytest.mark.parametrize(
    ("said", "kind", "reason"),
    [
        (reply(552, "5.3.4 too big"), Kind.PERMANENT, Reason.TOO_LARGE),
        (reply(452, "4.3.1 disk full"), Kind.TRANSIENT, Reason.TRY_LATER),
        (reply(421, "4.3.2 going", close=True), Kind.TRANSIENT, Reason.TRY_LATER),
        (drop(after=reply(552, "5.3.4 too big")), Kind.PERMANENT, Reason.TOO_LARGE),
        (hang(reply(552, "5.3.4 too big")), Kind.PERMANENT, Reason.TOO_LARGE),
        (trickle(0.001, reply(552, "5.3.4 big")), Kind.PERMANENT, Reason.TOO_LARGE),
        (reply(250, "2.0.0 enough of that"), Kind.OUT_OF_STEP, Reason.CONNECTION_LOST),
        (reply(503, "5.5.1 eh?"), Kind.OUT_OF_STEP, Reason.PROTOCOL),
        (garbage(b"what?\r\n"), Kind.OUT_OF_STEP, Reason.CONNECTION_LOST),
    ],
    ids=range(9),
)
async def test_a_reply_in_the_middle_of_the_body_ends_it(
    tls: Tls, said: Action, kind: Kind, reason: Reason
) -> None:
    offer = ANY_SIZE if tls is Tls.NONE else ANY_SIZE_WITH_LOGIN
    script = {Step.BODY: in_body(100_000, said)}
    async with ScriptedServer(script, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        large = email(content=content_of(LARGE_BYTES))
        (outcome,) = await session.send(large, soon())
        assert (outcome.kind, outcome.reason) == (kind, reason)
        assert outcome.stage is Stage.BODY
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []


@pytest.mark.row(51)
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
async def test_a_server_gone_behind_its_354_doesnt_make_a_small_body_certain(
    *, reset: bool
) -> None:
    async with ScriptedServer({Step.DATA: drop(reset=reset, after=NORMAL)}) as server:
        session = await connected(server)
        assert (await one(session)).kind in {Kind.OUT_OF_STEP, Kind.IN_DOUBT}
        await closed(session, server)
        assert server.accepted == []


async def test_a_trickled_reply_is_waited_for() -> None:
    slow = trickle(0.001)
    script = dict.fromkeys([*ENVELOPE, Step.DOT], slow)
    async with ScriptedServer(script) as server:
        session = await connected(server)
        assert (await one(session)).kind is Kind.ACCEPTED
        await closed(session, server)
