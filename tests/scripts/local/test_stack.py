"""The local stack: what it promises to the tests of the whole relay."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ionctl.local import iam_quirks, mailbox_simulator, once, once_files, show
from ionctl.local.names import names_of
from ionctl.local.stack import ROOT, Stack, check_settings, config_secrets
from ionctl.problem import Problem

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(settings={"drain": {"linger_seconds": "0"}}) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(stack: Stack) -> None:
    assert stack.wait_until_settled()
    stack.aws.sqs.purge_queue(QueueUrl=stack.names.dead_letter_queue_url)


def send(recipient: str) -> dict[str, str]:
    return {"action": "send", "recipient": recipient, "subject": "Hi", "body_text": "…"}


def test_published_message_arrives(stack: Stack) -> None:
    before = len(stack.mailbag.emails)
    stack.publish(send("ann@example.org"))
    assert stack.wait_for_emails(before + 1)[-1].recipients == ("ann@example.org",)


def test_alarm_alone_wakes_the_relay(stack: Stack) -> None:
    before = len(stack.mailbag.emails)
    # past the topic, so that no notification wakes it
    stack.aws.sqs.send_message(
        QueueUrl=stack.names.queue_url,
        MessageBody='{"action": "send", "recipient": "bob@example.org", "body_text": "…"}',
    )
    assert stack.wait_for_emails(before + 1)[-1].recipients == ("bob@example.org",)


def test_bounce_becomes_a_dead_letter_with_its_reason(stack: Stack) -> None:
    stack.publish(send(mailbox_simulator.BOUNCE))
    assert stack.wait_until_settled()
    (dead,) = stack.dead_letters()
    assert dead.attributes["reason"] == "RCPT_REJECTED"
    assert dead.attributes["reply"] == mailbox_simulator.NO_SUCH_USER


def test_throttled_message_arrives_after_a_while(stack: Stack) -> None:
    before = len(stack.mailbag.emails)
    stack.publish(send(mailbox_simulator.THROTTLE))
    stack.wait_for_emails(before + 1)
    reasons = [event.get("reason") for event in stack.events()]
    assert reasons.count("THROTTLED") == mailbox_simulator.THROTTLED_TIMES


def test_invoke_waits_its_turn_and_gives_the_summary(stack: Stack) -> None:
    stack.publish(send("ann@example.org"))
    assert stack.invoke()["stopped"] == "empty"


def test_settings_reach_the_function(stack: Stack) -> None:
    configuration = stack.aws.functions.get_function_configuration(FunctionName="ion")
    assert configuration["Environment"]["Variables"]["ION_DRAIN_LINGER_SECONDS"] == "0"


def test_quirks_grant_nothing_that_the_deployment_does_not(stack: Stack) -> None:
    stack.aws.iam.create_role(RoleName="other-lambda-role", AssumeRolePolicyDocument="{}")
    stack.aws.iam.put_role_policy(
        RoleName="other-lambda-role",
        PolicyName="relay",
        PolicyDocument='{"Statement": ['
        '{"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": "q"},'
        '{"Effect": "Allow", "Action": "dynamodb:PartiQLInsert", "Resource": "t"},'
        '{"Effect": "Deny", "Action": "sqs:DeleteMessage", "Resource": "q"}]}',
    )
    other = names_of(stack.ministack.endpoint, name="other")
    iam_quirks.make_up(stack.aws, other.role)
    written = stack.aws.iam.get_role_policy(RoleName=other.role, PolicyName=iam_quirks.POLICY)
    # boto3 has parsed it, whatever its types say
    document: Any = written["PolicyDocument"]
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": ["sqs:SendMessageBatch"], "Resource": ["q"]}
    ]


def test_undecided_message_is_reported_as_queued(stack: Stack, tmp_path: Path) -> None:
    """Where it waits, or in the queue of what waits: it is put off by a minute, more or less."""
    file = tmp_path / "later.json"
    file.write_text(json.dumps(send(mailbox_simulator.DEFER)))
    (fate,) = once.run(stack, once_files.read([str(file)]), timeout_seconds=3, out=tmp_path)
    (waiting,) = stack.queued()
    key = show.provenance(waiting).get("original_message_id", waiting.message_id)
    where = "" if waiting.queue == stack.names.queue else f" in {waiting.queue}"
    deferred = f"deferred {key}: TRY_LATER 451 4.3.0 "
    assert str(fate).startswith(f"{file} → still queued{where}: {deferred}")
    assert not fate.is_good
    for url in (stack.names.queue_url, stack.names.later_queue_url):
        stack.aws.sqs.purge_queue(QueueUrl=url)


def test_what_a_message_names_may_be_in_the_bucket_and_in_the_outbox(
    stack: Stack, tmp_path: Path
) -> None:
    files, s3 = stack.names.files, stack.aws.s3
    s3.put_object(Bucket=files, Key="a.txt", Body=b"octets")
    attachments = [{"filename": "a.txt", "s3": {"bucket": files, "key": "a.txt"}}]
    whole = json.dumps(send("ann@example.org") | {"attachments": attachments})
    s3.put_object(Bucket=files, Key="message.json", Body=whole.encode())
    stack.aws.dynamodb.put_item(
        TableName=stack.names.outbox, Item={"email_id": {"S": "order-17"}, "email": {"S": whole}}
    )
    pointer = {"s3BucketName": files, "s3Key": "message.json"}
    bodies = {
        "plain": whole,
        "in_s3": json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", pointer]),
        "in_outbox": '{"email_id": "order-17"}',
    }
    for name, body in bodies.items():
        (tmp_path / f"{name}.json").write_text(body)
    paths = [tmp_path / f"{name}.json" for name in bodies]
    fates = once.run(stack, once_files.read([*map(str, paths)]), timeout_seconds=60, out=tmp_path)
    assert [str(fate).partition(" → ")[2] for fate in fates] == ["sent to ann@example.org"] * 3
    for fate in fates:
        assert b"b2N0ZXRz" in fate.emails[0].content


@pytest.mark.row(91)
def test_a_secret_that_the_server_does_not_know_yet_stops_nothing(stack: Stack) -> None:
    """The role may read both versions of it, the new one and the one before."""
    right = config_secrets(stack.mail_server.login)
    stack.put_secret(right.replace("password = ", "password = not-yet-"))
    before = len(stack.mailbag.emails)
    function = stack.names.function
    # a process of its own, which reads the secret when it begins
    stack.aws.functions.update_function_configuration(FunctionName=function, Timeout=899)
    stack.publish(send("ann@example.org"))
    assert stack.wait_for_emails(before + 1)[-1].recipients == ("ann@example.org",)
    stack.put_secret(right)
    stack.invoke()  # behind the run that has sent it: by now that has written its log
    assert "login refused, another one is tried" in [one.get("message") for one in stack.events()]


def test_a_redrive_tells_what_it_came_to(stack: Stack, tmp_path: Path) -> None:
    stack.publish(send(mailbox_simulator.BOUNCE))
    assert stack.wait_until_settled()
    file = tmp_path / "again.json"
    file.write_text('{"action": "redrive", "dry_run": true}')
    (fate,) = once.run(stack, once_files.read([str(file)]), timeout_seconds=30, out=tmp_path)
    assert str(fate).startswith(f"{file} → redrive ")
    assert str(fate).endswith(": 1 meant (RCPT_REJECTED 1); 0 moved")
    assert fate.is_good


def test_two_files_of_one_name_get_a_file_each(stack: Stack, tmp_path: Path) -> None:
    files = [tmp_path / folder / "same.json" for folder in ("a", "b")]
    for file in files:
        file.parent.mkdir()
        file.write_text(json.dumps(send("ann@example.org")))
    once_files.make_folder(tmp_path / "out")
    once.run(stack, once_files.read([*map(str, files)]), timeout_seconds=30, out=tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"same.eml", "same-2.eml"}


@pytest.mark.parametrize(
    ("settings", "config", "told"),
    [
        ({"mail": {"sender": "Shop"}}, None, "ION_MAIL_SENDER: [mail] sender: is no"),
        (
            {},
            "[smtp]\nconnections = 4\npipelning = deep\n",
            "line 3: [smtp] pipelning: unknown key",
        ),
    ],
)
def test_settings_that_the_function_would_refuse_are_told_before_anything_runs(
    tmp_path: Path, settings: dict[str, dict[str, str]], config: str | None, told: str
) -> None:
    shipped = (ROOT / "config.cfg").read_text(encoding="utf-8")
    (tmp_path / "config.cfg").write_text(config or shipped, encoding="utf-8")
    secrets = "[smtp]\nserver = 127.0.0.1\nport = 587\n"
    with pytest.raises(Problem, match=re.escape(told)):
        check_settings(tmp_path, settings, secrets)


def test_the_shipped_settings_are_taken() -> None:
    check_settings(ROOT, {}, "[smtp]\nserver = 127.0.0.1\nport = 587\n")
