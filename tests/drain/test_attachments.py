"""Attachments in S3: read once, within the budget, and lost to no fault."""

import asyncio
import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from conftest import Log
from draining import delays, email, ion_of, reasons, recipients, run, wide
from emulated import AWS_SECRET_TEXT, Account, Answer, Request, failing, unreachable
from ion.contract import Send, parse
from ion.deadline import Deadline
from ion.delivery import Delivery, Status
from ion.drain.allowance import MB, Allowance
from ion.drain.attaching import Attaching
from ion.drain.deliver import Deliverer
from ion.drain.memory import Memory
from ion.drain.unfetched import UnfetchedError
from ion.drain.work_item import Job
from ion.mail import Checked, check
from ion.mail.base64_lines import encoded_size
from ion.message import Message
from ion.outcome import Kind, Reason
from smtp_server import ScriptedServer

OCTETS = random.Random(7).randbytes(100_000)


def attached(number: int, *objects: dict[str, str], **fields: object) -> str:
    files = [{"filename": f"{i}.bin", "s3": one} for i, one in enumerate(objects)]
    return email(number, attachments=files, **fields)


def files(server: ScriptedServer) -> list[list[Any]]:
    """The octets of the files of each accepted email."""
    return [
        [
            part.get_payload(decode=True)
            for part in message_from_bytes(one.content).walk()
            if part.get_content_disposition() == "attachment"
        ]
        for one in server.accepted
    ]


# what arrives


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 933_887, 933_888, 933_889, 2_000_000])
def test_an_object_arrives_as_it_is(account: Account, size: int) -> None:
    octets = random.Random(size).randbytes(size)
    sha256 = hashlib.sha256(octets).hexdigest()
    one = account.store("a", octets) | {"sha256": sha256.upper()}
    account.publish(attached(1, one))
    server = ScriptedServer()
    assert run(account, server).sent == 1
    assert files(server) == [[octets]]


def test_files_of_the_message_and_of_s3_arrive_in_their_order(account: Account) -> None:
    one, two = account.store("one", OCTETS), account.store("two", b"two")
    both = [
        {"filename": "1", "s3": one},
        {"filename": "2", "content": "Mg=="},
        {"filename": "3", "s3": two},
        {"filename": "4", "s3": one},
    ]
    account.publish(email(1, attachments=both))
    server = ScriptedServer()
    s3 = account.s3()
    run(account, server, s3=s3)
    assert files(server) == [[OCTETS, b"2", b"two", OCTETS]]
    assert len(s3.asked("get_object")) == 2


def test_a_version_is_the_one_that_is_named(account: Account) -> None:
    one = account.store("a", b"first")
    account.real_s3.put_bucket_versioning(
        Bucket="bucket", VersioningConfiguration={"Status": "Enabled"}
    )
    versions = [
        account.real_s3.put_object(Bucket="bucket", Key="a", Body=octets)["VersionId"]
        for octets in (b"second", b"third")
    ]
    account.publish(attached(1, one | {"version": versions[0]}, one))
    server = ScriptedServer()
    run(account, server)
    assert files(server) == [[b"second", b"third"]]


@pytest.mark.parametrize("connections", [1, 8])
def test_an_object_is_read_once_a_run(account: Account, connections: int) -> None:
    one = account.store("a", OCTETS)
    for number in range(30):
        account.publish(attached(number, one))
    server, s3 = ScriptedServer(), account.s3()
    assert run(account, server, s3=s3, smtp=wide(connections)).sent == 30
    assert len(s3.asked("get_object")) == 1
    assert len(s3.asked("head_object")) <= connections, "then its size is known"
    assert files(server) == [[OCTETS]] * 30


def test_a_queue_without_attachments_makes_no_client_of_s3(account: Account) -> None:
    account.publish(email(1))
    s3 = account.s3()
    assert run(account, s3=s3).sent == 1
    assert s3.calls == []


def letting_go(bodies: list["Closing"]) -> Answer:
    """S3 itself, but that its bodies tell whether they were let go of."""

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        found = real(**request)
        bodies.append(Closing(found["Body"]))
        return found | {"Body": bodies[-1]}

    return answer


class Closing:
    closed = False

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - boto3's
        self.read = body.read

    def close(self) -> None:
        self.closed = True


def test_every_object_is_let_go_of_even_if_it_is_not_read(account: Account) -> None:
    """A connection is held meanwhile."""
    good = account.store("good", OCTETS)
    bad = good | {"sha256": hashlib.sha256(b"other").hexdigest()}
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer"]
    stored = account.store("message", email(3, body_text="x" * 1000).encode())
    body = json.dumps([*pointer, {"s3BucketName": stored["bucket"], "s3Key": stored["key"]}])
    account.publish(attached(1, good))
    account.publish(attached(2, bad))
    account.publish(body)
    account.publish(body, {"ExtendedPayloadSize": ("Number", "100")})
    bodies: list[Closing] = []
    summary = run(account, s3=account.s3(get_object=letting_go(bodies)))
    assert (summary.sent, summary.dead_lettered) == (2, 2)
    assert len(bodies) == 4
    assert all(one.closed for one in bodies)


