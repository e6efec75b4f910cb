"""MAIL to the final dot: what is reported is what the server has, whatever it says or doesn't."""

import asyncio
from collections.abc import Callable

import pytest

from ion.deadline import Deadline
from ion.limits import DOT_BUDGET_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.smtp.session import RECIPIENTS_PER_TRANSACTION, Session
from smtp.client import (
    ANN,
    BOB,
    CYD,
    FIRST,
    LONG_SECONDS,
    SECOND,
    WITH_LOGIN,
    closed,
    connected,
    content_of,
    email,
    impatient,
    kinds,
    soon,
    until,
)
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    garbage,
    glue,
    hang,
    in_body,
    last_repeats,
    reply,
    trickle,
)

LARGE_BYTES = 16_000_000
"""More than the kernels between us and the server take from us unread."""
LATE_SECONDS = 0.02

ANY_SIZE = Offer(size_bytes=None)
ANY_SIZE_WITH_LOGIN = Offer(users=WITH_LOGIN.users, size_bytes=None)
ENVELOPE = (Step.MAIL, Step.RCPT, Step.DATA)
STAGES = {
    Step.MAIL: Stage.MAIL,
    Step.RCPT: Stage.RCPT,
    Step.DATA: Stage.DATA,
    Step.BODY: Stage.BODY,
    Step.DOT: Stage.DOT,
}

Script = dict[Step, Action] | dict[Step, list[Action]] | Callable[[Moment], Action]


async def one(session: Session, *recipients: str, sender: str = FIRST) -> Outcome:
    """The one outcome of an email."""
    outcomes = await outcomes_of(session, *recipients, sender=sender)
    assert len(set(outcomes)) == 1
    return outcomes[0]


async def outcomes_of(
    session: Session, *recipients: str, sender: str = FIRST
) -> tuple[Outcome, ...]:
    return await session.send(email(*recipients, sender=sender), soon())


def verbs(server: ScriptedServer) -> list[str]:
    """What was said behind EHLO, on all connections."""
    return [verb for session in server.sessions for verb in session.verbs if verb != "EHLO"]


# -- what arrives --------------------------------------------------------------------------


@pytest.mark.parametrize("tls", Tls)
@pytest.mark.parametrize("octets", [200, 16_000, 17_000, 1_500_000])
def test_what_is_sent_is_what_arrives(tls: Tls, octets: int) -> None:
    async def main() -> None:
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer(tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            content = content_of(octets)
            for _ in range(3):
                (outcome,) = await session.send(email(content=content), soon())
                assert outcome.kind is Kind.ACCEPTED
                assert session.usable
            await closed(session, server)
            assert [taken.content for taken in server.accepted] == [content] * 3
            (taken, *_) = server.accepted
            assert (taken.sender, taken.recipients) == (FIRST, (ANN,))
            assert taken.parameters == (f"SIZE={len(content)}",)
            assert len(server.sessions) == 1

    asyncio.run(main())


@pytest.mark.row(61)
@pytest.mark.parametrize(
    "content",
    [
        b".\r\n",
        b"..\r\n",
        b"\r\n.\r\n",
        b"Subject: x\r\n\r\n.\r\n",
        b"Subject: x\r\n\r\n..\r\n...\r\n.a\r\n",
        b"Subject: x\r\n\r\n.\r\nMAIL FROM:<evil@sender.example>\r\nRCPT TO:<eve@example.org>\r\n",
        b".\r\n.\r\n.\r\n" * 10_000,
        b"x" * (65_536 - 1) + b"\r\n.\r\n",  # the dot is the first octet of a slice
        b"x" * (65_536 - 2) + b"\r\n.\r\n",
        b"x" * (65_536 - 3) + b"\r\n.\r\n",
    ],
    ids=range(10),
)
def test_dots_in_the_content_neither_end_it_nor_get_lost(content: bytes) -> None:
    async def main() -> None:
        script = {Step.DOT: reply(250, "2.0.0 fine")}  # though lines may be too long
        async with ScriptedServer(script) as server:
            session = await connected(server)
            (outcome,) = await session.send(email(content=content), soon())
            assert outcome.kind is Kind.ACCEPTED
            assert (await one(session, sender=SECOND)).kind is Kind.ACCEPTED
            await session.quit()
            await server.settled()
            assert [(t.sender, t.content == content) for t in server.accepted] == [
                (FIRST, True),
                (SECOND, False),
            ]
            once = ["MAIL", "RCPT", "DATA"]
            assert verbs(server) == [*once, *once, "QUIT"]

    asyncio.run(main())


@pytest.mark.row(53)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DOT])
@pytest.mark.parametrize("code", [200, 211, 250, 251, 252, 299])
def test_any_2xx_is_success(step: Step, code: int) -> None:
    async def main() -> None:
        async with ScriptedServer({step: reply(code, "fine")}) as server:
            session = await connected(server)
            outcome = await one(session)
            assert (outcome.kind, session.usable) == (Kind.ACCEPTED, True)
            await closed(session, server)
            assert len(server.accepted) == 1

    asyncio.run(main())


