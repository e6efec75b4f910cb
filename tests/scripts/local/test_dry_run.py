"""A dry run says what would happen, and changes nothing."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ion.policy.suppression import Why
from ionctl.local import clients, deploy
from ionctl.local.dry_run import dry_run
from ionctl.local.ministack import CREDENTIALS, ISOLATION, REGION, Ministack
from ionctl.local.names import Names, names_of
from ionctl.local.peek import peek
from ionctl.local.stack import ROOT, ministack_python
from ionctl.local.variables import Settings, Variables
from ionctl.ops import erasing, local_stack, suppressing
from ionctl.ops.account import Account
from ionctl.ops.deployment import find
from ionctl.ops.letters import silent
from ionctl.problem import Problem

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Ministack(ministack_python(), tmp_path_factory.mktemp("ministack")) as ministack:
        yield ministack.endpoint


ACCOUNTS = itertools.count(200_000_000_000)


@pytest.fixture
def names(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Names:
    """In an account of the test's own, which the shell's credentials lead to."""
    names = names_of(endpoint, str(next(ACCOUNTS)))
    credentials = {**CREDENTIALS, "AWS_ACCESS_KEY_ID": names.access_key}
    for name, value in {**credentials, **ISOLATION}.items():
        monkeypatch.setenv(name, value)
    return names


MOVE = "would move dead letters back to the input queue: "
SECRETS = "[smtp]\nserver = mail.example.org\nport = 587\nusername = {}\npassword = secret\n"


@pytest.fixture
def aws(names: Names) -> Account:
    aws = clients.connect(names)
    aws.sqs.create_queue(QueueName=names.queue)
    return aws


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the settings of a deployment, the secrets in a file."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "config.cfg").write_bytes((ROOT / "config.cfg").read_bytes())
    (folder / "config-secrets.cfg").write_text(SECRETS.format("relay@example.org"))
    return folder


def deployed(names: Names, tmp_path: Path, username: str, settings: Settings) -> Account:
    """A deployment; its function is only looked at, and never run."""
    aws = clients.connect(names)
    aws.ssm.put_parameter(
        Name=names.secret, Value=SECRETS.format(username), Type="SecureString", Overwrite=True
    )
    source = ROOT / "lambda_src" / "ion" / "contract"
    package = Path(shutil.make_archive(str(tmp_path / "package"), "zip", source))
    deploy.deploy(aws, names, Variables(package, names.secret_arn, settings))
    return aws


def said_about(names: Names, root: Path, aws: Account, **fields: object) -> str:
    """What a dry run says of one message, where it has nothing else to say."""
    least = {"action": "send", "recipient": "ann@x.org", "body_text": "…"}
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=json.dumps(least | fields))
    (line,) = dry_run(root, names.queue_url, None)
    return line.partition("  ")[2]


def test_says_what_would_happen_to_each_message(aws: Account, names: Names, root: Path) -> None:
    for body in (
        '{"action": "send", "recipient": ["ann@x.org", "B <b@x.org>"], "body_text": "…"}',
        '{"action": "send", "recipient": "no address", "body_text": "…"}',
        "{",
    ):
        aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=body)
    first, *lines = dry_run(root, names.queue_url, None)
    assert first.startswith(
        "The settings are those of this folder and this shell: there is no relay called ion "
    )
    said = sorted(line.partition("  ")[2] for line in lines)
    assert said[0] == "would be dead-lettered: BAD_JSON at $ (line 1, column 2)"
    assert said[1].startswith("would be dead-lettered: INVALID_ADDRESS at $.recipient (must be a@b")
    assert said[2].startswith("would go from relay@example.org to ann@x.org, b@x.org: '', ")


@pytest.mark.parametrize(
    ("username", "settings", "sender"),
    [
        ("stack@example.net", {}, "stack@example.net"),
        ("apikey", {"mail": {"sender": "Shop <shop@example.net>"}}, "shop@example.net"),
    ],
)
def test_the_sender_is_the_deployed_functions_and_not_this_folders(
    names: Names, tmp_path: Path, root: Path, username: str, settings: Settings, sender: str
) -> None:
    aws = deployed(names, tmp_path, username, settings)
    said = said_about(names, root, aws, return_path="bounces@x.org")
    assert said.startswith(f"would go from {sender} to ann@x.org: ''")


@pytest.mark.parametrize("queue", ["bulk_queue_url", "later_queue_url"])
def test_bulk_and_what_waits_are_looked_at_by_the_settings_of_the_same_function(
    names: Names, tmp_path: Path, root: Path, queue: str
) -> None:
    aws = deployed(names, tmp_path, "stack@example.net", {})
    body = '{"action": "send", "recipient": "ann@x.org", "body_text": "…"}'
    aws.sqs.send_message(QueueUrl=getattr(names, queue), MessageBody=body)
    (line,) = dry_run(root, getattr(names, queue), None)
    assert "would go from stack@example.net to ann@x.org: ''" in line


def test_a_queue_of_another_name_leads_to_no_function(
    aws: Account, names: Names, root: Path
) -> None:
    aws.sqs.create_queue(QueueName="mail")
    first, _ = dry_run(root, f"{names.endpoint}/{names.account}/mail", None)
    assert "mail isn't called NAME-input-queue, NAME-bulk-queue or NAME-later-queue" in first


def test_where_the_deployed_function_has_no_sender_it_would_be_dead_lettered(
    names: Names, tmp_path: Path, root: Path
) -> None:
    aws = deployed(names, tmp_path, "apikey", {})
    assert said_about(names, root, aws) == "would be dead-lettered: SENDER_MISSING at $.sender"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"only": "x.org"}, "would go from me@x.org to ann@x.org: '', "),
        ({"only": "ann@y.org"}, "would be dead-lettered for ann@x.org, bob@y.org: GUARDED"),
        ({"senders": "y.org"}, "would be dead-lettered: GUARDED at $.sender"),
        (
            {"only": "x.org", "redirect_to": "in@y.org"},
            "would go from me@x.org to ann@x.org, in@y.org (in place of bob@y.org): '', ",
        ),
    ],
)
def test_the_deployed_functions_guard_is_heeded(
    names: Names, tmp_path: Path, root: Path, rules: dict[str, str], said: str
) -> None:
    aws = deployed(names, tmp_path, "me@x.org", {"guard": rules})
    line = said_about(names, root, aws, recipient=["ann@x.org", "bob@y.org"])
    assert line.startswith(said)
    assert line.endswith("and be dead-lettered for bob@y.org: GUARDED") is (
        rules == {"only": "x.org"}
    )


@pytest.mark.parametrize("setting", ["on", "off"])
def test_who_must_not_be_written_to_is_named(
    names: Names, root: Path, tmp_path: Path, setting: str
) -> None:
    settings: Settings = {"suppression": {"list": setting}}
    aws = deployed(names, tmp_path, "relay@example.org", settings)
    session = boto3.Session(names.access_key, "test", region_name=REGION)
    relay = find(Account(session, names.endpoint), names.name)
    assert said_about(names, root, aws).startswith("would go from relay@example.org to ann@x.org")
    aws.sqs.purge_queue(QueueUrl=names.queue_url)
    suppressing.add(relay, "ann@x.org", scope="tag:list=news", why=Why.UNSUBSCRIBE)
    line = said_about(names, root, aws, cc="bob@x.org", tags={"list": "news"})
    aws.sqs.purge_queue(QueueUrl=names.queue_url)
    alone = said_about(names, root, aws, tags={"list": "news"})
    why = "not be sent to ann@x.org, SUPPRESSED: unsubscribe, tag:list=news"
    if setting == "on":
        assert line.startswith("would go from relay@example.org to bob@x.org: ")
        assert line.endswith(f"; and {why}")
        assert alone == f"would {why}"
    else:
        assert line.startswith("would go from relay@example.org to ann@x.org, bob@x.org: ")
    erasing.erase(relay, "ann@x.org", dry_run=False, progress=silent)
    (line,) = dry_run(root, names.queue_url, None)
    assert line.endswith("would not be sent to ann@x.org, ERASED")


def test_a_template_is_rendered_from_this_folder(aws: Account, names: Names, root: Path) -> None:
    (root / "templates" / "hello").mkdir(parents=True)
    (root / "templates" / "hello" / "subject.txt.j2").write_text("Hello {{ name }}")
    (root / "templates" / "hello" / "body.txt.j2").write_text("Hello {{ name }}")
    for template, context in (("hello", {"name": "Ann"}), ("hello", {}), ("hallo", {})):
        body = {"action": "send", "recipient": "ann@x.org", "template": template}
        aws.sqs.send_message(
            QueueUrl=names.queue_url, MessageBody=json.dumps(body | {"context": context})
        )
    _, *lines = dry_run(root, names.queue_url, None)
    said = sorted(line.partition("  ")[2] for line in lines)
    assert said[0].startswith("would be dead-lettered: TEMPLATE_ERROR at $.context.name: missing")
    assert said[1].startswith("would be dead-lettered: TEMPLATE_MISSING at $.template: unknown")
    assert said[2].startswith("would go from relay@example.org to ann@x.org: 'Hello Ann', ")


def test_templates_in_s3_are_those_of_the_function(
    names: Names, tmp_path: Path, root: Path
) -> None:
    settings = {"templates": {"s3": "s3://ion-templates/mail"}}
    aws = deployed(names, tmp_path, "stack@example.net", settings)
    fields = {"template": "hello", "body_text": None}
    assert said_about(names, root, aws, **fields).startswith("would wait: TEMPLATE_UNAVAILABLE")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, f"{MOVE}all"),
        ({"dry_run": True}, "would count dead letters: all"),
        (
            {"where": {"reason": ["EXPIRED", "IN_DOUBT"], "recipient_domain": "x.org"}, "max": 5},
            f"{MOVE}reason EXPIRED or IN_DOUBT, recipient_domain x.org, at most 5",
        ),
        (
            {"where": {"older_than": "2h", "younger_than": "7d"}, "rate": 0.5, "dry_run": True},
            "would count dead letters: older_than 2h, younger_than 7d, 0.5 a second",
        ),
        (
            {"where": {"sender": "a@x.org", "tag": {"a": "b", "c": "d"}, "email_id": "order-17"}},
            f"{MOVE}sender a@x.org, tag a=b and c=d, email_id order-17",
        ),
    ],
)
def test_a_redrive_is_told_with_all_that_it_asks_for(
    aws: Account, names: Names, root: Path, query: dict[str, object], said: str
) -> None:
    body = json.dumps({"action": "redrive", **query})
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=body)
    *_, line = dry_run(root, names.queue_url, None)
    assert line.partition("  ")[2] == said


def test_hides_and_deletes_nothing(aws: Account, names: Names, root: Path) -> None:
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody="{")
    for _ in range(2):
        assert len(list(dry_run(root, names.queue_url, names.endpoint))) == 2
    (message,) = peek(names.endpoint, names.queue_url)
    assert message.visible


def test_more_than_one_look_shows_are_counted(aws: Account, names: Names, root: Path) -> None:
    for _ in range(12):
        aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody="{")
    *lines, last = dry_run(root, names.queue_url, None)
    assert len(lines) == 11
    assert last == "2 more can be received now; one look shows at most ten."


def test_empty_queue(aws: Account, names: Names, root: Path) -> None:
    _, line = dry_run(root, names.queue_url, None)
    assert line == "Nothing to send: no message is visible now."


def test_does_without_the_secrets(aws: Account, names: Names, root: Path) -> None:
    (root / "config-secrets.cfg").unlink()
    for sender in ({"sender": "me@example.org"}, {}):
        body = {"action": "send", "recipient": "ann@example.org", "body_text": "…", **sender}
        aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=json.dumps(body))
    _, missing, *lines = dry_run(root, names.queue_url, None)
    assert "config-secrets.cfg: missing" in missing
    said = sorted(line.partition("  ")[2] for line in lines)
    assert said[0].startswith("would go from a sender that isn't known here to ann@example.org: ")
    assert said[1].startswith("would go from me@example.org to ann@example.org: ")


def test_without_the_secrets_the_sender_of_the_settings_is_known_all_the_same(
    names: Names, tmp_path: Path, root: Path
) -> None:
    aws = deployed(names, tmp_path, "apikey", {"mail": {"sender": "shop@example.net"}})
    aws.ssm.delete_parameter(Name=names.secret)
    body = '{"action": "send", "recipient": "ann@example.org", "body_text": "…"}'
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=body)
    unread, line = dry_run(root, names.queue_url, None)
    assert "ParameterNotFound" in unread
    assert "would go from shop@example.net to ann@example.org: " in line


def test_queue_that_is_not_there(aws: Account, names: Names, root: Path) -> None:
    with pytest.raises(Problem, match=r"nowhere can't be read: .*NonExistentQueue"):
        list(dry_run(root, f"{names.endpoint}/{names.account}/nowhere", None))


@pytest.mark.parametrize("url", ["ion-input-queue", "arn:aws:sqs:us-east-1:1:ion-input-queue"])
def test_what_is_no_queues_url_is_told(root: Path, url: str) -> None:
    with pytest.raises(Problem, match="is no queue's URL"):
        list(dry_run(root, url, None))


def test_no_queue_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ION_AWS_QUEUE_URL", raising=False)
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(root / "nowhere.json"))
    with pytest.raises(Problem, match=r"--queue-url.*; no local relay runs: start one"):
        list(dry_run(root, None, None))
