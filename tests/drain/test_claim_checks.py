"""Messages that only say where the message is: an item of the outbox, or an object in S3."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from conftest import Log
from draining import delays, email, ion_of, reasons, recipients, run, wide
from emulated import Account, Answer, Request, failing, unreachable
from ion.contract import S3Object, claim_check
from ion.contract.claim_check import OutboxClaim
from ion.drain.allowance import MB, Allowance
from ion.drain.memory import MOST_CLAIMED_BYTES, Memory, claimed_size
from ion.message import Attribute, Message
from ion.policy.rate import Bucket
from smtp_server import ScriptedServer

POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"
OLDER = "com.amazon.sqs.javamessaging.MessageS3Pointer"


STORED = S3Object(bucket="bucket", key="k")


def claim(email_id: str = "order-17") -> str:
    return json.dumps({"email_id": email_id})


def item(email_id: str = "order-17", number: int = 1, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """As a publisher's SDK writes it."""
    least = {
        "email_id": {"S": email_id},
        "recipient": {"S": f"to{number}@example.org"},
        "body_text": {"S": "x"},
    }
    return least | fields


def pointed(account: Account, content: str | bytes, name: str = POINTER, key: str = "k") -> str:
    octets = content.encode() if isinstance(content, str) else content
    stored = account.store(key, octets)
    return json.dumps([name, {"s3BucketName": stored["bucket"], "s3Key": stored["key"]}])


# what is one


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"email_id": "a"}', OutboxClaim("a")),
        ('\n{"action": "send",\n "email_id": "a"}\n', OutboxClaim("a")),
        (f'["{POINTER}", {{"s3BucketName": "bucket", "s3Key": "k"}}]', STORED),
        (f' ["{OLDER}", {{"s3Key": "k", "s3BucketName": "bucket"}}]', STORED),
        ('{"email_id": ""}', None),
        ('{"email_id": "a b"}', None),
        ('{"email_id": "a", "subject": "x"}', None),
        ('{"action": "redrive", "email_id": "a"}', None),
        ('{"action": "redrive"}', None),
        ('["x", {"s3BucketName": "bucket", "s3Key": "k"}]', None),
        (f'["{POINTER}", {{"s3BucketName": "bucket"}}]', None),
        (f'["{POINTER}"]', None),
        ('{"email_id": "a"}'.ljust(8192), OutboxClaim("a")),
        ('{"email_id": "a"}'.ljust(8193), None),
        ("[" * 5000, None),
        ("\ud800", None),
        ("", None),
    ],
)
def test_only_what_says_nothing_else_is_a_claim_check(body: str, expected: object) -> None:
    assert claim_check(body) == expected


@pytest.mark.parametrize(
    ("pointer", "path", "problem", "meant"),
    [
        ([POINTER, {"s3BucketName": "a..b", "s3Key": "k"}], "$[1].s3BucketName", "value", ""),
        ([POINTER, {"s3BucketName": "192.0.2.1", "s3Key": "k"}], "$[1].s3BucketName", "value", ""),
        ([POINTER, {"s3BucketName": "Files", "s3Key": "k"}], "$[1].s3BucketName", "value", ""),
        ([POINTER, {"s3BucketName": 5, "s3Key": "k"}], "$[1].s3BucketName", "type", ""),
        ([POINTER, {"s3BucketName": "bucket", "s3Key": ""}], "$[1].s3Key", "value", ""),
        ([POINTER, {"s3BucketName": "bucket", "s3Key": "k" * 1025}], "$[1].s3Key", "value", ""),
        ([POINTER, {"s3BucketName": "bucket"}], "$[1].s3Key", "missing", ""),
        (
            [POINTER, {"s3bucketname": "bucket", "s3Key": "k"}],
            *("$[1].s3bucketname", "unknown", "s3BucketName"),
        ),
        ([POINTER, "bucket"], "$[1]", "type", ""),
        ([POINTER], "$", "value", ""),
        (["com.example.Pointer", {"s3BucketName": "bucket", "s3Key": "k"}], "$[0]", "value", ""),
    ],
)
def test_a_pointer_that_can_be_none_is_told_at_once(
    account: Account, pointer: object, path: str, problem: str, meant: str
) -> None:
    account.publish(json.dumps(pointer))
    run(account, s3=account.s3())
    (letter,) = account.dead()
    assert letter.attributes["reason"][1] == "INVALID_SCHEMA"
    told = ion_of(letter)
    assert (told["path"], told["problem"], told.get("did_you_mean", "")) == (path, problem, meant)


