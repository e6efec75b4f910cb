"""Dead letters are looked at without hiding them, and go back as the relay itself sends them."""

import asyncio
import json
import os
import resource
import signal
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulated import Account, Request, as_strict_as_sqs, at_once, failing, only_for
from function import email
from ion.contract import Where
from ion.outcome import Reason
from ionctl.ops import letters
from ionctl.problem import BrokenOff, Problem
from operated import bury, deployment, woken


def all_visible(account: Account) -> bool:
    return all(held.visible for held in account.dead())


def test_letters_are_grouped_by_reason_and_path_the_largest_group_first(account: Account) -> None:
    for _ in range(3):
        bury(account, "{}", reason="INVALID_SCHEMA", path="$.recipeint", problem="unknown")
    bury(account, "{}", reason="INVALID_SCHEMA", path="$.lane", problem="value")
    bury(account, email(), failed_at="2026-11-20T09:00:00Z")
    bury(account, email(), failed_at="2026-11-21T09:00:00Z")
    found = letters.look(deployment(account))
    assert [(group.reason, group.path, group.count) for group in found.groups] == [
        ("INVALID_SCHEMA", "$.recipeint", 3),
        ("RCPT_REJECTED", "", 2),
        ("INVALID_SCHEMA", "$.lane", 1),
    ]
    assert found.groups[2].hint == "must be normal or bulk"
    assert (found.groups[1].oldest_at.day, found.groups[1].newest_at.day) == (20, 21)
    assert (found.seen, found.chosen, found.hidden, found.more) == (6, 6, 0, 0)
    assert found.letters[-1].died_at == found.groups[1].oldest_at, "the newest first"
    assert not any(one.body for one in found.letters)


def test_a_letter_says_what_is_on_it_and_what_its_message_asks_for(account: Account) -> None:
    body = email(1, cc="Bob <bob@example.org>", subject="Hello", tags={"kind": "reset"})
    id_ = bury(account, body, left=[1], attempts=3, redrives=2)
    read = letters.letter(deployment(account), id_)
    assert (read.message_id, read.email_id, read.reason) == (id_, "order-17", "RCPT_REJECTED")
    assert (read.reply, read.stage, read.attempts, read.redrives) == ("550 no", "rcpt", 3, 2)
    assert (read.action, read.recipients) == ("send", ["to1@example.org", "bob@example.org"])
    assert (read.subject, read.left, read.lane) == ("Hello", [1], "normal")
    assert (read.tags, read.body) == ({"kind": "reset"}, body)
    assert all_visible(account)


def test_a_letter_that_can_not_be_read_or_that_ion_did_not_write_is_shown(
    account: Account,
) -> None:
    id_ = account.publish("{broken", {}, account.dead_url)
    read = letters.letter(deployment(account), id_)
    assert (read.reason, read.action, read.recipients) == ("POISON", "", [])
    assert (read.email_id, read.died_at, read.body) == (id_, None, "{broken")


def test_a_letter_with_a_wrong_address_names_no_recipients(account: Account) -> None:
    id_ = bury(account, email(recipient="ann@"), reason="INVALID_ADDRESS", path="$.recipient")
    read = letters.letter(deployment(account), id_)
    assert (read.action, read.recipients) == ("send", [])


def test_only_those_are_chosen_that_are_asked_for(account: Account) -> None:
    one = bury(account, email(1), reason="EXPIRED")
    two = bury(account, email(2), reason="BAD_JSON", path="$.cc[1]")
    bury(account, email(3))
    operated = deployment(account)

    def chosen(where: Where | None = None, *ids: str) -> list[str]:
        return [read.message_id for read in letters.look(operated, where, ids=ids).letters]

    assert chosen(Where(reason=[Reason.EXPIRED])) == [one]
    assert chosen(Where(path="$.cc[1]")) == [two]
    assert chosen(None, one, two) in ([one, two], [two, one])
    assert chosen(Where(reason=Reason.EXPIRED), two) == []


def test_a_redrive_right_after_a_look_finds_every_letter(account: Account) -> None:
    ids = {bury(account, email(number)) for number in range(25)}
    operated = deployment(account)
    assert letters.look(operated).seen == 25
    assert letters.letter(operated, next(iter(ids))).message_id in ids
    moved = letters.redrive(operated)
    assert (moved.chosen, moved.done, moved.hidden) == (25, 25, 0)
    assert account.dead() == []