# -- refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[pytest.param(c, Kind.TRANSIENT, marks=pytest.mark.row(46)) for c in (450, 451, 452)],
        *[pytest.param(c, Kind.PERMANENT, marks=pytest.mark.row(47)) for c in (550, 552, 553, 554)],
    ],
)
def test_a_refusal_is_reported_and_the_connection_kept_behind_rset(
    step: Step, code: int, kind: Kind
) -> None:
    async def main() -> None:
        async with ScriptedServer({step: [reply(code, "no")]}) as server:
            session = await connected(server)
            outcome = await one(session)
            assert (outcome.kind, outcome.stage) == (kind, STAGES[step])
            assert outcome.reply is not None
            assert outcome.reply.code == code
            assert (await one(session, sender=SECOND)).kind is Kind.ACCEPTED
            await closed(session, server)
            assert [taken.sender for taken in server.accepted] == [SECOND]
            assert len(server.sessions) == 1
            assert verbs(server).count("RSET") == 1

    asyncio.run(main())


@pytest.mark.row(45)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("closes", [True, False])
def test_421_closes_the_connection_and_is_transient(step: Step, *, closes: bool) -> None:
    async def main() -> None:
        async with ScriptedServer({step: reply(421, "4.3.2 bye", close=closes)}) as server:
            session = await connected(server)
            outcome = await one(session)
            assert (outcome.kind, outcome.scope) == (Kind.TRANSIENT, Scope.CONNECTION)
            assert not session.usable
            await closed(session, server)
            assert server.accepted == []
            assert "RSET" not in verbs(server)

    asyncio.run(main())


# -- out of step ---------------------------------------------------------------------------


@pytest.mark.row(54)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("code", [300, 354, 399, 500, 501, 502, 503, 555])
def test_what_no_server_says_to_a_valid_command_is_out_of_step(step: Step, code: int) -> None:
    if (step, code) in {(Step.DATA, 354), (Step.MAIL, 501), (Step.RCPT, 501)}:
        return  # that is what it says, or what it thinks of an address

    async def main() -> None:
        async with ScriptedServer({step: reply(code, "5.5.1 eh?")}) as server:
            session = await connected(server)
            outcome = await one(session)
            out_of_step = Kind.IN_DOUBT if step is Step.DOT else Kind.OUT_OF_STEP
            assert outcome.kind is out_of_step
            assert not session.usable
            await closed(session, server)
            assert "RSET" not in verbs(server)
            if step is not Step.DOT:
                assert outcome.reason is Reason.PROTOCOL
                assert server.accepted == []

    asyncio.run(main())


@pytest.mark.row(50)
@pytest.mark.row(54)
@pytest.mark.parametrize("code", [200, 250, 252])
def test_success_in_reply_to_data_is_out_of_step(code: int) -> None:
    async def main() -> None:
        async with ScriptedServer({Step.DATA: reply(code, "2.0.0 sent, really")}) as server:
            session = await connected(server)
            assert (await one(session)).kind is Kind.OUT_OF_STEP
            assert not session.usable
            await closed(session, server)
            assert server.submissions == []

    asyncio.run(main())


