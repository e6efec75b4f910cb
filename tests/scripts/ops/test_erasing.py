"""Erasure: what was published before isn't sent, and nothing of the address is left in ion."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conftest import Log
from draining import control_row, drain, email, run, suppression_list
from emulated import Account, Request, failing
from ion.contract import Pause
from ion.drain.progress import Summary
from ionctl.ops import erasing, letters, steering, suppressing
from ionctl.ops.letters import silent
from ionctl.ops.result import Erased
from ionctl.problem import Problem
from operated import bury, deployment
from smtp_server import NORMAL, ScriptedServer, reply

CANARY, BOB = "canary@canary.test", "bob@example.org"


def erase(account: Account, *, dry_run: bool = False, **parts: Any) -> Erased:  # noqa: ANN401
    operated = deployment(account, **parts)
    return erasing.erase(operated, CANARY, dry_run=dry_run, progress=silent)


def left(account: Account) -> str:
    """All that ion has: rows, queues, dead letters."""
    held = [*account.waiting(), *account.dead(), *account.held_in("bulk")]
    return json.dumps(account.rows()) + "".join(f"{one.body}{one.attributes}" for one in held)


def off(account: Account) -> Any:  # noqa: ANN401
    """The relay as it usually is: the list isn't on."""
    return suppression_list(account, is_on=False)


def test_nothing_of_an_erased_address_is_left(account: Account, log: Log) -> None:
    """One email was sent, one is dead, one waits for its second try, one is still queued."""
    refusing = ScriptedServer(
        recipients={CANARY: [NORMAL, reply(550, "no such user"), reply(450, "4.2.1 busy")]}
    )

    async def main() -> Summary:
        async with refusing:
            for name in ("sent", "dead", "deferred"):
                account.publish(email(recipient=CANARY, subject=CANARY, email_id=name))
                await drain(account, refusing, suppressing=off(account))
            account.publish(email(recipient=CANARY, cc=BOB, email_id="queued"))
            done = await asyncio.to_thread(erase, account)
            assert len(done.deleted) == 1
            assert (done.shared, done.mentioning, done.hidden) == ([], [], 0)
            assert done.waiting == 2
            account.time_passes(3600)
            account.publish(email(recipient=CANARY, email_id="new"))
            return await drain(account, refusing, suppressing=off(account))

    summary = asyncio.run(main())
    assert (summary.sent, summary.suppressed) == (2, 2)
    rows = {row["email_id"]: row["fates"] for row in account.rows() if "fates" in row}
    assert rows == {"sent": "s", "dead": "d", "deferred": "x", "queued": "xs", "new": "s"}
    assert [one.recipients for one in refusing.accepted] == [(CANARY,), (BOB,), (CANARY,)]
    assert "canary" not in left(account)
    assert "canary" not in log.text


def test_a_letter_for_others_stays_and_a_redrive_leaves_the_address_out(account: Account) -> None:
    body = email(recipient=CANARY, cc=BOB, email_id="order-17")
    account.publish(body)
    refusing = ScriptedServer(
        recipients={one: [reply(550, "no such user")] for one in (CANARY, BOB)}
    )

    async def main() -> Erased:
        async with refusing:
            await drain(account, refusing, suppressing=off(account))
            done = await asyncio.to_thread(erase, account)
            await asyncio.to_thread(letters.redrive, deployment(account))
            await drain(account, refusing, suppressing=off(account))
            return done

    done = asyncio.run(main())
    assert (done.deleted, len(done.shared)) == ([], 1)
    assert [one.recipients for one in refusing.accepted] == [(BOB,)]
    (row,) = [row for row in account.rows() if row["email_id"] == "order-17"]
    assert row["fates"] == "xs"


def test_letters_go_by_whom_they_are_about(account: Account) -> None:
    both = email(recipient=CANARY, cc=BOB)
    alone = bury(account, email(recipient=f"Canary <{CANARY.upper()}>"), email_id="a")
    only_it_left = bury(account, both, email_id="b", left=[0])
    only_bob_left = bury(account, both, email_id="c", left=[1])
    shared = bury(account, both, email_id="d")
    broken = bury(account, f'{{"recipient": "{CANARY}"', reason="BAD_JSON", email_id="e")
    in_its_text = bury(account, email(body_text=f"see {CANARY}"), email_id="f")
    other = bury(account, email(recipient="xcanary@canary.test"), email_id="g")
    looked = erase(account, dry_run=True)
    assert len(account.dead()) == 7
    done = erase(account)
    for one in (looked, done):
        assert {*one.deleted} == {alone, only_it_left}
        assert {*one.shared} == {only_bob_left, shared}
        assert {*one.mentioning} >= {broken, in_its_text}
    assert {held.id for held in account.dead()} == {
        *(only_bob_left, shared, broken, in_its_text, other)
    }


def test_a_letter_with_bad_input_goes_if_it_names_that_address_alone(account: Account) -> None:
    def bad(name: str, **fields: object) -> str:
        body = json.dumps({"action": "send", "subjct": "x", "recipient": CANARY, **fields})
        return bury(account, body, reason="INVALID_SCHEMA", email_id=name)

    alone = [
        bad("a"),
        bad("b", recipient=[f"Canary <{CANARY.upper()}>"], cc=None, bcc=CANARY),
        bad("h", recipient={"email": CANARY, "name": "Canary"}),
    ]
    others = [
        bad("c", cc=BOB),
        bad("d", bcc=[BOB, 7]),
        bad("e", ccc=BOB),
        bad("f", recipient=[CANARY, "bob(at)example.org"]),
        bad("g", recipient={"to": CANARY}),
    ]
    looked = erase(account, dry_run=True)
    done = erase(account)
    for one in (looked, done):
        assert {*one.deleted} == {*alone}
        assert {*one.mentioning} == {*others}
    assert {held.id for held in account.dead()} == {*others}


