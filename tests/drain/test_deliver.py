"""What one attempt at one message comes to, with a real connection and a scripted server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from clock import Clock
from ion.contract import Send
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt, Status
from ion.drain.deliver import Deliverer
from ion.drain.work_item import Job
from ion.mail import compose
from ion.message import Message
from ion.outcome import Kind, Reason, Scope, Stage
from ion.policy.lease import CLAIMED, PENDING, Row, RowStatus
from ion.settings import Pipelining
from smtp.client import pool_for, soon
from smtp_server import (
    NORMAL,
    Action,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    drop,
    garbage,
    reply,
)

NOW = 1_800_000_000.0
DAY = 86_400
THIRD = 3
PATIENCE_SECONDS = 30
ANN, BOB, CAT = "ann@a.example", "bob@b.example", "cat@c.example"
MESSAGE = Message(id="m-1", receipt="r", body="{}", attributes={}, sent_at=NOW, receives=1)
SEND = Send(recipient=[ANN, BOB, CAT], subject="Hi", body_text="hello")


def job(
    send: Send = SEND,
    *,
    targets: tuple[int, ...] | None = None,
    in_doubt: InDoubt = InDoubt.RESEND_ONCE,
    attempts: int = 0,
    doubts: str = "",
) -> Job:
    """A claimed email; of earlier attempts the ledger knows their number and the doubts."""
    email = compose(
        send,
        key="order-17",
        queued_at=datetime.fromtimestamp(NOW, UTC),
        default_sender="ion@example.org",
    )
    everybody = tuple(range(len(email.envelope.recipients)))
    targets = everybody if targets is None else targets
    fates = "".join(CLAIMED if i in targets else PENDING for i in everybody)
    doubts = doubts or "0" * len(everybody)
    row = Row(RowStatus.SENDING, "token", NOW + 960, "hash", fates, doubts, attempts)
    return Job(email, row, targets, in_doubt, NOW, receives=1)


@asynccontextmanager
async def deliverer(
    server: ScriptedServer,
    *,
    connections: int = 1,
    now: Clock | None = None,
    pipelining: Pipelining = Pipelining.ENVELOPE,
) -> AsyncIterator[Deliverer]:
    async with pool_for(server, size=connections, pipelining=pipelining) as pool:
        yield Deliverer(pool, 4 * DAY, now=now or Clock(NOW), jitter=lambda: 0.5)


def delivered(
    server: ScriptedServer,
    claimed: Job | None = None,
    message: Message = MESSAGE,
    *,
    now: Clock | None = None,
) -> list[Delivery]:
    """One attempt on a new connection."""

    async def main() -> list[Delivery]:
        async with server, deliverer(server, now=now) as one:
            return await one.deliver(claimed or job(), message, Deadline.after(600))

    return asyncio.run(main())


def parts(deliveries: list[Delivery]) -> dict[Status, tuple[int, ...]]:
    return {delivery.status: delivery.recipients for delivery in deliveries}


def test_all_accepted_is_one_delivery() -> None:
    server = ScriptedServer()
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.delay_seconds) == (Status.SENT, 0)
    assert delivery.recipients == (0, 1, 2)
    assert delivery.smtp_seconds > 0
    (email,) = server.accepted
    assert (email.sender, email.recipients) == ("ion@example.org", (ANN, BOB, CAT))


def test_all_refused_is_one_delivery() -> None:
    server = ScriptedServer({Step.RCPT: reply(550, "5.1.1 no such user")})
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.recipients) == (Status.DEAD, (0, 1, 2))
    assert delivery.outcome.reason is Reason.RCPT_REJECTED
    assert server.submissions == []


@pytest.mark.row(48)
def test_recipients_that_fare_differently_are_told_apart() -> None:
    refused = reply(550, f"5.1.1 no {BOB} here")
    server = ScriptedServer(recipients={BOB: refused, CAT: reply(450, "4.2.1 busy")})
    deliveries = delivered(server)
    assert parts(deliveries) == {Status.SENT: (0,), Status.DEAD: (1,), Status.DEFERRED: (2,)}
    assert [delivery.reply.partition(" ")[2] for delivery in deliveries] == [
        "2.0.0 Accepted",
        "5.1.1 no <address> here",
        "4.2.1 busy",
    ]
    assert server.accepted[0].recipients == (ANN,)


@pytest.mark.row(48)
def test_recipients_in_all_three_fields_are_counted_through() -> None:
    send = Send(recipient=ANN, cc=BOB, bcc=[CAT, "dan@d.example"], body_text="x")
    server = ScriptedServer(recipients={"dan@d.example": reply(451, "4.3.0 later")})
    assert parts(delivered(server, job(send))) == {Status.SENT: (0, 1, 2), Status.DEFERRED: (3,)}


@pytest.mark.row(48)
def test_only_who_is_left_is_sent_to() -> None:
    server = ScriptedServer()
    (delivery,) = delivered(server, job(targets=(1, 2)))
    assert (delivery.status, delivery.recipients) == (Status.SENT, (1, 2))
    assert server.accepted[0].recipients == (BOB, CAT)


def test_a_part_that_parts_again_keeps_its_numbers() -> None:
    server = ScriptedServer(recipients={CAT: reply(450, "4.2.1 busy")})
    assert parts(delivered(server, job(targets=(1, 2)))) == {
        Status.SENT: (1,),
        Status.DEFERRED: (2,),
    }


def test_copies_of_one_message_are_the_same_octets() -> None:
    """Whoever gets two of them can tell that they are one."""
    first, second = ScriptedServer(), ScriptedServer()
    delivered(first)
    delivered(second, job(attempts=5, doubts="111"))
    assert first.accepted[0].content == second.accepted[0].content
    assert b"Message-ID: <" in first.accepted[0].content


# another connection at once, or later


def in_the_second_transaction(action: Action) -> Callable[[Moment], Action]:
    """At its MAIL."""

    def script(moment: Moment) -> Action:
        is_it = moment.step is Step.MAIL and moment.nth == 2
        return action if is_it else Action()

    return script


@pytest.mark.row(44)
@pytest.mark.parametrize(
    "action",
    [
        drop(),
        drop(reset=True),
        garbage(b"what?\r\n"),
        reply(503, "5.5.1 lost"),
        reply(421, "4.4.2 idle for too long", close=True),
    ],
)
async def test_a_kept_connection_that_fails_is_replaced_at_once(action: Action) -> None:
    server = ScriptedServer(in_the_second_transaction(action))

    async with server, deliverer(server) as one:
        for _ in range(2):
            (delivery,) = await one.deliver(job(), MESSAGE, Deadline.after(600))
            assert delivery.status is Status.SENT
    assert [email.session for email in server.accepted] == [1, 2]


@pytest.mark.row(45)
def test_a_421_on_a_new_connection_is_believed() -> None:
    server = ScriptedServer({Step.MAIL: reply(421, "4.3.2 shutting down", close=True)})
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.outcome.stage) == (Status.DEFERRED, Stage.MAIL)
    assert len(server.sessions) == 1


@pytest.mark.row(51)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
def test_a_connection_lost_before_the_dot_is_tried_once_more_and_then_later(step: Step) -> None:
    server = ScriptedServer({step: drop()})
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.delay_seconds) == (Status.DEFERRED, 60)
    assert delivery.outcome.reason is Reason.CONNECTION_LOST
    assert len(server.sessions) == 2
    assert server.accepted == []


@pytest.mark.row(52)
@pytest.mark.parametrize("action", [drop(), drop(reset=True), garbage(b"what?\r\n")])
def test_a_connection_lost_at_the_dot_is_not_tried_again_at_once(action: Action) -> None:
    server = ScriptedServer({Step.DOT: action})
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.outcome.reason) == (Status.DEFERRED, Reason.IN_DOUBT)
    assert (len(server.sessions), len(server.accepted)) == (1, 1)


@pytest.mark.row(38)
def test_a_server_that_died_meanwhile_holds_and_costs_nothing() -> None:
    server = ScriptedServer({Step.MAIL: drop(), Step.CONNECT: [Action(), reply(421, "4.3.2 bye")]})
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.outcome.reason) == (Status.RELEASED, Reason.GREETING)


async def test_a_fault_in_the_middle_of_an_email_gives_its_connection_back() -> None:
    """Whoever waits for one would wait for ever."""

    def broken() -> float:
        raise LookupError

    async with ScriptedServer() as server, deliverer(server) as one:
        async with asyncio.timeout(PATIENCE_SECONDS):
            fault, fates = await asyncio.gather(
                one.deliver(job(), MESSAGE, Deadline(0, broken)),
                one.deliver(job(), MESSAGE, soon()),
                return_exceptions=True,
            )
        assert isinstance(fault, LookupError)
        assert isinstance(fates, list)
        assert [fate.status for fate in fates] == [Status.SENT]


@pytest.mark.row(48)
def test_a_verdict_stands_when_the_others_get_another_connection() -> None:
    server = ScriptedServer(
        {Step.DATA: [drop()]}, recipients={BOB: reply(550, "5.1.1 no such user")}
    )
    assert parts(delivered(server)) == {Status.SENT: (0, 2), Status.DEAD: (1,)}
    assert "bob" not in " ".join(command.line for command in server.sessions[1].commands)


# a connection that has served its share


LIMIT = 3
MAILS_TOO_MANY = reply(452, "4.5.3 Too many recipients: Too many messages sent")


def after_some(action: Action, step: Step = Step.MAIL) -> Callable[[Moment], Action]:
    """As OpenSMTPD does after a hundred emails: it puts off, and doesn't close."""

    def script(moment: Moment) -> Action:
        is_it = moment.step is step and moment.nth_in_session > LIMIT
        return action if is_it else Action()

    return script