@pytest.mark.row(55)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe? not a reply\r\n",
        b"ok\r\n",
        b"2500 ok\r\n",
        b"250-ok\r\n550 no\r\n",
        b"354-go\r\n250 ok\r\n",
        b"250 " + b"x" * 40_000 + b"\r\n",
        b"250-ok\r\n" * 5_000 + b"250 ok\r\n",
    ],
    ids=range(7),
)
@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
def test_what_is_no_reply_is_never_believed(step: Step, raw: bytes, tls: Tls) -> None:
    async def main() -> None:
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer({step: garbage(raw)}, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            outcome = await one(session)
            assert outcome.kind is (Kind.IN_DOUBT if step is Step.DOT else Kind.OUT_OF_STEP)
            assert not session.usable
            await closed(session, server)
            assert len(server.accepted) == (1 if step is Step.DOT else 0)

    asyncio.run(main())


@pytest.mark.row(55)
@pytest.mark.parametrize("tls", [Tls.NONE, Tls.STARTTLS])
def test_a_long_reply_is_read_whole(tls: Tls) -> None:
    async def main() -> None:
        lines = ["4.3.0 " + "x" * 60] * 400  # under TLS more than a record, and than our buffer
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer({Step.DOT: [reply(451, *lines)]}, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            outcome = await one(session)
            assert outcome.kind is Kind.TRANSIENT
            assert outcome.reply is not None
            assert outcome.reply.text == "\n".join(["x" * 60] * 400)
            assert (await one(session, sender=SECOND)).kind is Kind.ACCEPTED
            await closed(session, server)

    asyncio.run(main())


def test_the_text_of_a_reply_may_be_anything_up_to_its_newline() -> None:
    async def main() -> None:
        raw = b"550-5.1.1 caf\xe9 \x00\x1b[31m\n550 5.1.1 <ann@example.org>\xff\n"
        async with ScriptedServer({Step.MAIL: garbage(raw)}) as server:
            session = await connected(server)
            outcome = await one(session)
            assert outcome.kind is Kind.PERMANENT
            assert str(outcome)
            await closed(session, server)

    asyncio.run(main())


@pytest.mark.row(56)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("extra", [b"250 2.0.0 glued\r\n", b"550 5.0.0 glued\r\n", b"2", b"\r\n"])
def test_more_than_one_reply_is_never_believed(step: Step, extra: bytes) -> None:
    async def main() -> None:
        async with ScriptedServer({step: [glue(extra)]}) as server:
            session = await connected(server)
            outcome = await one(session)
            assert outcome.kind is (Kind.IN_DOUBT if step is Step.DOT else Kind.OUT_OF_STEP)
            assert not session.usable
            await closed(session, server)
            assert len(server.accepted) == (1 if step is Step.DOT else 0)

    asyncio.run(main())


@pytest.mark.row(56)
def test_a_reply_glued_to_the_354_isnt_taken_for_that_to_the_dot() -> None:
    """The server refuses the content; a client that reads on pairs the wrong replies."""

    async def main() -> None:
        script = {
            Step.DATA: glue(b"250 2.0.0 Accepted\r\n"),
            Step.DOT: reply(554, "5.6.0 content refused"),
        }
        async with ScriptedServer(script) as server:
            session = await connected(server)
            assert (await one(session)).kind is Kind.OUT_OF_STEP
            await closed(session, server)
            assert server.accepted == []
            assert [submission.content for submission in server.submissions] == [b""]

    asyncio.run(main())


@pytest.mark.row(56)
@pytest.mark.parametrize("said", [b"250 2.0.0 late\r\n", b"421 4.4.2 idle\r\n", b"\x00"])
def test_a_session_that_is_spoken_to_between_emails_isnt_used_again(said: bytes) -> None:
    async def main() -> None:
        normal = b"250 2.0.0 Accepted\r\n"
        late = trickle(LATE_SECONDS, glue(said), piece_bytes=len(normal))
        async with ScriptedServer({Step.DOT: late}) as server:
            session = await connected(server)
            assert (await one(session)).kind is Kind.ACCEPTED
            await until(lambda: not session.usable)
            assert (await one(session, sender=SECOND)).kind is Kind.OUT_OF_STEP
            await closed(session, server)
            assert [taken.sender for taken in server.accepted] == [FIRST]
            assert verbs(server) == ["MAIL", "RCPT", "DATA"]

    asyncio.run(main())


@pytest.mark.row(56)
def test_a_verdict_that_may_have_been_the_answer_to_something_else_is_dropped() -> None:
    """A 550 too many behind MAIL shifts every reply by one: Ann isn't refused, nor is Bob."""

    async def main() -> None:
        normal = b"250 2.1.0 Sender OK\r\n"
        late = trickle(LATE_SECONDS, glue(b"550 5.1.1 who?\r\n"), piece_bytes=len(normal))
        async with ScriptedServer({Step.MAIL: late}) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, ANN, BOB, CYD)
            assert kinds(outcomes) == [Kind.OUT_OF_STEP] * 3
            assert not session.usable
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


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
def test_a_lost_connection_is_in_doubt_only_behind_the_dot(
    tls: Tls, step: Step, kind: Kind, *, reset: bool
) -> None:
    async def main() -> None:
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer({step: drop(reset=reset)}, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            outcome = await one(session)
            assert (outcome.kind, outcome.scope) == (kind, Scope.CONNECTION)
            assert not session.usable
            await closed(session, server)
            assert len(server.accepted) == (1 if kind is Kind.IN_DOUBT else 0)

    asyncio.run(main())


@pytest.mark.parametrize("tls", [Tls.NONE, Tls.IMPLICIT])
@pytest.mark.parametrize(
    ("step", "kind"),
    [
        *[pytest.param(s, Kind.OUT_OF_STEP, marks=pytest.mark.row(51)) for s in ENVELOPE],
        pytest.param(Step.DOT, Kind.IN_DOUBT, marks=pytest.mark.row(52)),
    ],
)
def test_silence_is_in_doubt_only_behind_the_dot(tls: Tls, step: Step, kind: Kind) -> None:
    async def main() -> None:
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer({step: hang()}, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            deadline = impatient(session, STAGES[step])
            (outcome,) = await session.send(email(), deadline)
            assert (outcome.kind, outcome.detail) == (kind, "timed out waiting for the reply")
            assert not session.usable
            await closed(session, server)
            assert len(server.accepted) == (1 if kind is Kind.IN_DOUBT else 0)

    asyncio.run(main())


@pytest.mark.row(51)
@pytest.mark.parametrize("tls", Tls)
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
@pytest.mark.parametrize("octets", [LARGE_BYTES])
def test_a_connection_lost_in_a_large_body_certainly_didnt_send_it(
    tls: Tls, octets: int, *, reset: bool
) -> None:
    async def main() -> None:
        offer = ANY_SIZE if tls is Tls.NONE else ANY_SIZE_WITH_LOGIN
        script = {Step.BODY: [in_body(100_000, drop(reset=reset))]}
        async with ScriptedServer(script, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            (outcome,) = await session.send(email(content=content_of(octets)), soon())
            assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.BODY)
            assert not session.usable
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


@pytest.mark.row(51)
@pytest.mark.row(58)
@pytest.mark.parametrize("tls", Tls)
def test_a_body_that_isnt_read_certainly_didnt_get_through(tls: Tls) -> None:
    async def main() -> None:
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

    asyncio.run(main())


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
def test_a_reply_in_the_middle_of_the_body_ends_it(
    tls: Tls, said: Action, kind: Kind, reason: Reason
) -> None:
    async def main() -> None:
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

    asyncio.run(main())


@pytest.mark.row(51)
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_server_gone_behind_its_354_doesnt_make_a_small_body_certain(*, reset: bool) -> None:
    async def main() -> None:
        async with ScriptedServer({Step.DATA: drop(reset=reset, after=NORMAL)}) as server:
            session = await connected(server)
            assert (await one(session)).kind in {Kind.OUT_OF_STEP, Kind.IN_DOUBT}
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


def test_a_trickled_reply_is_waited_for() -> None:
    async def main() -> None:
        slow = trickle(0.001)
        script = dict.fromkeys([*ENVELOPE, Step.DOT], slow)
        async with ScriptedServer(script) as server:
            session = await connected(server)
            assert (await one(session)).kind is Kind.ACCEPTED
            await closed(session, server)

    asyncio.run(main())


# -- RSET and QUIT -------------------------------------------------------------------------


@pytest.mark.row(57)
@pytest.mark.parametrize(
    "fault",
    [hang(), drop(), drop(reset=True), reply(500), reply(421), reply(354), glue(b"250 x\r\n")],
    ids=range(7),
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
def test_a_verdict_stands_whatever_becomes_of_rset(step: Step, fault: Action) -> None:
    async def main() -> None:
        script = {step: reply(550, "5.0.0 no"), Step.RSET: fault}
        async with ScriptedServer(script) as server:
            session = await connected(server)
            deadline = impatient(session, STAGES[step], 0.3)
            (outcome,) = await session.send(email(), deadline)
            assert (outcome.kind, outcome.stage) == (Kind.PERMANENT, STAGES[step])
            assert not session.usable
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT, Step.RSET])
def test_a_session_whose_sender_was_cancelled_isnt_used_again(step: Step) -> None:
    async def main() -> None:
        script = {step: hang()}
        recipients = {ANN: reply(550)} if step is Step.RSET else {}
        async with ScriptedServer(script, recipients=recipients) as server:
            session = await connected(server)
            sending = asyncio.ensure_future(session.send(email(), soon()))
            last = "DATA" if step is Step.DOT else step.name
            await until(lambda: last in verbs(server))
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert not session.usable
            await closed(session, server)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("tls", "fault"),
    [
        (Tls.NONE, NORMAL),
        (Tls.NONE, drop()),
        (Tls.NONE, drop(reset=True)),
        (Tls.NONE, garbage(b"?\r\n")),
        (Tls.NONE, reply(500)),
        (Tls.NONE, reply(421, close=True)),
        (Tls.NONE, hang()),  # 2 seconds
        (Tls.IMPLICIT, NORMAL),
        (Tls.IMPLICIT, drop()),
        (Tls.STARTTLS, NORMAL),
    ],
)
def test_quit_ends_the_session_whatever_the_server_says(tls: Tls, fault: Action) -> None:
    async def main() -> None:
        offer = WITH_LOGIN if tls is not Tls.NONE else None
        async with ScriptedServer({Step.QUIT: fault}, tls=tls, offer=offer) as server:
            session = await connected(server, tls)
            await session.quit()
            assert not session.usable
            await session.quit()
            await closed(session, server)
            assert server.sessions[0].verbs.count("QUIT") == 1

    asyncio.run(main())


# -- several recipients --------------------------------------------------------------------


@pytest.mark.row(48)
def test_each_recipient_has_a_fate_of_its_own() -> None:
    async def main() -> None:
        recipients = {BOB: reply(450, "4.2.0 busy"), CYD: reply(550, "5.1.1 who?")}
        async with ScriptedServer(recipients=recipients) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, CYD, ANN, BOB)
            assert kinds(outcomes) == [Kind.PERMANENT, Kind.ACCEPTED, Kind.TRANSIENT]
            assert session.usable
            await closed(session, server)
            assert [taken.recipients for taken in server.accepted] == [(ANN,)]

    asyncio.run(main())


