"""What the functions' roles may do and what the functions do, held against each other."""

import asyncio
import importlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from at_length import few
from emulated import REGION, Account
from events.telling import forget_clients, run
from feedback.receiving import ANN, Feedback, bounce
from function import PASSWORD, Context, Function, email, guarded, invoke, new_load
from granted import Call, Recorder, grants, ungranted, unused, with_keys
from ion.aws.address_key import AddressKey
from ion.unsubscribe.token import Subscription, make
from ionctl.local import policies
from ionctl.local.ministack import REGION as TERRAFORMS_REGION
from ionctl.local.names import names_of
from ionctl.local.stack import ROOT
from ionctl.local.variables import Variables
from ionctl.problem import Problem
from smtp_server import Step, reply
from system.terraform_root import Root
from wiring import topic_before

NAMES = names_of("http://127.0.0.1")
FILES, BELOW = "ion-files", "ion-more"
OPTIONS: dict[str, Any] = {
    "outbox": True,
    "attachment_buckets": [f"arn:aws:s3:::{FILES}", f"arn:aws:s3:::{BELOW}/below/"],
    "settings": {"templates": {"s3": "s3://ion-templates/mail"}},
}
_IN_ACCOUNT = f"{TERRAFORMS_REGION}:{NAMES.account}"
SECRETS = {
    "ssm": NAMES.secret_arn,
    "secretsmanager": f"arn:aws:secretsmanager:{_IN_ACCOUNT}:secret:ion-AbC123",
}
KEY, SECRET_KEY, ENVIRONMENT_KEY = (
    f"arn:aws:kms:{_IN_ACCOUNT}:key/{name}" for name in ("mail", "secret", "environment")
)
LAMBDA_STARTS = Call("kms:Decrypt", ENVIRONMENT_KEY)
"""Lambda decrypts the environment with the role, if its own grant on the key is gone (Lambda
Developer Guide, "Securing environment variables")."""
FEEDBACK_QUEUE = f"arn:aws:sqs:{_IN_ACCOUNT}:ion-feedback-queue"
LAMBDA_POLLS = {
    Call(f"sqs:{action}", FEEDBACK_QUEUE)
    for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
}
"""An event source mapping calls SQS with the function's role (Lambda Developer Guide, "Using Lambda
with Amazon SQS", permissions)."""
SIMULATOR = "success@simulator.amazonses.com"


class Secret:
    """The text of config-secrets.cfg, in SSM or in Secrets Manager."""

    def __init__(self, account: Account, service: str) -> None:
        make: Any = account.session.client
        self._service = service
        self._client = make(service)

    def put(self, text: str) -> str:
        """Another version of it; gives its ARN."""
        client = self._client
        if self._service == "ssm":
            client.put_parameter(Name="/ion", Value=text, Type="SecureString", Overwrite=True)
            return str(client.get_parameter(Name="/ion")["Parameter"]["ARN"])
        try:
            return str(client.create_secret(Name="ion", SecretString=text)["ARN"])
        except client.exceptions.ResourceExistsException:
            return str(client.put_secret_value(SecretId="ion", SecretString=text)["ARN"])


def options_in_use(account: Account) -> list[str]:
    """Emails for which a template, an attachment in S3, or a claim check has to be read."""
    s3: Any = account.session.client("s3")
    account.store("mail/hello/body.txt.j2", b"Hello", bucket="ion-templates")
    file = account.store("file", b"file", bucket=FILES)
    account.store("below/file", b"file", bucket=BELOW)
    for bucket in (FILES, BELOW):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = {
        bucket: s3.put_object(Bucket=bucket, Key=key, Body=b"file")["VersionId"]
        for bucket, key in ((FILES, "file"), (BELOW, "below/file"))
    }
    below = {"bucket": BELOW, "key": "below/file"}
    objects = (
        *(file, file | {"version": versions[FILES]}),
        *(below, below | {"version": versions[BELOW]}),
    )
    account.store("claimed", email(20).encode(), bucket=FILES)
    account.leave({"email_id": {"S": "claimed"}} | _item(json.loads(email(21))))
    return [
        email(22, template="hello", body_text=None),
        *(
            email(23 + number, attachments=[{"filename": "file.txt", "s3": one}])
            for number, one in enumerate(objects)
        ),
        json.dumps(
            [
                "software.amazon.payloadoffloading.PayloadS3Pointer",
                {"s3BucketName": FILES, "s3Key": "claimed"},
            ]
        ),
        '{"email_id": "claimed"}',
    ]


