"""The suppression list and erasures, with a real server: who is on it is never said in a RCPT."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from addresses import damage, entry, erasure, hash_of, know, suppress
from conftest import Log
from draining import (
    Dying,
    drain,
    email,
    ion_of,
    killed,
    later,
    reasons,
    recipients,
    run,
    suppression_list,
    wide,
)
from emulated import Account, Answer, Between, Request, failing, unreachable
from function import Function, once
from function import email as published
from ion.aws.addresses import PREFIX
from ion.aws.control import ControlRow
from ion.delivery import InDoubt
from ion.drain.deliver import Deliverer
from ion.drain.progress import Summary
from ion.drain.suppression_list import SuppressionList, left_out
from ion.guard_rules import GuardRules
from ion.policy.guard import StagingGuard
from ion.policy.suppression import Forbidden, Suppression, Why
from smtp_server import ScriptedServer, reply

ANN, BOB, CAT = "ann@example.org", "bob@partner.test", "cat@third.test"
THREE = email(recipient=ANN, cc=BOB, bcc=CAT, email_id="order-17", tags={"list": "news"})


def said(server: ScriptedServer) -> Counter[str]:
    """Addresses in RCPT, whatever the server answered."""
    lines = [command.line for session in server.sessions for command in session.commands]
    return Counter(line[len("RCPT TO:<") : -1] for line in lines if line.startswith("RCPT"))


def verbs(server: ScriptedServer) -> list[str]:
    return [verb for session in server.sessions for verb in session.verbs]


def the_row(account: Account, email_id: str = "order-17") -> dict[str, str | int]:
    (row,) = [row for row in account.rows() if row["email_id"] == email_id]
    return row


def looked(
    account: Account,
    server: ScriptedServer,
    dynamodb: Between | None = None,
    **parts: Any,  # noqa: ANN401
) -> Summary:
    """One run with the list on."""
    return run(account, server, suppressing=suppression_list(account, dynamodb), **parts)


# who is on it


@pytest.mark.row(84)
@pytest.mark.parametrize("who", [(ANN,), (BOB,), (CAT,), (ANN, CAT), (BOB, CAT)])
def test_the_others_get_the_email_once(account: Account, log: Log, who: tuple[str, ...]) -> None:
    """To, cc and bcc alike."""
    asyncio.run(suppress(account, *who))
    account.publish(THREE)
    server = ScriptedServer()
    summary = looked(account, server)
    others = {ANN, BOB, CAT} - {*who}
    assert said(server) == recipients(server) == dict.fromkeys(others, 1)
    assert (summary.sent, summary.suppressed, summary.dead_lettered) == (1, 1, 0)
    assert (account.waiting(), account.dead()) == ([], [])
    row = the_row(account)
    fates = "".join("x" if one in who else "s" for one in (ANN, BOB, CAT))
    assert (row["fates"], row["status"], row["attempts"]) == (fates, "sent", 1)
    events = {event["message"]: event for event in log.events}
    assert events["suppressed"]["reason"] == "SUPPRESSED"
    assert (events["suppressed"]["reply"], events["suppressed"]["recipients"]) == (
        "manual, all",
        len(who),
    )
    assert not [one for one in (ANN, BOB, CAT) if one in log.text]


@pytest.mark.row(84)
def test_where_all_are_on_it_no_email_is_begun(account: Account, log: Log) -> None:
    asyncio.run(suppress(account, ANN, BOB, CAT))
    account.publish(THREE)
    server = ScriptedServer()
    summary = looked(account, server)
    assert (summary.sent, summary.suppressed, summary.dead_lettered) == (0, 1, 0)
    assert "MAIL" not in verbs(server)
    assert (account.waiting(), account.dead()) == ([], [])
    row = the_row(account)
    assert (row["fates"], row["status"], row["reason"]) == ("xxx", "suppressed", "SUPPRESSED")
    assert row["attempts"] == 0
    about = [event for event in log.events if event["message"] == "suppressed"]
    assert [event["recipients"] for event in about] == [3]


@pytest.mark.row(84)
@pytest.mark.parametrize(
    ("scope", "is_about"),
    [
        ("all", True),
        ("domain:shop.test", True),
        ("domain:SHOP.test", False),  # scopes are written in lower case
        ("domain:mail.shop.test", False),
        ("tag:list=news", True),
        ("tag:list=offers", False),
        ("tag:campaign=news", False),
    ],
)
def test_an_entry_is_about_its_scope(account: Account, scope: str, is_about: bool) -> None:
    asyncio.run(suppress(account, ANN, scope=scope))
    account.publish(email(recipient=ANN, sender="The shop <info@Shop.test>", tags={"list": "news"}))
    summary = looked(account, ScriptedServer())
    assert (summary.suppressed, summary.sent) == (int(is_about), int(not is_about))


@pytest.mark.row(84)
def test_a_domains_entry_is_about_the_author_and_not_about_where_bounces_go(
    account: Account,
) -> None:
    asyncio.run(suppress(account, ANN, scope="domain:shop.test"))
    asyncio.run(suppress(account, BOB, scope="domain:bounces.test"))
    account.publish(
        email(
            recipient=ANN,
            cc=BOB,
            email_id="order-17",
            sender="info@shop.test",
            return_path="b@bounces.test",
        )
    )
    looked(account, ScriptedServer())
    assert the_row(account)["fates"] == "xs"


@pytest.mark.row(84)
@pytest.mark.parametrize(("days", "is_about"), [(-1, False), (1, True)])
def test_an_entry_ends_by_itself(account: Account, days: int, is_about: bool) -> None:
    until = datetime.now(UTC) + timedelta(days=days)
    asyncio.run(know(account, ANN, entry(until=until)))
    account.publish(email(recipient=ANN))
    assert looked(account, ScriptedServer()).suppressed == int(is_about)


@pytest.mark.row(84)
def test_an_address_is_found_however_it_is_written(account: Account) -> None:
    asyncio.run(suppress(account, "ann@xn--bcher-kva.test"))
    account.publish(email(recipient="Ann <ANN@BÜCHER.test>"))
    server = ScriptedServer()
    assert looked(account, server).suppressed == 1
    assert said(server) == {}


@pytest.mark.row(84)
def test_each_reason_is_a_fate_of_its_own(account: Account) -> None:
    async def main() -> None:
        await know(account, ANN, entry(why=Why.COMPLAINT))
        await know(account, BOB, entry("tag:list=news", Why.UNSUBSCRIBE))

    asyncio.run(main())
    account.publish(THREE)
    server = ScriptedServer()
    summary = looked(account, server)
    assert (summary.sent, summary.suppressed) == (1, 2)
    assert (recipients(server), the_row(account)["fates"]) == ({CAT: 1}, "xxs")


def test_those_of_one_reason_are_one_fate_whoever_stands_between_them() -> None:
    manual, unsubscribed = (
        Forbidden(Suppression("all", why, datetime.now(UTC)))
        for why in (Why.MANUAL, Why.UNSUBSCRIBE)
    )
    fates = left_out({0: unsubscribed, 1: manual, 2: unsubscribed, 3: Forbidden(None)})
    assert sorted((one.recipients, one.reply) for one in fates) == [
        ((0, 2), "unsubscribe, all"),
        ((1,), "manual, all"),
        ((3,), ""),
    ]


@pytest.mark.row(84)
@pytest.mark.parametrize(("setting", "suppressed"), [("on", 1), ("off", 0)])
def test_the_setting_switches_it_on(
    account: Account, function: Function, log: Log, setting: str, suppressed: int
) -> None:
    """The function as Lambda runs it; the metric is written at the end of its run."""
    asyncio.run(suppress(account, ANN))
    account.publish(published(recipient=ANN))
    function.monkeypatch.setenv("ION_SUPPRESSION_LIST", setting)
    summary = once(function, account)
    assert (summary.suppressed, summary.sent) == (suppressed, 1 - suppressed)
    assert sum(log.metrics.get("Suppressed", [])) == suppressed


def test_nothing_is_asked_where_the_list_is_off(account: Account) -> None:
    asyncio.run(suppress(account, ANN))
    account.publish(THREE)
    dynamodb = account.dynamodb()
    off = suppression_list(account, dynamodb, is_on=False)
    assert run(account, ScriptedServer(), suppressing=off).sent == 1
    assert dynamodb.calls == []


def test_ten_emails_are_one_look(account: Account) -> None:
    asyncio.run(suppress(account, ANN))
    for number in range(10):
        account.publish(email(number, cc=[f"cc{number}-{one}@example.org" for one in range(5)]))
    dynamodb = account.dynamodb()
    assert looked(account, ScriptedServer(), dynamodb).sent == 10
    asked = [request["RequestItems"][account.table] for request in dynamodb.asked("batch_get_item")]
    rows = [one for one in asked if one["Keys"][0]["email_id"]["S"].startswith(PREFIX)]
    assert [len(one["Keys"]) for one in rows] == [60]
    assert rows[0]["ConsistentRead"] is True


@pytest.mark.row(84)
def test_a_hundred_recipients_of_each_of_ten_are_all_looked_up(account: Account) -> None:
    last = [f"to{number}-{one}@example.org" for number in range(4) for one in (0, 39)]
    asyncio.run(suppress(account, *last))
    for number in range(4):
        account.publish(email(recipient=[f"to{number}-{one}@example.org" for one in range(40)]))
    server = ScriptedServer()
    assert looked(account, server).sent == 4
    assert len(recipients(server)) == 4 * 38
    assert not {*last} & said(server).keys()


# beside what else may happen


@pytest.mark.row(84)
def test_who_is_put_on_it_while_the_email_waits_gets_none(account: Account) -> None:
    account.publish(email(recipient=ANN, cc=BOB, email_id="order-17"))
    busy = ScriptedServer(recipients={ANN: [reply(450, "4.2.1 busy")]})

    async def main() -> None:
        async with busy:
            await drain(account, busy, suppressing=suppression_list(account))
            assert the_row(account)["fates"] == ".s"
            await suppress(account, ANN)
            account.time_passes(3600)
            await drain(account, busy, suppressing=suppression_list(account))

    asyncio.run(main())
    row = the_row(account)
    assert (row["fates"], row["status"], row["attempts"]) == ("xs", "sent", 1)
    assert recipients(busy) == {BOB: 1}
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(84)
def test_a_letter_of_one_recipient_is_not_held_up_by_what_is_known_of_the_others(
    account: Account,
) -> None:
    """Nobody is asked about whom the message isn't about."""
    account.publish(THREE)
    refusing = ScriptedServer(recipients={ANN: [reply(550, "5.1.1 no such user")]})

    async def main() -> None:
        async with refusing:
            await drain(account, refusing, suppressing=suppression_list(account))
            await suppress(account, BOB)
            await damage(account, CAT)
            account.publish('{"action": "redrive"}')
            await drain(account, refusing, suppressing=suppression_list(account))
            await drain(account, refusing, suppressing=suppression_list(account))

    asyncio.run(main())
    assert (the_row(account)["fates"], the_row(account)["status"]) == ("sss", "sent")
    assert recipients(refusing) == {ANN: 1, BOB: 1, CAT: 1}