# what can't be had


@pytest.mark.row(93)
@pytest.mark.parametrize(
    ("method", "code", "reason"),
    [
        ("head_object", "404", "ATTACHMENT_MISSING"),
        ("get_object", "NoSuchKey", "ATTACHMENT_MISSING"),
        ("head_object", "NoSuchBucket", "ATTACHMENT_MISSING"),
        ("head_object", "405", "ATTACHMENT_MISSING"),
        ("head_object", "403", "ATTACHMENT_FORBIDDEN"),
        ("get_object", "AccessDenied", "ATTACHMENT_FORBIDDEN"),
    ],
)
def test_what_is_not_there_is_looked_for_in_a_quarter_of_an_hour_and_then_dead(
    account: Account, log: Log, method: str, code: str, reason: str
) -> None:
    """S3 calls it forbidden, too, for who may not list the bucket."""
    there, gone = account.store("there", b"x"), account.store("canary-key", b"x")
    body = attached(1, there, gone, gone)
    account.publish(body)
    account.publish(email(2))

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return real(**request) if request["Key"] == "there" else failing(code)(real, request)

    waited, sent = [], Counter[str]()
    for seconds in (0, 60, 240, 600):
        account.time_passes(seconds)
        sqs, server = account.sqs(), ScriptedServer()
        run(account, server, sqs=sqs, s3=account.s3(**{method: answer}))
        waited += delays(sqs)
        sent += recipients(server)
    assert sent == {"to2@example.org": 1}
    assert [round(one, -1) for one in waited] == [60, 240, 600]
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (body, reason)
    record = ion_of(letter)
    assert (record["path"], record["stage"]) == ("$.attachments[1].s3", "fetch")
    assert record["attempts"] <= 1, "the looks before the last cost none"
    assert "canary" not in log.text
    assert AWS_SECRET_TEXT not in log.text


@pytest.mark.row(93)
def test_an_object_that_comes_a_little_later_is_sent(account: Account) -> None:
    one = account.store("other", b"") | {"key": "late"}
    account.publish(attached(1, one))
    server = ScriptedServer()
    run(account, server)
    account.store("late", OCTETS)
    account.time_passes(60)
    run(account, server := ScriptedServer())
    assert files(server) == [[OCTETS]]


@pytest.mark.row(93)
def test_other_octets_than_the_publisher_meant_are_not_sent(account: Account) -> None:
    one = account.store("a", OCTETS) | {"sha256": hashlib.sha256(b"other").hexdigest()}
    for number in range(2):
        account.publish(attached(number, one))
    server = ScriptedServer()
    assert run(account, server).dead_lettered == 2
    assert (reasons(account), server.accepted) == (["ATTACHMENT_MISMATCH"] * 2, [])


