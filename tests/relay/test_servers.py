"""Several mail servers: which one is asked, and what becomes of mail when one turns us away."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import TYPE_CHECKING, cast

import pytest

from conftest import Log
from emulated import Account, failing
from function import PASSWORD, Function, email, guarded, invoke
from ion.aws.ledger import Ledger
from ion.drain.progress import Summary
from smtp_server import NORMAL, Action, ScriptedServer, Step, drop, reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

QUOTA = reply(454, "Throttling failure: Daily message quota exceeded.")


def run(
    function: Function,
    first: ScriptedServer,
    backup: ScriptedServer,
    script: Callable[[], Awaitable[list[Summary]]] | None = None,
) -> list[Summary]:
    """One run, or what else the script says, with two servers."""

    async def main() -> list[Summary]:
        async with first, backup:
            function.knows(first, backup=backup)
            return await script() if script else [await invoke(function.relay())]

    return asyncio.run(main())


def recipients(server: ScriptedServer) -> list[str]:
    return sorted(address for one in server.accepted for address in one.recipients)


def addresses(*numbers: int) -> list[str]:
    return [f"to{number}@example.org" for number in numbers]


def asked(account: Account, log: Log) -> list[list[object]]:
    """Whom the ledger and the log have for each email that was sent."""
    rows = [row["server"] for row in account.rows() if not str(row["email_id"]).startswith(" ")]
    events = [event["server"] for event in log.events if event["message"] == "sent"]
    return [rows, events]


def test_the_first_server_is_the_one_that_is_used(
    account: Account, function: Function, log: Log
) -> None:
    account.publish(email(1))
    first, backup = guarded(), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.sent, summary.stopped, summary.error) == (1, "empty", "")
    assert (recipients(first), backup.sessions) == (addresses(1), [])
    assert asked(account, log) == [["smtp"], ["smtp"]]


@pytest.mark.row(42)
def test_where_the_login_is_refused_the_next_one_is_used(
    account: Account, function: Function, log: Log
) -> None:
    account.publish(email(1))
    first, backup = guarded({Step.AUTH: reply(535, "5.7.8 no")}), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.sent, summary.stopped, summary.error) == (1, "empty", "")
    assert (first.auth_commands, recipients(backup)) == (1, addresses(1))
    assert asked(account, log) == [["smtp:backup"], ["smtp:backup"]]
    (held,) = [event for event in log.events if event["message"] == "delivery suspended"]
    assert (held["server"], held["reason"]) == ("smtp", "AUTH")


@pytest.mark.row(42)
def test_a_server_that_refused_us_is_left_alone_until_the_password_is_another(
    account: Account, function: Function, log: Log
) -> None:
    first, backup = guarded(), guarded()

    async def script() -> list[Summary]:
        relay, summaries = function.relay(), list[Summary]()
        for password in ("wrong", "wrong", PASSWORD):
            function.knows(first, password, backup=backup)
            account.publish(email(len(summaries)))
            summaries.append(await invoke(relay))
        return summaries

    assert [summary.sent for summary in run(function, first, backup, script)] == [1, 1, 1]
    assert first.auth_commands == 2
    assert (recipients(backup), recipients(first)) == (addresses(0, 1), addresses(2))
    (still,) = [event for event in log.events if event["message"] == "delivery still suspended"]
    assert still["server"] == "smtp"


@pytest.mark.row(90)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
def test_a_server_that_refuses_the_login_with_an_email_is_left_alone_too(
    account: Account, function: Function, log: Log, step: Step
) -> None:
    refusal = reply(550, "5.7.30 Basic authentication is not supported for Client Submission.")
    first, backup = guarded({step: refusal}), guarded()

    async def script() -> list[Summary]:
        relay, summaries = function.relay(), list[Summary]()
        for number in range(2):
            account.publish(email(number))
            summaries.append(await invoke(relay))
        return summaries

    assert [summary.sent for summary in run(function, first, backup, script)] == [1, 1]
    assert (first.auth_commands, recipients(backup)) == (1, addresses(0, 1))
    (still,) = [event for event in log.events if event["message"] == "delivery still suspended"]
    assert (still["server"], still["reason"]) == ("smtp", "auth")
    assert account.dead() == []


@pytest.mark.row(38)
def test_a_server_that_is_down_is_used_again_once_it_is_up(
    account: Account, function: Function
) -> None:
    first, backup = guarded({Step.CONNECT: [drop(), NORMAL]}), guarded()

    async def script() -> list[Summary]:
        relay, summaries = function.relay(), list[Summary]()
        for number in range(2):
            account.publish(email(number))
            summaries.append(await invoke(relay))
        return summaries

    assert [summary.sent for summary in run(function, first, backup, script)] == [1, 1]
    assert (recipients(backup), recipients(first)) == (addresses(0), addresses(1))


def test_a_run_says_once_that_messages_need_a_sender_set(
    account: Account, function: Function, log: Log
) -> None:
    """Whatever the number of messages, and of servers that the run went over."""
    for number in range(25):
        account.publish(email(number, sender=None if number % 2 else "ion@example.org"))
    first, backup = guarded({Step.DOT: chain([NORMAL] * 5, repeat(QUOTA))}), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.sent, summary.dead_lettered, summary.stopped) == (13, 12, "empty")
    assert {held.attributes["reason"][1] for held in account.dead()} == {"SENDER_MISSING"}
    assert summary.advice.startswith("[mail] sender: is missing, and the SMTP username is no addr")
    (event,) = [event for event in log.events if event["message"] == "settings"]
    assert (event["level"], event["error"]) == ("WARNING", summary.advice)


@pytest.mark.parametrize("sender", [None, "no address"])
def test_a_run_with_a_sender_set_has_nothing_to_say_about_it(
    account: Account, function: Function, log: Log, sender: str | None
) -> None:
    function.monkeypatch.setenv("ION_MAIL_SENDER", "Shop <shop@example.org>")
    account.publish(email(sender=sender))
    (summary,) = run(function, guarded(), guarded())
    assert (summary.sent + summary.dead_lettered, summary.advice) == (1, "")
    assert "settings" not in [event["message"] for event in log.events]


@pytest.mark.row(63)
def test_where_the_quota_is_used_up_the_rest_goes_over_the_next_one(
    account: Account, function: Function
) -> None:
    for number in range(25):
        account.publish(email(number))
    first, backup = guarded({Step.DOT: chain([NORMAL] * 5, repeat(QUOTA))}), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.sent, summary.dead_lettered, summary.stopped) == (25, 0, "empty")
    assert (len(first.accepted), len(backup.accepted)) == (5, 20)
    assert sorted(recipients(first) + recipients(backup)) == sorted(addresses(*range(25)))
    assert (account.waiting(), account.dead()) == ([], [])
    assert {row["attempts"] for row in account.rows() if "attempts" in row} == {1}


@pytest.mark.row(47)
def test_a_server_that_relays_nothing_for_us_is_left_for_the_next_one(
    account: Account, function: Function
) -> None:
    for number in range(12):
        account.publish(email(number))
    first, backup = guarded({Step.RCPT: reply(550, "5.7.1 relaying denied")}), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.dead_lettered, first.accepted) == (0, [])
    # Those that were told so by the first one are left alone for some minutes.
    assert len(backup.accepted) == summary.sent
    account.time_passes(3600)
    run(function, guarded({Step.AUTH: reply(535, "no")}), later := guarded())
    assert sorted(recipients(backup) + recipients(later)) == sorted(addresses(*range(12)))


def test_where_all_turn_us_away_a_person_reads_what_each_said(
    account: Account, function: Function
) -> None:
    account.publish(email(1))
    first = guarded({Step.AUTH: reply(535, "5.7.8 no")})
    backup = guarded({Step.CONNECT: reply(554, "5.7.1 go away", close=True)})

    async def script() -> list[Summary]:
        relay = function.relay()
        return [await invoke(relay) for _ in range(2)]

    for summary in run(function, first, backup, script):
        assert (summary.received, summary.stopped) == (0, "auth")
        said = summary.error.split("; ")
        assert said[0].startswith("[smtp] AUTH at auth: 535 ")
        assert said[1].startswith("[smtp:backup] GREETING at connect: 554 ")
    assert first.auth_commands == 1
    assert len(account.waiting()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(454, "Throttling failure: Maximum sending rate exceeded."),
        reply(451, "4.3.0 later"),
        reply(554, "5.6.0 not this one"),
        drop(),
    ],
    ids=["throttled", "later", "refused", "in doubt"],
)
def test_what_a_server_says_of_a_message_is_no_reason_to_ask_another(
    account: Account, function: Function, answer: Action
) -> None:
    """Least of all where it may have it already."""
    account.publish(email(1))
    first, backup = guarded({Step.DOT: answer}), guarded()
    (summary,) = run(function, first, backup)
    assert (summary.sent, summary.stopped, backup.sessions) == (0, "empty", [])


@pytest.mark.row(64)
def test_without_its_table_no_server_is_asked_to_send(account: Account, function: Function) -> None:
    for number in range(40):
        account.publish(email(number))
    first, backup = guarded(), guarded()

    async def script() -> list[Summary]:
        relay = function.relay()
        ill = account.dynamodb(batch_execute_statement=failing("AccessDenied"))
        relay.ledger = Ledger(cast("DynamoDBClient", ill), account.table)
        return [await invoke(relay)]

    (summary,) = run(function, first, backup, script)
    assert (summary.sent, summary.stopped, backup.sessions) == (0, "ledger", [])


def test_each_server_has_its_own_limits(account: Account, function: Function, log: Log) -> None:
    function.monkeypatch.setenv("ION_SMTP_MAX_RATE", "10")
    function.monkeypatch.setenv("ION_SMTP_BACKUP_CONNECTIONS", "2")
    account.publish(email(1))
    run(function, guarded({Step.AUTH: reply(535, "no")}), guarded())
    end = log.events[-1]
    assert (end["server"], end["connections"], end.get("rate")) == ("smtp:backup", 2, None)


@pytest.mark.row(62)
def test_what_one_server_taught_does_not_slow_another_down(
    account: Account, function: Function, log: Log
) -> None:
    slower = reply(454, "Throttling failure: Maximum sending rate exceeded.")
    first, backup = guarded({Step.DOT: [NORMAL, slower]}), guarded()

    async def script() -> list[Summary]:
        summaries = []
        for password in (PASSWORD, "wrong"):
            function.knows(first, password, backup=backup)
            for _ in range(2):
                account.publish(email())
            summaries.append(await invoke(function.relay()))
        return summaries

    run(function, first, backup, script)
    ends = [event for event in log.events if event["message"] == "run ended"]
    learned = [(end["server"], "rate" in end) for end in ends]
    assert learned == [("smtp", True), ("smtp:backup", False)]


@pytest.mark.row(54)
def test_what_a_server_cannot_do_with_pipelining_is_known_to_the_next_runs(
    account: Account, function: Function, log: Log
) -> None:
    """Its first email is out of step in a flight; from then on all go command by command."""
    first = guarded({Step.MAIL: [reply(503, "5.5.1 lost")]}, pipelining=True)
    backup = guarded(pipelining=True)

    async def script() -> list[Summary]:
        summaries = []
        for number in range(3):
            account.publish(email(number))
            summaries.append(await invoke(function.relay()))
        return summaries

    assert [one.sent for one in run(function, first, backup, script)] == [1, 1, 1]
    flights = [any(one.pipelined for one in session.commands) for session in first.sessions]
    assert flights == [True, False, False, False]
    (told,) = [event for event in log.events if "mistreats" in str(event["message"])]
    assert (told["server"], told["pipelining"]) == ("smtp", "off")
    rows = {str(row["email_id"]): row for row in account.rows()}
    assert rows[" pipelining smtp"]["most"] == "off"
    assert " pipelining smtp:backup" not in rows


@pytest.mark.row(54)
def test_an_email_that_pays_for_pipelining_is_not_charged(
    account: Account, function: Function
) -> None:
    first = guarded({Step.RCPT: [reply(503, "5.5.1 lost")]}, pipelining=True)
    account.publish(email(1, email_id="order-17"))
    run(function, first, guarded())
    (row,) = [row for row in account.rows() if row["email_id"] == "order-17"]
    assert (row["status"], row["attempts"]) == ("sent", 1)
