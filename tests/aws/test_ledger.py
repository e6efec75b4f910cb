"""What the ledger adapter makes of DynamoDB's answers, and of other runs at the same table."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from emulated import (
    AWS_SECRET_TEXT,
    Account,
    Answer,
    Between,
    Request,
    error,
    failing,
    unreachable,
)
from ion.aws.ledger import Ledger, Result
from ion.aws.table import TableError
from ion.delivery import InDoubt
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    PENDING,
    SENT,
    Claim,
    Judgement,
    Row,
    RowStatus,
    Verdict,
    conclude,
)

NOW = 1_800_000_000.0
LEASE = NOW + 960
LATER = LEASE + 60
"""When that lease has ended for everybody."""
DAY = 24 * 3600
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))

COLUMNS = {
    "first_queued_at",
    "email_id",
    "message_id",
    "status",
    "token",
    "lease_until",
    "content_hash",
    "fates",
    "attempts",
    "doubts",
    "crashes",
    "used_ids",
    "updated_at",
    "expires_at",
}


def claims(count: int = 1, token: str = "one", **others: Any) -> list[Claim]:  # noqa: ANN401
    return [claim(f"key-{number:02}", f"{token}-{number}", **others) for number in range(count)]


def claim(email_id: str = "key", token: str = "one", **others: Any) -> Claim:  # noqa: ANN401
    parts: dict[str, Any] = {
        "email_id": email_id,
        "message_id": f"message-of-{token}",
        "content_hash": "hash",
        "recipients": 2,
        "left": (),
        "in_doubt": InDoubt.RESEND_ONCE,
        "token": token,
        "lease_until": LEASE,
        "alone": True,
    }
    return Claim(**parts | others)


def ask(ledger: Ledger, asked: Sequence[Claim], now: float = NOW) -> list[Judgement]:
    return asyncio.run(ledger.claim(asked, now))


def verdicts(judgements: Sequence[Judgement]) -> list[str]:
    return [judged.verdict.value for judged in judgements]


def tell(ledger: Ledger, results: Sequence[Result], now: float = NOW) -> list[Result]:
    return asyncio.run(ledger.record(results, now))


def sent(
    judged: Judgement, email_id: str = "key", about: dict[str, str | int] | None = None
) -> Result:
    assert judged.row is not None
    row = replace(judged.row, status=RowStatus.SENT, fates=SENT * 2, lease_until=0)
    return Result(email_id, row, about or {})


def put_off(judged: Judgement) -> Row:
    """The row once its attempt has come to nothing."""
    assert judged.row is not None
    return conclude(judged.row, "message-of-one", [])


def leased(account: Account, *keys: str, now: float = NOW) -> list[Judgement]:
    """Rows that the run `one` has put there."""
    return ask(account.ledger(), [claim(key) for key in keys or ["key"]], now)


def columns(row: dict[str, str | int], *names: str) -> tuple[str | int, ...]:
    return tuple(row[name] for name in names)


def sizes(dynamodb: Between) -> list[int]:
    return [len(call["Statements"]) for call in dynamodb.asked("batch_execute_statement")]


def first_times(times: int, answer: Answer) -> Answer:
    left = [times]

    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        left[0] -= 1
        return answer(real, request) if left[0] >= 0 else real(**request)

    return choose


def statements_fail(code: str, *keys: str) -> Answer:
    """The call answers 200; the statements about some keys (none: all) were not carried out."""

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        statements = request["Statements"]
        bad = [not keys or _about(statement, keys) for statement in statements]
        good = [one for one, failed in zip(statements, bad, strict=True) if not failed]
        answers = iter(real(Statements=good)["Responses"] if good else [])
        refusal = {"Error": {"Code": code, "Message": AWS_SECRET_TEXT}}
        return {"Responses": [refusal if failed else next(answers) for failed in bad]}

    return answer


def _about(statement: dict[str, Any], keys: Sequence[str]) -> bool:
    return any(parameter.get("S") in keys for parameter in statement["Parameters"])


def answer_lost(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """DynamoDB has done it, but we don't hear of it."""
    real(**request)
    return unreachable(real, request)


