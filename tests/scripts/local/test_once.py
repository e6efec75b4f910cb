"""What `--once` says of a file, and of messages that are moved between queues."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ionctl.local import once, once_files
from ionctl.local.fate import Fate, summary
from ionctl.local.peek import Queued
from ionctl.local.stack import Stack
from ionctl.problem import Problem

pytestmark = pytest.mark.system

BODY = json.dumps({"action": "send", "recipient": "ann@example.org", "body_text": "…"})


@pytest.fixture(scope="module")
def stack(package_of_nothing: Path) -> Iterator[Stack]:
    with Stack(package=package_of_nothing) as running:
        yield running


@pytest.fixture
def fresh(stack: Stack) -> None:
    names = stack.names
    for url in (names.queue_url, names.bulk_queue_url, names.later_queue_url):
        stack.aws.sqs.purge_queue(QueueUrl=url)


def published(stack: Stack, folder: Path, count: int) -> list[once.Published]:
    files = [folder / f"{number}.json" for number in range(count)]
    for file in files:
        file.write_text(BODY)
    return once.publish(stack, once_files.read([*map(str, files)]))


def moved(stack: Stack, message: once.Published, queue_url: str) -> None:
    """As the function does it: a copy that says where it comes from, then the original goes."""
    sqs, names = stack.aws.sqs, stack.names
    origin = json.dumps({"original_message_id": message.message_id})
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=message.body,
        MessageAttributes={"ion": {"DataType": "String", "StringValue": origin}},
        DelaySeconds=900,
    )
    received = sqs.receive_message(
        QueueUrl=names.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    (receipt,) = (
        one["ReceiptHandle"]
        for one in received["Messages"]
        if one["MessageId"] == message.message_id
    )
    sqs.delete_message(QueueUrl=names.queue_url, ReceiptHandle=receipt)


@pytest.mark.usefixtures("fresh")
def test_what_is_queued_as_bulk_or_for_later_is_told_with_its_queue(
    stack: Stack, tmp_path: Path
) -> None:
    messages = published(stack, tmp_path, 3)
    moved(stack, messages[1], stack.names.bulk_queue_url)
    moved(stack, messages[2], stack.names.later_queue_url)
    told = [str(fate).partition(" → ")[2] for fate in once.fates(stack, messages)]
    assert told == [
        "still queued: not tried yet",
        "still queued in ion-bulk-queue: not tried yet",
        "still queued in ion-later-queue: not tried yet",
    ]


@pytest.mark.usefixtures("fresh")
def test_bulk_is_published_by_a_topic_of_its_own(stack: Stack) -> None:
    stack.publish(BODY, bulk=True)
    assert [(one.queue, one.body) for one in stack.queued()] == [("ion-bulk-queue", BODY)]


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("queue", ["queue_url", "bulk_queue_url", "later_queue_url"])
def test_nothing_is_settled_while_a_queue_holds_something(stack: Stack, queue: str) -> None:
    assert stack.wait_until_settled(0)
    stack.aws.sqs.send_message(QueueUrl=getattr(stack.names, queue), MessageBody=BODY)
    assert not stack.wait_until_settled(0)


FILE = Path("a.json")
DEAD = Queued(
    "ion-dead",
    "m-1",
    "{}",
    visible=True,
    receive_count=1,
    attributes={"reason": "CLAIM_MISSING", "reply": "S3: NoSuchKey", "ion": json.dumps({})},
)


@pytest.mark.parametrize(
    ("fate", "said", "is_good"),
    [
        (
            Fate(FILE),
            "waited for in vain: no email, no dead letter, nothing queued, nothing in the log",
            False,
        ),
        (Fate(FILE, report="redrive m-1: 0 meant; 0 moved"), "redrive m-1: 0 meant; 0 moved", True),
        (
            Fate(FILE, dead_letters=(DEAD,), report="deferred m-1: CLAIM_MISSING"),
            "dead-lettered CLAIM_MISSING S3: NoSuchKey",  # and no longer deferred
            False,
        ),
        (
            Fate(FILE, undecided=("still queued: not tried yet",)),
            "still queued: not tried yet",
            False,
        ),
        (Fate(FILE, refused="it is empty"), "not published: it is empty", False),
        (Fate(FILE, copy_of=Path("b.json")), "nothing: a copy of b.json", True),
    ],
    ids=str,
)
def test_a_fate_is_one_line(fate: Fate, said: str, *, is_good: bool) -> None:
    assert str(fate) == f"a.json → {said}"
    assert fate.is_good == is_good


def test_what_went_wrong_is_summed_up_in_a_line() -> None:
    fates = (
        Fate(FILE, report="done"),
        Fate(FILE, dead_letters=(DEAD,)),
        Fate(FILE, dead_letters=(DEAD,), undecided=("still queued: not tried yet",)),
        Fate(FILE, refused="it is empty"),
        Fate(FILE),
    )
    assert summary(fates, 3) == (
        "4 of 5 went wrong: 2 dead-lettered, 1 still queued, 1 not published, 1 without a trace"
        " after 3 s (see --timeout)"
    )
    assert summary(fates[:1], 3) is None
    assert summary(fates[:2], 3) == "1 of 2 went wrong: 1 dead-lettered"


def test_a_pattern_that_the_shell_has_left_alone_names_files(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "[x].json"):
        (tmp_path / name).write_text(name)
    found = once_files.read([f"{tmp_path}/?.json", f"{tmp_path}/[x].json"])
    assert [content for _, content in found] == [b"a.json", b"b.json", b"[x].json"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.json", "nowhere.json can't be read: No such file or directory"),
        ("*.json", "no file is called *.json"),
        (".", ". can't be read: Is a directory"),
    ],
)
def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match=f"^{re.escape(said)}$"):
        once_files.read([name])
