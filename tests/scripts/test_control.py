"""What an operator types, at the emulated table."""

import asyncio
from typing import Any

import pytest
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from draining import control_row, email, run
from emulated import Account
from ion.contract import Lane, StopWhere
from ionctl import __main__ as ionctl


class Operator:
    """Types commands; gets the exit status, and what was printed."""

    def __init__(self, account: Account, capsys: pytest.CaptureFixture[str]) -> None:
        self.account = account
        self._capsys = capsys

    def types(self, *words: str) -> tuple[int, str]:
        status = ionctl.main(["control", "--table", self.account.table, *words])
        printed = self._capsys.readouterr()
        return status, printed.out or printed.err


@pytest.fixture
def operator(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Operator:
    def client(_: str) -> Any:  # noqa: ANN401 - boto3's
        return account.dynamodb()

    monkeypatch.setattr("boto3.client", client)
    return Operator(account, capsys)


@pytest.mark.row(77)
def test_a_pause_of_everything_is_made_and_ended_past_the_queue(operator: Operator) -> None:
    status, said = operator.types("pause", "--by", "ann", "--why", "a typo")
    assert status == 0
    assert said.startswith("pause of everything, until ")
    assert said.endswith("by ann: a typo\n")
    assert run(operator.account).stopped == "paused"
    assert operator.types("show") == (0, said)
    status, said = operator.types("resume")
    assert (status, said.splitlines()[0]) == (0, "nothing is paused or stopped")
    assert "wakes the relay" in said
    assert run(operator.account).stopped == "empty"


@pytest.mark.row(79)
def test_a_stop_has_conditions_and_a_count(operator: Operator) -> None:
    tags = ("--tag", "campaign=spring", "--tag", "odd=a=b ~")
    assert operator.types("stop", *tags, "--recipient-domain", "example.org")[0] == 0
    operator.account.publish(email(tags={"campaign": "spring", "odd": "a=b ~"}))
    assert run(operator.account).by_stop == 1
    (one,) = asyncio.run(control_row(operator.account).read()).stops
    tag: dict[str, str | None] = {"campaign": "spring", "odd": "a=b ~"}
    assert one.where == StopWhere(tag=tag, recipient_domain="example.org")
    assert "1 stopped" in operator.types("show")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "everything"),
        (("--tag", "b=1 2", "--tag", "a=x", "--email-id", "k"),
         "--tag b=1 2 --tag a=x --email-id k"),
        (("--recipient-domain", "b.example", "--sender", "a@b.example"),
         "--sender a@b.example --recipient-domain b.example"),
    ],
)  # fmt: skip
def test_only_the_conditions_that_are_given_are_shown(
    operator: Operator, words: tuple[str, ...], said: str
) -> None:
    operator.types("stop", *words)
    assert f" of {said}, 0 stopped, until " in operator.types("show")[1]


@pytest.mark.row(77)
def test_a_letter_says_which_stop_it_was_and_why(operator: Operator) -> None:
    why = f"a wrong\tlink, says ann@example.org \udc80{'x' * 900}"
    _, said = operator.types("stop", "--why", why)
    operator.account.publish(email())
    run(operator.account)
    (letter,) = operator.account.dead()
    (row,) = (one for one in operator.account.rows() if one["email_id"] != " control ")
    _, reply = letter.attributes["reply"]
    assert str(reply).startswith(f"stop {said.split()[1]}: a wrong link, says <address>  xxx")
    assert (len(reply), row["reply"]) == (200, reply)


def test_a_stop_may_be_about_one_email(operator: Operator) -> None:
    operator.types("stop", "--email-id", "order-17")
    for key in ("order-17", "order-18"):
        operator.account.publish(email(email_id=key))
    summary = run(operator.account)
    assert (summary.by_stop, summary.sent) == (1, 1)


def test_a_lane_is_paused_until_a_time(operator: Operator) -> None:
    operator.types("pause", "--lane", "bulk", "--until", "2999-01-01T00:00:00Z")
    (one,) = asyncio.run(control_row(operator.account).read()).pauses
    assert (one.lane, one.until.year) == (Lane.BULK, 2999)