@pytest.mark.row(13)
def test_what_boto3_refuses_to_ask_for_is_not_waited_for(account: Account) -> None:
    def refuses(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        raise ParamValidationError(report="Invalid bucket name")

    account.publish(pointed(account, email(1)))
    account.time_passes(1000)
    run(account, s3=account.s3(get_object=refuses))
    assert reasons(account) == ["CLAIM_MISSING"]


def test_a_pointer_to_the_longest_key_is_a_claim_check_however_it_is_escaped() -> None:
    key = "\x01" * 1024
    body = json.dumps([OLDER, {"s3BucketName": "bucket", "s3Key": key}], indent=4)
    assert claim_check(body) == S3Object(bucket="bucket", key=key)


# the outbox


@pytest.mark.parametrize("body", [claim(), '{"action": "send", "email_id": "order-17"}'])
def test_fields_in_the_outbox_become_an_email(account: Account, body: str) -> None:
    account.leave(
        item(
            cc={"L": [{"S": "cc@example.org"}, {"M": {"email": {"S": "second@example.org"}}}]},
            headers={"M": {"X-Tag": {"S": "a"}}},
            attachments={
                "L": [{"M": {"filename": {"S": "a.txt"}, "content": {"B": b"octets"}}}],
            },
            subject={"S": "Grüße"},
            body_html={"NULL": True},
            ttl={"N": "1790000000"},
        )
    )
    account.publish(body)
    server = ScriptedServer()
    assert run(account, server).sent == 1
    (accepted,) = server.accepted
    assert sorted(accepted.recipients) == [
        *("cc@example.org", "second@example.org", "to1@example.org"),
    ]
    assert b"X-Tag: a" in accepted.content
    assert b"b2N0ZXRz" in accepted.content
    assert [row["email_id"] for row in account.rows()] == ["order-17"]


def test_an_item_may_be_one_json_text(account: Account) -> None:
    whole = json.dumps({"recipient": "to1@example.org", "body_text": "x"})
    account.leave({"email_id": {"S": "a"}, "email": {"S": whole}, "created": {"S": "today"}})
    account.leave({"email_id": {"S": "b"}, "email": {"S": email(2, email_id="b")}})
    for key in "ab":
        account.publish(claim(key))
    server = ScriptedServer()
    run(account, server)
    assert recipients(server) == {"to1@example.org": 1, "to2@example.org": 1}


def test_ten_claims_are_one_call(account: Account) -> None:
    for number in range(10):
        account.leave(item(f"order-{number}", number))
        account.publish(claim(f"order-{number}"))
    server, dynamodb = ScriptedServer(), account.dynamodb()
    assert run(account, server, dynamodb=dynamodb).sent == 10
    assert len(dynamodb.asked("batch_get_item")) == 1


def test_an_email_is_claimed_by_what_it_says(account: Account) -> None:
    """Published twice it is sent once; with other content under the same key, never."""
    account.leave(item())
    account.publish(claim())
    account.publish(email(1, email_id="order-17"))
    run(account, server := ScriptedServer())
    assert recipients(server) == {"to1@example.org": 1}
    account.time_passes(3600)
    run(account, ScriptedServer())
    account.leave(item(subject={"S": "other"}))
    account.publish(claim())
    run(account, server := ScriptedServer())
    assert server.accepted == []
    assert reasons(account)[-1] == "ID_REUSED"


@pytest.mark.parametrize(
    ("fields", "reason", "path"),
    [
        ({"subjct": {"S": "x"}}, "INVALID_SCHEMA", "$.subjct"),
        ({"subject": {"N": "7"}}, "INVALID_SCHEMA", "$.subject"),
        ({"recipient": {"SS": ["nobody"]}}, "INVALID_ADDRESS", "$.recipient[0]"),
        ({"action": {"S": "redrive"}}, "INVALID_SCHEMA", "$.email_id"),
        ({"email": {"S": '{"action": "redrive"}'}}, "INVALID_SCHEMA", "$.action"),
        ({"email": {"S": '{"email_id": "other"}'}}, "INVALID_SCHEMA", "$.recipient"),
        ({"email": {"S": email(1, email_id="other")}}, "INVALID_SCHEMA", "$.email_id"),
        ({"email": {"S": '{"a": 1, "a": 2}'}}, "INVALID_SCHEMA", "$..a"),
        ({"email": {"S": claim()}}, "INVALID_SCHEMA", "$.recipient"),
        ({"email": {"S": "[1]"}}, "INVALID_SCHEMA", "$"),
        ({"email": {"S": "{"}}, "BAD_JSON", "$"),
    ],
)
def test_a_bad_item_is_a_dead_letter_with_the_body_as_published(
    account: Account, fields: dict[str, Any], reason: str, path: str
) -> None:
    account.leave(item() | fields)
    account.publish(claim())
    account.publish(email(2))
    server = ScriptedServer()
    run(account, server)
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (claim(), reason)
    assert ion_of(letter)["path"] == path
    assert recipients(server) == {"to2@example.org": 1}


def test_without_an_outbox_an_id_alone_is_no_message(account: Account) -> None:
    account.publish(claim())
    run(account)
    assert reasons(account) == ["INVALID_SCHEMA"]


@pytest.mark.row(13)
def test_an_item_that_is_not_there_is_looked_for_in_a_quarter_of_an_hour(
    account: Account, log: Log
) -> None:
    account.leave(item("another"))
    account.publish(claim())
    waited = []
    for seconds in (0, 60, 240, 600):
        account.time_passes(seconds)
        sqs = account.sqs()
        run(account, sqs=sqs)
        waited += delays(sqs)
    assert [round(one, -1) for one in waited] == [60, 240, 600]
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (claim(), "CLAIM_MISSING")
    assert (ion_of(letter)["email_id"], ion_of(letter)["stage"]) == ("order-17", "fetch")
    events = [one for one in log.events if one["message"] == "dead_lettered"]
    assert [one["email_id"] for one in events] == ["order-17"]


@pytest.mark.row(13)
def test_a_claim_that_died_can_be_redriven_once_the_item_is_there(account: Account) -> None:
    account.leave(item("another"))
    account.publish(claim())
    account.time_passes(1000)
    run(account)
    assert reasons(account) == ["CLAIM_MISSING"]
    account.leave(item())
    account.publish('{"action": "redrive"}')
    servers = ScriptedServer(), ScriptedServer()
    for server in servers:
        run(account, server)
    assert sum(map(recipients, servers), Counter()) == {"to1@example.org": 1}
    assert account.dead() == []


def only_the(table: str, answer: Answer) -> Answer:
    def choose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return answer(real, request) if table in request["RequestItems"] else real(**request)

    return choose


@pytest.mark.row(13)
@pytest.mark.parametrize(
    "answer",
    [failing("ThrottlingException"), failing("AccessDeniedException"), unreachable],
    ids=["throttled", "denied", "unreachable"],
)
def test_while_the_outbox_is_ill_its_emails_wait_and_the_others_go(
    account: Account, answer: Answer
) -> None:
    account.leave(item())
    account.publish(claim())
    account.publish(email(2))
    server, sqs = ScriptedServer(), account.sqs()
    ill = account.dynamodb(batch_get_item=only_the(account.outbox_table, answer))
    run(account, server, sqs=sqs, dynamodb=ill)
    assert recipients(server) == {"to2@example.org": 1}
    assert delays(sqs) == [300]
    account.time_passes(300)
    run(account, server := ScriptedServer())
    assert recipients(server) == {"to1@example.org": 1}


# pointers


@pytest.mark.parametrize("name", [POINTER, OLDER])
@pytest.mark.parametrize("connections", [1, 4])
def test_a_message_in_s3_is_the_message(account: Account, name: str, connections: int) -> None:
    for number in range(5):
        content = email(number, email_id=f"order-{number}", body_text="é" * 300_000)
        account.publish(pointed(account, content, name, key=f"k{number}"))
    server = ScriptedServer()
    assert run(account, server, smtp=wide(connections)).sent == 5
    assert recipients(server) == {f"to{number}@example.org": 1 for number in range(5)}
    assert [row["email_id"] for row in account.rows()] == [f"order-{n}" for n in range(5)]


def test_a_message_in_s3_may_have_attachments_there(account: Account) -> None:
    file = {"filename": "a.bin", "s3": account.store("file", b"octets")}
    account.publish(pointed(account, email(1, attachments=[file])))
    server = ScriptedServer()
    assert run(account, server).sent == 1
    assert b"b2N0ZXRz" in server.accepted[0].content


def test_a_message_in_s3_may_be_a_redrive(account: Account) -> None:
    account.publish(email(1), url=account.dead_url)
    account.publish(pointed(account, '{"action": "redrive"}'))
    assert run(account).redriven == 1


def test_a_message_in_s3_is_sent_once_and_put_off_like_any_other(account: Account) -> None:
    body = pointed(account, email(1, email_id="order-17"))
    for _ in range(2):
        account.publish(body)
    server = ScriptedServer()
    run(account, server)
    assert recipients(server) == {"to1@example.org": 1}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "BAD_JSON"),
        (b"", "BAD_JSON"),
        (json.dumps([POINTER, {"s3BucketName": "bucket", "s3Key": "k"}]), "INVALID_SCHEMA"),
        (claim(), "INVALID_SCHEMA"),
        (email(1, recipient="nobody"), "INVALID_ADDRESS"),
        (b"x" * (MOST_CLAIMED_BYTES + 1), "TOO_LARGE"),
    ],
    ids=["no text", "nothing", "a pointer to itself", "a claim", "no address", "too large"],
)
def test_what_a_pointer_points_to_is_no_better_than_another_message(
    account: Account, content: bytes | str, reason: str
) -> None:
    body = pointed(account, content)
    account.leave(item())
    account.publish(body)
    account.publish(email(2))
    server = ScriptedServer()
    run(account, server)
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (body, reason)
    assert recipients(server) == {"to2@example.org": 1}


