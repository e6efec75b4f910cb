"""Whole runs over the queue: moto's SQS on one side, a scripted SMTP server on the other."""

import asyncio
import json
import math
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import (
    AWS_SECRET_TEXT,
    Account,
    Answer,
    Between,
    Held,
    Request,
    as_strict_as_sqs,
    at_once,
    failing,
    only_for,
    unreachable,
)
from ion.admit import MOST_RECEIVES, Admission, Job
from ion.contract import Send
from ion.course import Summary
from ion.deadline import Deadline
from ion.deliver import Deliverer
from ion.drain import Drain
from ion.mail import Checked, check
from ion.memory import Memory
from ion.message import Message
from ion.outcome import Delivery, InDoubt
from ion.retry import LAST_CHANCE_SECONDS, RETENTION_SECONDS
from ion.settings import Security, Smtp
from ion.smtp.connect import connect
from ion.smtp.logins import Logins
from ion.smtp.pool import Pool
from ion.telemetry import Telemetry
from smtp_server import (
    NORMAL,
    Action,
    Certificate,
    Moment,
    Offer,
    ScriptedServer,
    Step,
    Tls,
    delay,
    drop,
    reply,
)

USERS = {"ion": "secret"}
PLAIN_TLS = ssl.create_default_context()


def email(number: int = 0, **fields: object) -> str:
    least = {"action": "send", "recipient": f"to{number}@example.org", "body_text": "x"}
    return json.dumps(least | fields)


async def drain(  # noqa: PLR0913 - a run has so many parts
    account: Account,
    server: ScriptedServer,
    *,
    sqs: Between | None = None,
    dynamodb: Between | None = None,
    in_doubt: InDoubt = InDoubt.RESEND_ONCE,
    now: Callable[[], float] = time.time,
    deadline: Deadline | None = None,
    smtp: Smtp | None = None,
    relay: Callable[[Pool], Deliverer] | None = None,
    telemetry: Telemetry | None = None,
    linger_seconds: int = 0,
    memory: Memory | None = None,
) -> Summary:
    """One run; by default a plain connection for one worker."""
    sqs = sqs or account.sqs()
    smtp = smtp or Smtp("127.0.0.1", server.port, Security.NONE, connections=1)
    smtp = replace(smtp, port=server.port)
    deadline = deadline or Deadline.after(900)
    ledger = account.ledger(dynamodb)
    telemetry = telemetry or Telemetry()
    tls = PLAIN_TLS if smtp.security is Security.NONE else server.client_context()
    async with Pool(
        partial(connect, smtp, tls, Deadline.after(600), Logins()), smtp.connections
    ) as pool:
        return await Drain(
            input_queue=account.input_queue(sqs),
            dead_letters=account.dead_letters(sqs),
            ledger=ledger,
            admission=Admission(
                ledger, telemetry, "ion@example.org", in_doubt, lease_until=now() + 960, now=now
            ),
            pool=pool,
            workers=smtp.connections,
            deliverer=relay(pool) if relay else Deliverer(pool, 345_600),
            telemetry=telemetry,
            linger_seconds=linger_seconds,
            deadline=deadline,
            memory=memory,
        ).run()


def run(account: Account, server: ScriptedServer | None = None, **parts: Any) -> Summary:  # noqa: ANN401
    async def main() -> Summary:
        async with server or ScriptedServer() as running:
            return await drain(account, running, **parts)

    return asyncio.run(main())


def wide(connections: int) -> Smtp:
    return Smtp("127.0.0.1", 0, Security.NONE, connections=connections)


def logged_in(connections: int = 1, password: str = "secret") -> Smtp:
    return Smtp("127.0.0.1", 0, Security.STARTTLS, "ion", password, connections=connections)


def recipients(server: ScriptedServer) -> Counter[str]:
    """How often each was sent to, by the dots that the server saw."""
    return Counter(address for one in server.accepted for address in one.recipients)


def ion_of(held: Held) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(held.attributes["ion"][1])
    return record


def reasons(account: Account) -> list[str | bytes]:
    return [held.attributes["reason"][1] for held in account.dead()]


# what waits too long, or comes too often


@pytest.mark.row(24)
@pytest.mark.parametrize("fate", ["throttled", "held", "no ledger"])
def test_what_the_queue_would_forget_goes_to_the_dead_letter_queue_first(
    account: Account, fate: str
) -> None:
    body = email(email_id="old")
    account.publish(body)
    account.time_passes(14 * 86_400 - 3600)
    parts: dict[str, Any] = {}
    if fate == "throttled":
        parts["server"] = ScriptedServer({Step.MAIL: reply(421, "4.7.0 too fast")})
    if fate == "held":
        parts["server"] = ScriptedServer({Step.DOT: reply(454, "Daily message quota exceeded")})
    if fate == "no ledger":
        parts["dynamodb"] = account.dynamodb(
            batch_execute_statement=failing(), batch_get_item=failing()
        )
    summary = run(account, **parts)
    assert (summary.sent, summary.dead_lettered) == (0, 1)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, ["EXPIRED"])
    assert ion_of(letter)["email_id"] == "old"
    assert account.waiting() == []


@pytest.mark.row(24)
def test_what_would_wait_until_it_is_too_late_goes_there_before_it_waits(account: Account) -> None:
    """It is young enough to be looked at now; when its minute is over, it wouldn't be."""
    account.publish(email())
    account.time_passes(RETENTION_SECONDS - LAST_CHANCE_SECONDS - 30)
    ill = account.dynamodb(batch_execute_statement=failing(), batch_get_item=failing())
    summary = run(account, dynamodb=ill)
    assert (summary.deferred, summary.dead_lettered) == (0, 1)
    assert (reasons(account), account.waiting()) == (["EXPIRED"], [])


@pytest.mark.row(24)
def test_an_old_message_that_can_be_sent_is(account: Account) -> None:
    account.publish(email())
    account.time_passes(14 * 86_400 - 3600)
    assert run(account).sent == 1


@pytest.mark.row(25)
def test_what_comes_too_often_is_labelled_before_sqs_buries_it(account: Account) -> None:
    """Whatever it is that its body does to the process: the body isn't looked at."""
    account.publish(email(0))
    account.publish(email(1))

    def often(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        for message in answer.get("Messages", [])[:1]:
            message["Attributes"]["ApproximateReceiveCount"] = str(MOST_RECEIVES)
        return answer

    summary = run(account, sqs=account.sqs(receive_message=often))
    assert (summary.sent, summary.dead_lettered) == (1, 1)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (email(0), ["POISON"])


POINTER = [
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    {"s3BucketName": "b", "s3Key": "k"},
]


@pytest.mark.row(13)
@pytest.mark.parametrize("body", ['{"email_id": "order-17"}', json.dumps(POINTER)])
def test_a_claim_check_is_kept_until_ion_can_redeem_it(account: Account, body: str) -> None:
    """The nearest thing: ion has no claim checks yet. Whoever sends one loses nothing."""
    account.publish(body)
    assert run(account).dead_lettered == 1
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, ["INVALID_SCHEMA"])