def answer_lost_and_asked_again(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The same, and boto3 repeats the call by itself."""
    real(**request)
    return real(**request)


# new emails


def test_new_emails_are_claimed_in_one_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    asked = claims(10)
    judgements = ask(account.ledger(dynamodb), asked)
    assert [(one.verdict, one.targets) for one in judgements] == [(Verdict.SEND, (0, 1))] * 10
    assert [name for name, _ in dynamodb.calls] == ["batch_execute_statement"]
    rows = account.rows()
    assert [row["email_id"] for row in rows] == [one.email_id for one in asked]
    assert [row["token"] for row in rows] == [one.token for one in asked]
    assert {columns(row, "status", "lease_until", "fates") for row in rows} == {
        ("sending", LEASE, CLAIMED * 2)
    }


def test_claims_travel_twenty_five_a_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    assert verdicts(ask(account.ledger(dynamodb), claims(30))) == ["send"] * 30
    assert sizes(dynamodb) == [25, 5]
    assert len(account.rows()) == 30


def test_nothing_to_claim_or_to_record_is_no_call(account: Account) -> None:
    dynamodb = account.dynamodb()
    assert ask(account.ledger(dynamodb), []) == []
    assert tell(account.ledger(dynamodb), []) == []
    assert dynamodb.calls == []


@pytest.mark.parametrize(
    "key",
    [PRINTABLE, PRINTABLE[::-1], "'", '"', "''; --", "?", "k" * 256, PRINTABLE + "x" * 162],
    ids=["printable", "backwards", "quote", "quotes", "injection", "parameter", "long", "longest"],
)
def test_any_key_that_the_contract_allows_is_kept_as_it_is(account: Account, key: str) -> None:
    (first,) = leased(account, key)
    (second,) = ask(account.ledger(), [claim(key, "two")])
    assert (first.verdict, second.verdict) == (Verdict.SEND, Verdict.WAIT)
    assert tell(account.ledger(), [sent(first, key)]) == []
    (row,) = account.rows()
    assert columns(row, "email_id", "status") == (key, "sent")


def test_keys_that_differ_little_are_different_emails(account: Account) -> None:
    keys = ["key", "KEY", "key ", "key'", 'key"', "key?"]
    assert verdicts(leased(account, *keys)) == ["send"] * 6


# what a row holds


def test_a_row_has_no_address(account: Account) -> None:
    leased(account)
    (row,) = account.rows()
    assert set(row) == COLUMNS
    assert "@" not in str(row)


def test_a_row_outlives_both_queues(account: Account) -> None:
    """14 days in the one, 14 in the other; and TTL wants whole seconds."""
    (judged,) = leased(account)
    (claimed,) = account.rows()
    tell(account.ledger(), [sent(judged)], NOW + DAY)
    (recorded,) = account.rows()
    assert int(claimed["expires_at"]) >= NOW + 28 * DAY
    assert int(recorded["expires_at"]) >= NOW + 29 * DAY


def test_a_row_comes_back_as_it_was_written(account: Account) -> None:
    (judged,) = leased(account)
    assert judged.row is not None
    row = replace(
        judged.row,
        status=RowStatus.DEFERRED,
        fates=SENT + PENDING,
        attempts=7,
        doubts="01",
        used_ids=frozenset({"message-7", "message-8"}),
        lease_until=0,
    )
    tell(account.ledger(), [Result("key", row, {})])
    (again,) = ask(account.ledger(), [claim(token="two")], LATER)
    assert again.row is not None
    assert again.row == replace(
        row,
        used_ids=row.used_ids | {"message-of-two"},
        status=RowStatus.SENDING,
        fates=SENT + CLAIMED,
        token="two",
        lease_until=LEASE,
        expires_at=again.row.expires_at,
    )


def test_a_part_of_a_second_does_not_shorten_a_lease(account: Account) -> None:
    ask(account.ledger(), [claim(lease_until=LEASE + 0.2)])
    assert account.rows()[0]["lease_until"] == LEASE + 1


RESERVED = ["name", "value", "timestamp", "user", "order", "date", "comment", "stage", "reply"]


def test_what_people_want_to_know_is_kept_under_any_name(account: Account) -> None:
    """DynamoDB reserves 573 words, `status` and `token` among them."""
    (judged,) = leased(account)
    about: dict[str, str | int] = {word: f"it's {word}" for word in RESERVED} | {"code": 250}
    assert tell(account.ledger(), [sent(judged, about=about)]) == []
    (row,) = account.rows()
    assert {name: row[name] for name in about} == about


def test_a_result_brings_what_the_attempt_has_changed_and_nothing_else(account: Account) -> None:
    (judged,) = leased(account)
    dynamodb = account.dynamodb()
    result = replace(sent(judged, about={"reply": "250 ok"}), was=judged.row)
    tell(account.ledger(dynamodb), [result])
    ((statement,),) = (one["Statements"] for one in dynamodb.asked("batch_execute_statement"))
    written = set(re.findall(r'SET "(\w+)"', statement["Statement"]))
    assert written == {"status", "lease_until", "fates", "reply", "updated_at", "expires_at"}
    (row,) = account.rows()
    assert columns(row, "status", "fates", "token", "content_hash") == ("sent", "ss", "one", "hash")


def test_what_people_want_to_know_cannot_move_the_fence(account: Account) -> None:
    (judged,) = leased(account)
    forged: dict[str, str | int] = {"token": "forged", "status": "forged", "expires_at": 1}
    result = sent(judged, about=forged)
    tell(account.ledger(), [result, replace(result, was=judged.row)])
    (row,) = account.rows()
    assert columns(row, "token", "status") == ("one", "sent")
    assert int(row["expires_at"]) > NOW


# emails that the ledger knows


@pytest.mark.row(65)
def test_each_of_many_is_judged_by_its_own_row(account: Account) -> None:
    done, deferred, dead, other = leased(account, "done", "deferred", "dead", "other")
    leased(account, "live")
    assert done.row is not None
    assert deferred.row is not None
    assert dead.row is not None
    assert other.row is not None
    gone = replace(dead.row, status=RowStatus.BOUNCED, fates=DEAD * 2, lease_until=0)
    results = [
        sent(done, "done"),
        Result("deferred", replace(put_off(deferred), attempts=2), {}),
        Result("dead", replace(gone, used_ids=frozenset({"message-of-two"})), {}),
        Result("other", put_off(other), {}),
    ]
    assert tell(account.ledger(), results) == []
    dynamodb = account.dynamodb()
    keys = ["done", "new", "deferred", "dead", "other", "live"]
    asked = [claim(key, "two", lease_until=LEASE + 5) for key in keys]
    asked[4] = replace(asked[4], content_hash="another")
    judgements = ask(account.ledger(dynamodb), asked)
    assert verdicts(judgements) == ["done", "send", "send", "done", "reused", "wait"]
    assert [name for name, _ in dynamodb.calls] == [
        "batch_execute_statement",
        "batch_get_item",
        "batch_execute_statement",
    ]
    assert sizes(dynamodb) == [6, 1]
    assert judgements[2].row is not None
    assert judgements[2].row.attempts == 2
    tokens = {row["email_id"]: row["token"] for row in account.rows()}
    assert [tokens[key] for key in keys] == ["one", "two", "two", "one", "one", "one"]


@pytest.mark.row(65)
def test_rows_are_read_so_that_no_earlier_write_is_missed(account: Account) -> None:
    leased(account)
    dynamodb = account.dynamodb()
    ask(account.ledger(dynamodb), [claim(token="two")])
    (request,) = dynamodb.asked("batch_get_item")
    assert request["RequestItems"][account.table]["ConsistentRead"] is True


def test_rows_that_dynamodb_leaves_for_the_next_call_are_asked_for_again(account: Account) -> None:
    leased(account, "a", "b", "c")

    def one_at_a_time(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        asked = request["RequestItems"][account.table]
        first = {account.table: asked | {"Keys": asked["Keys"][:1]}}
        rest = {account.table: asked | {"Keys": asked["Keys"][1:]}} if asked["Keys"][1:] else {}
        return {**real(RequestItems=first), "UnprocessedKeys": rest}

    dynamodb = account.dynamodb(batch_get_item=one_at_a_time)
    asked = [claim(key, "two") for key in "abc"]
    assert verdicts(ask(account.ledger(dynamodb), asked)) == ["wait"] * 3
    assert len(dynamodb.asked("batch_get_item")) == 3
    assert sizes(dynamodb) == [3], "what isn't known yet is not taken for missing"


@pytest.mark.row(29)
def test_a_lease_whose_holder_died_is_taken_over_and_the_doubt_counted(account: Account) -> None:
    leased(account)
    (judged,) = ask(account.ledger(), [claim(token="two", lease_until=LATER + 960)], LATER)
    assert judged.verdict is Verdict.SEND
    (row,) = account.rows()
    assert columns(row, "token", "doubts", "crashes") == ("two", "11", 1)


@pytest.mark.row(31)
def test_an_email_that_kills_every_sender_is_remembered_as_such(account: Account) -> None:
    found, now = [], NOW
    for number in range(4):
        asked = claim(token=f"{number}", lease_until=now + 900, in_doubt=InDoubt.RESEND)
        found += ask(account.ledger(), [asked], now)
        now += 960
    assert verdicts(found) == ["send", "send", "send", "crash_loop"]


@pytest.mark.row(68)
def test_a_row_that_dynamodb_should_have_removed_long_ago_is_overwritten(account: Account) -> None:
    (judged,) = leased(account)
    tell(account.ledger(), [sent(judged)])
    much_later = NOW + 31 * DAY
    asked = claim(token="two", content_hash="another", lease_until=much_later + 960)
    (again,) = ask(account.ledger(), [asked], much_later)
    assert again.verdict is Verdict.SEND
    (row,) = account.rows()
    assert columns(row, "token", "content_hash", "fates") == ("two", "another", CLAIMED * 2)


def test_a_row_that_is_not_ours_stops_its_own_email_only(account: Account) -> None:
    """Written by a publisher, or by an ion that is newer than this one."""
    real = account.dynamodb()
    real.put_item(TableName=account.table, Item={"email_id": {"S": "a"}, "subject": {"S": "x"}})
    leased(account, "b")
    real.update_item(
        TableName=account.table,
        Key={"email_id": {"S": "b"}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "read"}},
    )
    asked = [claim(key, "two") for key in "abc"]
    assert verdicts(ask(account.ledger(), asked)) == ["unknown", "unknown", "send"]


# answers that get lost

LOST = {"raised": answer_lost, "asked again": answer_lost_and_asked_again}


@pytest.mark.row(65)
def test_a_claim_that_boto3_repeats_finds_its_own_token(account: Account) -> None:
    again = first_times(1, answer_lost_and_asked_again)
    dynamodb = account.dynamodb(batch_execute_statement=again)
    judgements = ask(account.ledger(dynamodb), claims(3))
    assert [(one.verdict, one.targets) for one in judgements] == [(Verdict.SEND, (0, 1))] * 3
    assert sizes(dynamodb) == [3], "its own rows need no second write"


@pytest.mark.row(64)
@pytest.mark.row(65)
def test_a_claim_whose_answer_was_lost_succeeds_when_asked_anew(account: Account) -> None:
    dynamodb = account.dynamodb(batch_execute_statement=first_times(1, answer_lost))
    ledger = account.ledger(dynamodb)
    with pytest.raises(TableError, match=r"^EndpointConnectionError$"):
        ask(ledger, claims(3))
    assert verdicts(ask(ledger, claims(3))) == ["send"] * 3
    assert verdicts(ask(ledger, claims(3, "two"))) == ["wait"] * 3


@pytest.mark.row(29)
@pytest.mark.row(65)
@pytest.mark.parametrize(
    ("policy", "runs", "verdict"), [(InDoubt.PARK, 1, "parked"), (InDoubt.RESEND, 3, "crash_loop")]
)
def test_a_lost_answer_does_not_turn_a_refusal_to_send_into_leave(
    account: Account, policy: InDoubt, runs: int, verdict: str
) -> None:
    """The row that says "parked" is under our own token when the call is repeated."""
    now = NOW
    for number in range(runs):
        asked = claim(token=f"{number}", in_doubt=policy, lease_until=now + 900)
        assert verdicts(ask(account.ledger(), [asked], now)) == ["send"]
        now += 960
    dynamodb = account.dynamodb(batch_execute_statement=answer_lost_and_asked_again)
    asked = claim(token="last", in_doubt=policy, lease_until=now + 900)
    assert verdicts(ask(account.ledger(dynamodb), [asked], now)) == [verdict]


@pytest.mark.row(66)
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_a_result_whose_answer_was_lost_is_written_once_more(
    account: Account, lost: Answer
) -> None:
    (judged,) = leased(account)
    dynamodb = account.dynamodb(batch_execute_statement=first_times(1, lost))
    assert tell(account.ledger(dynamodb), [sent(judged)]) == []
    assert account.rows()[0]["status"] == "sent"


# several runs at once


async def _race(ledgers: Sequence[Ledger], asked: Sequence[list[Claim]], now: float) -> list[Any]:
    pairs = zip(ledgers, asked, strict=True)
    return await asyncio.gather(*(ledger.claim(claims, now) for ledger, claims in pairs))


@pytest.mark.row(16)
@pytest.mark.row(65)
@pytest.mark.parametrize("found", ["nothing", "expired leases", "deferred"])
def test_of_several_runs_exactly_one_gets_each_email(account: Account, found: str) -> None:
    keys = [f"key-{number}" for number in range(10)]
    judgements = leased(account, *keys) if found != "nothing" else []
    if found == "deferred":
        rows = [put_off(one) for one in judgements]
        tell(account.ledger(), [Result(k, r, {}) for k, r in zip(keys, rows, strict=True)])
    asked = [
        [claim(key, f"run-{run}", lease_until=LATER + 960) for key in (keys, keys[::-1])[run % 2]]
        for run in range(4)
    ]
    judged = asyncio.run(_race([account.ledger() for _ in asked], asked, LATER))
    pairs = list(zip(chain(*asked), chain(*judged), strict=True))
    winners = {c.email_id: c.token for c, j in pairs if j.verdict is Verdict.SEND}
    assert sorted(j.verdict.value for _, j in pairs) == ["send"] * 10 + ["wait"] * 30
    assert winners == {row["email_id"]: row["token"] for row in account.rows()}


@pytest.mark.row(65)
def test_a_run_that_looks_and_then_loses_the_race_waits(account: Account) -> None:
    """Between its look and its write, another takes the same expired lease."""
    leased(account)

    def overtaken(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        ask(account.ledger(), [claim(token="two", lease_until=LATER + 960)], LATER)
        return answer

    dynamodb = account.dynamodb(batch_get_item=first_times(1, overtaken))
    (judged,) = ask(account.ledger(dynamodb), [claim(token="three")], LATER)
    assert judged.verdict is Verdict.WAIT
    assert account.rows()[0]["token"] == "two"


@pytest.mark.row(65)
def test_a_run_that_loses_every_race_gives_way(account: Account) -> None:
    always = statements_fail("ConditionalCheckFailed")
    dynamodb = account.dynamodb(batch_execute_statement=always)
    (judged,) = ask(account.ledger(dynamodb), [claim()])
    assert judged.verdict is Verdict.WAIT
    assert 0 < judged.wait_seconds <= 10
    assert len(dynamodb.calls) < 10


@pytest.mark.row(67)
def test_a_stale_worker_changes_nothing_and_that_is_no_failure(account: Account) -> None:
    (stale,) = leased(account)
    ask(account.ledger(), [claim(token="two", lease_until=LATER + 960)], LATER)
    before = account.rows()
    dynamodb = account.dynamodb()
    assert tell(account.ledger(dynamodb), [sent(stale)], LATER) == []
    assert account.rows() == before
    assert sizes(dynamodb) == [1], "there is nothing to be tried again"


@pytest.mark.row(67)
def test_a_stale_worker_does_not_keep_the_others_from_recording(account: Account) -> None:
    stale, fine = leased(account, "stale", "fine")
    ask(account.ledger(), [claim("stale", "two", lease_until=LATER + 960)], LATER)
    assert tell(account.ledger(), [sent(stale, "stale"), sent(fine, "fine")], LATER) == []
    statuses = {row["email_id"]: row["status"] for row in account.rows()}
    assert statuses == {"stale": "sending", "fine": "sent"}


@pytest.mark.row(68)
def test_a_result_for_a_row_that_is_gone_makes_no_new_row(account: Account) -> None:
    (judged,) = leased(account)
    account.dynamodb().delete_item(TableName=account.table, Key={"email_id": {"S": "key"}})
    assert tell(account.ledger(), [sent(judged)]) == []
    assert account.rows() == []


# DynamoDB is ill

OUTAGES = {
    "throttled": failing("ThrottlingException"),
    "denied": failing("AccessDeniedException"),
    "unreachable": unreachable,
}


@pytest.mark.row(64)
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_without_the_ledger_nothing_may_be_sent(account: Account, outage: Answer) -> None:
    dynamodb = account.dynamodb(batch_execute_statement=outage)
    with pytest.raises(TableError) as caught:
        ask(account.ledger(dynamodb), claims(30))
    assert re.fullmatch(r"\w+", str(caught.value))
    assert AWS_SECRET_TEXT not in str(caught.value)
    assert account.rows() == []


@pytest.mark.row(64)
@pytest.mark.parametrize("code", ["ThrottlingError", "InternalServerError", "TransactionConflict"])
def test_a_claim_that_fails_by_itself_is_not_sent_and_stops_no_other(
    account: Account, code: str
) -> None:
    fails = statements_fail(code, "key-01")
    dynamodb = account.dynamodb(batch_execute_statement=fails)
    judgements = ask(account.ledger(dynamodb), claims(3))
    assert verdicts(judgements) == ["send", "unknown", "send"]
    assert judgements[1].row is None
    assert [row["email_id"] for row in account.rows()] == ["key-00", "key-02"]


@pytest.mark.row(64)
def test_a_call_that_fails_does_not_waste_the_leases_of_another(account: Account) -> None:
    """Else they would stand until they end, and be taken for those of a sender that died."""

    def second_fails(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if len(request["Statements"]) == 5:
            raise error("InternalServerError")
        return real(**request)

    dynamodb = account.dynamodb(batch_execute_statement=second_fails)
    judgements = ask(account.ledger(dynamodb), claims(30))
    assert verdicts(judgements) == ["send"] * 25 + ["unknown"] * 5


@pytest.mark.row(64)
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_rows_that_cannot_be_read_do_not_stop_emails_that_are_new(
    account: Account, outage: Answer
) -> None:
    leased(account, "old")
    dynamodb = account.dynamodb(batch_get_item=outage)
    judgements = ask(account.ledger(dynamodb), [claim("old", "two"), claim("new", "two")])
    assert verdicts(judgements) == ["unknown", "send"]


@pytest.mark.row(66)
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_a_result_that_cannot_be_written_is_tried_three_times_and_handed_back(
    account: Account, outage: Answer
) -> None:
    (judged,) = leased(account)
    dynamodb = account.dynamodb(batch_execute_statement=outage)
    result = sent(judged)
    assert tell(account.ledger(dynamodb), [result]) == [result]
    assert sizes(dynamodb) == [1, 1, 1]
    assert account.rows()[0]["status"] == "sending"


@pytest.mark.row(66)
@pytest.mark.parametrize("times", [1, 2])
def test_a_result_that_cannot_be_written_at_first_is_written_then(
    account: Account, times: int
) -> None:
    (judged,) = leased(account)
    outage = first_times(times, failing("InternalServerError"))
    dynamodb = account.dynamodb(batch_execute_statement=outage)
    assert tell(account.ledger(dynamodb), [sent(judged)]) == []
    assert account.rows()[0]["status"] == "sent"


@pytest.mark.row(66)
def test_only_the_results_that_failed_are_written_again(account: Account) -> None:
    keys = ["a", "b", "c"]
    results = [sent(one, key) for one, key in zip(leased(account, *keys), keys, strict=True)]
    fails = statements_fail("ThrottlingError", "b")
    dynamodb = account.dynamodb(batch_execute_statement=fails)
    assert tell(account.ledger(dynamodb), results) == [results[1]]
    assert sizes(dynamodb) == [3, 1, 1]
    assert [row["status"] for row in account.rows()] == ["sent", "sending", "sent"]


def test_results_travel_twenty_five_a_call(account: Account) -> None:
    judgements = ask(account.ledger(), claims(30))
    dynamodb = account.dynamodb()
    results = [sent(j, c.email_id) for j, c in zip(judgements, claims(30), strict=True)]
    assert tell(account.ledger(dynamodb), results) == []
    assert sizes(dynamodb) == [25, 5]
    assert {row["status"] for row in account.rows()} == {"sent"}
