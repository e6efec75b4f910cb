"""What the server may have, and what a process died over."""

import asyncio

import pytest

from conftest import Log
from draining import (
    Dying,
    KilledError,
    drain,
    email,
    ion_of,
    killed,
    later,
    reasons,
    recipients,
    run,
    wide,
)
from emulated import (
    Account,
    as_strict_as_sqs,
    failing,
    only_for,
)
from ion.deadline import Deadline
from ion.delivery import Delivery, InDoubt
from ion.drain.deliver import Deliverer
from ion.drain.progress import Summary
from ion.drain.work_item import Job
from ion.message import Message
from smtp_server import (
    NORMAL,
    ScriptedServer,
    Step,
    delay,
    drop,
    reply,
)


class DyingLate(Deliverer):
    """Dies over each email, between the 250 and whatever could be written down."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        await super().deliver(job, message, deadline)
        raise KilledError


@pytest.mark.row(16)
@pytest.mark.row(29)
async def test_what_must_not_be_sent_twice_is_claimed_when_its_turn_has_come(
    account: Account,
) -> None:
    """A claim is what a death leaves in doubt, so that here it costs only what was under way."""
    for number in range(10):
        account.publish(email(number, in_doubt="park"))
    server = ScriptedServer()

    async with server:
        await killed(account, server, DyingLate)
        summary = await drain(account, server, now=later(1))
        assert (summary.sent, summary.dead_lettered) == (9, 1)
    assert set(recipients(server).values()) == {1}
    assert reasons(account) == ["IN_DOUBT"]
    assert account.waiting() == []


@pytest.mark.row(29)
def test_a_live_lease_is_waited_for(account: Account, log: Log) -> None:
    account.publish(email(1))
    server = ScriptedServer()
    sqs = account.sqs()

    async def main() -> Summary:
        async with server:
            await killed(account, server, Dying)
            return await drain(account, server, sqs=sqs)

    summary = asyncio.run(main())
    assert (summary.received, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert 960 <= asked["Entries"][0]["VisibilityTimeout"] <= 992, "the rest of it, and the skew"
    assert [(row["status"], row["attempts"]) for row in account.rows()] == [("sending", 0)]
    (event,) = [event for event in log.events if event["message"] == "deferred"]
    assert (event["reason"], event["attempt"]) == ("LEASED", 0)


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.parametrize(("relay", "copies"), [(Dying, 1), (DyingLate, 2)])
def test_an_email_that_the_process_died_over_is_sent_once_more(
    account: Account, relay: type[Deliverer], copies: int
) -> None:
    account.publish(email(1))
    server = ScriptedServer()

    async def main() -> Summary:
        async with server:
            await killed(account, server, relay)
            return await drain(account, server, now=later(1))

    assert asyncio.run(main()).sent == 1
    assert recipients(server) == {"to1@example.org": copies}
    assert (account.waiting(), account.dead()) == ([], [])
    assert [(row["status"], row["doubts"]) for row in account.rows()] == [("sent", "1")]


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("policy", "deaths", "reason"),
    [
        (InDoubt.RESEND_ONCE, 2, "IN_DOUBT"),
        (InDoubt.RESEND, 3, "CRASH_LOOP"),
        (InDoubt.PARK, 1, "IN_DOUBT"),
    ],
)
@pytest.mark.parametrize("of_the_message", [True, False])
@pytest.mark.parametrize("relay", [Dying, DyingLate])
def test_what_the_process_dies_over_ends_in_the_dead_letter_queue(
    account: Account,
    policy: InDoubt,
    deaths: int,
    reason: str,
    of_the_message: bool,
    relay: type[Deliverer],
) -> None:
    body = email(1, in_doubt=policy) if of_the_message else email(1)
    contrary = InDoubt.RESEND if policy is InDoubt.PARK else InDoubt.PARK
    in_doubt = contrary if of_the_message else policy
    id_ = account.publish(body)
    server = ScriptedServer()

    async def main() -> Summary:
        async with server:
            for hours in range(deaths):
                await killed(account, server, relay, in_doubt=in_doubt, now=later(hours))
            return await drain(account, server, in_doubt=in_doubt, now=later(deaths))

    summary = asyncio.run(main())
    assert (summary.dead_lettered, summary.stopped) == (1, "empty")
    assert len(server.accepted) == (deaths if relay is DyingLate else 0)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, [reason])
    assert (ion_of(letter)["email_id"], ion_of(letter)["stage"]) == (id_, "dot")
    assert account.waiting() == []
    assert [row["fates"] for row in account.rows()] == ["?"]


@pytest.mark.row(52)
@pytest.mark.parametrize(
    ("policy", "copies"),
    [(InDoubt.RESEND_ONCE, 2), (InDoubt.PARK, 1), (InDoubt.RESEND, 5)],
)
@pytest.mark.parametrize("of_the_message", [True, False])
async def test_a_reply_that_is_lost_after_the_dot_is_judged_by_the_policy(
    account: Account, policy: InDoubt, copies: int, of_the_message: bool
) -> None:
    contrary = InDoubt.RESEND if policy is InDoubt.PARK else InDoubt.PARK
    account.publish(email(1, in_doubt=policy) if of_the_message else email(1))
    server = ScriptedServer({Step.DOT: drop()})

    async with server:
        for _ in range(5):
            await drain(account, server, in_doubt=contrary if of_the_message else policy)
            account.time_passes(0)
    assert recipients(server) == {"to1@example.org": copies}
    assert len({one.content for one in server.accepted}) == 1
    ended = policy is not InDoubt.RESEND
    assert reasons(account) == ["IN_DOUBT"] * ended
    assert len(account.waiting()) == int(not ended)
    assert [row["status"] for row in account.rows()] == ["in_doubt" if ended else "deferred"]


@pytest.mark.row(52)
@pytest.mark.row(69)
async def test_a_person_may_bring_back_what_is_in_doubt_and_gets_no_more_than_the_policy(
    account: Account,
) -> None:
    account.publish(email(1))
    server = ScriptedServer({Step.DOT: drop()})

    async with server:
        for round_ in range(2):
            for _ in range(4):
                await drain(account, server)
                account.time_passes(3600)
            assert (len(server.accepted), reasons(account)) == (2 * (round_ + 1), ["IN_DOUBT"])
            account.publish('{"action": "redrive"}')


@pytest.mark.row(52)
@pytest.mark.row(69)
async def test_a_refusal_hides_no_earlier_copy_from_the_policy(account: Account) -> None:
    """The letter says "refused": who brings it back doesn't know of the copy in doubt before."""
    account.publish(email(1))
    refused = reply(550, "5.7.1 looks like spam")
    server = ScriptedServer({Step.DOT: [drop(), refused, drop(), drop()]})

    async with server:
        for reason in ("CONTENT_REJECTED", "IN_DOUBT"):
            for _ in range(3):
                await drain(account, server)
                account.time_passes(3600)
            assert reasons(account) == [reason]
            account.publish('{"action": "redrive"}')
    assert len(server.accepted) == 2