@pytest.mark.row(84)
def test_one_among_others_that_wait_is_decided_at_once(account: Account) -> None:
    asyncio.run(suppress(account, BOB))
    account.publish(THREE)
    busy = ScriptedServer(
        recipients={ANN: [reply(450, "4.2.1 busy")], CAT: [reply(450, "4.2.1 busy")]}
    )

    async def main() -> None:
        async with busy:
            await drain(account, busy, suppressing=suppression_list(account))
            row = the_row(account)
            assert (row["fates"], row["status"]) == (".x.", "deferred")
            account.time_passes(3600)
            await drain(account, busy, suppressing=suppression_list(account))

    asyncio.run(main())
    assert (the_row(account)["fates"], recipients(busy)) == ("sxs", {ANN: 1, CAT: 1})
    assert said(busy)[BOB] == 0


@pytest.mark.row(84)
def test_who_is_taken_off_it_gets_the_next_email_and_not_that_one(account: Account) -> None:
    asyncio.run(suppress(account, ANN))
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            for name in ("one", "one", "two"):
                account.publish(email(recipient=ANN, email_id=name))
                await drain(account, server, suppressing=suppression_list(account))
                await know(account, ANN, lambda state: state.lifted())

    asyncio.run(main())
    assert recipients(server) == {ANN: 1}
    assert the_row(account, "one")["fates"] == "x"