@pytest.mark.row(62)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT])
@pytest.mark.parametrize(
    "action",
    [
        MAILS_TOO_MANY,
        reply(451, "4.3.0 try later"),
        reply(421, "4.3.2 closing", close=True),
        reply(421, "too many messages in this connection", close=True),  # Exim
    ],
)
async def test_a_connection_on_which_emails_are_put_off_is_replaced(
    action: Action, step: Step
) -> None:
    server = ScriptedServer(after_some(action, step))

    async with server, deliverer(server) as one:
        for _ in range(4 * LIMIT):
            found = await one.deliver(job(Send(recipient=ANN, body_text="x")), MESSAGE, soon())
            assert [delivery.status for delivery in found] == [Status.SENT]
    assert [len(session_of(server, n)) for n in (1, 2, 3, 4)] == [LIMIT] * 4


def session_of(server: ScriptedServer, number: int) -> list[object]:
    return [email for email in server.accepted if email.session == number]


@pytest.mark.row(62)
async def test_what_a_fresh_connection_says_too_is_the_servers_pace() -> None:
    """A connection costs a login: it isn't replaced for each email that is put off."""
    server = ScriptedServer({Step.MAIL: [Action(), *[MAILS_TOO_MANY] * 9]})

    async with server, deliverer(server) as one:
        fates = [(await one.deliver(job(), MESSAGE, soon()))[0] for _ in range(6)]
        assert [fate.status for fate in fates] == [Status.SENT, *[Status.DEFERRED] * 5]
        assert {fate.outcome.kind for fate in fates[1:]} == {Kind.THROTTLED}
    assert len(server.sessions) == 2


