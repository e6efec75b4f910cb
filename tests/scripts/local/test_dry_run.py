"""A dry run says what would happen, and changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ionctl.local import clients
from ionctl.local.clients import Clients
from ionctl.local.dry_run import dry_run
from ionctl.local.ministack import CREDENTIALS, ISOLATION, Ministack
from ionctl.local.names import Names, names_of
from ionctl.local.peek import peek
from ionctl.local.problem import Problem
from ionctl.local.stack import ROOT, ministack_python

pytestmark = pytest.mark.system


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    for name, value in {**CREDENTIALS, **ISOLATION}.items():
        monkeypatch.setenv(name, value)
    with Ministack(ministack_python(), tmp_path) as ministack:
        yield names_of(ministack.endpoint)


@pytest.fixture
def aws(names: Names) -> Clients:
    aws = clients.connect(names)
    aws.sqs.create_queue(QueueName=names.queue)
    return aws


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the settings of a deployment, the secrets in a file."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "config.cfg").write_bytes((ROOT / "config.cfg").read_bytes())
    (folder / "config-secrets.cfg").write_text(
        "[smtp]\nserver = mail.example.org\nport = 587\n"
        "username = relay@example.org\npassword = secret\n"
    )
    return folder


def test_says_what_would_happen_to_each_message(aws: Clients, names: Names, root: Path) -> None:
    for body in (
        '{"action": "send", "recipient": ["ann@x.org", "B <b@x.org>"], "body_text": "…"}',
        '{"action": "redrive"}',
        '{"action": "send", "recipient": "no address", "body_text": "…"}',
        "{",
    ):
        aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=body)
    lines = list(dry_run(root, names.queue_url, None))
    said = sorted(line.partition("  ")[2] for line in lines)
    assert said[0] == "would be dead-lettered: BAD_JSON at $"
    assert said[1] == "would be dead-lettered: INVALID_ADDRESS at $.recipient"
    assert said[2].startswith("would go from relay@example.org to ann@x.org, b@x.org: '', ")
    assert said[3] == "would move the dead-letter queue's messages back to the input queue"


def test_hides_and_deletes_nothing(aws: Clients, names: Names, root: Path) -> None:
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody="{")
    for _ in range(2):
        assert len(list(dry_run(root, names.queue_url, names.endpoint))) == 1
    (message,) = peek(names.endpoint, names.queue_url)
    assert message.visible


def test_empty_queue(aws: Clients, names: Names, root: Path) -> None:
    (line,) = dry_run(root, names.queue_url, None)
    assert line.startswith("Nothing to send")


def test_does_without_the_secrets(aws: Clients, names: Names, root: Path) -> None:
    (root / "config-secrets.cfg").unlink()
    body = '{"action": "send", "recipient": "ann@example.org", "sender": "me@example.org",'
    aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=f'{body} "body_text": "…"}}')
    first, second = dry_run(root, names.queue_url, None)
    assert "config-secrets.cfg: missing" in first
    assert "would go from me@example.org to ann@example.org" in second


def test_queue_that_is_not_there(aws: Clients, names: Names, root: Path) -> None:
    with pytest.raises(Problem, match=r"nowhere can't be read: .*NonExistentQueue"):
        list(dry_run(root, f"{names.endpoint}/{names.account}/nowhere", None))


def test_no_queue_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ION_AWS_QUEUE_URL", raising=False)
    with pytest.raises(Problem, match="--queue-url"):
        list(dry_run(root, None, None))