@pytest.mark.row(48)
@pytest.mark.parametrize(
    ("step", "fault", "kind"),
    [
        (Step.DATA, drop(), Kind.OUT_OF_STEP),
        (Step.DATA, reply(451), Kind.TRANSIENT),
        (Step.DOT, drop(), Kind.IN_DOUBT),
        (Step.DOT, reply(451), Kind.TRANSIENT),
        (Step.DOT, reply(554), Kind.PERMANENT),
    ],
)
def test_who_was_refused_stays_refused_though_the_rest_fails(
    step: Step, fault: Action, kind: Kind
) -> None:
    async def main() -> None:
        recipients = {ANN: reply(550, "5.1.1 who?")}
        async with ScriptedServer({step: fault}, recipients=recipients) as server:
            session = await connected(server)
            refused, other = await outcomes_of(session, ANN, BOB)
            assert (refused.kind, refused.stage) == (Kind.PERMANENT, Stage.RCPT)
            assert (other.kind, other.stage) == (kind, STAGES[step])
            await closed(session, server)

    asyncio.run(main())


@pytest.mark.row(45)
def test_421_to_one_recipient_leaves_none_sent() -> None:
    async def main() -> None:
        async with ScriptedServer(recipients={BOB: reply(421, close=True)}) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, ANN, BOB, CYD)
            assert kinds(outcomes) == [Kind.TRANSIENT] * 3
            assert not session.usable
            await closed(session, server)
            assert server.submissions == []

    asyncio.run(main())