@pytest.mark.parametrize(
    "recipients",
    [
        {ANN: reply(451, "4.7.1 greylisted")},
        {ANN: reply(452, "4.2.2 mailbox full")},
        {ANN: reply(451, "4.3.0 later"), BOB: reply(550, "5.1.1 no")},
        {BOB: reply(451, "4.3.0 later")},
    ],
)
async def test_what_is_said_about_a_recipient_costs_no_connection(
    recipients: dict[str, Action],
) -> None:
    server = ScriptedServer(recipients=recipients)
    first = Send(recipient=CAT, body_text="x")
    second = Send(recipient=list(dict.fromkeys([*recipients, ANN])), body_text="x")

    async with server, deliverer(server) as one:
        for send in (first, second):
            await one.deliver(job(send), MESSAGE, soon())
    assert len(server.sessions) == 1


@pytest.mark.row(54)
@pytest.mark.parametrize("pipelining", list(Pipelining))
async def test_an_email_does_not_pay_for_flights_that_the_server_cannot_take(
    pipelining: Pipelining,
) -> None:
    """The connection broke over two of them: it goes command by command, in the same attempt."""

    def script(moment: Moment) -> Action:
        broken = moment.step is Step.RCPT and moment.session < THIRD
        return drop() if broken else Action()

    server = ScriptedServer(script, offer=Offer(pipelining=True))

    async with server, deliverer(server, pipelining=pipelining) as one:
        (delivery,) = await one.deliver(job(), MESSAGE, soon())
        sent = Status.DEFERRED if pipelining is Pipelining.OFF else Status.SENT
        assert delivery.status is sent