@pytest.mark.row(14)
def test_an_email_with_a_template_is_kept_until_ion_has_templates(account: Account) -> None:
    """The nearest thing: ion has no templates yet. Whoever names one loses nothing."""
    body = '{"action": "send", "recipient": "a@example.org", "template": "t", "context": {"n": 1}}'
    account.publish(body)
    assert run(account).dead_lettered == 1
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, ["INVALID_SCHEMA"])
    assert ion_of(letter)["path"] == "$.template"


@pytest.mark.row(24)
@pytest.mark.row(25)
def test_the_module_leaves_ion_time_to_label() -> None:
    text = (Path(__file__).parents[1] / "terraform" / "queue.tf").read_text(encoding="utf-8")
    net = re.search(r"max_receive_count = (\d+)", text)
    retention = re.search(r"retention_seconds = (\d+) \* (\d+) \* (\d+) \* (\d+)", text)
    assert net
    assert retention
    assert int(net[1]) > MOST_RECEIVES
    assert math.prod(map(int, retention.groups())) == RETENTION_SECONDS


# sending


@pytest.mark.parametrize("connections", [1, 4])
def test_everything_in_the_queue_is_sent_once_and_deleted(
    account: Account, connections: int
) -> None:
    for number in range(25):
        account.publish(email(number))
    server = ScriptedServer()
    summary = run(account, server, smtp=wide(connections))
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(25)}
    assert (account.waiting(), account.dead()) == ([], [])
    assert summary == Summary(received=25, sent=25, stopped="empty")
    assert len(server.sessions) <= connections


def test_a_run_ends_when_the_queue_is_empty(account: Account) -> None:
    sqs = account.sqs()
    assert run(account, sqs=sqs, linger_seconds=7) == Summary(stopped="empty")
    (asked,) = sqs.asked("receive_message")
    assert asked["WaitTimeSeconds"] == 7


def test_mail_that_comes_while_the_last_is_sent_belongs_to_the_run(account: Account) -> None:
    account.publish(email(1))

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT and moment.nth == 1:
            account.publish(email(2))
        return NORMAL

    server = ScriptedServer(script)
    assert run(account, server).sent == 2
    assert recipients(server).keys() == {"to1@example.org", "to2@example.org"}


@pytest.mark.row(19)
@pytest.mark.parametrize(("seconds", "visibility"), [(300, 360), (300.2, 361), (900, 960)])
def test_a_message_stays_hidden_longer_than_the_invocation_can_live(
    account: Account, seconds: float, visibility: int
) -> None:
    sqs = account.sqs()
    run(account, sqs=sqs, deadline=Deadline.after(seconds, Clock()))
    assert {one["VisibilityTimeout"] for one in sqs.asked("receive_message")} == {visibility}