def _item(fields: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in fields.items()}


async def relays_calls(
    account: Account, function: Function, monkeypatch: pytest.MonkeyPatch, service: str
) -> set[Call]:
    """Sent, put off, dead-lettered, redriven, held, rescued, with all options; three secrets."""
    secret = Secret(account, service)
    with_options = options_in_use(account)
    arns = {
        account.input_url: NAMES.queue_arn,
        account.bulk_url: NAMES.bulk_queue_arn,
        account.later_url: NAMES.later_queue_arn,
        account.dead_url: NAMES.dead_letter_queue_arn,
        account.table: NAMES.table_arn,
        account.outbox_table: NAMES.outbox_arn,
        account.alarm_name: NAMES.alarm_arn,
        account.bulk_alarm_name: NAMES.bulk_alarm_arn,
        account.later_alarm_name: NAMES.later_alarm_arn,
    }
    recorder = Recorder(monkeypatch, arns, SECRETS[service])
    monkeypatch.setenv("ION_TEMPLATES_S3", OPTIONS["settings"]["templates"]["s3"])
    monkeypatch.setenv("ION_AWS_OUTBOX_TABLE", account.outbox_table)
    throttled = reply(454, "4.7.0 Throttling failure: too many messages")
    put_off = [reply(450, "4.7.1 greylisted")]
    async with guarded({Step.RCPT: put_off}, recipients={"to4@example.org": throttled}) as server:

        async def invoked() -> None:
            recorder.on = True
            await invoke(relay)
            recorder.on = False

        for password in ("before", "wrong", PASSWORD):
            arn = secret.put(function.secrets(server, password))
            monkeypatch.setenv("ION_AWS_SECRET_ARN", arn)
            account.publish("a dead letter", url=account.dead_url)
            for body in (
                email(),
                email(1),
                "{broken",
                '{"action": "redrive"}',
                email(3, lane="bulk"),
                *with_options,
            ):
                account.publish(body)
            relay = function.relay()
            await invoked()
        account.shown("ion-later")
        account.publish(email(4), url=account.bulk_url)
        for _ in range(3):
            await invoked()
            account.time_passes()
            account.clear("ion-bulk")
        for queue in ("ion-input", "ion-bulk", "ion-later"):  # what has nothing is asked why
            account.clear(queue)
        await invoked()
        assert server.accepted
    return recorder.calls