# by what was said


@pytest.mark.parametrize(
    ("step", "action", "status", "reason", "delay"),
    [
        (Step.MAIL, reply(451, "4.3.0 later"), Status.DEFERRED, Reason.TRY_LATER, 60),
        (Step.RCPT, reply(451, "4.7.1 greylisted"), Status.DEFERRED, Reason.GREYLISTED, 300),
        (Step.DOT, reply(454, "Throttling failure"), Status.DEFERRED, Reason.THROTTLED, 1),
        (Step.DATA, reply(554, "5.7.1 policy"), Status.DEAD, Reason.DATA_REJECTED, 0),
        (Step.DOT, reply(554, "5.6.0 spam"), Status.DEAD, Reason.CONTENT_REJECTED, 0),
        (Step.MAIL, reply(550, "5.1.8 bad sender"), Status.DEAD, Reason.SENDER_REJECTED, 0),
        (Step.MAIL, reply(530, "5.7.0 log in"), Status.RELEASED, Reason.CONFIGURATION, 300),
        (Step.DOT, reply(454, "Daily message quota exceeded"), Status.RELEASED, Reason.QUOTA, 0),
        (Step.DOT, reply(252, "2.0.0 fine"), Status.SENT, Reason.ACCEPTED, 0),
    ],
)
def test_a_reply_decides_the_fate(
    step: Step, action: Action, status: Status, reason: Reason, delay: int
) -> None:
    (delivery,) = delivered(ScriptedServer({step: action}))
    assert (delivery.status, delivery.outcome.reason) == (status, reason)
    assert delivery.delay_seconds == delay


@pytest.mark.row(59)
def test_what_the_server_would_not_take_is_not_offered() -> None:
    server = ScriptedServer(offer=Offer(size_bytes=100))
    (delivery,) = delivered(server)
    assert (delivery.status, delivery.outcome.reason) == (Status.DEAD, Reason.TOO_LARGE)
    assert "MAIL" not in server.sessions[0].verbs


@pytest.mark.row(54)
@pytest.mark.parametrize(
    ("attempts", "status"), [(0, Status.DEFERRED), (1, Status.DEFERRED), (2, Status.DEAD)]
)
def test_a_server_that_never_understands_is_given_up(attempts: int, status: Status) -> None:
    server = ScriptedServer({Step.RCPT: reply(500, "5.5.1 what?")})
    (delivery,) = delivered(server, job(attempts=attempts))
    assert (delivery.status, delivery.outcome.reason) == (status, Reason.PROTOCOL)


# by what was tried before


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 30), (4, 60), (40, 60)]
)
def test_each_counted_attempt_makes_the_wait_longer(attempts: int, minutes: int) -> None:
    server = ScriptedServer({Step.MAIL: reply(451, "4.3.0 later")})
    (delivery,) = delivered(server, replace(job(attempts=attempts), receives=77))
    assert (delivery.status, delivery.delay_seconds) == (Status.DEFERRED, 60 * minutes)


@pytest.mark.row(62)
@pytest.mark.parametrize(("receives", "seconds"), [(1, 1), (2, 2), (4, 8), (99, 600)])
def test_a_throttled_message_waits_longer_each_time_though_nothing_is_counted(
    receives: int, seconds: int
) -> None:
    server = ScriptedServer({Step.DOT: reply(454, "Throttling failure: Maximum sending rate")})
    (delivery,) = delivered(server, replace(job(), receives=receives))
    assert (delivery.outcome.kind, delivery.delay_seconds) == (Kind.THROTTLED, seconds)


@pytest.mark.row(52)
@pytest.mark.parametrize(
    ("in_doubt", "doubts", "status"),
    [
        (InDoubt.RESEND_ONCE, "000", Status.DEFERRED),
        (InDoubt.RESEND_ONCE, "111", Status.DEAD),
        (InDoubt.RESEND, "000", Status.DEFERRED),
        (InDoubt.RESEND, "777", Status.DEFERRED),
        (InDoubt.PARK, "000", Status.DEAD),
    ],
)
def test_the_policy_decides_about_the_next_copy(
    in_doubt: InDoubt, doubts: str, status: Status
) -> None:
    server = ScriptedServer({Step.DOT: drop()})
    (delivery,) = delivered(server, job(in_doubt=in_doubt, doubts=doubts))
    assert (delivery.status, delivery.outcome.reason) == (status, Reason.IN_DOUBT)
    assert len(server.accepted) == 1


