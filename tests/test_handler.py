"""The function as Lambda runs it: its package, its environment, its invocations."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from clock import Clock
from conftest import Log
from emulated import Account, Answer, Between, Request, failing, unreachable
from function import PASSWORD, USER, Context, Function, email, guarded, invoke, once
from ion.deadline import Deadline
from ion.drain.progress import Summary
from ion.relay.relay import Relay
from ion.settings import SettingsError
from smtp_server import NORMAL, Action, Moment, Offer, ScriptedServer, Step, Tls, drop, reply

REDRIVE = '{"action": "redrive"}'


# an invocation


EVENTS: list[object] = [
    None,
    {},
    "canary",
    {"Records": [{"Sns": {"Message": email(7)}}]},
    {"alarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion"},
]


@pytest.mark.row(33)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_any_event_is_only_a_wake_up(account: Account, function: Function, event: object) -> None:
    account.publish(email(1))
    server = guarded()

    async def main() -> dict[str, Any]:
        async with server:
            function.knows(server)
            answer: dict[str, Any] = await asyncio.to_thread(function.cold().run, event, Context())
            return answer

    answer = asyncio.run(main())
    assert [one.recipients for one in server.accepted] == [("to1@example.org",)]
    assert server.sessions[0].tls
    assert json.loads(json.dumps(answer)) == {
        "received": 1,
        "bulk": 0,
        "later": 0,
        "sent": 1,
        "deferred": 0,
        "released": 0,
        "dead_lettered": 0,
        "suppressed": 0,
        "by_stop": 0,
        "moved_to_bulk": 0,
        "redriven": 0,
        "seconds": answer["seconds"],
        "stopped": "empty",
        "error": "",
        "held": "",
        "held_by": "",
        "paused": "",
        "advice": "",
    }


@pytest.mark.row(33)
def test_a_wake_up_too_many_is_harmless(account: Account, function: Function) -> None:
    account.publish(email(1))
    server = guarded()

    async def main() -> list[str]:
        async with server:
            function.knows(server)
            handler = function.cold()
            answers = [await asyncio.to_thread(handler.run, {}, Context()) for _ in range(3)]
            return [answer["stopped"] for answer in answers]

    assert asyncio.run(main()) == ["empty"] * 3
    assert len(server.accepted) == 1


@pytest.mark.row(16)
@pytest.mark.row(19)
async def test_a_lease_ends_when_the_message_can_be_received_again(
    account: Account, function: Function
) -> None:
    """Earlier, another run might send while this one does; later, nobody may for a while."""
    account.publish(email(1))
    seen: list[tuple[float, int]] = []

    def look(moment: Moment) -> Action:
        if moment.step is Step.DOT:
            (row,) = account.rows()
            seen.append((time.time(), int(row["lease_until"])))
        return NORMAL

    server = ScriptedServer(look, tls=Tls.STARTTLS, offer=Offer(users={USER: PASSWORD}))
    async with server:
        function.knows(server)
        await function.relay().run(Deadline.after(300))
    ((now, lease_until),) = seen
    assert now + 340 < lease_until <= now + 361


@pytest.mark.row(12)
def test_the_ledger_outlives_an_environment(account: Account, function: Function) -> None:
    server = guarded()

    async def main() -> list[Summary]:
        summaries = []
        async with server:
            function.knows(server)
            for _ in range(2):
                account.publish(email(1, email_id="order-17"))
                summaries.append(await invoke(function.relay()))
        return summaries

    assert [summary.sent for summary in asyncio.run(main())] == [1, 0]
    assert len(server.accepted) == 1
    assert (account.waiting(), account.dead()) == ([], [])


@pytest.mark.row(52)
def test_the_policy_for_what_is_in_doubt_is_a_setting(account: Account, function: Function) -> None:
    function.monkeypatch.setenv("ION_RETRY_IN_DOUBT", "park")
    account.publish(email(1))
    server = guarded({Step.DOT: drop()})
    summary = once(function, account, server)
    assert (summary.dead_lettered, len(server.accepted)) == (1, 1)
    assert [held.attributes["reason"][1] for held in account.dead()] == ["IN_DOUBT"]


@pytest.mark.row(64)
def test_without_its_table_nothing_is_sent(account: Account, function: Function, log: Log) -> None:
    """The real answer of a DynamoDB, which no fault in between has to imitate."""
    function.monkeypatch.setenv("ION_AWS_LEDGER_TABLE", "nowhere")
    for number in range(35):
        account.publish(email(number))
    server = guarded()
    summary = once(function, account, server)
    assert (summary.sent, summary.stopped, len(account.waiting())) == (0, "ledger", 35)
    assert server.submissions == []
    assert "the control row can't be read" in [event["message"] for event in log.events]


async def test_an_environment_is_built_once_and_kept(account: Account, function: Function) -> None:
    async with guarded() as server:
        function.knows(server)
        handler = function.cold()
        await asyncio.to_thread(handler.run, {}, Context())
        relay = handler._relay()  # noqa: SLF001 - what is kept shows nowhere else
        await asyncio.to_thread(handler.run, {}, Context())
        assert handler._relay() is relay  # noqa: SLF001


@pytest.mark.row(27)
def test_the_invocations_time_is_the_runs(account: Account, function: Function) -> None:
    account.publish(email(1))

    async def main() -> dict[str, Any]:
        async with guarded() as server:
            function.knows(server)
            run = function.cold().run
            answer: dict[str, Any] = await asyncio.to_thread(run, {}, Context(seconds=50))
            return answer

    assert asyncio.run(main())["stopped"] == "deadline"
    assert [held.receives for held in account.waiting()] == [0]


def test_a_run_says_last_what_it_came_to(account: Account, function: Function, log: Log) -> None:
    account.publish(email(1))
    account.publish("not json")
    once(function, account)
    last = log.events[-1]
    found = {name: last[name] for name in ("message", "received", "sent", "dead_lettered")}
    assert found == {"message": "run ended", "received": 2, "sent": 1, "dead_lettered": 1}
    assert (log.metrics["Sent"], log.metrics["DeadLettered"]) == ([1.0], [1.0])


def test_a_run_that_found_nothing_warns_of_nothing(
    account: Account, function: Function, log: Log
) -> None:
    assert once(function, account).stopped == "empty"
    assert [event["level"] for event in log.events] == ["INFO"]


# the alarm


class KilledError(BaseException):
    """Passes every except clause."""


def killed(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    raise KilledError


@pytest.mark.row(37)
@pytest.mark.parametrize(
    ("stopped", "script", "receive"),
    [
        ("empty", {}, None),
        ("greeting", {Step.CONNECT: reply(421, "4.3.2 busy")}, None),
        ("auth", {Step.AUTH: reply(535, "5.7.8 no")}, None),
        ("queue", {}, failing("AccessDenied")),
        ("queue", {}, unreachable),
    ],
)
def test_the_alarm_is_set_back_however_a_run_ends(
    account: Account,
    function: Function,
    stopped: str,
    script: dict[Step, Action],
    receive: Answer | None,
) -> None:
    account.ring()

    async def main() -> Summary:
        async with guarded(script) as server:
            function.knows(server)
            relay = function.relay()
            if receive is not None:
                relay.queues = account.queues(account.sqs(receive_message=receive))
            return await invoke(relay)

    assert asyncio.run(main()).stopped == stopped
    others = "ALARM" if stopped == "empty" else "OK"  # or the queue may have mail left
    assert account.alarm_states == ("OK", others, others)


@pytest.mark.row(37)
@pytest.mark.parametrize("queue", ["bulk", "later"])
def test_the_alarm_of_a_queue_that_gave_mail_is_set_back(
    account: Account, function: Function, queue: str
) -> None:
    """More of it may have come since; a queue that was found empty need not wake anybody."""
    account.publish(email(1), url={"bulk": account.bulk_url, "later": account.later_url}[queue])
    account.ring()
    assert once(function, account).sent == 1
    states = {"bulk": ("OK", "OK", "ALARM"), "later": ("OK", "ALARM", "OK")}
    assert account.alarm_states == states[queue]


@pytest.mark.row(37)
def test_the_alarm_is_set_back_when_a_run_breaks(
    account: Account, function: Function, log: Log
) -> None:
    account.ring()

    async def main() -> None:
        async with guarded() as server:
            function.knows(server)
            relay = function.relay()
            relay.queues = account.queues(account.sqs(receive_message=killed))
            await invoke(relay)

    with pytest.raises(BaseExceptionGroup):
        asyncio.run(main())
    assert account.alarm_state == "OK"
    assert log.events[-1]["message"] == "run ended"


@pytest.mark.row(37)
@pytest.mark.parametrize("answer", [failing("AccessDenied"), unreachable])
def test_an_alarm_that_can_not_be_set_back_fails_no_run(
    account: Account, function: Function, log: Log, answer: Answer
) -> None:
    account.publish(email(1))

    async def main() -> Summary:
        async with guarded() as server:
            function.knows(server)
            relay = function.relay()
            relay.alarm = account.alarm(account.cloudwatch(set_alarm_state=answer))
            return await invoke(relay)

    summary = asyncio.run(main())
    assert (summary.sent, summary.stopped, summary.error) == (1, "empty", "")
    assert "the alarm could not be set back" in [event["message"] for event in log.events]
    assert "canary" not in log.text


# settings and secrets


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("environment", "secrets", "error"),
    [
        ({}, None, "config-secrets.cfg: missing"),
        ({}, "[smtp]\nserver = canary server\nport = 587\n", "config-secrets.cfg: [smtp] server"),
        ({}, "canary", "config-secrets.cfg: line 1"),
        ({"ION_SMTP_CONNECTIONS": "canary"}, "", "environment ION_SMTP_CONNECTIONS"),
        (
            {"ION_AWS_SECRET_ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/none"},
            "",
            "arn:aws:ssm:eu-west-1:123456789012:parameter/none: can't be read: ParameterNotFound",
        ),
        ({"ION_AWS_SECRET_ARN": "canary"}, "", "environment ION_AWS_SECRET_ARN"),
        pytest.param(
            {"ION_GUARD_REQUIRED": "true"},
            "",
            "environment ION_GUARD_REQUIRED: [guard] required: is true",
            marks=pytest.mark.row(80),
        ),
    ],
)
def test_a_wrong_setting_ends_the_run_before_it_begins(
    account: Account,
    function: Function,
    log: Log,
    environment: dict[str, str],
    secrets: str | None,
    error: str,
) -> None:
    account.publish(email(1))
    account.ring()
    good = "[smtp]\nserver = mail.example.org\nport = 587\n"
    if secrets is not None:
        (function.root / "config-secrets.cfg").write_text(secrets or good, encoding="utf-8")
    for name, value in environment.items():
        function.monkeypatch.setenv(name, value)
    for _ in range(2):
        summary = asyncio.run(invoke(function.relay()))
        assert (summary.stopped, summary.received) == ("settings", 0)
        assert summary.error.startswith(error)
    seen = [(held.receives, held.visible) for held in account.waiting()]
    assert seen == [(1, True)], "once, for what SQS is about to forget"
    assert account.alarm_state == "OK"
    assert [event["message"] for event in log.events] == ["settings", "run ended"] * 2
    assert "canary" not in log.text


@pytest.mark.row(32)
async def test_settings_that_were_mended_heal_the_next_run(
    account: Account, function: Function
) -> None:
    account.publish(email(1))

    async with guarded() as server:
        relay = function.relay()
        assert (await invoke(relay)).stopped == "settings"
        function.knows(server)
        assert (await invoke(relay)).sent == 1


@pytest.mark.row(32)
def test_without_its_names_the_function_says_which_is_missing(function: Function) -> None:
    function.monkeypatch.delenv("ION_AWS_QUEUE_URL")
    with pytest.raises(SettingsError, match=r"\[aws\] queue_url: is missing"):
        function.cold().run({}, Context())


def test_importing_the_handler_reads_and_connects_nothing(
    account: Account, function: Function
) -> None:
    for name in ("ION_AWS_QUEUE_URL", "AWS_DEFAULT_REGION"):
        function.monkeypatch.delenv(name)
    (function.root / "config.cfg").unlink()
    assert function.cold().run


@pytest.mark.row(42)
async def test_a_secret_that_was_changed_heals_the_next_run(
    account: Account, function: Function
) -> None:
    account.publish(email(1))
    client = account.session.client("secretsmanager")
    server = guarded()

    async with server:
        arn = client.create_secret(Name="ion", SecretString=function.secrets(server, "canary-old"))[
            "ARN"
        ]
        function.monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)
        relay = function.relay()
        for _ in range(2):
            summary = await invoke(relay)
            assert (summary.stopped, summary.received) == ("auth", 0)
        assert server.auth_commands == 1, "one that was refused is not tried again soon"
        client.put_secret_value(SecretId=arn, SecretString=function.secrets(server))
        assert (await invoke(relay)).sent == 1


async def test_a_secret_is_read_once_as_long_as_it_works(
    account: Account, function: Function
) -> None:
    ssm = account.session.client("ssm")
    server = guarded()

    async with server:
        ssm.put_parameter(Name="/ion", Value=function.secrets(server), Type="SecureString")
        arn = ssm.get_parameter(Name="/ion")["Parameter"]["ARN"]
        function.monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)
        relay = function.relay()
        for number in range(2):
            account.publish(email(number))
            assert (await invoke(relay)).sent == 1
            ssm.delete_parameters(Names=["/ion"])


# what is written where


CANARIES: dict[str, object] = {
    "recipient": "canary-recipient@canary-domain.example",
    "subject": "canary-subject",
    "body_text": "canary-body",
}


def canary_mail(**fields: object) -> str:
    return email(0, **(CANARIES | fields))


@pytest.mark.parametrize(
    ("body", "script"),
    [
        (canary_mail(), {}),
        (
            canary_mail(),
            {Step.RCPT: reply(550, "5.1.1 <canary-recipient@canary-domain.example> no")},
        ),
        (canary_mail(), {Step.RCPT: reply(450, "4.2.1 canary-recipient is busy")}),
        (canary_mail(), {Step.DOT: reply(554, "5.7.1 canary-recipient@canary-domain.example: no")}),
        (canary_mail(), {Step.MAIL: reply(530, "5.7.0 canary-recipient@canary-domain.example")}),
        (canary_mail(), {Step.AUTH: reply(535, "5.7.8 canary-user@canary-domain.example")}),
        (canary_mail(headers={"X-A": "canary\r\n"}), {}),
        (canary_mail(cc="canary-recipient"), {}),
        (canary_mail(subject=["canary"]), {}),
        (canary_mail(**{"canary@canary.example": "canary"}), {}),
        ("canary " * 10, {}),
        ('{"canary": "\\ud800"}', {}),
    ],
)
def test_no_content_address_or_password_is_written_beside_the_message(
    account: Account, function: Function, log: Log, body: str, script: dict[Step, Any]
) -> None:
    account.publish(body)
    summary = once(function, account, guarded(script))
    told = [log.text, repr(summary)]
    told += [str(value) for held in account.dead() for value in held.attributes.values()]
    assert "canary" not in " ".join(told)
    assert log.events


def test_the_debug_level_tells_no_more_secrets(
    account: Account, function: Function, log: Log
) -> None:
    function.monkeypatch.setenv("ION_LOG_LEVEL", "DEBUG")
    account.publish(canary_mail())
    assert once(function, account).sent == 1
    assert "canary" not in log.text


@pytest.mark.row(34)
def test_a_run_writes_to_its_queues_its_ledger_and_its_alarm_only(
    account: Account, function: Function
) -> None:
    """And nothing there wakes it but the queue's own count."""
    for body in (email(1), email(2, recipient=["a@b.example", "no@b.example"]), "bad", REDRIVE):
        account.publish(body)

    def watched(relay: Relay) -> tuple[Between, Between, Between]:
        sqs, cloudwatch, dynamodb = account.sqs(), account.cloudwatch(), account.dynamodb()
        relay.queues = account.queues(sqs)
        relay.alarm = account.alarm(cloudwatch)
        relay.ledger = account.ledger(dynamodb)
        return sqs, cloudwatch, dynamodb

    async def main() -> tuple[Between, Between, Between]:
        recipients = {"no@b.example": reply(450, "4.2.1 busy")}
        async with guarded(recipients=recipients) as server:
            function.knows(server)
            relay = function.relay()
            clients = watched(relay)
            await invoke(relay)
            return clients

    sqs, cloudwatch, dynamodb = asyncio.run(main())
    assert {request["QueueUrl"] for _, request in sqs.calls} == {
        account.input_url,
        account.bulk_url,
        account.later_url,
        account.dead_url,
    }
    assert {name for name, _ in sqs.calls} <= {
        "receive_message",
        "send_message_batch",
        "delete_message_batch",
        "change_message_visibility_batch",
        "get_queue_attributes",
    }
    assert [name for name, _ in cloudwatch.calls] == ["set_alarm_state"]
    written = [
        one["Statement"]
        for request in dynamodb.asked("batch_execute_statement")
        for one in request["Statements"]
    ]
    assert written
    assert all(f'"{account.table}"' in statement for statement in written)
    assert {name for name, _ in dynamodb.calls} <= {"batch_execute_statement", "batch_get_item"}


