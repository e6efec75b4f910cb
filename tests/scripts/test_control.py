"""What an operator types, at the emulated table."""

import asyncio
from typing import Any

import pytest

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
    assert operator.types("resume") == (0, "nothing is paused or stopped\n")
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
    assert operator.types("cancel", "b") == (0, "cancelled\n")
    status, said = operator.types("cancel", "a")
    assert (status, said[:8]) == (1, "too late")


@pytest.mark.parametrize(
    "words",
    [("pause", "--until", "tomorrow"), ("stop", "--tag", "no value"), ("stop", "--sender", "x"),
     ("cancel", "two words")],
)  # fmt: skip
def test_what_the_topic_would_refuse_is_refused(operator: Operator, words: tuple[str, ...]) -> None:
    status, said = operator.types(*words)
    assert (status, said[:22]) == (1, "ionctl: INVALID_SCHEMA")
    assert operator.types("show")[1] == "nothing is paused or stopped\n"


def test_a_table_that_is_not_there_is_named(operator: Operator) -> None:
    operator.account.table = "no-such-table"
    status, said = operator.types("show")
    assert status == 1
    assert said.startswith("ionctl: the table no-such-table can't be used: ResourceNotFound")