# the site is ill: no message pays


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
    assert (summary.stopped, summary.received, summary.held) == (stopped, 0, 0)
    assert summary.error.startswith(f"{stopped.upper()} at ")
    assert sqs.calls == []
    assert [(held.receives, held.visible) for held in account.waiting()] == [(0, True)]
    assert [event["message"] for event in log.events] == ["held"]
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
def test_a_hold_releases_what_was_received_and_loses_nothing(
    account: Account, step: Step, action: Action, stopped: str, connections: int
) -> None:
    for number in range(15):
        account.publish(email(number))
    ill = ScriptedServer(from_the_nth(step, 4, action))
    summary = run(account, ill, smtp=wide(connections))
    assert (summary.stopped, summary.dead_lettered, summary.deferred) == (stopped, 0, 0)
    assert (summary.sent, summary.held) == (3, summary.received - 3)
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
    (held,) = {event["reason"] for event in log.events if event["message"] == "held"}
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
def test_a_hold_over_configuration_loses_nothing_and_hides_only_what_was_tried(
    account: Account, step: Step, action: Action, connections: int
) -> None:
    for number in range(15):
        account.publish(email(number))
    ill = ScriptedServer(from_the_nth(step, 4, action))
    summary = run(account, ill, smtp=wide(connections))
    assert (summary.stopped, summary.dead_lettered, summary.deferred) == ("configuration", 0, 0)
    assert (summary.sent, summary.held) == (3, summary.received - 3)
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
    assert (summary.sent, summary.held, summary.stopped) == (4, 4, "empty")
    assert sum("bad@" in line.line for one in server.sessions for line in one.commands) == 1
    waiting = account.waiting()
    assert [held.visible for held in waiting] == [False] * 4, "left alone for a while"
    assert {row["attempts"] for row in account.rows() if row["status"] != "sent"} == {0}
    told = [event for event in log.events if event["level"] == "ERROR"]
    assert [event["message"] for event in told] == ["held"], "once, and not once a message"
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
        ({Step.DOT: reply(454, "Daily message quota exceeded")}, 8, {"held": 1}),
        ({Step.MAIL: reply(530, "5.7.0 Authentication required")}, 8, {"held": 1}),
        ({Step.MAIL: UNVERIFIED}, 1, {"held": 2}),
        (None, 8, {"the ledger can't be used": 3, "held": 1}),
    ],
    ids=["quota", "configuration", "sender", "ledger"],
)
def test_a_run_that_is_held_says_so_once_however_much_mail_waits(
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
    assert summary.held + summary.deferred == summary.received >= 10
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
    assert (summary.sent, summary.held, summary.stopped) == (3, 1, "empty")


def test_what_is_held_over_its_sender_expires_at_last(account: Account) -> None:
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
    assert (summary.sent, summary.held, summary.stopped) == (2, 1, "empty")
    (left,) = account.waiting()
    assert (left.visible, account.dead()) == (False, [])


# time


@pytest.mark.row(54)
def test_a_server_that_loses_the_thread_over_a_message_is_given_up_at_the_third_try(
    account: Account,
) -> None:
    account.publish(email())
    server = ScriptedServer({Step.MAIL: reply(503, "5.5.1 what?")})
    fates = []

    async def main() -> None:
        async with server:
            for _ in range(3):
                summary = await drain(account, server)
                fates.append((summary.deferred, summary.dead_lettered))
                account.time_passes(3600)

    asyncio.run(main())
    assert fates == [(1, 0), (1, 0), (0, 1)]
    assert (reasons(account), account.waiting()) == (["PROTOCOL"], [])


@pytest.mark.row(27)
def test_near_the_deadline_nothing_is_received(account: Account) -> None:
    account.publish(email())
    sqs = account.sqs()
    summary = run(account, sqs=sqs, deadline=Deadline.after(54, Clock()))
    assert (summary.stopped, sqs.calls) == ("deadline", [])


@pytest.mark.row(27)
def test_when_the_time_is_up_the_rest_is_released(account: Account) -> None:
    for number in range(8):
        account.publish(email(number))
    clock = Clock()

    def script(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            clock.passes(10)
        return NORMAL

    slow = ScriptedServer(script)
    summary = run(account, slow, deadline=Deadline.after(75, clock))
    assert (summary.received, summary.sent, summary.held, summary.stopped) == (8, 3, 5, "deadline")
    assert [held.visible for held in account.waiting()] == [True] * 5

    quick = ScriptedServer()
    assert run(account, quick).sent == 5
    assert recipients(slow) + recipients(quick) == {f"to{n}@example.org": 1 for n in range(8)}


@pytest.mark.row(1)
def test_what_is_decided_already_gets_its_fate_though_the_run_has_stopped(
    account: Account,
) -> None:
    """It needs no server; put back, it would only come again."""
    account.publish(email())
    account.publish("not json")
    server = ScriptedServer({Step.DOT: reply(454, "Daily message quota exceeded")})
    summary = run(account, server)
    assert (summary.stopped, summary.held, summary.dead_lettered) == ("quota", 1, 1)
    assert reasons(account) == ["BAD_JSON"]
    assert [held.body for held in account.waiting()] == [email()]


@pytest.mark.row(27)
def test_no_data_is_begun_without_time_for_its_dot(account: Account) -> None:
    account.publish(email())
    clock = Clock()

    def script(moment: Moment) -> Action:
        if moment.step is Step.RCPT:
            clock.passes(60)
        return NORMAL

    server = ScriptedServer(script)
    summary = run(account, server, deadline=Deadline.after(95, clock))
    assert (summary.sent, summary.stopped) == (0, "deadline")
    assert server.submissions == []
    assert [held.visible for held in account.waiting()] == [True]


# bad messages

BAD = {
    "not json": "BAD_JSON",
    '{"action": "send", "recipient": 5}': "INVALID_SCHEMA",
    '{"action": "send", "recipient": "a@b.example", "body_text": "\\ud800"}': "INVALID_UNICODE",
    email(recipient="nobody"): "INVALID_ADDRESS",
    email(recipient="a@b.example>\r\nRCPT TO:<c@d.example"): "INVALID_ADDRESS",
    email(subject="a\r\nBcc: c@d.example"): "HEADER_INJECTION",
    email(headers={"Received": "x"}): "HEADER_NAME",
    email(recipient="jürgen@b.example"): "SMTPUTF8_UNSUPPORTED",
    email(body_text="x" * 2000): "TOO_LARGE",
}


@pytest.mark.row(1)
@pytest.mark.row(2)
@pytest.mark.row(5)
@pytest.mark.row(6)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_bad_message_dies_as_it_is_and_harms_no_other(account: Account, connections: int) -> None:
    for number, bad in enumerate(BAD):
        account.publish(email(number))
        account.publish(bad, {"own": ("String", "kept")})
    account.publish(email(99))
    server = ScriptedServer(offer=Offer(smtputf8=False, size_bytes=1500))
    summary = run(account, server, smtp=wide(connections))
    assert {held.body: held.attributes["reason"][1] for held in account.dead()} == BAD
    assert all(held.attributes["own"] == ("String", "kept") for held in account.dead())
    assert recipients(server) == {f"to{n}@example.org": 1 for n in [*range(len(BAD)), 99]}
    assert account.waiting() == []
    assert (summary.sent, summary.dead_lettered) == (len(BAD) + 1, len(BAD))
    attempts = {held.attributes["reason"][1]: ion_of(held)["attempts"] for held in account.dead()}
    # Two of them only the server's offer could tell.
    asked = {"SMTPUTF8_UNSUPPORTED", "TOO_LARGE"}
    assert attempts == {reason: int(reason in asked) for reason in BAD.values()}
    assert len(account.rows()) == len(BAD) + 1 + len(asked), "the ledger never hears of the others"


@pytest.mark.row(2)
def test_bad_input_says_where_and_not_what(account: Account, log: Log) -> None:
    id_ = account.publish(email(cc=["a@b.example", {"canary": "canary@example.org"}]))
    run(account)
    (letter,) = account.dead()
    assert letter.attributes.keys() == {"reason", "ion"}
    record = ion_of(letter)
    assert (record["email_id"], record["stage"]) == (id_, "parse")
    assert record["path"].startswith("$.cc[1]")
    (event,) = [event for event in log.events if event["message"] == "dead_lettered"]
    assert (event["path"], event["problem"]) == (record["path"], record["problem"])
    assert "canary@" not in log.text


@pytest.mark.row(95)
def test_an_address_that_only_looks_fine_is_told_by_its_index(account: Account, log: Log) -> None:
    seen = [f"to{number}@example.org" for number in range(3)]
    account.publish(email(1, recipient=[*seen, "to3\u200b@example.org"]))
    account.publish(email(2))
    server = ScriptedServer(offer=Offer(smtputf8=False))
    run(account, server)
    (letter,) = account.dead()
    assert letter.attributes["reason"][1] == "INVALID_ADDRESS"
    assert ion_of(letter)["path"] == "$.recipient[3]"
    assert recipients(server) == {"to2@example.org": 1}
    assert "to3" not in log.text


@pytest.mark.row(2)
def test_a_misspelt_field_is_told_with_the_one_that_was_meant(account: Account, log: Log) -> None:
    body = json.dumps({"action": "send", "recipeint": "ann@example.org", "body_text": "x"})
    account.publish(body)
    run(account)
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (body, "INVALID_SCHEMA")
    (event,) = [event for event in log.events if event["message"] == "dead_lettered"]
    for told in (ion_of(letter), event):
        said = (told["path"], told["problem"], told["did_you_mean"])
        assert said == ("$.recipeint", "unknown", "recipient")


GOOD_ION = {
    "email_id": "x",
    "first_queued_at": "2026-11-22T08:30:15Z",
    "original_message_id": "y",
}


@pytest.mark.parametrize(
    "forged",
    [
        {"attempts": -1000},
        {"attempts": 2**63 - 1},
        {"redrives": 2**64 - 1},
        {"failed_at": "2026-11-22T08:30:15"},
        {"first_queued_at": "0001-01-01T00:00:00+14:00"},
        {"left": [-1, 0]},
        {"email_id": "\uffff"},
    ],
    ids=str,
)
@pytest.mark.parametrize("action", [NORMAL, reply(450, "4.2.1 busy"), reply(550, "5.1.1 no")])
def test_a_forged_origin_harms_nobody(
    account: Account, log: Log, forged: dict[str, Any], action: Action
) -> None:
    id_ = account.publish(email(1), {"ion": ("String", json.dumps(GOOD_ION | forged))})
    account.publish(email(2))
    server = ScriptedServer(recipients={"to1@example.org": action})
    summary = run(account, server)
    assert recipients(server)["to2@example.org"] == 1
    assert summary.sent + summary.deferred + summary.dead_lettered == 2
    assert [event["attempt"] for event in log.events if event.get("email_id") == id_] == [1]


class Faulty(Deliverer):
    """Has a fault of its own with some messages."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        if "canary-subject" in message.body:
            raise LookupError(message.body)
        return await super().deliver(job, message, deadline)


def test_a_fault_of_ions_own_harms_one_message_and_is_put_off(account: Account, log: Log) -> None:
    account.publish(email(1, subject="canary-subject"))
    account.publish(email(2))
    server = ScriptedServer()
    sqs = account.sqs()
    summary = run(account, server, sqs=sqs, relay=lambda pool: Faulty(pool, 345_600))
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 1, "empty")
    asked = sqs.asked("change_message_visibility_batch")
    assert [entry["VisibilityTimeout"] for one in asked for entry in one["Entries"]] == [300]
    assert "deferred" in [row["status"] for row in account.rows()], "its lease is let go"
    fault = next(event for event in log.events if event["message"] == "fault")
    assert fault["error"] == "LookupError"
    assert "raise LookupError(message.body)" in fault["traceback"]
    assert "canary" not in log.text


class Fragile(Telemetry):
    """Breaks where nothing is meant to."""

    def queue_age(self, seconds: float) -> None:
        if self.told_of:
            raise LookupError
        self.told_of += 1

    told_of = 0


def test_what_was_sent_is_deleted_even_if_the_run_breaks(account: Account) -> None:
    for number in range(4):
        account.publish(email(number))
    server = ScriptedServer()
    with pytest.raises(ExceptionGroup):
        run(account, server, telemetry=Fragile())
    assert recipients(server) == {"to0@example.org": 1, "to1@example.org": 1}
    assert [held.body for held in account.waiting()] == [email(2), email(3)]


# each email once

ONCE = {"to1@example.org": 1}


@pytest.mark.row(11)
@pytest.mark.row(12)
def test_a_twin_goes_out_with_the_date_of_the_first(account: Account) -> None:
    """So that copies are equal, whichever message they are sent for."""
    account.publish(email(1, email_id="order-17"))
    account.time_passes(3600)
    first, second = ScriptedServer({Step.DOT: [drop()]}), ScriptedServer()
    assert run(account, first).deferred == 1
    account.publish(email(1, email_id="order-17"))  # the other one is still hidden
    assert run(account, second).sent == 1
    copies = [one.content for server in (first, second) for one in server.accepted]
    assert len(copies) == 2
    assert copies[0] == copies[1]


@pytest.mark.row(12)
@pytest.mark.row(17)
@pytest.mark.parametrize("side_by_side", [True, False])
def test_an_email_that_is_published_twice_is_sent_once(
    account: Account, log: Log, side_by_side: bool
) -> None:
    server = ScriptedServer()

    async def main() -> list[Summary]:
        async with server:
            account.publish(email(1, email_id="order-17"))
            summaries = [] if side_by_side else [await drain(account, server)]
            spelt_otherwise = dict(reversed(json.loads(email(1, email_id="order-17")).items()))
            account.publish(json.dumps(spelt_otherwise, indent=2))
            for _ in range(2):
                summaries.append(await drain(account, server))
                account.time_passes(60)
            return summaries

    assert sum(summary.sent for summary in asyncio.run(main())) == 1
    assert recipients(server) == ONCE
    assert (account.waiting(), account.dead()) == ([], [])
    last = [event for event in log.events if event.get("email_id") == "order-17"][-1]
    assert (last["message"], last["stage"], last["reason"]) == ("done", "claim", "DUPLICATE")
    assert log.text.count('"message":"sent"') == 1


@pytest.mark.row(11)
def test_a_message_that_is_received_twice_in_one_answer_is_sent_once(account: Account) -> None:
    account.publish(email(1))

    def twice(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        return answer | {"Messages": answer.get("Messages", []) * 2}

    server = ScriptedServer()
    run(account, server, sqs=account.sqs(receive_message=twice), smtp=wide(2))
    assert recipients(server) == ONCE


@pytest.mark.row(12)
def test_another_email_under_the_same_key_is_refused(account: Account) -> None:
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            account.publish(email(1, email_id="order-17"))
            await drain(account, server)
            account.publish(email(2, email_id="order-17"))
            await drain(account, server)

    asyncio.run(main())
    assert recipients(server) == ONCE
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (email(2, email_id="order-17"), ["ID_REUSED"])
    record = ion_of(letter)
    assert (record["email_id"], record["attempts"], record["path"]) == ("order-17", 0, "$.email_id")
    assert [(row["status"], row["fates"]) for row in account.rows()] == [("sent", "s")]
    assert account.waiting() == []


def only_updates(answer: Answer) -> Answer:
    """Results can't be written; new emails can be claimed."""

    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        update = any(one["Statement"].startswith("UPDATE") for one in request["Statements"])
        return answer(real, request) if update else real(**request)

    return choose


@pytest.mark.row(18)
@pytest.mark.row(20)
@pytest.mark.row(66)
@pytest.mark.parametrize(
    ("delete_works", "record_works", "copies"),
    [(False, True, 1), (True, False, 1), (False, False, 2)],
)
def test_only_if_neither_delete_nor_record_works_a_second_copy_goes_out(
    account: Account, delete_works: bool, record_works: bool, copies: int
) -> None:
    account.publish(email(1))
    server = ScriptedServer()
    sqs = account.sqs() if delete_works else account.sqs(delete_message_batch=failing())
    ill = account.dynamodb(batch_execute_statement=only_updates(failing()))

    async def main() -> None:
        async with server:
            first = await drain(
                account, server, sqs=sqs, dynamodb=account.dynamodb() if record_works else ill
            )
            assert first.sent == 1
            assert len(account.waiting()) == int(not delete_works)
            for hours in (1, 2):
                account.time_passes(0)
                await drain(account, server, now=later(hours))

    asyncio.run(main())
    assert recipients(server) == {"to1@example.org": copies}
    assert len({one.content for one in server.accepted}) == 1, "receivers can collapse them"
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(66)
@pytest.mark.parametrize("rounds", [2, 5])
def test_however_long_both_fail_no_third_copy_goes_out(account: Account, rounds: int) -> None:
    """Results can't be written, and nothing can be deleted: not even the dead letter's original."""
    account.publish(email(1))
    server = ScriptedServer()

    def no_results(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        results = any('"stage"' in one["Statement"] for one in request["Statements"])
        return failing()(real, request) if results else real(**request)

    async def main() -> None:
        async with server:
            for hours in range(rounds):
                await drain(
                    account,
                    server,
                    now=later(hours),
                    sqs=account.sqs(delete_message_batch=failing()),
                    dynamodb=account.dynamodb(batch_execute_statement=no_results),
                )
                account.time_passes(3600)

    asyncio.run(main())
    assert recipients(server) == {"to1@example.org": 2}
    assert set(reasons(account)) <= {"IN_DOUBT", "CRASH_LOOP"}


@pytest.mark.row(16)
def test_two_runs_side_by_side_send_each_email_once(account: Account) -> None:
    """Though each gets every message, since nothing hides them."""
    for number in range(40):
        account.publish(email(number))

    both = threading.Barrier(2)

    def nothing_hides() -> Answer:
        first = iter([True])

        def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
            if next(first, False):
                both.wait()
            return at_once(real, request | {"VisibilityTimeout": 0})

        return answer

    server = ScriptedServer()

    async def main() -> list[Summary]:
        async with server:
            return await asyncio.gather(
                *(
                    drain(
                        account,
                        server,
                        smtp=wide(2),
                        sqs=account.sqs(receive_message=nothing_hides()),
                    )
                    for _ in range(2)
                )
            )

    summaries = asyncio.run(main())
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(40)}
    assert sum(summary.sent for summary in summaries) == 40
    assert sum(summary.received for summary in summaries) > 40, "they did get in each other's way"
    assert (account.waiting(), account.dead()) == ([], [])
    assert {(row["status"], row["attempts"]) for row in account.rows()} == {("sent", 1)}


# in doubt


def later(hours: float) -> Callable[[], float]:
    """The claims' clock."""
    return lambda: time.time() + 3600 * hours


class KilledError(BaseException):
    """The process dies here."""


class Dying(Deliverer):
    """Dies over each email, before it is sent."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        raise KilledError


class DyingLate(Deliverer):
    """Dies over each email, between the 250 and whatever could be written down."""

    async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
        await super().deliver(job, message, deadline)
        raise KilledError


async def killed(
    account: Account,
    server: ScriptedServer,
    relay: type[Deliverer],
    **parts: Any,  # noqa: ANN401
) -> None:
    """A run that dies; then the visibility time-out runs out."""
    polls = iter([at_once])

    def no_poll_outlives_it(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return next(polls, lambda *_: {})(real, request)

    sqs = account.sqs(receive_message=no_poll_outlives_it)
    with pytest.raises(BaseExceptionGroup) as caught:
        await drain(account, server, sqs=sqs, relay=lambda pool: relay(pool, 345_600), **parts)
    assert caught.group_contains(KilledError)
    account.time_passes(3600)


@pytest.mark.row(16)
@pytest.mark.row(29)
def test_what_must_not_be_sent_twice_is_claimed_when_its_turn_has_come(account: Account) -> None:
    """A claim is what a death leaves in doubt, so that here it costs only what was under way."""
    for number in range(10):
        account.publish(email(number, in_doubt="park"))
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            await killed(account, server, DyingLate)
            summary = await drain(account, server, now=later(1))
            assert (summary.sent, summary.dead_lettered) == (9, 1)

    asyncio.run(main())
    assert set(recipients(server).values()) == {1}
    assert reasons(account) == ["IN_DOUBT"]
    assert account.waiting() == []


@pytest.mark.row(29)
def test_a_live_lease_is_waited_for(account: Account, log: Log) -> None:
    account.publish(email(1))
    server = ScriptedServer()
    sqs = account.sqs()

    async def main() -> Summary:
        async with server:
            await killed(account, server, Dying)
            return await drain(account, server, sqs=sqs)

    summary = asyncio.run(main())
    assert (summary.received, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
    (asked,) = sqs.asked("change_message_visibility_batch")
    assert 960 <= asked["Entries"][0]["VisibilityTimeout"] <= 992, "the rest of it, and the skew"
    assert [(row["status"], row["attempts"]) for row in account.rows()] == [("sending", 0)]
    (event,) = [event for event in log.events if event["message"] == "deferred"]
    assert (event["reason"], event["attempt"]) == ("LEASED", 0)


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.parametrize(("relay", "copies"), [(Dying, 1), (DyingLate, 2)])
def test_an_email_that_the_process_died_over_is_sent_once_more(
    account: Account, relay: type[Deliverer], copies: int
) -> None:
    account.publish(email(1))
    server = ScriptedServer()

    async def main() -> Summary:
        async with server:
            await killed(account, server, relay)
            return await drain(account, server, now=later(1))

    assert asyncio.run(main()).sent == 1
    assert recipients(server) == {"to1@example.org": copies}
    assert (account.waiting(), account.dead()) == ([], [])
    assert [(row["status"], row["doubts"]) for row in account.rows()] == [("sent", "1")]


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.row(31)
@pytest.mark.parametrize(
    ("policy", "deaths", "reason"),
    [
        (InDoubt.RESEND_ONCE, 2, "IN_DOUBT"),
        (InDoubt.RESEND, 3, "CRASH_LOOP"),
        (InDoubt.PARK, 1, "IN_DOUBT"),
    ],
)
@pytest.mark.parametrize("of_the_message", [True, False])
@pytest.mark.parametrize("relay", [Dying, DyingLate])
def test_what_the_process_dies_over_ends_in_the_dead_letter_queue(
    account: Account,
    policy: InDoubt,
    deaths: int,
    reason: str,
    of_the_message: bool,
    relay: type[Deliverer],
) -> None:
    body = email(1, in_doubt=policy) if of_the_message else email(1)
    contrary = InDoubt.RESEND if policy is InDoubt.PARK else InDoubt.PARK
    in_doubt = contrary if of_the_message else policy
    id_ = account.publish(body)
    server = ScriptedServer()

    async def main() -> Summary:
        async with server:
            for hours in range(deaths):
                await killed(account, server, relay, in_doubt=in_doubt, now=later(hours))
            return await drain(account, server, in_doubt=in_doubt, now=later(deaths))

    summary = asyncio.run(main())
    assert (summary.dead_lettered, summary.stopped) == (1, "empty")
    assert len(server.accepted) == (deaths if relay is DyingLate else 0)
    (letter,) = account.dead()
    assert (letter.body, reasons(account)) == (body, [reason])
    assert (ion_of(letter)["email_id"], ion_of(letter)["stage"]) == (id_, "dot")
    assert account.waiting() == []
    assert [row["fates"] for row in account.rows()] == ["?"]


@pytest.mark.row(52)
@pytest.mark.parametrize(
    ("policy", "copies"),
    [(InDoubt.RESEND_ONCE, 2), (InDoubt.PARK, 1), (InDoubt.RESEND, 5)],
)
@pytest.mark.parametrize("of_the_message", [True, False])
def test_a_reply_that_is_lost_after_the_dot_is_judged_by_the_policy(
    account: Account, policy: InDoubt, copies: int, of_the_message: bool
) -> None:
    contrary = InDoubt.RESEND if policy is InDoubt.PARK else InDoubt.PARK
    account.publish(email(1, in_doubt=policy) if of_the_message else email(1))
    server = ScriptedServer({Step.DOT: drop()})

    async def main() -> None:
        async with server:
            for _ in range(5):
                await drain(account, server, in_doubt=contrary if of_the_message else policy)
                account.time_passes(0)

    asyncio.run(main())
    assert recipients(server) == {"to1@example.org": copies}
    assert len({one.content for one in server.accepted}) == 1
    ended = policy is not InDoubt.RESEND
    assert reasons(account) == ["IN_DOUBT"] * ended
    assert len(account.waiting()) == int(not ended)
    assert [row["status"] for row in account.rows()] == ["in_doubt" if ended else "deferred"]


@pytest.mark.row(52)
@pytest.mark.row(69)
def test_a_person_may_bring_back_what_is_in_doubt_and_gets_no_more_than_the_policy(
    account: Account,
) -> None:
    account.publish(email(1))
    server = ScriptedServer({Step.DOT: drop()})

    async def main() -> None:
        async with server:
            for round_ in range(2):
                for _ in range(4):
                    await drain(account, server)
                    account.time_passes(3600)
                assert (len(server.accepted), reasons(account)) == (2 * (round_ + 1), ["IN_DOUBT"])
                account.publish('{"action": "redrive"}')

    asyncio.run(main())


@pytest.mark.row(48)
@pytest.mark.row(52)
@pytest.mark.parametrize("ends", ["by a lost reply", "by a death"])
def test_each_recipient_may_have_two_copies_and_no_other_pays_for_it(
    account: Account, ends: str
) -> None:
    """Ann's copy is in doubt first, while Bob and Cid are put off; then all three are in doubt."""
    everybody = [f"{name}@example.org" for name in ("ann", "bob", "cid")]
    account.publish(email(1, recipient=everybody))
    not_yet = {address: [reply(450, "4.2.1 busy"), NORMAL] for address in everybody[1:]}
    lost = [drop(), drop()] if ends == "by a lost reply" else [drop()]
    server = ScriptedServer({Step.DOT: lost}, recipients=not_yet)

    async def main() -> None:
        async with server:
            await drain(account, server)
            account.time_passes(3600)
            if ends == "by a lost reply":
                await drain(account, server)
                account.time_passes(3600)
            else:
                await killed(account, server, DyingLate)
            assert recipients(server) == dict(zip(everybody, (2, 1, 1), strict=True))
            await drain(account, server, now=later(1))

    asyncio.run(main())
    assert recipients(server) == dict.fromkeys(everybody, 2)
    assert [ion_of(letter)["left"] for letter in account.dead()] == [[0]]
    assert reasons(account) == ["IN_DOUBT"]
    assert [row["fates"] for row in account.rows()] == ["?ss"]
    assert account.waiting() == []


@pytest.mark.row(26)
@pytest.mark.row(52)
@pytest.mark.parametrize("policy", [InDoubt.PARK, InDoubt.RESEND_ONCE])
def test_a_doubt_outlives_a_dead_letter_that_could_not_be_written(
    account: Account, policy: InDoubt
) -> None:
    account.publish(email(1, in_doubt=policy))
    server = ScriptedServer({Step.DOT: drop()})
    copies = 1 if policy is InDoubt.PARK else 2

    async def main() -> None:
        async with server:
            ill = only_for(account.dead_url, failing(), as_strict_as_sqs)
            for hours in range(copies + 1):
                sqs = account.sqs(send_message_batch=ill)
                await drain(account, server, sqs=sqs, now=later(hours))
                account.time_passes(3600)
            await drain(account, server, now=later(copies + 1))

    asyncio.run(main())
    assert recipients(server) == {"to1@example.org": copies}
    assert reasons(account) == ["IN_DOUBT"]
    assert account.waiting() == []


@pytest.mark.row(26)
@pytest.mark.row(31)
def test_a_crash_loop_outlives_a_dead_letter_that_could_not_be_written(account: Account) -> None:
    account.publish(email(1, in_doubt="resend"))
    server = ScriptedServer()

    async def main() -> None:
        async with server:
            for hours in range(3):
                await killed(account, server, Dying, now=later(hours))
            ill = only_for(account.dead_url, failing(), as_strict_as_sqs)
            await drain(account, server, sqs=account.sqs(send_message_batch=ill), now=later(3))
            account.time_passes(3600)
            await drain(account, server, now=later(4))

    asyncio.run(main())
    assert server.accepted == []
    assert (reasons(account), account.waiting()) == (["CRASH_LOOP"], [])


@pytest.mark.row(31)
def test_what_a_process_died_with_is_tried_one_at_a_time(account: Account) -> None:
    """Whichever it is that the process dies over, it must not take the others along again."""
    for number in range(6):
        account.publish(email(number))
    beside: list[int] = []

    class Counting(Deliverer):
        """Notes how many emails are under way as another one begins."""

        under_way = 0

        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            beside.append(self.under_way)
            self.under_way += 1
            try:
                return await super().deliver(job, message, deadline)
            finally:
                self.under_way -= 1

    server = ScriptedServer({Step.MAIL: delay(0.05)})  # time enough for another to begin

    async def main() -> None:
        async with server:
            await killed(account, server, Dying)
            await drain(
                account,
                server,
                relay=lambda pool: Counting(pool, 345_600),
                now=later(1),
                smtp=wide(4),
            )

    asyncio.run(main())
    assert beside == [0] * 6
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(6)}


# the ledger is ill


def each_refused(_real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The call works, and none of its statements."""
    refused = {"Error": {"Code": "ThrottlingError", "Message": AWS_SECRET_TEXT}}
    return {"Responses": [refused] * len(request["Statements"])}


ILL_LEDGERS = [failing("InternalServerError"), failing("AccessDenied"), unreachable, each_refused]


@pytest.mark.row(64)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_without_the_ledger_nothing_is_sent_and_nothing_lost(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(3):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=answer)
    sqs = account.sqs()

    async def main() -> tuple[Summary, Summary]:
        async with server:
            first = await drain(account, server, sqs=sqs, dynamodb=ill)
            assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
            assert (len(account.waiting()), account.dead(), account.rows()) == (3, [], [])
            account.time_passes(60)
            return first, await drain(account, server)

    first, second = asyncio.run(main())
    assert (first.sent, first.deferred, first.stopped) == (0, 3, "empty")
    asked = sqs.asked("change_message_visibility_batch")
    assert [entry["VisibilityTimeout"] for one in asked for entry in one["Entries"]] == [60] * 3
    assert second.sent == 3
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(3)}
    assert {row["attempts"] for row in account.rows()} == {1}, "the first run cost nothing"
    assert "canary" not in log.text


@pytest.mark.row(64)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_a_ledger_that_fails_three_times_in_a_row_ends_the_run(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(45):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=answer)
    summary = run(account, server, dynamodb=ill)
    assert (summary.stopped, summary.received, summary.sent) == ("ledger", 30, 0)
    assert summary.error.startswith("LEDGER at claim")
    assert "MAIL" not in [verb for session in server.sessions for verb in session.verbs]
    assert Counter(held.receives for held in account.waiting()) == {1: 30, 0: 15}
    assert [event["message"] for event in log.events].count("held") == 1


@pytest.mark.row(64)
def test_so_does_one_that_fails_when_emails_are_claimed_one_by_one(account: Account) -> None:
    for number in range(10):
        account.publish(email(number, in_doubt="park"))
    ill = account.dynamodb(batch_execute_statement=failing())
    summary = run(account, dynamodb=ill)
    assert (summary.stopped, summary.deferred, summary.held) == ("ledger", 3, 7)
    assert [held.visible for held in account.waiting()].count(True) == 7, "untouched"


@pytest.mark.row(64)
def test_a_ledger_that_recovers_in_time_ends_nothing(account: Account) -> None:
    for number in range(45):
        account.publish(email(number))
    calls = [0]

    def two_of_three(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        insert = any(one["Statement"].startswith("INSERT") for one in request["Statements"])
        calls[0] += insert
        return failing()(real, request) if insert and calls[0] % 3 else real(**request)

    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=two_of_three)
    summary = run(account, server, dynamodb=ill)
    assert (summary.stopped, summary.received, summary.sent) == ("empty", 45, 10)
    assert len(recipients(server)) == 10


@pytest.mark.row(64)
def test_bad_input_and_redrives_need_no_ledger(account: Account) -> None:
    account.publish("not json", url=account.dead_url)
    account.publish('{"action": "redrive"}')
    account.publish("not json either")
    ill = account.dynamodb(batch_execute_statement=unreachable, batch_get_item=unreachable)
    summary = run(account, dynamodb=ill)
    assert (summary.redriven, summary.dead_lettered, summary.stopped) == (1, 2, "empty")
    assert ill.calls == []


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", ILL_LEDGERS)
def test_what_can_not_be_recorded_is_deleted_all_the_same(
    account: Account, log: Log, answer: Answer
) -> None:
    for number in range(3):
        account.publish(email(number))
    server = ScriptedServer()
    ill = account.dynamodb(batch_execute_statement=only_updates(answer))
    summary = run(account, server, dynamodb=ill)
    assert (summary.sent, summary.stopped) == (3, "empty")
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(3)}
    assert (account.waiting(), account.dead()) == ([], [])
    assert "fates not recorded in the ledger" in [event["message"] for event in log.events]


def test_a_fault_before_the_claim_harms_one_message(
    account: Account, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(send: Send, **rest: Any) -> Checked:  # noqa: ANN401
        if send.subject == "canary-subject":
            raise LookupError(send.subject)
        return check(send, **rest)

    monkeypatch.setattr("ion.admit.check", faulty)
    account.publish(email(1, subject="canary-subject"))
    account.publish(email(2))
    server = ScriptedServer()
    summary = run(account, server)
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert recipients(server) == {"to2@example.org": 1}
    assert [event["message"] for event in log.events].count("fault") == 1
    assert "canary" not in log.text


# some of the recipients


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
                    assert (held.id, held.attributes) == (id_, {"own": ("Number", "5")})
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


@pytest.mark.row(48)
@pytest.mark.row(69)
@pytest.mark.parametrize("first", ["redriven", "deferred"])
def test_a_redriven_part_goes_to_that_part_only(account: Account, first: str) -> None:
    """Whether or not the other part still waits."""
    account.publish(MIXED)
    server = ScriptedServer(
        recipients={GONE: [reply(550, "5.1.1 not yet")], BUSY: [reply(450, "4.2.1 busy")]}
    )

    async def main() -> None:
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

    asyncio.run(main())
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


# redrive


@pytest.mark.row(69)
def test_a_redrive_sends_what_was_dead_in_the_same_run(account: Account) -> None:
    ids = [account.publish(email(number)) for number in range(3)]
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 not yet")] * 3})

    async def main() -> tuple[Summary, Summary]:
        async with server:
            first = await drain(account, server)
            assert [ion_of(held)["email_id"] for held in account.dead()] == ids
            account.publish('{"action": "redrive"}')
            return first, await drain(account, server)

    first, second = asyncio.run(main())
    assert (first.dead_lettered, second.redriven, second.sent) == (3, 3, 3)
    assert recipients(server) == {f"to{n}@example.org": 1 for n in range(3)}
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(69)
@pytest.mark.parametrize("copies", [1, 2])
def test_a_dead_letter_that_sqs_itself_moves_is_sent_once(
    account: Account, log: Log, copies: int
) -> None:
    """And so is one that was moved, and not deleted, and moved again."""
    account.publish(email(1, email_id="order-17"))
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 not yet")]})

    async def main() -> None:
        async with server:
            await drain(account, server)
            (letter,) = account.dead()
            for _ in range(copies):
                account.publish(letter.body, letter.attributes)
            for _ in range(2):
                await drain(account, server)
                account.time_passes(60)

    asyncio.run(main())
    assert recipients(server) == ONCE
    assert account.waiting() == []
    sent = [event for event in log.events if event["message"] == "sent"]
    assert [(event["redrives"], event["attempt"]) for event in sent] == [(1, 1)]


@pytest.mark.row(69)
def test_what_was_buried_and_not_deleted_is_not_tried_again(account: Account) -> None:
    account.publish(email(1))
    server = ScriptedServer({Step.RCPT: [reply(550, "5.1.1 no")]})

    async def main() -> Summary:
        async with server:
            await drain(account, server, sqs=account.sqs(delete_message_batch=failing()))
            account.time_passes(3600)
            return await drain(account, server)

    assert asyncio.run(main()).received == 1
    assert server.accepted == []
    assert (account.waiting(), reasons(account)) == ([], ["RCPT_REJECTED"])


def test_an_empty_poll_that_a_redrive_overtook_is_not_the_end(account: Account) -> None:
    """It looked before the redrive had moved anything, and answers when all is done."""
    account.publish(email(1), url=account.dead_url)
    account.publish('{"action": "redrive"}')
    looked, settled = threading.Event(), threading.Event()

    def poll(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = at_once(real, request)
        if not answer.get("Messages"):
            looked.set()
            settled.wait()
        return answer

    def move(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        looked.wait()
        return as_strict_as_sqs(real, request)

    def forget(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        settled.set()
        return answer

    sqs = account.sqs(
        receive_message=only_for(account.input_url, poll, otherwise=at_once),
        send_message_batch=move,
        delete_message_batch=only_for(
            account.input_url, forget, otherwise=lambda real, request: real(**request)
        ),
    )
    summary = run(account, sqs=sqs)
    assert (summary.redriven, summary.sent, summary.stopped) == (1, 1, "empty")


@pytest.mark.row(70)
def test_what_dies_again_stays_dead_and_says_how_often(account: Account) -> None:
    id_ = account.publish("not json")
    run(account)
    account.publish('{"action": "redrive"}')
    summary = run(account)
    assert (summary.redriven, summary.dead_lettered, summary.stopped) == (1, 1, "empty")
    (letter,) = account.dead()
    assert letter.body == "not json"
    record = ion_of(letter)
    assert (record["email_id"], record["redrives"], record["attempts"]) == (id_, 1, 0)
    assert record["original_message_id"] == id_


@pytest.mark.row(23)
@pytest.mark.parametrize("answer", [failing("AccessDenied"), unreachable])
def test_a_dead_letter_queue_that_can_not_be_read_ends_the_run_and_keeps_the_redrive(
    account: Account, answer: Answer
) -> None:
    account.publish('{"action": "redrive"}')
    sqs = account.sqs(receive_message=only_for(account.dead_url, answer, otherwise=at_once))
    summary = run(account, sqs=sqs)
    assert (summary.stopped, summary.error, summary.redriven) == ("queue", "", 0)
    assert [(held.visible, held.receives) for held in account.waiting()] == [(True, 1)]


@pytest.mark.row(69)
def test_a_redrive_with_a_maximum_moves_no_more_in_several_runs(account: Account, log: Log) -> None:
    """At so low a rate only nine fit into the longest delay that SQS has."""
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive", "max": 12, "rate": 0.01}')
    runs = []
    for _ in range(4):
        runs.append(run(account))
        account.time_passes(900)
    assert [one.redriven for one in runs] == [9, 3, 0, 0]
    assert sum(one.sent for one in runs) == 12
    assert (len(account.dead()), account.waiting()) == (13, [])
    reports = [event for event in log.events if event["message"] == "redrive"]
    assert [(one["moved"], one["complete"]) for one in reports] == [(9, False), (3, True)]


@pytest.mark.row(23)
@pytest.mark.row(69)
def test_a_redrive_that_breaks_off_does_not_forget_how_many_it_has_moved(account: Account) -> None:
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive", "max": 12}')
    looks = iter([at_once])

    def once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return next(looks, failing("InternalError"))(real, request)

    ill = account.sqs(receive_message=only_for(account.dead_url, once, otherwise=at_once))
    runs = [run(account, sqs=ill), run(account), run(account)]
    assert [(one.redriven, one.stopped) for one in runs] == [
        (10, "queue"),
        (2, "empty"),
        (0, "empty"),
    ]
    assert sum(one.sent for one in runs) == 12
    assert (len(account.dead()), account.waiting()) == (13, [])


@pytest.mark.row(69)
def test_a_redrive_comes_back_for_what_someone_was_looking_at(account: Account, log: Log) -> None:
    for number in range(3):
        account.publish(email(number), url=account.dead_url)
    asyncio.run(account.dead_letters().receive(visibility_seconds=30, wait_seconds=0, most=2))
    account.publish('{"action": "redrive"}')
    sqs = account.sqs()
    first = run(account, sqs=sqs)
    sent = [one for call in sqs.asked("send_message_batch") for one in call["Entries"]]
    assert [one["DelaySeconds"] for one in sent] == [0, 120], "the letter, and the redrive itself"
    account.time_passes(120)
    second = run(account)
    assert (first.redriven, second.redriven, second.sent) == (1, 2, 2)
    assert (account.waiting(), account.dead()) == ([], [])
    reports = [event for event in log.events if event["message"] == "redrive"]
    told = [(one["moved"], one["hidden"], one["complete"], one["goes_on"]) for one in reports]
    assert told == [(1, 2, False, True), (2, 0, True, False)]


def test_a_dry_run_tells_and_goes(account: Account, log: Log) -> None:
    account.publish("{broken")
    run(account)
    account.publish('{"action": "redrive", "dry_run": true}')
    assert run(account).redriven == 0
    assert (len(account.dead()), account.waiting()) == (1, [])
    (report,) = [event for event in log.events if event["message"] == "redrive"]
    assert (report["meant"], report["reasons"]) == (1, {"BAD_JSON": 1})


@pytest.mark.row(27)
def test_a_redrive_that_is_not_through_goes_on_in_the_next_run(account: Account) -> None:
    for number in range(25):
        account.publish(email(number), url=account.dead_url)
    account.publish('{"action": "redrive"}')
    clock = Clock()

    def slowly(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        clock.passes(40)
        return as_strict_as_sqs(real, request)

    server = ScriptedServer()
    sqs = account.sqs(send_message_batch=slowly)
    summary = run(account, sqs=sqs, deadline=Deadline.after(110, clock))
    assert (summary.redriven, summary.stopped, summary.error) == (20, "deadline", "")
    assert len(account.dead()) == 5
    assert sum(held.body == '{"action": "redrive"}' for held in account.waiting()) == 1
    summary = run(account, server)
    assert (summary.redriven, summary.sent) == (5, 25)
    assert recipients(server) == {f"to{n}@example.org": 1 for n in range(25)}
    assert (account.waiting(), account.dead()) == ([], [])


# the queue is ill


@pytest.mark.row(23)
@pytest.mark.parametrize("answer", [failing("AWS.SimpleQueueService.OverLimit"), unreachable])
def test_a_queue_that_can_not_be_read_ends_the_run(
    account: Account, log: Log, answer: Answer
) -> None:
    account.publish(email())
    summary = run(account, sqs=account.sqs(receive_message=answer))
    assert (summary.stopped, summary.received) == ("queue", 0)
    assert [held.receives for held in account.waiting()] == [0]
    assert log.events[-1]["message"] == "the input queue can't be read"
    assert "canary" not in log.text


@pytest.mark.row(20)
def test_a_delete_that_is_refused_twice_is_done_the_third_time(account: Account) -> None:
    for number in range(3):
        account.publish(email(number))
    left = [2]

    def refuse(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        left[0] -= 1
        bad = [entry for entry in request["Entries"] if left[0] >= 0 and entry["Id"] == "1"]
        good = [entry for entry in request["Entries"] if entry not in bad]
        answer = real(**request | {"Entries": good}) if good else {}
        return {**answer, "Failed": [{"Id": one["Id"], "Code": "InternalError"} for one in bad]}

    run(account, sqs=account.sqs(delete_message_batch=refuse))
    assert account.waiting() == []


@pytest.mark.row(18)
def test_what_was_sent_but_not_deleted_is_said(account: Account, log: Log) -> None:
    account.publish(email())
    summary = run(account, sqs=account.sqs(delete_message_batch=failing()))
    assert summary.sent == 1
    assert [event["message"] for event in log.events][-1] == "settled but not deleted"


# the attempts


def test_attempts_count_on_over_receives(account: Account, log: Log) -> None:
    account.publish(email(recipient=["ok@example.org", "later@example.org"], email_id="order-17"))
    busy = reply(450, "4.2.1 busy")
    server = ScriptedServer(recipients={"later@example.org": [busy, busy, busy]})

    async def main() -> None:
        async with server:
            for _ in range(4):
                await drain(account, server)
                account.time_passes(60)

    asyncio.run(main())
    events = [event for event in log.events if event.get("email_id") == "order-17"]
    deferred = [event["attempt"] for event in events if event["message"] == "deferred"]
    sent = [event["attempt"] for event in events if event["message"] == "sent"]
    assert (deferred, sent) == ([1, 2, 3], [1, 4])


@pytest.mark.row(62)
def test_throttled_attempts_do_not_count(account: Account, log: Log) -> None:
    account.publish(email(1))
    slower = reply(454, "Throttling failure: Maximum sending rate exceeded")
    server = ScriptedServer({Step.DOT: [slower, slower, slower]})

    async def main() -> None:
        async with server:
            for _ in range(4):
                await drain(account, server)
                account.time_passes(600)

    asyncio.run(main())
    events = [event for event in log.events if event["message"] in ("deferred", "sent")]
    assert [event["attempt"] for event in events] == [1, 1, 1, 1]
    assert [(row["status"], row["attempts"]) for row in account.rows()] == [("sent", 1)]


def test_a_redriven_emails_attempts_count_from_one(account: Account, log: Log) -> None:
    account.publish(email(1))
    busy = reply(450, "4.2.1 busy")
    server = ScriptedServer({Step.RCPT: [busy, reply(550, "5.1.1 no"), busy, busy]})

    async def main() -> None:
        async with server:
            for number in range(5):
                if number == 2:
                    account.publish('{"action": "redrive"}')
                await drain(account, server)
                account.time_passes(3600)

    asyncio.run(main())
    events = [event for event in log.events if event.get("recipients")]
    assert [(event["message"], event["attempt"]) for event in events] == [
        ("deferred", 1),
        ("dead_lettered", 2),
        ("deferred", 1),
        ("deferred", 2),
        ("sent", 3),
    ]


def sizes(calls: Sequence[Request]) -> list[int]:
    return [len(call["Entries"]) for call in calls]


def test_deletes_travel_in_batches(account: Account) -> None:
    for number in range(30):
        account.publish(email(number))
    sqs = account.sqs()
    run(account, sqs=sqs)
    assert sum(sizes(sqs.asked("delete_message_batch"))) == 30
    assert max(sizes(sqs.asked("delete_message_batch"))) <= 10
