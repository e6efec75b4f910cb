"""Where the site is ill, no message pays for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from conftest import Log
from draining import (
    drain,
    email,
    ion_of,
    reasons,
    recipients,
    run,
    wide,
)
from emulated import (
    Account,
    failing,
)
from ion.drain.progress import Summary
from ion.settings import Security, Smtp
from smtp_server import (
    NORMAL,
    Action,
    Certificate,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    drop,
    reply,
)

USERS = {"ion": "secret"}


def logged_in(connections: int = 1, password: str = "secret") -> Smtp:
    return Smtp("127.0.0.1", 0, Security.STARTTLS, "ion", password, connections=connections)


HOLDS: list[tuple[str, dict[str, Any], Smtp]] = [
    ("greeting", {"script": {Step.CONNECT: reply(421, "4.3.2 busy")}}, wide(1)),
    ("greeting", {"script": {Step.CONNECT: reply(554, "5.7.1 go away")}}, wide(1)),
    ("connect", {"script": {Step.CONNECT: drop()}}, wide(1)),
    ("connect", {"script": {Step.CONNECT: drop(reset=True)}}, wide(1)),
    ("ehlo", {"script": {Step.EHLO: reply(550, "no")}}, wide(1)),
    ("tls_required", {}, logged_in()),
    (
        "tls_required",
        {"tls": Tls.STARTTLS, "script": {Step.STARTTLS: reply(454, "x")}},
        logged_in(),
    ),
    ("tls_cert", {"tls": Tls.STARTTLS, "certificate": Certificate.EXPIRED}, logged_in()),
    ("auth_missing", {"tls": Tls.STARTTLS}, logged_in()),
    ("auth", {"tls": Tls.STARTTLS, "offer": Offer(users={"ion": "other"})}, logged_in()),
    (
        "auth_later",
        {
            "tls": Tls.STARTTLS,
            "offer": Offer(users=USERS),
            "script": {Step.AUTH: reply(454, "4.7.0 later")},
        },
        logged_in(),
    ),
]


@pytest.mark.row(38)
@pytest.mark.row(39)
@pytest.mark.row(40)
@pytest.mark.row(41)
@pytest.mark.row(42)
@pytest.mark.row(43)
@pytest.mark.parametrize(("stopped", "server", "smtp"), HOLDS)
def test_with_no_way_in_nothing_is_received(
    account: Account, log: Log, stopped: str, server: dict[str, Any], smtp: Smtp
) -> None:
    account.publish(email())
    sqs = account.sqs()
    scripted = ScriptedServer(**server)
    summary = run(account, scripted, sqs=sqs, smtp=smtp)
    assert (summary.stopped, summary.received, summary.released) == (stopped, 0, 0)
    assert summary.error.startswith(f"{stopped.upper()} at ")
    assert sqs.calls == []
    assert [(held.receives, held.visible) for held in account.waiting()] == [(0, True)]
    assert [event["message"] for event in log.events] == ["delivery suspended"]
    assert "MAIL" not in [verb for session in scripted.sessions for verb in session.verbs]


@pytest.mark.row(38)
def test_a_dead_server_costs_no_message_a_receive(account: Account) -> None:
    account.publish(email())

    async def main() -> Summary:
        async with ScriptedServer() as server:
            pass
        return await drain(account, server)

    assert asyncio.run(main()).stopped == "connect"
    assert [held.receives for held in account.waiting()] == [0]


@pytest.mark.row(42)
def test_a_wrong_password_is_tried_once_however_much_mail_waits(account: Account) -> None:
    for number in range(30):
        account.publish(email(number))
    server = ScriptedServer(tls=Tls.STARTTLS, offer=Offer(users=USERS))
    summary = run(account, server, smtp=logged_in(connections=10, password="wrong"))
    assert server.auth_commands <= 2
    assert summary.stopped == "auth"
    assert (len(account.waiting()), account.dead()) == (30, [])
    assert {held.receives for held in account.waiting()} == {0}


@pytest.mark.row(42)
def test_a_password_that_is_changed_during_a_run_costs_one_more_try(account: Account) -> None:
    for number in range(30):
        account.publish(email(number))
    server = ScriptedServer(
        lambda moment: (
            reply(535, "5.7.8 no") if moment.step is Step.AUTH and moment.nth > 1 else NORMAL
        ),
        tls=Tls.STARTTLS,
        offer=Offer(users=USERS),
    )
    summary = run(account, server, smtp=logged_in(connections=10))
    assert server.auth_commands <= 2
    assert (summary.sent, summary.stopped) == (30, "empty")
    assert len(recipients(server)) == 30


def from_the_nth(step: Step, nth: int, action: Action) -> Callable[[Moment], Action]:
    return lambda moment: action if moment.step is step and moment.nth >= nth else NORMAL


@pytest.mark.row(63)
@pytest.mark.parametrize(
    ("step", "action", "stopped"),
    [
        (Step.DOT, reply(454, "Throttling failure: Daily message quota exceeded"), "quota"),
        (Step.RCPT, reply(550, "5.4.5 Daily user sending limit exceeded"), "quota"),
    ],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_suspended_run_releases_what_was_received_and_loses_nothing(
    account: Account, step: Step, action: Action, stopped: str, connections: int
) -> None:
    for number in range(15):
        account.publish(email(number))
    ill = ScriptedServer(from_the_nth(step, 4, action))
    summary = run(account, ill, smtp=wide(connections))
    assert (summary.stopped, summary.dead_lettered, summary.deferred) == (stopped, 0, 0)
    assert (summary.sent, summary.released) == (3, summary.received - 3)
    assert all(held.visible for held in account.waiting()), "can be received at once"
    assert len(account.waiting()) == 12
    unsent = [row for row in account.rows() if row["status"] != "sent"]
    assert {(row["attempts"], row["lease_until"]) for row in unsent} == {(0, 0)}
    tried = sum(session.verbs.count("MAIL") for session in ill.sessions)
    assert tried <= 3 + connections, "what was not begun is not tried"

    well = ScriptedServer()
    assert run(account, well).sent == 12
    assert recipients(ill) + recipients(well) == {f"to{n}@example.org": 1 for n in range(15)}


@pytest.mark.row(90)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
@pytest.mark.parametrize(
    "refusal",
    [
        reply(550, "5.7.30 Basic authentication is not supported for Client Submission."),
        reply(535, "5.7.139 Authentication unsuccessful, basic authentication is disabled."),
        reply(535, "5.7.3 Authentication unsuccessful"),
    ],
    ids=["5.7.30", "5.7.139", "5.7.3"],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_password_that_is_refused_behind_its_command_costs_no_message_anything(
    account: Account, log: Log, step: Step, refusal: Action, connections: int
) -> None:
    for number in range(15):
        account.publish(email(number))
    ill = ScriptedServer({step: refusal}, tls=Tls.STARTTLS, offer=Offer(users=USERS))
    summary = run(account, ill, smtp=logged_in(connections))
    assert (summary.stopped, summary.sent, summary.deferred) == ("auth", 0, 0)
    assert (summary.dead_lettered, account.dead()) == (0, [])
    assert {(row["attempts"], row["lease_until"]) for row in account.rows()} == {(0, 0)}
    assert len(account.waiting()) == 15
    assert all(held.visible for held in account.waiting()), "can be received at once"
    assert sum(session.verbs.count("MAIL") for session in ill.sessions) <= connections
    (held,) = {event["reason"] for event in log.events if event["message"] == "delivery suspended"}
    assert held == "AUTH"


@pytest.mark.parametrize(
    ("step", "action"),
    [
        (Step.MAIL, reply(530, "5.7.0 Authentication required")),
        (Step.MAIL, reply(502, "5.7.0 Please authenticate first")),
        (Step.DATA, reply(503, "Administrative prohibition -- authorization required.")),
        (Step.DOT, reply(502, "5.7.0 Your SMTP account is not yet activated")),
        (Step.DOT, reply(552, "Your account has been suspended.")),
        (Step.DOT, reply(554, "Access denied")),
        (Step.DOT, reply(554, "Message rejected: Sending paused for this account.")),
    ],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_suspension_over_configuration_loses_nothing_and_hides_only_what_was_tried(
    account: Account, step: Step, action: Action, connections: int
) -> None:
    for number in range(15):
        account.publish(email(number))
    ill = ScriptedServer(from_the_nth(step, 4, action))
    summary = run(account, ill, smtp=wide(connections))
    assert (summary.stopped, summary.dead_lettered, summary.deferred) == ("configuration", 0, 0)
    assert (summary.sent, summary.released) == (3, summary.received - 3)
    waiting = account.waiting()
    assert len(waiting) == 12
    assert 1 <= sum(not held.visible for held in waiting) <= connections


def minding(step: Step, argument: str, action: Action) -> Callable[[Moment], Action]:
    """A server that minds one sender or recipient."""
    return lambda moment: action if moment.step is step and argument in moment.argument else NORMAL


UNVERIFIED = reply(
    554,
    "Message rejected: Email address is not verified. The following identities failed the check "
    "in region EU-WEST-1: bad@example.org",
)


@pytest.mark.row(47)
def test_a_sender_that_the_server_minds_holds_up_no_other(account: Account, log: Log) -> None:
    for number in range(4):
        account.publish(email(number, sender="bad@example.org"))
        account.publish(email(10 + number))
    server = ScriptedServer(minding(Step.MAIL, "bad@", UNVERIFIED))
    summary = run(account, server)
    assert (summary.sent, summary.released, summary.stopped) == (4, 4, "empty")
    assert sum("bad@" in line.line for one in server.sessions for line in one.commands) == 1
    waiting = account.waiting()
    assert [held.visible for held in waiting] == [False] * 4, "left alone for a while"
    assert {row["attempts"] for row in account.rows() if row["status"] != "sent"} == {0}
    told = [event for event in log.events if event["level"] == "ERROR"]
    assert [event["message"] for event in told] == ["delivery suspended"], (
        "once, and not once a message"
    )
    assert account.dead() == []


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "refusal", [UNVERIFIED, reply(554, "Message rejected: Email address is not verified.")]
)
def test_an_author_that_the_server_minds_holds_up_no_other_of_the_same_return_path(
    account: Account, refusal: Action
) -> None:
    """SES verifies From as well as the reverse-path."""
    same = {"return_path": "bounces@example.org"}
    for number in range(3):
        account.publish(email(number, sender="bad@example.org", **same))
        account.publish(email(10 + number, **same))
    minded = [f"to{number}@example.org" for number in range(3)]
    server = ScriptedServer(recipients=dict.fromkeys(minded, refusal))
    summary = run(account, server)
    assert (summary.sent, summary.released, summary.stopped) == (3, 3, "empty")
    assert {one.sender for one in server.accepted} == {"bounces@example.org"}
    lines = [one.line for session in server.sessions for one in session.commands]
    assert sum(address in line for line in lines for address in minded) == 1
    assert account.dead() == []


@pytest.mark.row(49)
@pytest.mark.parametrize("pipelining", [False, True])
def test_too_many_recipients_for_one_transaction_are_no_refusal(
    account: Account, *, pipelining: bool
) -> None:
    account.publish(email(recipient=[f"to{number}@example.org" for number in range(10)]))
    script = {Step.DATA: [reply(554, "Too many recipients")]}
    server = ScriptedServer(script, offer=Offer(pipelining=pipelining))
    summary = run(account, server)
    assert (summary.dead_lettered, account.dead()) == (0, [])
    assert not [address for address, times in recipients(server).items() if times > 1]


@pytest.mark.row(54)
@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA])
@pytest.mark.parametrize(
    "words", ["5.5.0 Error: SMTP protocol synchronization", "SMTP synchronization error"]
)
@pytest.mark.parametrize("closes", [False, True])
def test_a_server_that_minds_pipelining_gets_everything_one_by_one(
    account: Account, step: Step, words: str, *, closes: bool
) -> None:
    """Postfix from 3.9 on closes the connection; Exim drops the transaction."""
    for number in range(10):
        account.publish(email(number))
    script = {step: [NORMAL, reply(554, words, close=closes)]}
    server = ScriptedServer(script, offer=Offer(pipelining=True))
    summary = run(account, server)
    assert (summary.sent, summary.deferred, summary.dead_lettered) == (10, 0, 0)
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(10)}


@pytest.mark.row("54a")
@pytest.mark.parametrize("pipelining", [False, True])
def test_one_malformed_address_of_sixty_is_dead_lettered_alone(
    account: Account, *, pipelining: bool
) -> None:
    names = [f"to{number}@example.org" for number in range(60)]
    account.publish(email(recipient=names))
    refusal = reply(501, "5.1.3 Recipient address syntax error")
    server = ScriptedServer(recipients={names[30]: refusal}, offer=Offer(pipelining=pipelining))
    run(account, server)
    assert recipients(server) == {name: 1 for name in names if name != names[30]}
    assert reasons(account) == ["RCPT_REJECTED"]
    (letter,) = account.dead()
    assert ion_of(letter)["left"] == [30]
    assert account.waiting() == []


@pytest.mark.parametrize(
    ("script", "connections", "told"),
    [
        ({Step.DOT: reply(454, "Daily message quota exceeded")}, 8, {"delivery suspended": 1}),
        ({Step.MAIL: reply(530, "5.7.0 Authentication required")}, 8, {"delivery suspended": 1}),
        ({Step.MAIL: UNVERIFIED}, 1, {"delivery suspended": 1, "released": 1}),
        (None, 8, {"the ledger can't be used": 3, "delivery suspended": 1}),
    ],
    ids=["quota", "configuration", "sender", "ledger"],
)
def test_a_suspended_run_says_so_once_however_much_mail_waits(
    account: Account,
    log: Log,
    script: dict[Step, Action] | None,
    connections: int,
    told: dict[str, int],
) -> None:
    """A sender's first message was asked about, and has an event of its own beside the run's."""
    for number in range(120):
        account.publish(email(number, sender="bad@example.org"))
    ill = {} if script else {"batch_execute_statement": failing("AccessDenied")}
    summary = run(
        account, ScriptedServer(script), smtp=wide(connections), dynamodb=account.dynamodb(**ill)
    )
    assert Counter(event["message"] for event in log.events) == told
    assert summary.released + summary.deferred == summary.received >= 10
    assert summary.sent == summary.dead_lettered == 0
    assert len(account.waiting()) == 120


@pytest.mark.row(47)
def test_a_recipient_that_a_sandbox_minds_is_not_the_senders_fault(account: Account) -> None:
    """SES's sandbox has the same words for both."""
    account.publish(email(0, recipient="bad@example.org"))
    for number in range(1, 4):
        account.publish(email(number))
    server = ScriptedServer(minding(Step.RCPT, "bad@", UNVERIFIED))
    summary = run(account, server)
    assert (summary.sent, summary.released, summary.stopped) == (3, 1, "empty")