def test_more_than_was_announced_is_not_read(account: Account) -> None:
    """Room was made for so much."""
    body = pointed(account, email(1, body_text="x" * 1000))
    account.publish(body, {"ExtendedPayloadSize": ("Number", "100")})
    run(account)
    assert reasons(account) == ["TOO_LARGE"]


def test_no_more_is_read_than_the_function_has_room_for(account: Account) -> None:
    account.publish(pointed(account, email(1, body_text="x" * 10_000)))
    account.publish(pointed(account, email(2), key="small"))
    server = ScriptedServer()
    run(account, server, memory=Memory(Allowance(budget=100_000, unseen=10)))
    assert reasons(account) == ["TOO_LARGE"]
    assert recipients(server) == {"to2@example.org": 1}


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({}, MOST_CLAIMED_BYTES),
        ({"ExtendedPayloadSize": "1000"}, 1000),
        ({"SQSLargePayloadSize": "1000"}, 1000),
        ({"ExtendedPayloadSize": "-1"}, MOST_CLAIMED_BYTES),
        ({"ExtendedPayloadSize": "9" * 5000}, MOST_CLAIMED_BYTES),
        ({"ExtendedPayloadSize": str(10**11)}, MOST_CLAIMED_BYTES),
    ],
)
def test_room_is_made_for_what_is_announced(attributes: Mapping[str, str], size: int) -> None:
    named = {name: Attribute("Number", value) for name, value in attributes.items()}
    assert claimed_size(Message("id", "", "[]", named, sent_at=0.0, receives=1)) == size


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 10_240])
def test_no_message_is_fetched_that_the_function_has_no_room_for(memory_mb: int) -> None:
    allowance = Allowance.of(memory_mb * MB, 16)
    assert 0 < 43 * Memory(allowance).largest_claim // 4 <= allowance.budget


