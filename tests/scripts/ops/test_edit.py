"""A corrected letter's email goes out once, under its id, wherever the correction was cut off."""

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from botocore.exceptions import ClientError

from draining import drain, email, recipients
from emulated import Account, Answer, Between, Request, failing, only_for
from ionctl.ops import edit as editing
from ionctl.ops import letters
from ionctl.problem import Problem
from operated import bury, deployment, woken
from smtp_server import Action, ScriptedServer, Step, reply

ORDER = email(email_id="order-17", recipient="anne@example.org")
RIGHT = email(email_id="order-17", recipient="ann@example.org")
TAKEN = reply(250, "2.1.5 ok")
NO_SUCH = reply(550, "5.1.1 no such mailbox")


class KilledError(BaseException):
    """The process dies here."""


def killed(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    raise KilledError


def and_killed(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The call is carried out, and its answer never heard."""
    real(**request)
    raise KilledError


async def refused(account: Account, server: ScriptedServer, body: str = ORDER) -> str:
    """The SQS id of the letter that is made of a message which the server refuses."""
    account.publish(body)
    await drain(account, server)
    return account.dead()[-1].id


def edit(account: Account, id_: str, body: str = RIGHT, sqs: Between | None = None) -> str:
    """In a thread of its own, as nothing else of ionctl's runs in a loop."""
    operated = deployment(account, sqs=sqs)
    return editing.edit(operated, id_, body, by="ann\n").email_id


def refusing(*replies: Action) -> ScriptedServer:
    """Answers so to the first RCPTs, and takes all others."""
    return ScriptedServer({Step.RCPT: list(replies)})


async def drained(account: Account, server: ScriptedServer) -> None:
    """Runs until nothing waits any more: of two messages of one key, one waits for the other."""
    for _ in range(3):
        await drain(account, server)
        account.time_passes(60)


# -- one that goes through ---------------------------------------------------------------


async def test_a_wrong_address_of_the_same_order_needs_no_new_id(account: Account) -> None:
    async with refusing(NO_SUCH) as server:
        id_ = await refused(account, server)
        assert await asyncio.to_thread(edit, account, id_) == "order-17"
        assert account.dead() == []
        (waiting,) = account.waiting()
        record = json.loads(waiting.attributes["ion"][1])
        assert (waiting.body, record["email_id"], record["redrives"]) == (RIGHT, "order-17", 1)
        await drain(account, server)
        assert recipients(server) == {"ann@example.org": 1}
    (row,) = account.rows()
    assert (row["status"], row["edited_by"], row["edits"]) == ("sent", "ann ", 1)
    assert (account.waiting(), account.dead()) == ([], [])


async def test_the_content_as_it_was_is_not_sent_any_more(account: Account) -> None:
    async with refusing(NO_SUCH) as server:
        id_ = await refused(account, server)
        stays = account.sqs(delete_message_batch=only_for(account.dead_url, failing(), _as_is))
        await asyncio.to_thread(edit, account, id_, RIGHT, stays)
        assert (await asyncio.to_thread(letters.redrive, deployment(account))).done == 1
        await drained(account, server)
        assert recipients(server) == {"ann@example.org": 1}
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (ORDER, "ID_REUSED")


async def test_bad_input_had_no_row_and_needs_no_consent(account: Account) -> None:
    wrong = '{"action": "send", "recipeint": "ann@example.org", "body_text": "x"}'
    async with ScriptedServer() as server:
        id_ = await refused(account, server, wrong)
        operated = deployment(account)
        found = letters.letter
        read = await asyncio.to_thread(found, operated, id_)
        done = await asyncio.to_thread(
            editing.edit, operated, id_, wrong.replace("recipeint", "recipient"), by="ann"
        )
        assert (done.email_id, woken(operated)) == (read.email_id, 1)
        await drain(account, server)
        assert recipients(server) == {"ann@example.org": 1}
    assert account.dead() == []


async def test_who_was_served_is_not_served_again(account: Account) -> None:
    body = email(email_id="order-17", recipient=["ann@example.org", "bobb@example.org"])
    right = body.replace("bobb@", "bob@")
    async with refusing(TAKEN, NO_SUCH) as server:
        id_ = await refused(account, server, body)
        for wrong in (
            email(email_id="order-17", recipient="bob@example.org"),
            email(email_id="order-17", recipient=["bob@example.org", "ann@example.org"]),
        ):
            with pytest.raises(Problem, match="those whom it isn't about must stay as they are"):
                await asyncio.to_thread(edit, account, id_, wrong)
        await asyncio.to_thread(edit, account, id_, right)
        await drain(account, server)
        assert recipients(server) == {"ann@example.org": 1, "bob@example.org": 1}
    assert account.dead() == []


async def test_whom_another_letter_is_about_stays_with_that_one(account: Account) -> None:
    """Both are dead, each by a letter of its own."""
    body = email(email_id="order-17", recipient=["anne@example.org", "bobb@example.org"])
    later = reply(451, "4.3.0 later")
    async with refusing(NO_SUCH, later, NO_SUCH) as server:
        id_ = await refused(account, server, body)
        account.time_passes(60)
        await drain(account, server)
        other = next(held.id for held in account.dead() if held.id != id_)
        with pytest.raises(Problem, match="those whom it isn't about must stay as they are"):
            await asyncio.to_thread(edit, account, id_, body.replace("bobb@", "bob@"))
        await asyncio.to_thread(edit, account, id_, body.replace("anne@", "ann@"))
        await drained(account, server)
        assert recipients(server) == {"ann@example.org": 1}
    assert [held.id for held in account.dead()] == [other]


async def test_a_corrected_letter_keeps_its_tenant(account: Account) -> None:
    id_ = bury(account, ORDER, group="tenant-7")
    await asyncio.to_thread(edit, account, id_)
    assert [(held.body, held.group) for held in account.waiting()] == [(RIGHT, "tenant-7")]


async def test_a_relay_that_can_not_be_woken_is_told_of_and_the_correction_waits_for_it(
    account: Account,
) -> None:
    id_ = bury(account, ORDER)
    operated = deployment(account)
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke")
    functions: Any = operated.account.functions
    functions.refusal = denied
    done = await asyncio.to_thread(editing.edit, operated, id_, RIGHT, by="ann")
    assert done.words.endswith("could not be woken, and begins at its next schedule")
    assert ([held.body for held in account.waiting()], account.dead()) == ([RIGHT], [])


async def test_a_letter_of_another_actions_message_may_be_corrected(account: Account) -> None:
    async with ScriptedServer() as server:
        id_ = await refused(account, server, '{"action": "cancel", "email": "order-17"}')
        await asyncio.to_thread(edit, account, id_, '{"action": "cancel", "email_id": "order-17"}')
        await drain(account, server)
    (row,) = account.rows()
    assert (row["email_id"], row["status"], account.dead()) == ("order-17", "cancelled", [])


# -- what is refused ---------------------------------------------------------------------


async def test_what_would_be_wrong_is_not_sent(account: Account) -> None:
    id_ = bury(account, ORDER)
    with pytest.raises(Problem, match="nothing is sent: unknown field recipeint: did you mean rec"):
        await asyncio.to_thread(edit, account, id_, '{"action": "send", "recipeint": "a@b.c"}')
    with pytest.raises(Problem, match="there is no letter nonsense"):
        await asyncio.to_thread(edit, account, "nonsense")
    assert [(held.id, held.visible) for held in account.dead()] == [(id_, True)]


async def test_the_letter_of_a_key_that_another_email_has_needs_another_key(
    account: Account,
) -> None:
    async with refusing(TAKEN, NO_SUCH) as server:
        await was_sent(account, server)
        id_ = await refused(account, server, email(email_id="order-17", subject="another"))
        with pytest.raises(Problem, match="it was sent under this id meanwhile"):
            await asyncio.to_thread(edit, account, id_, email(email_id="order-17", subject="b"))
        await asyncio.to_thread(edit, account, id_, email(5, email_id="order-18", subject="b"))
        await drained(account, server)
    rows = {row["email_id"]: row["status"] for row in account.rows()}
    assert rows.keys() == {"order-17", "order-18"}


async def test_a_ledger_that_can_not_be_asked_keeps_the_letter(account: Account) -> None:
    id_ = bury(account, ORDER)
    operated = deployment(account, dynamodb=account.dynamodb(batch_get_item=failing("Throttling")))
    with pytest.raises(Problem, match=r"nothing is sent \(Throttling\): edit it again"):
        await asyncio.to_thread(editing.edit, operated, id_, RIGHT, by="ann")
    refusing_sqs = account.sqs(send_message_batch=failing())
    with pytest.raises(Problem, match="SQS doesn't take it, so nothing is sent and the letter st"):
        await asyncio.to_thread(edit, account, id_, RIGHT, refusing_sqs)
    assert (len(account.dead()), account.waiting()) == (1, [])


# -- one that is cut off -----------------------------------------------------------------


@pytest.mark.row(69)
@pytest.mark.parametrize("drains_between", [False, True])
@pytest.mark.parametrize("again", ["the same", "another"])
@pytest.mark.parametrize("cut", ["before", "agreed", "sending", "sent", "deleting"])
async def test_cut_off_anywhere_it_loses_nothing_and_is_sent_once(
    account: Account, cut: str, again: str, drains_between: bool
) -> None:
    """The process dies between two of the steps; a person edits the letter again, if it is there.

    A run may have taken in hand what was sent by then.
    """
    fatal: dict[str, dict[str, Answer]] = {
        "before": {"batch_execute_statement": killed},
        "agreed": {"batch_execute_statement": and_killed},
        "sending": {"send_message_batch": killed},
        "sent": {"send_message_batch": and_killed},
        "deleting": {"delete_message_batch": killed},
    }
    is_of_ledger = cut in ("before", "agreed")
    dynamodb = account.dynamodb(**fatal[cut] if is_of_ledger else {})
    sqs = account.sqs(**{} if is_of_ledger else fatal[cut])
    other = RIGHT if again == "the same" else RIGHT.replace("ann@", "anna@")
    async with refusing(NO_SUCH) as server:
        id_ = await refused(account, server)
        cut_off = deployment(account, sqs=sqs, dynamodb=dynamodb)
        with pytest.raises(KilledError):
            await asyncio.to_thread(editing.edit, cut_off, id_, RIGHT, by="ann")
        if drains_between:
            await drain(account, server)
        is_sent = drains_between and cut in ("sent", "deleting")
        assert id_ in [held.id for held in account.dead()], "the letter is there"
        with pytest.raises(Problem, match="sent under this id") if is_sent else nullcontext():
            await asyncio.to_thread(edit, account, id_, other)
        await drained(account, server)
        to = "ann@example.org" if is_sent or again == "the same" else "anna@example.org"
        assert recipients(server) == {to: 1}
    assert account.waiting() == []
    reused = [held.attributes["reason"][1] for held in account.dead() if held.id != id_]
    assert set(reused) <= {"ID_REUSED"}, "the first correction, overtaken by the second"


def _as_is(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    return real(**request)


async def was_sent(account: Account, server: ScriptedServer) -> None:
    """The email order-17 is sent."""
    account.publish(ORDER)
    await drain(account, server)