@pytest.mark.row(76)
def test_an_email_is_cancelled_or_it_is_too_late(operator: Operator) -> None:
    operator.account.publish(email(email_id="a"))
    run(operator.account)
    status, said = operator.types("cancel", "b")
    assert (status, said[:50]) == (0, "cancelled; nothing of that id has been tried yet: ")
    assert operator.types("cancel", "b") == (0, "cancelled\n")
    status, said = operator.types("cancel", "a")
    assert (status, said[:8]) == (1, "too late")


@pytest.mark.parametrize(
    "words",
    [("pause", "--until", "2999-11-28T19:00:00"), ("stop", "--tag", "no value"),
     ("stop", "--sender", "Joe <a@b.example>"), ("stop", "--recipient-domain", "*@x.example"),
     ("stop", "--tag", "a"), ("cancel", "two words")],
)  # fmt: skip
def test_what_the_topic_would_refuse_is_refused_with_what_is_right(
    operator: Operator, words: tuple[str, ...]
) -> None:
    status, said = operator.types(*words)
    assert (status, said[:22]) == (1, "ionctl: INVALID_SCHEMA")
    assert "(must be " in said
    assert operator.types("show")[1] == "nothing is paused or stopped\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [(("stop", "--tag", "c=a", "--tag", "c=b"), "--tag c is there twice"),
     (("pause", "--until", "2026-01-01T00:00:00Z"), "--until 2026-01-01T00:00:00Z: over already")],
)  # fmt: skip
def test_what_can_not_be_meant_is_refused(
    operator: Operator, words: tuple[str, ...], why: str
) -> None:
    status, said = operator.types(*words)
    assert (status, said[: len(why) + 8]) == (1, f"ionctl: {why}")
    assert operator.types("show")[1] == "nothing is paused or stopped\n"


def test_a_table_that_is_not_there_is_named(operator: Operator) -> None:
    operator.account.table = "no-such-table"
    status, said = operator.types("show")
    assert status == 1
    assert said.startswith("ionctl: the table no-such-table can't be used: ResourceNotFound")
    assert "see --table" in said


@pytest.mark.row(78)
@pytest.mark.parametrize("words", [("show",), ("stop",), ("pause",)])
def test_a_damaged_row_is_told_with_what_mends_it(
    operator: Operator, words: tuple[str, ...]
) -> None:
    account = operator.account
    item: Any = {"email_id": {"S": " control "}, "control": {"S": "x"}}
    account.dynamodb().put_item(TableName=account.table, Item=item)
    status, said = operator.types(*words)
    assert (status, "./control.sh resume writes it anew" in said) == (1, True)
    summary = run(account)
    assert (summary.stopped, summary.error) == ("ledger", "LEDGER at claim: ControlUnreadable")
    assert operator.types("resume")[0] == 0
    assert operator.types(*words)[0] == 0


@pytest.mark.parametrize(
    ("error", "helps"),
    [(NoRegionError(), "set AWS_DEFAULT_REGION"),
     (ProfileNotFound(profile="p"), "ionctl: AWS can't be used: ProfileNotFound\n")],
)  # fmt: skip
def test_a_shell_without_aws_is_told_what_to_set(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, error: Exception, helps: str
) -> None:
    def client(_: str) -> None:
        raise error

    monkeypatch.setattr("boto3.client", client)
    status, said = operator.types("show")
    assert (status, helps in said, said.count("\n")) == (1, True, 1)


@pytest.mark.parametrize(
    ("error", "helps"),
    [(NoCredentialsError(), "set AWS_PROFILE"),
     (EndpointConnectionError(endpoint_url="x"), "AWS_ENDPOINT_URL")],
)  # fmt: skip
def test_an_aws_that_does_not_answer_is_told_with_what_helps(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, error: Exception, helps: str
) -> None:
    def ask(*_: Any) -> None:  # noqa: ANN401
        raise error

    ill = operator.account.dynamodb(batch_get_item=ask)
    monkeypatch.setattr("boto3.client", lambda _: ill)
    status, said = operator.types("show")
    assert (status, helps in said, said.count("\n")) == (1, True, 1)