@pytest.mark.row(84)
def test_a_redriven_letter_is_looked_up_anew(account: Account) -> None:
    account.publish(THREE)
    refusing = ScriptedServer(
        recipients={one: [reply(550, "5.1.1 no such user")] for one in (ANN, BOB)}
    )

    async def main() -> None:
        async with refusing:
            await drain(account, refusing, suppressing=suppression_list(account))
            assert reasons(account) == ["RCPT_REJECTED"]
            await suppress(account, ANN)
            account.publish('{"action": "redrive"}')
            await drain(account, refusing, suppressing=suppression_list(account))
            await drain(account, refusing, suppressing=suppression_list(account))

    asyncio.run(main())
    assert (recipients(refusing), the_row(account)["fates"]) == ({CAT: 1, BOB: 1}, "xss")
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(84)
@pytest.mark.parametrize("policy", list(InDoubt))
def test_what_lies_in_s3_and_what_is_claimed_late_is_looked_up_too(
    account: Account, policy: InDoubt
) -> None:
    asyncio.run(suppress(account, ANN))
    body = email(recipient=ANN, cc=BOB, email_id="order-17", in_doubt=policy)
    stored = account.store("k", body.encode())
    pointer = {"s3BucketName": stored["bucket"], "s3Key": stored["key"]}
    account.publish(json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", pointer]))
    account.publish(email(recipient=ANN, email_id="order-18", in_doubt=policy))
    server = ScriptedServer()
    summary = looked(account, server)
    assert (summary.sent, summary.suppressed) == (1, 2)
    assert (said(server), the_row(account)["fates"]) == ({BOB: 1}, "xs")


@pytest.mark.row(84)
def test_after_a_crash_too(account: Account) -> None:
    """What the process died with is claimed alone."""
    account.publish(email(recipient=ANN, cc=BOB, email_id="order-17"))
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            await killed(account, server, Dying)
            await suppress(account, ANN)
            await drain(account, server, now=later(2), suppressing=suppression_list(account))

    asyncio.run(main())
    assert (said(server), the_row(account)["fates"]) == ({BOB: 1}, "xs")


@pytest.mark.row(84)
def test_a_parked_email_is_a_dead_letter_of_the_others_alone(account: Account) -> None:
    account.publish(email(recipient=ANN, cc=BOB, email_id="order-17"))
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            await killed(account, server, Dying, in_doubt=InDoubt.PARK)
            await suppress(account, ANN)
            await drain(
                account,
                server,
                now=later(2),
                in_doubt=InDoubt.PARK,
                suppressing=suppression_list(account),
            )

    asyncio.run(main())
    (letter,) = account.dead()
    assert (letter.attributes["reason"][1], ion_of(letter)["left"]) == ("IN_DOUBT", [1])
    assert the_row(account)["fates"] == "x?"
    assert said(server) == {}


@pytest.mark.row(84)
def test_a_redirected_copy_is_not_about_the_real_mailbox(account: Account) -> None:
    """Nothing goes to who is on the list; who tests with a copy of it wants to see the email."""
    inbox = "inbox@example.com"
    guard = StagingGuard(GuardRules(only=(ANN,), redirect_to=inbox))
    asyncio.run(suppress(account, ANN, BOB))
    account.publish(THREE)
    server = ScriptedServer()
    run(
        account,
        server,
        suppressing=suppression_list(account, guard=guard),
        relay=lambda pool: Deliverer(pool, 345_600, guard=guard),
    )
    assert (said(server), the_row(account)["fates"]) == ({inbox: 1}, "xss")


@pytest.mark.row(84)
def test_who_has_been_erased_is_in_no_redirected_copy(account: Account) -> None:
    inbox = "inbox@example.com"
    guard = StagingGuard(GuardRules(redirect_to=inbox))
    account.publish(THREE)
    asyncio.run(know(account, BOB, erasure(timedelta(minutes=1))))
    server = ScriptedServer()
    run(
        account,
        server,
        suppressing=suppression_list(account, guard=guard),
        relay=lambda pool: Deliverer(pool, 345_600, guard=guard),
    )
    (copy,) = server.accepted
    assert (the_row(account)["fates"], BOB.encode() in copy.content.split(b"\r\n\r\n")[0]) == (
        "sxs",
        True,  # in Cc, which is the same for all who get the email
    )
    assert f"X-Ion-Original-To: {ANN}, {CAT}".encode() in copy.content


# erasures


def has_erasures(suppressing: SuppressionList) -> SuppressionList:
    suppressing.has_erasures = lambda: True
    return suppressing


@pytest.mark.parametrize(("minutes", "is_sent"), [(1, False), (-1, True)])
def test_what_was_published_before_an_erasure_is_not_sent(
    account: Account, log: Log, minutes: int, is_sent: bool
) -> None:
    """Though the list is off: the control row says that there are erasures."""
    account.publish(email(recipient=ANN, cc=BOB, email_id="order-17"))

    async def main() -> None:
        await know(account, ANN, erasure(timedelta(minutes=minutes)))
        row: Any = account.dynamodb()
        await ControlRow(row, account.table).change(lambda control: control.with_erasures())

    asyncio.run(main())
    server = ScriptedServer()
    run(account, server, suppressing=suppression_list(account, is_on=False))
    assert said(server) == {BOB: 1} | ({ANN: 1} if is_sent else {})
    assert the_row(account)["fates"] == ("ss" if is_sent else "xs")
    if not is_sent:
        (event,) = [event for event in log.events if event["message"] == "suppressed"]
        assert (event["reason"], event["reply"]) == ("ERASED", "")


def test_an_erasure_does_not_switch_the_list_on(account: Account) -> None:
    asyncio.run(suppress(account, ANN))
    account.publish(email(recipient=ANN))
    off = has_erasures(suppression_list(account, is_on=False))

    async def main() -> Summary:
        row: Any = account.dynamodb()
        await ControlRow(row, account.table).change(lambda control: control.with_erasures())
        async with ScriptedServer() as server:
            return await drain(account, server, suppressing=off)

    assert asyncio.run(main()).sent == 1


# the list can't be read


def each(request: Request, table: str) -> list[str]:
    return [key["email_id"]["S"] for key in request["RequestItems"][table]["Keys"]]


def only_addresses(account: Account, answer: Answer) -> Answer:
    """The rows of addresses can't be read; all others can."""

    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        is_about = any(PREFIX in key for key in each(request, account.table))
        return answer(real, request) if is_about else real(**request)

    return choose


ILL_LISTS = [failing("InternalServerError"), failing("ThrottlingException"), unreachable]


@pytest.mark.row(85)
@pytest.mark.parametrize("answer", ILL_LISTS)
@pytest.mark.parametrize("policy", [InDoubt.RESEND_ONCE, InDoubt.PARK])
def test_without_the_list_nothing_is_sent_and_nothing_lost(
    account: Account, log: Log, answer: Answer, policy: InDoubt
) -> None:
    asyncio.run(suppress(account, "to1@example.org"))
    for number in range(2):
        account.publish(email(number, email_id=f"order-{number}", in_doubt=policy))
    ill = account.dynamodb(batch_get_item=only_addresses(account, answer))
    server = ScriptedServer()

    async def main() -> tuple[Summary, Summary]:
        async with server:
            first = await drain(account, server, suppressing=suppression_list(account, ill))
            assert "MAIL" not in verbs(server)
            assert (len(account.waiting()), account.dead()) == (2, [])
            assert not [row for row in account.rows() if "order" in str(row["email_id"])]
            account.time_passes(60)
            return first, await drain(account, server, suppressing=suppression_list(account))

    first, second = asyncio.run(main())
    assert (first.sent, first.deferred, first.suppressed) == (0, 2, 0)
    assert (second.sent, second.suppressed) == (1, 1)
    assert said(server) == {"to0@example.org": 1}
    assert the_row(account, "order-0")["attempts"] == 1, "the first run cost nothing"
    assert "the ledger can't be used" in [event["message"] for event in log.events]
    assert "canary" not in log.text


@pytest.mark.row(85)
def test_without_the_key_neither(account: Account) -> None:
    account.publish(email(1))
    ill = account.dynamodb(batch_get_item=failing())
    summary = looked(account, ScriptedServer(), ill)
    assert (summary.sent, summary.deferred, len(account.waiting())) == (0, 1, 1)


@pytest.mark.row(85)
def test_a_list_that_fails_three_times_in_a_row_ends_the_run(account: Account) -> None:
    for number in range(45):
        account.publish(email(number))
    ill = account.dynamodb(batch_get_item=only_addresses(account, failing()))
    server = ScriptedServer()
    summary = looked(account, server, ill)
    assert (summary.stopped, summary.received, summary.sent) == ("ledger", 30, 0)
    assert "MAIL" not in verbs(server)
    assert len(account.waiting()) == 45


@pytest.mark.row(85)
def test_a_damaged_row_holds_up_the_emails_to_that_address_alone(
    account: Account, log: Log
) -> None:
    asyncio.run(damage(account, ANN))
    account.publish(THREE)
    account.publish(email(recipient=BOB))
    server = ScriptedServer()
    summary = looked(account, server)
    assert (summary.sent, summary.deferred) == (1, 1)
    assert (recipients(server), len(account.waiting())) == ({BOB: 1}, 1)
    (trouble,) = [one for one in log.events if one["message"] == "the ledger can't be used"]
    assert (trouble["count"], trouble["code"]) == (1, "AddressUnreadable")
    assert "canary" not in log.text


@pytest.mark.row(85)
def test_where_one_of_two_hundreds_fails_its_emails_wait(account: Account) -> None:
    """Of two emails with a hundred recipients each."""
    two = [[f"to{number}-{one}@example.org" for one in range(100)] for number in range(2)]
    hashes = sorted(asyncio.run(_hashes(account, [*two[0], *two[1]])))
    in_first = {PREFIX + one for one in hashes[:100]}
    account.publish(email(recipient=two[0], email_id="a"))
    account.publish(email(recipient=two[1], email_id="b"))
    account.publish(email(recipient=ANN, email_id="c"))

    def first_fails(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        is_first = in_first & {*each(request, account.table)}
        return failing()(real, request) if len(is_first) > 50 else real(**request)

    server = ScriptedServer()
    ill = account.dynamodb(batch_get_item=first_fails)
    summary = looked(account, server, ill, smtp=wide(1))
    sent = {row["email_id"] for row in account.rows() if row.get("status") == "sent"}
    assert (summary.sent + summary.deferred, summary.deferred) == (3, 2 + ("c" not in sent))
    assert not {*two[0], *two[1]} & recipients(server).keys()


async def _hashes(account: Account, addresses: list[str]) -> list[str]:
    return [await hash_of(account, one) for one in addresses]


@pytest.mark.row(85)
def test_a_part_of_a_hundred_that_is_throttled_is_asked_for_again(account: Account) -> None:
    """BatchGetItem gives what it can, and names the rest."""
    asyncio.run(suppress(account, "to1@example.org", "to2@example.org"))
    for number in range(4):
        account.publish(email(number))
    halved: list[int] = []

    def halves(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        ((table, asked),) = request["RequestItems"].items()
        keys = asked["Keys"]
        half = -(-len(keys) // 2)
        halved.append(half)
        answer = real(RequestItems={table: {**asked, "Keys": keys[:half]}})
        rest = {table: {**asked, "Keys": keys[half:]}} if keys[half:] else {}
        return {**answer, "UnprocessedKeys": rest}

    server = ScriptedServer()
    throttled = account.dynamodb(batch_get_item=only_addresses(account, halves))
    summary = looked(account, server, throttled)
    assert (summary.sent, summary.suppressed) == (2, 2)
    assert recipients(server) == {"to0@example.org": 1, "to3@example.org": 1}
    assert halved == [2, 1, 1]
