"""MAIL to the final dot: what is reported is what the server has, whatever it says or doesn't."""

import asyncio
from collections.abc import Callable

import pytest

from ion.deadline import Deadline
from ion.limits import DOT_BUDGET_SECONDS
from ion.outcome import Kind, Reason, Scope, Stage
from smtp.client import (
    ANN,
    BOB,
    CYD,
    FIRST,
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
from smtp.conversing import ENVELOPE, STAGES, one, outcomes_of, verbs
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
    reply,
    trickle,
)

LATE_SECONDS = 0.02

Script = dict[Step, Action] | dict[Step, list[Action]] | Callable[[Moment], Action]


# -- what arrives --------------------------------------------------------------------------


@pytest.mark.parametrize("tls", Tls)
@pytest.mark.parametrize("octets", [200, 16_000, 17_000, 1_500_000])
async def test_what_is_sent_is_what_arrives(tls: Tls, octets: int) -> None:
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
async def test_dots_in_the_content_neither_end_it_nor_get_lost(content: bytes) -> None:
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


@pytest.mark.row(53)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DOT])
@pytest.mark.parametrize("code", [200, 211, 250, 251, 252, 299])
async def test_any_2xx_is_success(step: Step, code: int) -> None:
    async with ScriptedServer({step: reply(code, "fine")}) as server:
        session = await connected(server)
        outcome = await one(session)
        assert (outcome.kind, session.usable) == (Kind.ACCEPTED, True)
        await closed(session, server)
        assert len(server.accepted) == 1


# -- refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *[pytest.param(c, Kind.TRANSIENT, marks=pytest.mark.row(46)) for c in (450, 451, 452)],
        *[pytest.param(c, Kind.PERMANENT, marks=pytest.mark.row(47)) for c in (550, 552, 553, 554)],
    ],
)
async def test_a_refusal_is_reported_and_the_connection_kept_behind_rset(
    step: Step, code: int, kind: Kind
) -> None:
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


@pytest.mark.row(45)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("closes", [True, False])
async def test_421_closes_the_connection_and_is_transient(step: Step, *, closes: bool) -> None:
    async with ScriptedServer({step: reply(421, "4.3.2 bye", close=closes)}) as server:
        session = await connected(server)
        outcome = await one(session)
        assert (outcome.kind, outcome.scope) == (Kind.TRANSIENT, Scope.CONNECTION)
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []
        assert "RSET" not in verbs(server)


# -- out of step ---------------------------------------------------------------------------


@pytest.mark.row(54)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("code", [300, 354, 399, 500, 501, 502, 503, 555])
async def test_what_no_server_says_to_a_valid_command_is_out_of_step(step: Step, code: int) -> None:
    if (step, code) in {(Step.DATA, 354), (Step.MAIL, 501), (Step.RCPT, 501)}:
        return  # that is what it says, or what it thinks of an address

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


@pytest.mark.row(50)
@pytest.mark.row(54)
@pytest.mark.parametrize("code", [200, 250, 252])
async def test_success_in_reply_to_data_is_out_of_step(code: int) -> None:
    async with ScriptedServer({Step.DATA: reply(code, "2.0.0 sent, really")}) as server:
        session = await connected(server)
        assert (await one(session)).kind is Kind.OUT_OF_STEP
        assert not session.usable
        await closed(session, server)
        assert server.submissions == []


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
async def test_what_is_no_reply_is_never_believed(step: Step, raw: bytes, tls: Tls) -> None:
    offer = WITH_LOGIN if tls is not Tls.NONE else None
    async with ScriptedServer({step: garbage(raw)}, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        outcome = await one(session)
        assert outcome.kind is (Kind.IN_DOUBT if step is Step.DOT else Kind.OUT_OF_STEP)
        assert not session.usable
        await closed(session, server)
        assert len(server.accepted) == (1 if step is Step.DOT else 0)


@pytest.mark.row(55)
@pytest.mark.parametrize("tls", [Tls.NONE, Tls.STARTTLS])
async def test_a_long_reply_is_read_whole(tls: Tls) -> None:
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


async def test_the_text_of_a_reply_may_be_anything_up_to_its_newline() -> None:
    raw = b"550-5.1.1 caf\xe9 \x00\x1b[31m\n550 5.1.1 <ann@example.org>\xff\n"
    async with ScriptedServer({Step.MAIL: garbage(raw)}) as server:
        session = await connected(server)
        outcome = await one(session)
        assert outcome.kind is Kind.PERMANENT
        assert str(outcome)
        await closed(session, server)


@pytest.mark.row(56)
@pytest.mark.parametrize("step", [*ENVELOPE, Step.DOT])
@pytest.mark.parametrize("extra", [b"250 2.0.0 glued\r\n", b"550 5.0.0 glued\r\n", b"2", b"\r\n"])
async def test_more_than_one_reply_is_never_believed(step: Step, extra: bytes) -> None:
    async with ScriptedServer({step: [glue(extra)]}) as server:
        session = await connected(server)
        outcome = await one(session)
        assert outcome.kind is (Kind.IN_DOUBT if step is Step.DOT else Kind.OUT_OF_STEP)
        assert not session.usable
        await closed(session, server)
        assert len(server.accepted) == (1 if step is Step.DOT else 0)


@pytest.mark.row(56)
async def test_a_reply_glued_to_the_354_isnt_taken_for_that_to_the_dot() -> None:
    """The server refuses the content; a client that reads on pairs the wrong replies."""
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


@pytest.mark.row(56)
@pytest.mark.parametrize("said", [b"250 2.0.0 late\r\n", b"421 4.4.2 idle\r\n", b"\x00"])
async def test_a_session_that_is_spoken_to_between_emails_isnt_used_again(said: bytes) -> None:
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


@pytest.mark.row(56)
async def test_a_verdict_that_may_have_been_the_answer_to_something_else_is_dropped() -> None:
    """A 550 too many behind MAIL shifts every reply by one: Ann isn't refused, nor is Bob."""
    normal = b"250 2.1.0 Sender OK\r\n"
    late = trickle(LATE_SECONDS, glue(b"550 5.1.1 who?\r\n"), piece_bytes=len(normal))
    async with ScriptedServer({Step.MAIL: late}) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, ANN, BOB, CYD)
        assert kinds(outcomes) == [Kind.OUT_OF_STEP] * 3
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []


