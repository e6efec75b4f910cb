"""Several recipients of one email: each has a fate of its own."""

import asyncio

import pytest

from ion.outcome import Kind, Stage
from ion.smtp.session import RECIPIENTS_PER_TRANSACTION
from smtp.client import (
    ANN,
    BOB,
    CYD,
    closed,
    connected,
    kinds,
)
from smtp.conversing import STAGES, one, outcomes_of, verbs
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    drop,
    last_repeats,
    reply,
)

# -- several recipients --------------------------------------------------------------------


@pytest.mark.row(48)
async def test_each_recipient_has_a_fate_of_its_own() -> None:
    recipients = {BOB: reply(450, "4.2.0 busy"), CYD: reply(550, "5.1.1 who?")}
    async with ScriptedServer(recipients=recipients) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, CYD, ANN, BOB)
        assert kinds(outcomes) == [Kind.PERMANENT, Kind.ACCEPTED, Kind.TRANSIENT]
        assert session.usable
        await closed(session, server)
        assert [taken.recipients for taken in server.accepted] == [(ANN,)]


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
async def test_who_was_refused_stays_refused_though_the_rest_fails(
    step: Step, fault: Action, kind: Kind
) -> None:
    recipients = {ANN: reply(550, "5.1.1 who?")}
    async with ScriptedServer({step: fault}, recipients=recipients) as server:
        session = await connected(server)
        refused, other = await outcomes_of(session, ANN, BOB)
        assert (refused.kind, refused.stage) == (Kind.PERMANENT, Stage.RCPT)
        assert (other.kind, other.stage) == (kind, STAGES[step])
        await closed(session, server)


@pytest.mark.row(45)
async def test_421_to_one_recipient_leaves_none_sent() -> None:
    async with ScriptedServer(recipients={BOB: reply(421, close=True)}) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, ANN, BOB, CYD)
        assert kinds(outcomes) == [Kind.TRANSIENT] * 3
        assert not session.usable
        await closed(session, server)
        assert server.submissions == []


@pytest.mark.row(47)
async def test_no_data_is_said_if_all_are_refused() -> None:
    async with ScriptedServer({Step.RCPT: reply(550, "5.1.1 who?")}) as server:
        session = await connected(server)
        assert kinds(await outcomes_of(session, ANN, BOB)) == [Kind.PERMANENT] * 2
        await closed(session, server)
        assert verbs(server) == ["MAIL", "RCPT", "RCPT", "RSET"]


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
async def test_a_server_that_takes_one_at_a_time_comes_to_an_end(fault: Action) -> None:
    everybody = [f"r{i}@example.org" for i in range(7)]

    offer = Offer(max_recipients=1)
    async with ScriptedServer({Step.DATA: fault} if fault != NORMAL else {}, offer=offer) as server:
        session = await connected(server)
        outcome = await one(session, *everybody)
        await closed(session, server)
        assert verbs(server).count("MAIL") == 7
        assert (outcome.kind is Kind.ACCEPTED) == (fault == NORMAL)


@pytest.mark.row(46)
@pytest.mark.parametrize("code", [452, 552])
async def test_too_many_cant_be_said_about_the_first(code: int) -> None:
    async with ScriptedServer({Step.RCPT: reply(code, "no room")}) as server:
        session = await connected(server)
        kind = Kind.TRANSIENT if code == 452 else Kind.PERMANENT
        assert (await one(session, ANN, BOB)).kind is kind
        await closed(session, server)
        assert verbs(server).count("MAIL") == 1


@pytest.mark.row(49)
@pytest.mark.parametrize("fault", [drop(), drop(after=NORMAL), reply(421, close=True)])
async def test_who_was_one_too_many_gets_another_connection_if_this_one_is_lost(
    fault: Action,
) -> None:
    async with ScriptedServer({Step.DOT: fault}, offer=Offer(max_recipients=1)) as server:
        session = await connected(server)
        first, *rest = await outcomes_of(session, ANN, BOB, CYD)
        assert first.kind is not Kind.OUT_OF_STEP
        assert [outcome.kind for outcome in rest] == [Kind.OUT_OF_STEP] * 2
        await closed(session, server)
        assert {r for mail in server.accepted for r in mail.recipients} <= {ANN}


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
async def test_a_whole_that_is_refused_for_its_recipients_goes_in_smaller_ones(
    said: Action, *, one_by_one: bool, pipelining: bool
) -> None:
    everybody = [f"r{i}@example.org" for i in range(11)]

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


@pytest.mark.row(49)
@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (reply(554, "Too many recipients"), Kind.PERMANENT),
        (reply(451, "4.5.3 Too many recipients"), Kind.TRANSIENT),
    ],
)
async def test_a_server_that_finds_any_number_too_many_is_believed(
    said: Action, kind: Kind, *, one_by_one: bool
) -> None:
    script = AsExim(0, one_by_one=False, said=said)
    recipients = {CYD: reply(550, "5.1.1 no such user")} if one_by_one else {}
    async with ScriptedServer(script, recipients=recipients) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, ANN, BOB, CYD)
        assert kinds(outcomes) == [kind, kind, Kind.PERMANENT if one_by_one else kind]
        await closed(session, server)
        assert server.accepted == []


@pytest.mark.row(49)
async def test_fewer_recipients_are_tried_once() -> None:
    everybody = [f"r{i}@example.org" for i in range(8)]

    script = AsExim(0, one_by_one=False, said=reply(554, "Too many recipients"))
    async with ScriptedServer(script) as server:
        session = await connected(server)
        assert set(kinds(await outcomes_of(session, *everybody))) == {Kind.PERMANENT}
        await closed(session, server)
        assert verbs(server).count("MAIL") == 3, "eight at a time, and then twice four"


@pytest.mark.row(49)
async def test_many_recipients_go_in_several_transactions() -> None:
    everybody = [f"r{i}@example.org" for i in range(2 * RECIPIENTS_PER_TRANSACTION + 1)]

    async with ScriptedServer() as server:
        session = await connected(server)
        assert (await one(session, *everybody)).kind is Kind.ACCEPTED
        await closed(session, server)
        counts = [len(mail.recipients) for mail in server.accepted]
        assert counts == [RECIPIENTS_PER_TRANSACTION, RECIPIENTS_PER_TRANSACTION, 1]
        got = [recipient for mail in server.accepted for recipient in mail.recipients]
        assert got == everybody


@pytest.mark.row(52)
async def test_a_loss_in_the_second_transaction_leaves_the_first_sent() -> None:
    everybody = [f"r{i}@example.org" for i in range(3 * RECIPIENTS_PER_TRANSACTION)]

    async with ScriptedServer({Step.DOT: [NORMAL, drop()]}) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, *everybody)
        each = [Kind.ACCEPTED, Kind.IN_DOUBT, Kind.OUT_OF_STEP]
        expected = [kind for kind in each for _ in range(RECIPIENTS_PER_TRANSACTION)]
        assert kinds(outcomes) == expected
        await closed(session, server)


async def test_a_recipient_named_twice_gets_one_copy_and_both_its_outcomes() -> None:
    script = {Step.RCPT: last_repeats(NORMAL, NORMAL, reply(550, "5.1.1 again?"))}
    async with ScriptedServer(script) as server:
        session = await connected(server)
        outcomes = await outcomes_of(session, ANN, BOB, ANN)
        assert kinds(outcomes) == [Kind.ACCEPTED] * 3
        await closed(session, server)
        assert [taken.recipients for taken in server.accepted] == [(ANN, BOB)]