@pytest.mark.row(47)
def test_no_data_is_said_if_all_are_refused() -> None:
    async def main() -> None:
        async with ScriptedServer({Step.RCPT: reply(550, "5.1.1 who?")}) as server:
            session = await connected(server)
            assert kinds(await outcomes_of(session, ANN, BOB)) == [Kind.PERMANENT] * 2
            await closed(session, server)
            assert verbs(server) == ["MAIL", "RCPT", "RCPT", "RSET"]

    asyncio.run(main())


@pytest.mark.row(49)
@pytest.mark.parametrize(
    "refusal",
    [
        reply(452, "4.5.3 Too many recipients"),
        reply(452, "Too many recipients"),
        reply(552, "5.5.3 Too many recipients"),
        reply(552, "Too many recipients"),
        reply(552, "4.5.3 Too many recipients"),
    ],
)
@pytest.mark.parametrize("at_a_time", [1, 2, 5, 6])
def test_too_many_recipients_go_at_once_in_further_transactions(
    refusal: Action, at_a_time: int
) -> None:
    everybody = [f"r{i}@example.org" for i in range(6)]

    async def main() -> None:
        def script(moment: Moment) -> Action:
            full = moment.step is Step.RCPT and taken(server, moment.session) >= at_a_time
            return refusal if full else NORMAL

        async with ScriptedServer(script) as server:
            session = await connected(server)
            assert kinds(await outcomes_of(session, *everybody)) == [Kind.ACCEPTED] * 6
            assert session.usable
            await closed(session, server)
            got = [recipient for mail in server.accepted for recipient in mail.recipients]
            assert got == everybody
            assert len(server.accepted) == -(-6 // at_a_time)

    def taken(server: ScriptedServer, session: int) -> int:
        """Recipients since the last MAIL, this one not counted."""
        said = server.sessions[session - 1].verbs
        since_mail = said[len(said) - said[::-1].index("MAIL") :]
        return since_mail.count("RCPT") - 1

    asyncio.run(main())


@pytest.mark.row(49)
@pytest.mark.parametrize("fault", [NORMAL, reply(451), reply(554)])
def test_a_server_that_takes_one_at_a_time_comes_to_an_end(fault: Action) -> None:
    everybody = [f"r{i}@example.org" for i in range(7)]

    async def main() -> None:
        offer = Offer(max_recipients=1)
        async with ScriptedServer(
            {Step.DATA: fault} if fault != NORMAL else {}, offer=offer
        ) as server:
            session = await connected(server)
            outcome = await one(session, *everybody)
            await closed(session, server)
            assert verbs(server).count("MAIL") == 7
            assert (outcome.kind is Kind.ACCEPTED) == (fault == NORMAL)

    asyncio.run(main())


@pytest.mark.row(46)
@pytest.mark.parametrize("code", [452, 552])
def test_too_many_cant_be_said_about_the_first(code: int) -> None:
    async def main() -> None:
        async with ScriptedServer({Step.RCPT: reply(code, "no room")}) as server:
            session = await connected(server)
            kind = Kind.TRANSIENT if code == 452 else Kind.PERMANENT
            assert (await one(session, ANN, BOB)).kind is kind
            await closed(session, server)
            assert verbs(server).count("MAIL") == 1

    asyncio.run(main())


@pytest.mark.row(49)
@pytest.mark.parametrize("fault", [drop(), drop(after=NORMAL), reply(421, close=True)])
def test_who_was_one_too_many_gets_another_connection_if_this_one_is_lost(fault: Action) -> None:
    async def main() -> None:
        async with ScriptedServer({Step.DOT: fault}, offer=Offer(max_recipients=1)) as server:
            session = await connected(server)
            first, *rest = await outcomes_of(session, ANN, BOB, CYD)
            assert first.kind is not Kind.OUT_OF_STEP
            assert [outcome.kind for outcome in rest] == [Kind.OUT_OF_STEP] * 2
            await closed(session, server)
            assert {r for mail in server.accepted for r in mail.recipients} <= {ANN}

    asyncio.run(main())


class AsExim:
    """With `recipients_max_reject`: one recipient too many, and nobody gets the email."""

    def __init__(self, most: int, *, one_by_one: bool, said: Action) -> None:
        self._most, self._one_by_one, self._said = most, one_by_one, said
        self._recipients = 0

    def __call__(self, moment: Moment) -> Action:
        if moment.step is Step.MAIL:
            self._recipients = 0
        elif moment.step is Step.RCPT:
            self._recipients += 1
            if self._one_by_one and self._recipients > self._most:
                return reply(552, "too many recipients")
        elif moment.step is Step.DATA and self._recipients > self._most:
            return self._said
        return NORMAL


@pytest.mark.row(49)
@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize(
    "said", [reply(554, "Too many recipients"), reply(451, "4.5.3 Too many recipients")]
)
def test_a_whole_that_is_refused_for_its_recipients_goes_in_smaller_ones(
    said: Action, *, one_by_one: bool, pipelining: bool
) -> None:
    everybody = [f"r{i}@example.org" for i in range(11)]

    async def main() -> None:
        script = AsExim(6, one_by_one=one_by_one, said=said)
        async with ScriptedServer(script, offer=Offer(pipelining=pipelining)) as server:
            session = await connected(server)
            for _ in range(2):
                assert kinds(await outcomes_of(session, *everybody)) == [Kind.ACCEPTED] * 11
            assert session.usable
            await closed(session, server)
            got = [recipient for mail in server.accepted for recipient in mail.recipients]
            assert sorted(got) == sorted(2 * everybody)
            most = max(len(mail.recipients) for mail in server.accepted)
            assert most == (6 if one_by_one else 5)

    asyncio.run(main())


@pytest.mark.row(49)
@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (reply(554, "Too many recipients"), Kind.PERMANENT),
        (reply(451, "4.5.3 Too many recipients"), Kind.TRANSIENT),
    ],
)
def test_a_server_that_finds_any_number_too_many_is_believed(
    said: Action, kind: Kind, *, one_by_one: bool
) -> None:
    async def main() -> None:
        script = AsExim(0, one_by_one=False, said=said)
        recipients = {CYD: reply(550, "5.1.1 no such user")} if one_by_one else {}
        async with ScriptedServer(script, recipients=recipients) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, ANN, BOB, CYD)
            assert kinds(outcomes) == [kind, kind, Kind.PERMANENT if one_by_one else kind]
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