def loads_calls(account: Account, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """A minute of the load publisher."""
    make: Any = account.session.client
    topic = topic_before(account.input_url, make("sqs"), make("sns"), NAMES.topic)
    for name, value in {
        "LOAD_TOPIC_ARN": topic,
        "LOAD_MESSAGES_PER_MINUTE": "1",
        "LOAD_RECIPIENTS": SIMULATOR,
        "LOAD_TAG": "ion",
    }.items():
        monkeypatch.setenv(name, value)
    entry = new_load(monkeypatch)
    recorder = Recorder(monkeypatch, {topic: NAMES.topic_arn})
    recorder.on = True
    entry.run({"id": "minute"}, Context())
    recorder.on = False
    return recorder.calls


def feedbacks_calls(account: Account, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """A bounce of an email that was sent, the first of its address."""
    feedback = Feedback(account, monkeypatch)
    feedback.sent(ANN)
    recorder = Recorder(monkeypatch, {account.table: NAMES.table_arn})
    recorder.on = True
    assert feedback.batch(bounce()) == []
    recorder.on = False
    return recorder.calls | LAMBDA_POLLS


def events_calls(account: Account, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """A record that is told, and one that is set aside."""
    make: Any = account.session.client
    failures = make("sqs").create_queue(QueueName="ion-failures")["QueueUrl"]
    topic = topic_before(account.input_url, make("sqs"), make("sns"), NAMES.outcome_topic)
    for name, value in {
        "EVENTS_TOPIC_ARN": topic,
        "EVENTS_FAILURE_QUEUE_URL": failures,
        "EVENTS_SOURCE": NAMES.function_arn,
    }.items():
        monkeypatch.setenv(name, value)
    arns = {topic: NAMES.outcome_topic_arn, failures: NAMES.events_queue_arn}
    recorder = Recorder(monkeypatch, arns)
    forget_clients()
    recorder.on = True
    assert run("sent", "poison") == []
    recorder.on = False
    forget_clients()
    return recorder.calls


def unsubscribes_calls(account: Account, monkeypatch: pytest.MonkeyPatch) -> set[Call]:
    """Two clicks of one recipient, about two lists."""
    monkeypatch.setenv("ION_AWS_LEDGER_TABLE", account.table)
    monkeypatch.delitem(sys.modules, "ion.unsubscribe.handler", raising=False)
    entry = importlib.import_module("ion.unsubscribe.handler")
    client: Any = account.dynamodb()
    key = asyncio.run(AddressKey(client, account.table).get())
    recorder = Recorder(monkeypatch, {account.table: NAMES.table_arn})
    recorder.on = True
    for scope in ("tag:list=news", "tag:list=offers"):
        path = f"/u/{make(key, Subscription('0' * 16, scope))}"
        http = {"method": "POST", "path": path}
        event = {"requestContext": {"http": http}, "body": "List-Unsubscribe=One-Click"}
        assert entry.run(event, Context())["statusCode"] == 200
    recorder.on = False
    return recorder.calls


def test_local_policy_of_the_unsubscribe_function_is_for_rows_of_addresses_alone(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = unsubscribes_calls(account, monkeypatch)
    granted = grants(policies.unsubscribe_role(NAMES))
    assert ungranted(calls, granted) == []
    assert unused(calls, granted) == []
    for key in ("order-17", " control ", " address"):
        of_others = {Call(one.action, one.resource, key) for one in calls}
        assert ungranted(of_others, granted) == sorted(of_others)


def key_of(call: Call) -> str:
    return SECRET_KEY if call.resource in SECRETS.values() else KEY


async def test_local_policy_grants_every_call_of_the_relay_and_nothing_else(
    account: Account, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = await relays_calls(account, function, monkeypatch, "ssm")
    variables = Variables(
        Path(),
        NAMES.secret_arn,
        OPTIONS["settings"],
        outbox=OPTIONS["outbox"],
        attachment_buckets=tuple(OPTIONS["attachment_buckets"]),
    )
    granted = grants(policies.role(NAMES, variables))
    assert ungranted(calls, granted) == []
    assert unused(calls, granted) == []


def test_local_policy_grants_every_call_of_the_events_function_and_nothing_else(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = events_calls(account, monkeypatch)
    granted = grants(policies.events_role(NAMES))
    assert ungranted(calls, granted) == []
    assert unused(calls, granted) == []


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, dynamodb_endpoint: str) -> Root:
    """The module, in an account in which there is nothing yet."""
    folder = tmp_path_factory.mktemp("granted")
    shutil.make_archive(str(folder / "package"), "zip", ROOT / "lambda_src" / "ion")
    try:
        root = Root(ROOT / "terraform", folder / "root", names_of(dynamodb_endpoint))
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"neither registry nor local mirror has the provider: {problem}")
    root.give(
        OPTIONS
        | {
            "package": str(folder / "package.zip"),
            "kms_key_arn": KEY,
            "secret_kms_key_arn": SECRET_KEY,
            "environment_kms_key_arn": ENVIRONMENT_KEY,
            "vpc": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
            "tracing": "active",
            "load": {"messages_per_minute": 1},
            "feedback": {},
            "events": {},
            "unsubscribe": True,
        }
    )
    return root


@pytest.mark.system
@pytest.mark.timeout(300)
@pytest.mark.parametrize("service", few(SECRETS, ["ssm"]))
async def test_terraforms_policies_with_every_option_grant_every_call_and_nothing_else(
    account: Account,
    function: Function,
    monkeypatch: pytest.MonkeyPatch,
    root: Root,
    service: str,
) -> None:
    """As the provider renders them for a plan, by the roles' names."""
    changes = root.plan(secret_arn=SECRETS[service])
    rendered = {
        changes[address.replace("_policy", "")]["name"]: change["policy"]
        for address, change in changes.items()
        if address.startswith("aws_iam_role_policy.")
    }
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    calls = {
        NAMES.role: await relays_calls(account, function, monkeypatch, service),
        "ion-load-role": loads_calls(account, monkeypatch),
        "ion-feedback": await asyncio.to_thread(feedbacks_calls, account, monkeypatch),
        NAMES.events_role: events_calls(account, monkeypatch),
        "ion-unsubscribe-role": await asyncio.to_thread(unsubscribes_calls, account, monkeypatch),
    }
    assert rendered.keys() == calls.keys()
    made = {role: with_keys(calls[role], key_of) | {LAMBDA_STARTS} for role in calls}
    granted = {role: grants(policy) for role, policy in rendered.items()}
    assert [one for role in calls for one in ungranted(made[role], granted[role])] == []
    assert [one for role in calls for one in unused(made[role], granted[role])] == []