@pytest.mark.row(48)
@pytest.mark.row(52)
def test_the_next_copy_is_for_those_who_may_still_have_one() -> None:
    server = ScriptedServer({Step.DOT: drop()})
    assert parts(delivered(server, job(doubts="010"))) == {
        Status.DEFERRED: (0, 2),
        Status.DEAD: (1,),
    }


# by age


@pytest.mark.parametrize(
    ("age", "status", "reason"),
    [
        (0, Status.DEFERRED, Reason.TRY_LATER),
        (4 * DAY - 60, Status.DEFERRED, Reason.TRY_LATER),
        (4 * DAY - 59, Status.DEAD, Reason.EXPIRED),
        (5 * DAY, Status.DEAD, Reason.EXPIRED),
    ],
)
def test_a_message_is_given_up_when_its_next_try_would_be_too_late(
    age: float, status: Status, reason: Reason
) -> None:
    server = ScriptedServer({Step.MAIL: reply(451, "4.3.0 later")})
    (delivery,) = delivered(server, now=Clock(NOW + age))
    assert (delivery.status, delivery.outcome.reason) == (status, reason)
    assert delivery.outcome.reply is not None, "the last thing that was said stays known"


def test_the_age_counts_from_the_last_redrive() -> None:
    """To SQS, that is another message."""
    server = ScriptedServer({Step.MAIL: reply(451, "4.3.0 later")})
    (delivery,) = delivered(server, replace(job(), since=NOW + 9 * DAY), now=Clock(NOW + 10 * DAY))
    assert delivery.status is Status.DEFERRED


def test_an_old_message_is_tried_and_not_given_up_unheard() -> None:
    (delivery,) = delivered(ScriptedServer(), now=Clock(NOW + 99 * DAY))
    assert delivery.status is Status.SENT


@pytest.mark.row(47)
def test_what_the_account_is_suspended_for_costs_no_message_its_life() -> None:
    """However old it is: a person will mend that, and the queue remembers longer."""
    paused = reply(454, "4.5.2 Sending paused for this account. For more information, please see")
    (delivery,) = delivered(ScriptedServer({Step.DOT: paused}), now=Clock(NOW + 5 * DAY))
    assert (delivery.status, delivery.outcome.reason) == (Status.RELEASED, Reason.CONFIGURATION)
    assert delivery.outcome.scope is Scope.SITE


def test_the_recipients_that_expire_do_so_alone() -> None:
    server = ScriptedServer(recipients={CAT: reply(450, "4.2.1 busy")})
    deliveries = delivered(server, now=Clock(NOW + 5 * DAY))
    assert parts(deliveries) == {Status.SENT: (0, 1), Status.DEAD: (2,)}
    assert deliveries[1].outcome.reason is Reason.EXPIRED


@pytest.mark.row(46)
def test_a_full_mailbox_is_given_up_after_a_day_and_the_others_not() -> None:
    server = ScriptedServer(
        recipients={ANN: reply(452, "4.2.2 mailbox full"), BOB: reply(450, "4.2.1 busy")}
    )
    deliveries = delivered(server, now=Clock(NOW + 1.1 * DAY))
    assert parts(deliveries) == {Status.DEAD: (0,), Status.DEFERRED: (1,), Status.SENT: (2,)}
    assert deliveries[0].outcome.reason is Reason.EXPIRED


@pytest.mark.parametrize(("most", "recipients"), [(1, 80), (2, 120)])
def test_a_connection_that_is_full_between_two_transactions_of_an_email_is_replaced(
    most: int, recipients: int
) -> None:
    """OpenSMTPD's words to a client that has sent as many emails as a connection may."""

    def full(moment: Moment) -> Action:
        if moment.step is Step.MAIL and moment.nth_in_session > most:
            return reply(452, "4.5.3 Too many recipients: Too many messages sent")
        return NORMAL

    many = [f"to{number}@a.example" for number in range(recipients)]
    claimed = job(Send(recipient=list(many), body_text="hello"))
    server = ScriptedServer(full)
    (delivery,) = delivered(server, claimed)
    assert (delivery.status, len(delivery.recipients)) == (Status.SENT, recipients)
    assert sorted(to for one in server.accepted for to in one.recipients) == sorted(many)