@pytest.mark.row(49)
def test_fewer_recipients_are_tried_once() -> None:
    everybody = [f"r{i}@example.org" for i in range(8)]

    async def main() -> None:
        script = AsExim(0, one_by_one=False, said=reply(554, "Too many recipients"))
        async with ScriptedServer(script) as server:
            session = await connected(server)
            assert set(kinds(await outcomes_of(session, *everybody))) == {Kind.PERMANENT}
            await closed(session, server)
            assert verbs(server).count("MAIL") == 3, "eight at a time, and then twice four"

    asyncio.run(main())


@pytest.mark.row(49)
def test_many_recipients_go_in_several_transactions() -> None:
    everybody = [f"r{i}@example.org" for i in range(2 * RECIPIENTS_PER_TRANSACTION + 1)]

    async def main() -> None:
        async with ScriptedServer() as server:
            session = await connected(server)
            assert (await one(session, *everybody)).kind is Kind.ACCEPTED
            await closed(session, server)
            counts = [len(mail.recipients) for mail in server.accepted]
            assert counts == [RECIPIENTS_PER_TRANSACTION, RECIPIENTS_PER_TRANSACTION, 1]
            got = [recipient for mail in server.accepted for recipient in mail.recipients]
            assert got == everybody

    asyncio.run(main())


