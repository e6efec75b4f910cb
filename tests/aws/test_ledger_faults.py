"""Answers that get lost, runs side by side, and a DynamoDB that is ill."""

import asyncio
import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import pytest

from aws.claiming import (
    LATER,
    NOW,
    ask,
    claim,
    claims,
    leased,
    put_off,
    sent,
    sizes,
    tell,
    verdicts,
)
from emulated import (
    AWS_SECRET_TEXT,
    Account,
    Answer,
    Request,
    error,
    failing,
    unreachable,
)
from ion.aws.ledger import Ledger, Result
from ion.aws.table import TableError
from ion.delivery import InDoubt
from ion.policy.lease import (
    Claim,
    Verdict,
)


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