@pytest.mark.row(24)
def test_a_doubt_that_there_is_no_time_for_is_told_as_one(account: Account) -> None:
    account.publish(email(1))
    account.time_passes(14 * 86_400 - 3600)
    assert run(account, ScriptedServer({Step.DOT: drop()})).dead_lettered == 1
    assert reasons(account) == ["IN_DOUBT"]
    assert [row["fates"] for row in account.rows()] == ["?"]


@pytest.mark.row(48)
@pytest.mark.row(52)
@pytest.mark.parametrize("ends", ["by a lost reply", "by a death"])
async def test_each_recipient_may_have_two_copies_and_no_other_pays_for_it(
    account: Account, ends: str
) -> None:
    """Ann's copy is in doubt first, while Bob and Cid are put off; then all three are in doubt."""
    everybody = [f"{name}@example.org" for name in ("ann", "bob", "cid")]
    account.publish(email(1, recipient=everybody))
    not_yet = {address: [reply(450, "4.2.1 busy"), NORMAL] for address in everybody[1:]}
    lost = [drop(), drop()] if ends == "by a lost reply" else [drop()]
    server = ScriptedServer({Step.DOT: lost}, recipients=not_yet)

    async with server:
        await drain(account, server)
        account.time_passes(3600)
        if ends == "by a lost reply":
            await drain(account, server)
            account.time_passes(3600)
        else:
            await killed(account, server, DyingLate)
        assert recipients(server) == dict(zip(everybody, (2, 1, 1), strict=True))
        await drain(account, server, now=later(1))
    assert recipients(server) == dict.fromkeys(everybody, 2)
    assert [ion_of(letter)["left"] for letter in account.dead()] == [[0]]
    assert reasons(account) == ["IN_DOUBT"]
    assert [row["fates"] for row in account.rows()] == ["?ss"]
    assert account.waiting() == []


@pytest.mark.row(26)
@pytest.mark.row(52)
@pytest.mark.parametrize("policy", [InDoubt.PARK, InDoubt.RESEND_ONCE])
async def test_a_doubt_outlives_a_dead_letter_that_could_not_be_written(
    account: Account, policy: InDoubt
) -> None:
    account.publish(email(1, in_doubt=policy))
    server = ScriptedServer({Step.DOT: drop()})
    copies = 1 if policy is InDoubt.PARK else 2

    async with server:
        ill = only_for(account.dead_url, failing(), as_strict_as_sqs)
        for hours in range(copies + 1):
            sqs = account.sqs(send_message_batch=ill)
            await drain(account, server, sqs=sqs, now=later(hours))
            account.time_passes(3600)
        await drain(account, server, now=later(copies + 1))
    assert recipients(server) == {"to1@example.org": copies}
    assert reasons(account) == ["IN_DOUBT"]
    assert account.waiting() == []


@pytest.mark.row(26)
@pytest.mark.row(31)
async def test_a_crash_loop_outlives_a_dead_letter_that_could_not_be_written(
    account: Account,
) -> None:
    account.publish(email(1, in_doubt="resend"))
    server = ScriptedServer()

    async with server:
        for hours in range(3):
            await killed(account, server, Dying, now=later(hours))
        ill = only_for(account.dead_url, failing(), as_strict_as_sqs)
        await drain(account, server, sqs=account.sqs(send_message_batch=ill), now=later(3))
        account.time_passes(3600)
        await drain(account, server, now=later(4))
    assert server.accepted == []
    assert (reasons(account), account.waiting()) == (["CRASH_LOOP"], [])


@pytest.mark.row(31)
async def test_what_a_process_died_with_is_tried_one_at_a_time(account: Account) -> None:
    """Whichever it is that the process dies over, it must not take the others along again."""
    for number in range(6):
        account.publish(email(number))
    beside: list[int] = []

    class Counting(Deliverer):
        """Notes how many emails are under way as another one begins."""

        under_way = 0

        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            beside.append(self.under_way)
            self.under_way += 1
            try:
                return await super().deliver(job, message, deadline)
            finally:
                self.under_way -= 1

    server = ScriptedServer({Step.MAIL: delay(0.05)})  # time enough for another to begin

    async with server:
        await killed(account, server, Dying)
        await drain(
            account,
            server,
            relay=lambda pool: Counting(pool, 345_600),
            now=later(1),
            smtp=wide(4),
        )
    assert beside == [0] * 6
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(6)}