def test_a_dry_run_changes_nothing(account: Account) -> None:
    bury(account, email(recipient=CANARY), email_id="a")
    done = erase(account, dry_run=True)
    assert (done.dry_run, len(done.deleted), account.rows()) == (True, 1, [])
    assert len(account.dead()) == 1


def test_to_erase_again_does_what_is_left_and_names_the_later_moment(account: Account) -> None:
    suppressing.add(deployment(account), CANARY, scope="tag:list=news", by="ann")
    first = erase(account)
    bury(account, email(recipient=CANARY), email_id="a")
    again = erase(account)
    assert (len(first.deleted), len(again.deleted)) == (0, 1)
    assert again.at > first.at
    (kept,) = again.kept
    assert (kept.scope, kept.by) == ("tag:list=news", "")
    found = suppressing.check(deployment(account), CANARY)
    assert found.erased_at == again.at
    assert "nothing published by" in found.words
    assert suppressing.entries(deployment(account), silent).erased == 1


def test_resume_does_not_forget_that_there_are_erasures(account: Account) -> None:
    account.publish(email(recipient=CANARY))
    erase(account)
    operated = deployment(account)
    steering.pause(operated, Pause(), by="ann")
    steering.resume(operated, by="ann")
    assert asyncio.run(control_row(account).read()).erasures
    assert run(account, suppressing=off(account)).suppressed == 1


def test_a_scheduled_email_is_dropped_when_its_turn_comes(account: Account) -> None:
    begins = datetime.now(UTC) + timedelta(hours=2)
    account.publish(email(recipient=CANARY, not_before=begins.isoformat(timespec="seconds")))
    assert run(account, suppressing=off(account)).deferred == 1
    erase(account)
    account.time_passes(3 * 3600)
    clock = time.time() + 3 * 3600
    assert run(account, suppressing=off(account), now=lambda: clock).suppressed == 1
    assert "canary" not in left(account)


def test_the_mark_is_set_before_letters_are_looked_at(account: Account) -> None:
    """A queue that can't be read is said, and nothing gets past the mark meanwhile."""
    account.publish(email(recipient=CANARY))
    with pytest.raises(Problem, match="dead-letter queue can't be used"):
        erase(account, sqs=account.sqs(receive_message=failing("AccessDenied")))
    assert run(account, suppressing=off(account)).suppressed == 1


def test_without_the_table_nothing_is_deleted(account: Account) -> None:
    bury(account, email(recipient=CANARY), email_id="a")
    with pytest.raises(Problem, match="can't be used: AccessDenied"):
        erase(account, dynamodb=account.dynamodb(batch_execute_statement=failing("AccessDenied")))
    assert len(account.dead()) == 1


def test_a_mark_that_no_relay_would_look_at_is_not_made(account: Account) -> None:
    def fails(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        is_control = '" control "' in json.dumps(request)
        return failing("AccessDenied")(real, request) if is_control else real(**request)

    with pytest.raises(Problem, match="can't be used: AccessDenied"):
        erase(account, dynamodb=account.dynamodb(batch_execute_statement=fails))
    assert suppressing.check(deployment(account), CANARY).erased_at is None


def test_a_letter_that_could_not_be_deleted_is_told_and_stays(account: Account) -> None:
    one = bury(account, email(recipient=CANARY), email_id="a")
    done = erase(account, sqs=account.sqs(delete_message_batch=failing()))
    assert (done.deleted, done.mentioning) == ([], [one])
    assert [held.id for held in account.dead()] == [one]
    assert erase(account).deleted == [one], "it isn't hidden any longer"


def test_a_letter_that_is_gone_is_not_put_back(account: Account) -> None:
    bury(account, email(recipient=CANARY), email_id="a")
    sqs = account.sqs()
    assert len(erase(account, sqs=sqs).deleted) == 1
    assert sqs.asked("change_message_visibility_batch") == []


def test_letters_that_somebody_else_looks_at_are_counted(account: Account) -> None:
    bury(account, email(recipient=CANARY), email_id="a")
    account.sqs().receive_message(QueueUrl=account.dead_url, VisibilityTimeout=600)
    other = bury(account, email(recipient=CANARY), email_id="b")
    done = erase(account)
    assert (done.deleted, done.hidden) == ([other], 1)


def test_what_waits_is_counted_in_all_queues_whether_it_is_shown_or_not(account: Account) -> None:
    account.publish(email(1))
    account.publish(email(2), url=account.bulk_url)
    account.publish(email(3), url=account.bulk_url)
    account.sqs().receive_message(QueueUrl=account.bulk_url, VisibilityTimeout=600)
    account.sqs().send_message(QueueUrl=account.later_url, MessageBody=email(4), DelaySeconds=900)
    assert erase(account).waiting == 4


def test_an_erased_address_without_an_entry_is_not_counted_as_listed(account: Account) -> None:
    erase(account)
    found = suppressing.entries(deployment(account), silent)
    assert (found.erased, found.addresses, found.entries) == (1, 0, [])


@pytest.mark.parametrize("what", ["0123456789abcdef", "canary"])
def test_it_takes_an_address(account: Account, what: str) -> None:
    with pytest.raises(Problem):
        erasing.erase(deployment(account), what, dry_run=False, progress=silent)
    assert account.rows() == []