# -- RSET and QUIT -------------------------------------------------------------------------


@pytest.mark.row(57)
@pytest.mark.parametrize(
    "fault",
    [hang(), drop(), drop(reset=True), reply(500), reply(421), reply(354), glue(b"250 x\r\n")],
    ids=range(7),
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_verdict_stands_whatever_becomes_of_rset(step: Step, fault: Action) -> None:
    script = {step: reply(550, "5.0.0 no"), Step.RSET: fault}
    async with ScriptedServer(script) as server:
        session = await connected(server)
        deadline = impatient(session, STAGES[step], 0.3)
        (outcome,) = await session.send(email(), deadline)
        assert (outcome.kind, outcome.stage) == (Kind.PERMANENT, STAGES[step])
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT, Step.RSET])
async def test_a_session_whose_sender_was_cancelled_isnt_used_again(step: Step) -> None:
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
async def test_quit_ends_the_session_whatever_the_server_says(tls: Tls, fault: Action) -> None:
    offer = WITH_LOGIN if tls is not Tls.NONE else None
    async with ScriptedServer({Step.QUIT: fault}, tls=tls, offer=offer) as server:
        session = await connected(server, tls)
        await session.quit()
        assert not session.usable
        await session.quit()
        await closed(session, server)
        assert server.sessions[0].verbs.count("QUIT") == 1


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
async def test_what_is_larger_than_the_server_takes_isnt_offered(
    limit: str, octets: int, kind: Kind
) -> None:
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


@pytest.mark.row(8)
@pytest.mark.parametrize("offered", [True, False])
async def test_an_address_that_isnt_ascii_needs_smtputf8(*, offered: bool) -> None:
    jorg = "jörg@example.org"

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


@pytest.mark.row(8)
@pytest.mark.parametrize("offered", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_recipient_in_no_header_whose_address_isnt_ascii_takes_no_other_along(
    *, offered: bool, pipelining: bool
) -> None:
    jorg = "jörg@example.org"

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


# -- the deadline --------------------------------------------------------------------------


@pytest.mark.row(27)
async def test_no_data_is_begun_without_the_time_to_wait_for_its_dot() -> None:
    async with ScriptedServer() as server:
        session = await connected(server)
        deadline = Deadline.after(DOT_BUDGET_SECONDS - 1)
        (outcome,) = await session.send(email(), deadline)
        assert (outcome.reason, outcome.scope) == (Reason.DEADLINE, Scope.SITE)
        assert session.usable
        assert (await one(session, sender=SECOND)).kind is Kind.ACCEPTED
        await closed(session, server)
        assert verbs(server) == ["MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]


@pytest.mark.row(27)
async def test_the_dot_isnt_sent_if_the_354_has_used_up_its_time() -> None:
    async with ScriptedServer() as server:
        session = await connected(server)
        deadline = impatient(session, Stage.BODY, DOT_BUDGET_SECONDS)
        (outcome,) = await session.send(email(), deadline)
        assert (outcome.kind, outcome.stage) == (Kind.OUT_OF_STEP, Stage.BODY)
        assert not session.usable
        await closed(session, server)
        assert server.accepted == []


@pytest.mark.row(27)
async def test_a_deadline_that_has_passed_ends_everything_at_once() -> None:
    everybody = [f"r{i}@example.org" for i in range(120)]
    async with ScriptedServer() as server:
        session = await connected(server)
        outcomes = await session.send(email(*everybody), Deadline.after(0))
        assert set(kinds(outcomes)) <= {Kind.OUT_OF_STEP, Kind.UNAVAILABLE}
        await closed(session, server)
        assert server.submissions == []