@pytest.mark.row(24)
@pytest.mark.row(32)
@pytest.mark.row(42)
@pytest.mark.parametrize(
    ("environment", "stopped"),
    [({}, "auth"), ({"ION_SMTP_CONNECTIONS": "many"}, "settings")],
)
def test_while_nothing_can_be_sent_old_mail_is_rescued_by_a_new_environment_too(
    account: Account, function: Function, environment: dict[str, str], stopped: str
) -> None:
    for name, value in environment.items():
        function.monkeypatch.setenv(name, value)
    account.publish(email(1, email_id="old"))
    clock = Clock(time.time() + 11 * 86_400)

    async def main() -> list[tuple[str, int]]:
        found = []
        async with guarded() as server:
            function.knows(server, "wrong")
            for _ in range(3):
                summary = await invoke(function.relay(clock))
                found.append((summary.stopped, summary.dead_lettered))
                clock.passes(86_400)
        return found

    assert asyncio.run(main()) == [(stopped, 0), (stopped, 0), (stopped, 1)]
    (letter,) = account.dead()
    assert letter.attributes["reason"] == ("String", "EXPIRED")
    assert json.loads(letter.attributes["ion"][1])["email_id"] == "old"


@pytest.mark.row(24)
@pytest.mark.row(63)
def test_a_run_that_sent_something_looks_for_nothing_else(
    account: Account, function: Function
) -> None:
    """The others have just been received, and the next run begins where this one was stopped."""
    for number in range(3):
        account.publish(email(number))
    used_up = reply(454, "Daily message quota exceeded")
    summary = once(function, account, guarded({Step.DOT: [NORMAL, used_up, used_up]}))
    assert (summary.stopped, summary.sent) == ("quota", 1)
    assert not [row for row in account.rows() if row["email_id"] == " rescue "]