def broken(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
    """The connection breaks in the midst of the object."""

    class Body:
        reads = 0

        def read(self, most: int) -> bytes:
            self.reads += 1
            if self.reads == 1:
                return b"x" * min(most, 10)
            raise ReadTimeoutError(endpoint_url="https://canary")

        def close(self) -> None:
            pass

    return {"Body": Body(), "ContentLength": len(OCTETS)}


def cut_short(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The object ends before it should."""
    answer = real(**request)
    answer["Body"].read(10)
    return answer


@pytest.mark.row(93)
@pytest.mark.parametrize(
    "answer",
    [failing("InternalError"), failing("SlowDown"), failing("503"), unreachable, broken, cut_short],
    ids=["error", "throttled", "unavailable", "unreachable", "broken", "cut short"],
)
@pytest.mark.parametrize("connections", [1, 4])
def test_while_s3_is_ill_its_emails_wait_and_the_others_go(
    account: Account, answer: Answer, connections: int
) -> None:
    one = account.store("a", OCTETS)
    for number in range(4):
        account.publish(attached(number, one))
    account.publish(email(9))
    server, sqs = ScriptedServer(), account.sqs()
    summary = run(
        account, server, sqs=sqs, s3=account.s3(get_object=answer), smtp=wide(connections)
    )
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 4, "empty")
    assert recipients(server) == {"to9@example.org": 1}
    assert delays(sqs) == [300] * 4
    waiting = [row for row in account.rows() if row["status"] == "deferred"]
    assert [row["attempts"] for row in waiting] == [0] * 4
    account.time_passes(300)
    run(account, server := ScriptedServer())
    assert files(server) == [[OCTETS]] * 4


def check_of(*objects: dict[str, str]) -> Checked:
    send = parse(attached(1, *objects))
    assert isinstance(send, Send)
    return check(send, key="k", default_sender="ion@example.org")


async def test_an_object_that_takes_too_long_costs_no_doubt(account: Account) -> None:
    """What is left of the invocation is kept for what has been read."""
    one, over = account.store("a", OCTETS), threading.Event()

    def hanging(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        over.wait()
        return real(**request)

    memory = Memory(Allowance(10 * MB, 100))
    attaching = Attaching(account.objects(account.s3(get_object=hanging)), memory)

    async def fetch(seconds: float) -> UnfetchedError:
        with pytest.raises(UnfetchedError) as caught:
            async with attaching.fetched(check_of(one), seconds):
                pass
        return caught.value

    faults = await asyncio.gather(fetch(0.05), fetch(60))
    over.set()
    for fault in faults:  # the second email waited for the first one to read it
        fate = fault.fate(0, (0,))
        assert (fate.status, fate.outcome.kind) == (Status.DEFERRED, Kind.UNAVAILABLE)
        assert fate.outcome.reason is Reason.STORAGE
    assert memory._kept == 0  # noqa: SLF001 - nobody else counts them


# how much is held


def test_what_no_function_of_this_size_can_hold_is_dead_before_it_is_read(
    account: Account,
) -> None:
    large, small = account.store("large", b"x" * 200_000), account.store("small", b"x" * 60_000)
    account.publish(attached(1, small, large))
    account.publish(attached(2, small, small, small))
    account.publish(attached(3, small))
    server, s3 = ScriptedServer(), account.s3()
    run(account, server, s3=s3, memory=Memory(Allowance(200_000, 100)))
    assert reasons(account) == ["TOO_LARGE"] * 2
    paths = [ion_of(letter)["path"] for letter in account.dead()]
    assert paths == ["$.attachments[1].s3", "$.attachments[2].s3"]
    assert recipients(server) == {"to3@example.org": 1}
    assert [one["Key"] for one in s3.asked("get_object")] == ["small"]


def test_an_object_that_just_fits_is_sent(account: Account) -> None:
    account.publish(attached(1, account.store("a", OCTETS)))
    memory = Memory(Allowance(encoded_size(len(OCTETS)), 100))
    assert run(account, memory=memory).sent == 1


def test_an_email_is_no_larger_than_mail_servers_take() -> None:
    assert Memory(Allowance(1000 * MB, 100)).largest == 40 * MB


class Watched(Memory):
    """Notes the most bytes of objects that are there at a time; used to small messages."""

    most = 0

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance)
        for _ in range(30):
            one = Message("id", "receipt", email(0), {}, sent_at=0.0, receives=1)
            self.expect(1)
            self.came([one], 1)
            self.done(one)

    async def grow(self, octets: int) -> None:
        await super().grow(octets)
        self.most = max(self.most, self._kept)


@pytest.mark.parametrize("connections", [1, 8])
def test_objects_wait_for_room(account: Account, connections: int) -> None:
    each = encoded_size(len(OCTETS))
    for number in range(12):
        account.publish(attached(number, account.store(f"key-{number}", OCTETS)))
    memory = Watched(Allowance(4 * each, 100))
    assert run(account, memory=memory, smtp=wide(connections)).sent == 12
    assert min(connections, 3) * each <= memory.most <= 4 * each


@pytest.mark.parametrize("connections", [1, 2, 8])
def test_emails_whose_objects_never_fit_together_are_sent_all_the_same(
    account: Account, connections: int
) -> None:
    """Each of them needs two, and there is room for less than three."""
    each = encoded_size(len(OCTETS))
    for number in range(8):
        pair = [account.store(f"{number}-{i}", OCTETS) for i in range(2)]
        account.publish(attached(number, *pair))
    memory, server = Watched(Allowance(5 * each // 2, 100)), ScriptedServer()
    assert run(account, server, memory=memory, smtp=wide(connections)).sent == 8
    assert len(files(server)) == 8
    assert memory.most <= 5 * each // 2, "each pair has room of its own"
    assert memory._kept <= memory.spare  # noqa: SLF001 - nobody else counts them


def test_an_object_that_grows_while_it_waits_for_room_is_read_another_time(
    account: Account,
) -> None:
    """Room was made for the other one."""
    each = encoded_size(len(OCTETS))
    account.publish(attached(1, account.store("first", OCTETS)))
    account.publish(attached(2, account.store("second", OCTETS)))
    opened = threading.Event()

    def growing(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        answer = real(**request)
        if request["Key"] == "second" and not opened.is_set():
            account.store("second", OCTETS + b"more")
            opened.set()
        return answer

    class Holding(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            assert await asyncio.to_thread(opened.wait, 60)
            return await super().deliver(job, message, deadline)

    server, sqs = ScriptedServer(), account.sqs()
    summary = run(
        account,
        server,
        sqs=sqs,
        s3=account.s3(head_object=growing),
        memory=Watched(Allowance(3 * each // 2, 100)),
        relay=lambda pool: Holding(pool, 345_600),
        smtp=wide(2),
    )
    assert (summary.sent, summary.deferred) == (1, 1)
    assert files(server) == [[OCTETS]]
    account.time_passes(300)
    run(account, server := ScriptedServer())
    assert files(server) == [[OCTETS + b"more"]]


def test_a_message_says_nothing_of_where_its_files_are(account: Account, log: Log) -> None:
    account.publish(attached(1, {"bucket": "canary-bucket", "key": "canary/key"}))
    run(account)
    assert "canary" not in log.text
    assert "STORAGE" in log.text or "ATTACHMENT_MISSING" in log.text
    assert "canary" not in json.dumps(account.rows())