@pytest.mark.row(52)
def test_a_loss_in_the_second_transaction_leaves_the_first_sent() -> None:
    everybody = [f"r{i}@example.org" for i in range(3 * RECIPIENTS_PER_TRANSACTION)]

    async def main() -> None:
        async with ScriptedServer({Step.DOT: [NORMAL, drop()]}) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, *everybody)
            each = [Kind.ACCEPTED, Kind.IN_DOUBT, Kind.OUT_OF_STEP]
            expected = [kind for kind in each for _ in range(RECIPIENTS_PER_TRANSACTION)]
            assert kinds(outcomes) == expected
            await closed(session, server)

    asyncio.run(main())


def test_a_recipient_named_twice_gets_one_copy_and_both_its_outcomes() -> None:
    async def main() -> None:
        script = {Step.RCPT: last_repeats(NORMAL, NORMAL, reply(550, "5.1.1 again?"))}
        async with ScriptedServer(script) as server:
            session = await connected(server)
            outcomes = await outcomes_of(session, ANN, BOB, ANN)
            assert kinds(outcomes) == [Kind.ACCEPTED] * 3
            await closed(session, server)
            assert [taken.recipients for taken in server.accepted] == [(ANN, BOB)]

    asyncio.run(main())


# -- before MAIL ---------------------------------------------------------------------------


