"""Some recipients have it, some wait, some are refused."""

import asyncio
import json
from collections import Counter

import pytest

from draining import (
    GOOD_ION,
    drain,
    email,
    ion_of,
    reasons,
    recipients,
    run,
)
from emulated import (
    Account,
    as_strict_as_sqs,
    only_for,
    unreachable,
)
from ion.drain.progress import Summary
from smtp_server import (
    ScriptedServer,
    reply,
)

OK, BUSY, GONE = "ok@example.org", "later@example.org", "gone@example.org"
MIXED = email(recipient=[OK, GONE], cc=BUSY, email_id="order-17")


@pytest.mark.row(11)
@pytest.mark.row(48)
def test_who_has_it_does_not_get_it_again(account: Account) -> None:
    id_ = account.publish(MIXED, {"own": ("Number", "5")})
    busy = reply(450, "4.2.1 busy")
    gone = reply(550, "5.1.1 <gone@example.org>: no such user")
    server = ScriptedServer(recipients={GONE: gone, BUSY: [busy, busy]})

    async def main() -> list[Summary]:
        summaries = []
        async with server:
            for _ in range(4):
                summaries.append(await drain(account, server))
                account.time_passes(0)
                if len(summaries) < 3:
                    (held,) = account.waiting()
                    assert held.attributes["own"] == ("Number", "5")
                    assert held.id == id_ or ion_of(held)["original_message_id"] == id_
        return summaries

    counts = [
        (one.received, one.sent, one.deferred, one.dead_lettered) for one in asyncio.run(main())
    ]
    assert counts == [(1, 1, 1, 1), (1, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 0)]
    assert recipients(server) == {OK: 1, BUSY: 1}
    lines = [command.line for session in server.sessions for command in session.commands]
    tried = Counter(line.split("<")[1].rstrip(">") for line in lines if "RCPT TO" in line)
    assert tried == {OK: 1, GONE: 1, BUSY: 3}
    assert len({one.content for one in server.accepted}) == 1, "both got the same octets"
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["own"]) == (MIXED, ("Number", "5"))
    assert letter.attributes["reply"][1] == "550 5.1.1 <address>: no such user"
    record = ion_of(letter)
    assert (record["left"], record["email_id"], record["attempts"]) == ([1], "order-17", 1)
    (row,) = account.rows()
    assert (row["fates"], row["status"], row["attempts"]) == ("sds", "bounced", 3)


def test_the_row_tells_of_those_who_did_not_get_it(account: Account) -> None:
    account.publish(email(recipient=[OK, GONE]))
    gone = reply(550, "5.1.1 no such user")
    run(account, ScriptedServer(recipients={GONE: gone}))
    (row,) = account.rows()
    assert (row["fates"], row["status"], row["reason"]) == ("sd", "bounced", "RCPT_REJECTED")
    assert (row["stage"], row["reply"]) == ("rcpt", "550 5.1.1 no such user")


@pytest.mark.row(48)
@pytest.mark.row(69)
@pytest.mark.parametrize("first", ["redriven", "deferred"])
async def test_a_redriven_part_goes_to_that_part_only(account: Account, first: str) -> None:
    """Whether or not the other part still waits."""
    account.publish(MIXED)
    server = ScriptedServer(
        recipients={GONE: [reply(550, "5.1.1 not yet")], BUSY: [reply(450, "4.2.1 busy")]}
    )

    async with server:
        await drain(account, server)
        if first == "deferred":
            account.time_passes(3600)
            await drain(account, server)
        account.publish('{"action": "redrive"}')
        await drain(account, server)
        assert server.accepted[-1].recipients == (GONE,)
        account.time_passes(3600)
        await drain(account, server)
    assert recipients(server) == {OK: 1, BUSY: 1, GONE: 1}
    assert (account.waiting(), account.dead()) == ([], [])
    assert [(row["fates"], row["status"]) for row in account.rows()] == [("sss", "sent")]


@pytest.mark.parametrize("left", [[7], [3, 9]])
def test_numbers_of_nobody_mean_everybody(account: Account, left: list[int]) -> None:
    """Such a message was made by somebody else: none of its recipients may be forgotten."""
    record = json.dumps(GOOD_ION | {"left": left})
    account.publish(email(recipient=["a@b.example", "c@d.example"]), {"ion": ("String", record)})
    server = ScriptedServer()
    run(account, server)
    assert recipients(server) == {"a@b.example": 1, "c@d.example": 1}


@pytest.mark.row(26)
def test_what_can_not_be_dead_lettered_stays_in_the_queue(account: Account) -> None:
    account.publish("not json")
    sqs = account.sqs(
        send_message_batch=only_for(account.dead_url, unreachable, otherwise=as_strict_as_sqs)
    )
    assert run(account, sqs=sqs).stopped == "empty"
    assert [held.body for held in account.waiting()] == ["not json"]
    account.time_passes()
    run(account)
    assert (account.waiting(), reasons(account)) == ([], ["BAD_JSON"])