def test_a_redrive_finds_all_after_a_look_that_failed(account: Account) -> None:
    for number in range(15):
        bury(account, email(number))
    looks = 0

    def once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal looks
        looks += 1
        return (at_once if looks == 1 else failing("AccessDenied"))(real, request)

    with pytest.raises(Problem, match=r"can't be used: receive: AccessDenied"):
        letters.look(deployment(account, sqs=account.sqs(receive_message=once)))
    assert letters.redrive(deployment(account)).done == 15


@pytest.mark.parametrize("verb", ["look", "redrive"])
def test_a_redrive_finds_all_after_one_that_ctrl_c_broke_off(account: Account, verb: str) -> None:
    """Ctrl-C comes while SQS hides letters: before its answer is here, and after another one."""
    for number in range(25):
        bury(account, email(number))
    looks = 0

    def interrupted(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal looks
        looks += 1
        answer = at_once(real, request)
        if looks == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the task is cancelled while this call is under way
        return answer

    operated = deployment(account, sqs=account.sqs(receive_message=interrupted))
    assert threading.current_thread() is threading.main_thread()
    with pytest.raises(BrokenOff if verb == "redrive" else KeyboardInterrupt) as ended:
        getattr(letters, verb)(operated)
    assert all_visible(account)
    if verb == "redrive":
        assert str(ended.value).startswith("broken off: 10 dead letters were moved back")
    before = len(account.waiting())
    moved = letters.redrive(deployment(account))
    assert (before + moved.done, moved.hidden, account.dead()) == (25, 0, [])


def test_what_somebody_else_has_received_is_counted_as_hidden(account: Account) -> None:
    bury(account, email(1))
    hidden = bury(account, email(2))
    queue = account.dead_letters()
    (first,) = asyncio.run(queue.receive(visibility_seconds=60, wait_seconds=0, most=1))
    asyncio.run(queue.receive(visibility_seconds=60, wait_seconds=0, most=1))
    asyncio.run(queue.postpone([(first, 0)]))
    operated = deployment(account)
    assert letters.look(operated).hidden == 1
    with pytest.raises(Problem, match=r"1 are hidden.*try again in two minutes"):
        letters.letter(operated, hidden)
    assert letters.redrive(operated).hidden == 1


def test_who_asks_for_a_letter_that_is_not_there_is_told(account: Account) -> None:
    bury(account, email())
    with pytest.raises(Problem, match="no letter nonsense: ionctl dead list"):
        letters.letter(deployment(account), "nonsense")


def test_no_more_are_looked_at_than_asked_for_and_it_is_told(account: Account) -> None:
    for number in range(25):
        bury(account, email(number))
    told: list[tuple[int, int]] = []
    found = letters.look(deployment(account), most=5, progress=lambda *of: told.append(of))
    assert (found.seen, found.more, found.hidden) == (10, 15, 0), "they come ten at a time"
    assert told[-1] == (10, 25)
    assert all_visible(account)


def test_a_quick_look_asks_once_more_and_waits_for_nothing(account: Account) -> None:
    bury(account, email())
    sqs = account.sqs()
    letters.look(deployment(account, sqs=sqs))
    assert [one["WaitTimeSeconds"] for one in sqs.asked("receive_message")] == [1, 0]


def test_a_redrive_tells_what_it_moved_and_wakes_the_relay(account: Account) -> None:
    for number in range(3):
        bury(account, email(number), reason="EXPIRED")
    bury(account, email(4))
    bury(account, email(5), redrives=10)
    operated = deployment(account)
    dry = letters.redrive(operated, dry_run=True, rate=1)
    assert (dry.chosen, dry.done, dry.dry_run, dry.woken) == (5, 0, True, False)
    assert (len(account.dead()), woken(operated)) == (5, 0)
    moved = letters.redrive(operated)
    assert (moved.chosen, moved.done, moved.refused) == (5, 4, 1)
    reasons = [(one.reason, one.count) for one in moved.reasons]
    assert reasons == [("EXPIRED", 3), ("RCPT_REJECTED", 1)]
    assert (moved.woken, woken(operated)) == (True, 1)


def test_named_letters_alone_are_moved_and_at_most_so_many(account: Account) -> None:
    ids = [bury(account, email(number)) for number in range(12)]
    operated = deployment(account)
    assert letters.redrive(operated, ids=ids[:2]).done == 2
    assert letters.redrive(operated, maximum=3).done == 3
    assert len(account.dead()) == 7
    assert all_visible(account)


def test_a_rate_is_kept_by_sqs(account: Account) -> None:
    for number in range(5):
        bury(account, email(number))
    sqs = account.sqs()
    letters.redrive(deployment(account, sqs=sqs), rate=2)
    sent = [one for call in sqs.asked("send_message_batch") for one in call["Entries"]]
    assert sorted(one["DelaySeconds"] for one in sent) == [0, 0, 1, 1, 2]


def test_a_dry_run_counts_all_however_slow_the_rate_is(account: Account) -> None:
    for number in range(12):
        bury(account, email(number))
    dry = letters.redrive(deployment(account), dry_run=True, rate=0.001)
    assert (dry.chosen, dry.done, dry.hidden) == (12, 0, 0)


def test_what_a_rate_has_no_room_for_is_waited_for_and_counts_to_the_maximum(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS delays a message for 15 minutes at most, which at this rate are two letters."""
    for number in range(6):
        bury(account, email(number))
    waited = list[float]()

    async def pass_time(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", pass_time)
    moved = letters.redrive(deployment(account), rate=0.002, maximum=5)
    assert (moved.chosen, moved.done, len(account.dead())) == (5, 5, 1)
    assert waited == [1000, 1000], "as long as two letters take"


def test_the_relay_may_be_woken_by_its_schedule_alone(account: Account) -> None:
    bury(account, email())
    operated = deployment(account)
    refusing: Any = operated.account.functions
    refusing.invoke = lambda **_: failing("AccessDenied")(print, {})
    moved = letters.redrive(operated)
    assert (moved.done, moved.woken) == (1, False)


def test_what_was_moved_before_a_queue_failed_is_told(account: Account) -> None:
    for number in range(15):
        bury(account, email(number))
    looks = 0

    def once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal looks
        looks += 1
        return (at_once if looks == 1 else failing("Throttling"))(real, request)

    sqs = account.sqs(receive_message=only_for(account.dead_url, once, at_once))
    with pytest.raises(Problem, match="10 were moved before"):
        letters.redrive(deployment(account, sqs=sqs))
    assert json.loads(account.waiting()[0].body)["action"] == "send"


# -- discarded and restored --------------------------------------------------------------


def test_what_is_discarded_is_in_a_file_and_can_be_restored(
    account: Account, tmp_path: Path
) -> None:
    bodies = [email(1), "{broken \u2028", email(3, subject="Grüße 🎉")]
    for body in bodies:
        bury(account, body, left=[0], redrives=2)
    account.publish("from SQS itself", {}, account.dead_url)
    before = {(one.body, str(one.attributes)) for one in account.dead()}
    operated, file = deployment(account), tmp_path / "letters.jsonl"
    thrown = letters.discard(operated, file=file)
    assert (thrown.chosen, thrown.done, thrown.file) == (4, 4, str(file))
    reasons = [(one.reason, one.count) for one in thrown.reasons]
    assert reasons == [("RCPT_REJECTED", 3), ("POISON", 1)]
    assert account.dead() == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
    assert {line["body"] for line in lines} == {*bodies, "from SQS itself"}
    assert {"message_id", "email_id", "reason", "died_at", "attributes"} <= lines[0].keys()
    assert letters.restore(operated, file) == 4
    assert {(one.body, str(one.attributes)) for one in account.dead()} == before


def interrupting(call: int) -> Callable[..., Any]:
    """SQS, in whose answer to a call of that number Ctrl-C comes."""
    calls = 0

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        found = real(**request)
        if calls == call:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the task is cancelled while this call is under way
        return found

    return answer


def test_what_was_discarded_and_restored_before_ctrl_c_is_told(
    account: Account, tmp_path: Path
) -> None:
    for number in range(25):
        bury(account, email(number))
    file = tmp_path / "letters"
    sqs = account.sqs(delete_message_batch=interrupting(2))
    with pytest.raises(BrokenOff, match=rf"20 dead letters were discarded, and are in {file}"):
        letters.discard(deployment(account, sqs=sqs), file=file)
    assert len(account.dead()) == 5
    sqs = account.sqs(send_message_batch=interrupting(1))
    with pytest.raises(BrokenOff, match="10 dead letters were put back, the first of"):
        letters.restore(deployment(account, sqs=sqs), file)
    assert len(account.dead()) == 15


def test_a_letter_keeps_its_tenant_on_every_way(account: Account, tmp_path: Path) -> None:
    """Its MessageGroupId, by which SQS is fair to the others."""
    bury(account, email(), group="tenant-7")
    operated, file = deployment(account), tmp_path / "letters"
    letters.discard(operated, file=file)
    letters.restore(operated, file)
    assert [held.group for held in account.dead()] == ["tenant-7"]
    letters.redrive(operated)
    assert [held.group for held in account.waiting()] == ["tenant-7"]


def test_only_those_are_discarded_that_are_asked_for(account: Account, tmp_path: Path) -> None:
    one, _two = (bury(account, email(number)) for number in range(2))
    operated = deployment(account)
    assert letters.discard(operated, ids=[one], file=tmp_path / "1").done == 1
    assert all_visible(account)
    nothing = letters.discard(operated, Where(reason=Reason.EXPIRED), file=tmp_path / "2")
    assert (nothing.chosen, nothing.file) == (0, "")
    assert not (tmp_path / "2").exists()
    assert len(account.dead()) == 1


def test_a_letter_is_deleted_once_it_is_on_the_disk(account: Account, tmp_path: Path) -> None:
    for number in range(12):
        bury(account, email(number))
    file = tmp_path / "letters"

    def is_written(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        written.append(len(file.read_text().splitlines()))
        return real(**request)

    written: list[int] = []
    sqs = account.sqs(delete_message_batch=is_written)
    letters.discard(deployment(account, sqs=sqs), file=file)
    assert written == [10, 12]


def test_letters_that_could_not_be_deleted_are_told_and_visible_at_once(
    account: Account, tmp_path: Path
) -> None:
    for number in range(3):
        bury(account, email(number))
    operated = deployment(account, sqs=account.sqs(delete_message_batch=failing()))
    thrown = letters.discard(operated, file=tmp_path / "letters")
    assert (thrown.chosen, thrown.done, len(account.dead())) == (3, 0, 3)
    assert all_visible(account)


def test_a_file_that_is_there_is_not_overwritten(account: Account, tmp_path: Path) -> None:
    bury(account, email())
    file = tmp_path / "letters"
    file.write_text("earlier ones")
    with pytest.raises(Problem, match="is there already: name another one with --file"):
        letters.discard(deployment(account), file=file)
    assert (file.read_text(), len(account.dead())) == ("earlier ones", 1)
    with pytest.raises(Problem, match=r"can't be written: No such file"):
        letters.discard(deployment(account), file=tmp_path / "no" / "folder")


def test_a_full_disk_keeps_the_letters(account: Account, tmp_path: Path) -> None:
    for number in range(12):
        bury(account, email(number, body_text="x" * 1000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (18_000, hard))  # ten letters, and half of one
    try:
        with pytest.raises(Problem, match=r"can't be written \(File too large\): what it has is"):
            letters.discard(deployment(account), file=tmp_path / "letters")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(account.dead()) == 2
    assert letters.restore(deployment(account), tmp_path / "letters") == 10


def test_a_file_of_something_else_restores_nothing(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "letters"
    bury(account, email())
    letters.discard(deployment(account), file=file)
    file.write_text(file.read_text() + '{"body": "x"}\n')
    with pytest.raises(Problem, match="letters, line 2: this is no letter"):
        letters.restore(deployment(account), file)
    assert account.dead() == []
    with pytest.raises(Problem, match="can't be read: No such file"):
        letters.restore(deployment(account), tmp_path / "nothing")


def test_letters_that_can_not_be_restored_are_named(account: Account, tmp_path: Path) -> None:
    file = tmp_path / "letters"
    for number in range(12):
        bury(account, email(number))
    letters.discard(deployment(account), file=file)
    calls = 0

    def first(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal calls
        calls += 1
        return (as_strict_as_sqs if calls == 1 else failing())(real, request)

    sqs = account.sqs(send_message_batch=first)
    with pytest.raises(Problem, match=r"2 of 12 letters .* of the lines 11, 12"):
        letters.restore(deployment(account, sqs=sqs), file)