@pytest.mark.row(59)
@pytest.mark.parametrize(
    ("limit", "octets", "kind"),
    [
        ("SIZE 1000", 1_000, Kind.ACCEPTED),
        ("SIZE 1000", 1_001, Kind.PERMANENT),
        ("SIZE 0", 1_001, Kind.ACCEPTED),
        ("SIZE", 1_001, Kind.ACCEPTED),
        ("SIZE=1000", 1_001, Kind.ACCEPTED),
        ("SIZE a lot", 1_001, Kind.ACCEPTED),
        ("SIZE -1", 1_001, Kind.ACCEPTED),
        ("SIZE " + "9" * 20, 1_001, Kind.ACCEPTED),
        ("SIZE " + "9" * 5_000, 1_001, Kind.ACCEPTED),
        ("8BITMIME", 1_001, Kind.ACCEPTED),
    ],
)
def test_what_is_larger_than_the_server_takes_isnt_offered(
    limit: str, octets: int, kind: Kind
) -> None:
    async def main() -> None:
        script = {Step.EHLO: garbage(f"250-smtp.example\r\n250 {limit}\r\n".encode())}
        async with ScriptedServer(script) as server:
            session = await connected(server)
            line = b"x" * 98 + b"\r\n"
            content = b"y" * (octets - 902) + b"\r\n" + line * 9
            assert len(content) == octets
            (outcome,) = await session.send(email(content=content), soon())
            assert outcome.kind is kind, outcome
            assert session.usable
            await closed(session, server)
            if kind is Kind.PERMANENT:
                assert outcome.reason is Reason.TOO_LARGE
                assert verbs(server) == []

    asyncio.run(main())


@pytest.mark.row(8)
@pytest.mark.parametrize("offered", [True, False])
def test_an_address_that_isnt_ascii_needs_smtputf8(*, offered: bool) -> None:
    jorg = "jörg@example.org"

    async def main() -> None:
        async with ScriptedServer(offer=Offer(smtputf8=offered)) as server:
            session = await connected(server)
            (outcome,) = await session.send(email(jorg, smtputf8=True), soon())
            await closed(session, server)
            if offered:
                assert outcome.kind is Kind.ACCEPTED
                (taken,) = server.accepted
                assert taken.recipients == (jorg,)
                assert {"BODY=8BITMIME", "SMTPUTF8"} <= set(taken.parameters)
            else:
                assert (outcome.kind, outcome.reason) == (
                    Kind.PERMANENT,
                    Reason.SMTPUTF8_UNSUPPORTED,
                )
                assert verbs(server) == []

    asyncio.run(main())


@pytest.mark.row(8)
@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
def test_a_recipient_in_no_header_whose_address_isnt_ascii_takes_no_other_along(
    *, offered: bool, pipelining: bool
) -> None:
    jorg = "jörg@example.org"

    async def main() -> None:
        offer = Offer(smtputf8=offered, pipelining=pipelining)
        async with ScriptedServer(offer=offer) as server:
            session = await connected(server)
            outcomes = await session.send(email(ANN, jorg, BOB), soon())
            await closed(session, server)
            refused = (Kind.PERMANENT, Reason.SMTPUTF8_UNSUPPORTED)
            taken = (Kind.ACCEPTED, Reason.ACCEPTED)
            assert [(one.kind, one.reason) for one in outcomes] == [
                taken,
                taken if offered else refused,
                taken,
            ]
            (mail,) = server.accepted
            assert mail.recipients == ((ANN, jorg, BOB) if offered else (ANN, BOB))
            assert ("SMTPUTF8" in mail.parameters) is offered

    asyncio.run(main())


# -- the deadline --------------------------------------------------------------------------


@pytest.mark.row(27)
def test_no_data_is_begun_without_the_time_to_wait_for_its_dot() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            session = await connected(server)
            deadline = Deadline.after(DOT_BUDGET_SECONDS - 1)
            (outcome,) = await session.send(email(), deadline)
            assert (outcome.reason, outcome.scope) == (Reason.DEADLINE, Scope.SITE)
            assert session.usable
            assert (await one(session, sender=SECOND)).kind is Kind.ACCEPTED
            await closed(session, server)
            assert verbs(server) == ["MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]

    asyncio.run(main())


@pytest.mark.row(27)
def test_the_dot_isnt_sent_if_the_354_has_used_up_its_time() -> None:
    async def main() -> None:
        async with ScriptedServer() as server:
            session = await connected(server)
            deadline = impatient(session, Stage.BODY, DOT_BUDGET_SECONDS)
            (outcome,) = await session.send(email(), deadline)
            assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.BODY)
            assert not session.usable
            await closed(session, server)
            assert server.accepted == []

    asyncio.run(main())


@pytest.mark.row(27)
def test_a_deadline_that_has_passed_ends_everything_at_once() -> None:
    async def main() -> None:
        everybody = [f"r{i}@example.org" for i in range(120)]
        async with ScriptedServer() as server:
            session = await connected(server)
            outcomes = await session.send(email(*everybody), Deadline.after(0))
            assert set(kinds(outcomes)) <= {Kind.OUT_OF_STEP, Kind.UNAVAILABLE}
            await closed(session, server)
            assert server.submissions == []

    asyncio.run(main())