def test_what_is_released_over_its_sender_expires_at_last(account: Account) -> None:
    account.publish(email(sender="bad@example.org"))
    account.time_passes(4 * 86_400)
    summary = run(account, ScriptedServer(minding(Step.MAIL, "bad@", UNVERIFIED)))
    assert (summary.dead_lettered, reasons(account)) == (1, ["EXPIRED"])
    assert "not verified" in str(account.dead()[0].attributes["reply"][1])


DENIED = reply(554, "5.7.1 <x>: Relay access denied")


@pytest.mark.row(47)
def test_a_server_that_relays_for_nobody_ends_the_run_at_the_third_message(
    account: Account,
) -> None:
    for number in range(15):
        account.publish(email(number))
    server = ScriptedServer({Step.RCPT: DENIED})
    summary = run(account, server)
    assert (summary.stopped, summary.dead_lettered) == ("relaying_denied", 0)
    assert sum(session.verbs.count("RCPT") for session in server.sessions) == 3
    assert len(account.waiting()) == 15
    assert {row["attempts"] for row in account.rows()} == {0}


@pytest.mark.row(47)
def test_a_server_that_relays_otherwise_refuses_a_recipient(account: Account) -> None:
    for number in [0, 1, 7, 2]:
        account.publish(email(number))
    summary = run(account, ScriptedServer(minding(Step.RCPT, "to7@", DENIED)))
    assert (summary.sent, summary.dead_lettered, summary.stopped) == (3, 1, "empty")
    assert reasons(account) == ["RELAYING_DENIED"]


@pytest.mark.row(47)
def test_before_that_is_known_the_recipient_gets_another_chance(account: Account) -> None:
    for number in [7, 0, 1]:
        account.publish(email(number))
    summary = run(account, ScriptedServer(minding(Step.RCPT, "to7@", DENIED)))
    assert (summary.sent, summary.released, summary.stopped) == (2, 1, "empty")
    (left,) = account.waiting()
    assert (left.visible, account.dead()) == (False, [])


@pytest.mark.row(1)
def test_what_is_decided_already_gets_its_fate_though_the_run_has_stopped(
    account: Account,
) -> None:
    """It needs no server; put back, it would only come again."""
    account.publish(email())
    account.publish("not json")
    server = ScriptedServer({Step.DOT: reply(454, "Daily message quota exceeded")})
    summary = run(account, server)
    assert (summary.stopped, summary.released, summary.dead_lettered) == ("quota", 1, 1)
    assert reasons(account) == ["BAD_JSON"]
    assert [held.body for held in account.waiting()] == [email()]