@pytest.mark.row(13)
@pytest.mark.parametrize(
    ("code", "reason"),
    [("NoSuchKey", "CLAIM_MISSING"), ("AccessDenied", "CLAIM_FORBIDDEN")],
)
def test_a_message_that_is_not_in_s3_is_looked_for_in_a_quarter_of_an_hour(
    account: Account, log: Log, code: str, reason: str
) -> None:
    body = json.dumps([POINTER, {"s3BucketName": "canary-bucket", "s3Key": "canary"}])
    account.publish(body)
    account.publish(email(2))
    waited, sent = [], Counter[str]()
    for seconds in (0, 60, 240, 600):
        account.time_passes(seconds)
        sqs, server = account.sqs(), ScriptedServer()
        run(account, server, sqs=sqs, s3=account.s3(get_object=failing(code)))
        waited += delays(sqs)
        sent += recipients(server)
    assert sent == {"to2@example.org": 1}
    assert [round(one, -1) for one in waited] == [60, 240, 600]
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (body, reason)
    assert "canary" not in log.text


@pytest.mark.row(13)
@pytest.mark.parametrize("answer", [failing("SlowDown"), unreachable], ids=["slow", "unreachable"])
def test_while_s3_is_ill_what_lies_there_waits(account: Account, answer: Answer) -> None:
    account.publish(pointed(account, email(1)))
    account.publish(email(2))
    server, sqs = ScriptedServer(), account.sqs()
    run(account, server, sqs=sqs, s3=account.s3(get_object=answer))
    assert recipients(server) == {"to2@example.org": 1}
    assert delays(sqs) == [300]
    account.time_passes(300)
    run(account, server := ScriptedServer())
    assert recipients(server) == {"to1@example.org": 1}


def test_each_recipient_of_a_message_in_s3_has_its_turn(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many they are isn't known when it stands in line."""
    everybody = [f"to{number}@example.org" for number in range(5)]
    account.publish(pointed(account, email(1, recipient=everybody)))
    spent, really = [], Bucket.spend

    def spend(bucket: Bucket, recipients: int, rate: float | None, now: float) -> None:
        spent.append(recipients)
        really(bucket, recipients, rate, now)

    monkeypatch.setattr(Bucket, "spend", spend)
    assert run(account).sent == 1
    assert sum(spent) == 5


class OddError(Exception):
    """Nothing that boto3 is known to raise."""


def test_a_fault_over_one_message_in_s3_harms_no_other(account: Account, log: Log) -> None:
    def odd(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        raise OddError

    account.publish(pointed(account, email(1)))
    account.publish(email(2))
    server = ScriptedServer()
    summary = run(account, server, s3=account.s3(get_object=odd))
    assert (summary.sent, summary.deferred, summary.stopped) == (1, 1, "empty")
    assert "OddError" in log.text
