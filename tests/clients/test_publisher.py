"""The library publishes what the relay takes, and says what became of each email."""

import inspect
import json
import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from clients.topic import Topic, failing
from emulated import AWS_SECRET_TEXT, Request
from ion.contract import Redrive, Send, Where, parse
from ion.limits import BATCH, MOST_MESSAGE_BYTES
from ion_publisher import (
    AsyncPublisher,
    Email,
    InvalidMessage,
    Mailbox,
    Publisher,
    PublishFailed,
    Reason,
    Receipt,
)
from ion_publisher.message import FIELDS, letter

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

HI: Email = {"to": "ann@example.org", "text": "hi"}


def emails(count: int, **more: Any) -> list[Email]:  # noqa: ANN401 - any part
    return [cast("Email", HI | {"email_id": f"n-{i}"} | more) for i in range(count)]


def refuses(*_: object) -> None:
    raise ClientError({"Error": {"Code": "AuthorizationError", "Message": AWS_SECRET_TEXT}}, "x")


def test_an_email_goes_out_in_the_contracts_words(topic: Topic) -> None:
    receipt = Publisher().send(
        to=["Ann <ann@example.org>", Mailbox("bob@example.org", "Bob, B.")],
        cc={"email": "c@example.org"},
        bcc=("d@example.org",),
        sender="post@example.org",
        reply_to="answers@example.org",
        return_path="bounces@example.org",
        subject="Grüße",
        text="plain",
        html="<p>rich",
        headers={"X-Order": "17"},
        email_id="order-17",
        in_doubt="park",
    )
    assert receipt.email_id == "order-17"
    assert receipt.message_id
    assert topic.messages == [
        {
            "action": "send",
            "recipient": [
                "Ann <ann@example.org>",
                {"email": "bob@example.org", "name": "Bob, B."},
            ],
            "cc": {"email": "c@example.org"},
            "bcc": ["d@example.org"],
            "sender": "post@example.org",
            "reply_to": "answers@example.org",
            "return_path": "bounces@example.org",
            "subject": "Grüße",
            "body_text": "plain",
            "body_html": "<p>rich",
            "headers": {"X-Order": "17"},
            "email_id": "order-17",
            "in_doubt": "park",
        }
    ]


def test_every_field_of_the_contract_can_be_said() -> None:
    said = {field: part for part, field in FIELDS.items()}
    of_the_contract = {said.get(name, name) for name in Send.__struct_fields__}
    assert of_the_contract | {"tenant"} == set(Email.__annotations__)


def test_an_email_without_a_name_is_given_one(topic: Topic) -> None:
    publisher = topic.publisher()
    first, second = publisher.send(**HI), publisher.send(**HI)
    assert first.email_id != second.email_id
    assert [one["email_id"] for one in topic.messages] == [first.email_id, second.email_id]


def test_what_is_none_is_not_published(topic: Topic) -> None:
    topic.publisher().send(to="ann@example.org", text="hi", html=None, cc=None, email_id="a")
    assert topic.messages == [
        {"action": "send", "recipient": "ann@example.org", "body_text": "hi", "email_id": "a"}
    ]


def test_characters_that_a_queue_refuses_are_spelt_otherwise(topic: Topic) -> None:
    text = "\ufffe\uffff\x00\x0b😀"
    topic.publisher().send(to="ann@example.org", text=text)
    (body,) = topic.bodies
    assert not {"\ufffe", "\uffff", "\x00", "\x0b"} & set(body)
    assert json.loads(body)["body_text"] == text


def test_a_failed_publish_tells_the_name_to_send_it_again_under(topic: Topic) -> None:
    with pytest.raises(PublishFailed) as caught:
        topic.publisher(topic.sns(publish=refuses)).send(**HI | {"email_id": "order-17"})
    assert (caught.value.email_id, caught.value.code) == ("order-17", "AuthorizationError")
    assert AWS_SECRET_TEXT not in str(caught.value)


def test_without_an_arn_there_is_no_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ION_TOPIC_ARN", raising=False)
    for wrong in (None, "", "ion-input-topic", "arn:aws:sqs:eu-west-1:123456789012:ion"):
        with pytest.raises(ValueError, match="ION_TOPIC_ARN"):
            Publisher(wrong)


# -- many --------------------------------------------------------------------------------


def test_many_go_ten_a_call(topic: Topic) -> None:
    sns = topic.sns()
    results = topic.publisher(sns).send_many(emails(23))
    assert [one.email_id for one in results if isinstance(one, Receipt)] == [
        f"n-{i}" for i in range(23)
    ]
    assert [len(call["PublishBatchRequestEntries"]) for call in sns.asked("publish_batch")] == [
        BATCH,
        BATCH,
        3,
    ]
    assert sorted(one["email_id"] for one in topic.messages) == sorted(f"n-{i}" for i in range(23))


def test_no_call_is_larger_than_sns_takes(topic: Topic) -> None:
    sns = topic.sns()
    results = topic.publisher(sns).send_many(emails(9, text="é" * 45_000))  # 90 KB each
    assert all(isinstance(one, Receipt) for one in results)
    calls = [call["PublishBatchRequestEntries"] for call in sns.asked("publish_batch")]
    sizes = [sum(len(one["Message"].encode()) for one in call) for call in calls]
    assert len(sizes) == 5
    assert max(sizes) <= MOST_MESSAGE_BYTES


def test_two_emails_that_fill_a_call_go_in_one(topic: Topic) -> None:
    empty = letter(emails(1, text="")[0]).size
    sns = topic.sns()
    full = emails(2, text="x" * (MOST_MESSAGE_BYTES // 2 - empty))
    topic.publisher(sns).send_many(full)
    (call,) = sns.asked("publish_batch")
    entries = call["PublishBatchRequestEntries"]
    assert sum(len(one["Message"].encode()) for one in entries) == MOST_MESSAGE_BYTES


def test_what_is_refused_for_sns_own_reasons_is_tried_again_and_alone(topic: Topic) -> None:
    throttled = {"n-1": ("Throttled", False), "n-3": ("InternalError", False)}
    sns = topic.sns(publish_batch=failing(throttled, {"n-3": ("InternalError", False)}))
    results = topic.publisher(sns).send_many(emails(5))
    assert all(isinstance(one, Receipt) for one in results)
    assert [len(call["PublishBatchRequestEntries"]) for call in sns.asked("publish_batch")] == [
        5,
        2,
        1,
    ]
    assert len({one["email_id"] for one in topic.messages}) == 5


def test_between_tries_sns_has_ever_more_time(topic: Topic) -> None:
    pauses: list[float] = []
    ill = topic.sns(publish_batch=failing(*[{"n-0": ("Throttled", False)}] * 9))
    publisher = Publisher(topic.arn, sns=cast("SNSClient", ill), sleep=pauses.append)
    publisher.send_many(emails(2))
    assert pauses == [0.2, 0.4, 0.8]


def test_what_an_answer_says_nothing_of_is_tried_again(topic: Topic) -> None:
    answers: list[dict[str, Any]] = [{}]

    def silent_once(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return answers.pop() if answers else real(**request)

    sns = topic.sns(publish_batch=silent_once)
    (result,) = topic.publisher(sns).send_many(emails(1))
    assert isinstance(result, Receipt)
    (result,) = topic.publisher(topic.sns(publish_batch=lambda *_: {})).send_many(emails(1))
    assert isinstance(result, PublishFailed)
    assert result.code == "NoAnswer"


def test_what_is_refused_for_our_fault_or_for_ever_fails_alone(topic: Topic) -> None:
    ill = {"n-1": ("InvalidParameter", True), "n-2": ("Throttled", False)}
    sns = topic.sns(publish_batch=failing(*[ill] * 9))
    first, second, third, fourth = topic.publisher(sns).send_many(emails(4))
    assert isinstance(first, Receipt)
    assert isinstance(fourth, Receipt)
    assert isinstance(second, PublishFailed)
    assert isinstance(third, PublishFailed)
    assert (second.email_id, second.code) == ("n-1", "InvalidParameter")
    assert (third.email_id, third.code) == ("n-2", "Throttled")
    assert len(sns.asked("publish_batch")) == 4


def test_an_invalid_one_keeps_none_of_the_others(topic: Topic) -> None:
    first, second, third = topic.publisher().send_many(
        [{**HI, "email_id": "a"}, {**HI, "to": "nobody"}, {**HI, "email_id": "c"}]
    )
    assert isinstance(first, Receipt)
    assert isinstance(third, Receipt)
    assert isinstance(second, InvalidMessage)
    assert second.path == "$.recipient"
    assert [one["email_id"] for one in topic.messages] == ["a", "c"]


def test_where_a_call_fails_as_a_whole_the_rest_is_told_and_not_tried(topic: Topic) -> None:
    def unreachable(*_: object) -> None:
        raise ConnectTimeoutError(endpoint_url=AWS_SECRET_TEXT)

    sns = topic.sns(publish_batch=unreachable)
    results = topic.publisher(sns).send_many(emails(25))
    assert len(sns.asked("publish_batch")) == 1
    failed = [one for one in results if isinstance(one, PublishFailed)]
    assert [one.email_id for one in failed] == [f"n-{i}" for i in range(25)]
    assert {one.code for one in failed} == {"ConnectTimeoutError"}


def test_none_is_nothing_to_publish(topic: Topic) -> None:
    sns = topic.sns()
    assert topic.publisher(sns).send_many([]) == []
    assert not sns.calls


# -- redrive -----------------------------------------------------------------------------


def test_a_redrive_asks_for_all_or_for_some(topic: Topic) -> None:
    publisher = topic.publisher()
    assert publisher.redrive()
    assert publisher.redrive(
        reason=[Reason.EXPIRED, "RCPT_REJECTED"],
        path="$.recipient[0]",
        recipient_domain="example.org",
        older_than=timedelta(hours=2),
        younger_than="7d",
        tag={"campaign": "spring"},
        sender="news@example.org",
        email_id="order-17",
        max=100,
        rate=5,
        dry_run=True,
    )
    where = {
        "reason": ["EXPIRED", "RCPT_REJECTED"],
        "path": "$.recipient[0]",
        "recipient_domain": "example.org",
        "older_than": "7200s",
        "younger_than": "7d",
        "tag": {"campaign": "spring"},
        "sender": "news@example.org",
        "email_id": "order-17",
    }
    assert topic.messages == [
        {"action": "redrive"},
        {"action": "redrive", "where": where, "max": 100, "rate": 5, "dry_run": True},
    ]


@pytest.mark.parametrize("publisher", [Publisher, AsyncPublisher])
def test_a_redrive_takes_every_field_of_the_contract(
    publisher: type[Publisher | AsyncPublisher],
) -> None:
    fields = {*Where.__struct_fields__, *Redrive.__struct_fields__} - {"where"}
    assert set(inspect.signature(publisher.redrive).parameters) - {"self"} == fields


@pytest.mark.parametrize(
    ("age", "written"),
    [
        (timedelta(seconds=1.9), "1s"),
        (timedelta(seconds=999_999), "999999s"),
        (timedelta(days=14), "20160m"),
    ],
)
def test_an_age_is_written_so_that_the_relay_reads_it(
    topic: Topic, age: timedelta, written: str
) -> None:
    topic.publisher().redrive(older_than=age)
    (body,) = topic.bodies
    action = parse(body)
    assert isinstance(action, Redrive)
    assert action.where
    assert action.where.older_than == written


def test_a_wrong_redrive_is_not_published(topic: Topic) -> None:
    publisher = topic.publisher()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"reason": "EXPIRD"}, "$.where.reason"),
        ({"older_than": "2w"}, "$.where.older_than"),
        ({"older_than": timedelta(-1)}, "$.where.older_than"),
        ({"older_than": "7d", "younger_than": "1d"}, "$.where"),
        ({"max": 0}, "$.max"),
        ({"rate": object()}, "$.rate"),
        ({"tag": {"a b": "c"}}, "$.where.tag[*]"),
        ({"tag": {}}, "$.where.tag"),
        ({"tag": {"campaign": None}, "max": 5}, "$.where.tag"),
        ({"tag": "spring"}, "$.where.tag"),
        ({"sender": "News <news@example.org>"}, "$.where.sender"),
        ({"email_id": ""}, "$.where.email_id"),
    ]
    for asked, path in wrong:
        with pytest.raises(InvalidMessage) as caught:
            publisher.redrive(**asked)
        assert caught.value.path == path
    assert not topic.bodies


# -- awaited -----------------------------------------------------------------------------


async def test_the_same_can_be_awaited(topic: Topic) -> None:
    publisher = AsyncPublisher()
    receipt = await publisher.send(**HI)
    (second,) = await publisher.send_many([HI])
    assert isinstance(second, Receipt)
    await publisher.redrive(max=5, email_id="a")
    await publisher.cancel("order-17")
    first, other, redrive, cancel = topic.messages
    assert {first["email_id"], other["email_id"]} == {receipt.email_id, second.email_id}
    assert redrive == {"action": "redrive", "where": {"email_id": "a"}, "max": 5}
    assert cancel == {"action": "cancel", "email_id": "order-17"}
    with pytest.raises(InvalidMessage):
        await publisher.send(to="nobody", text="hi")


def test_failures_survive_a_process_boundary() -> None:
    invalid = InvalidMessage("$.recipeint", "is unknown", "recipient")
    for one in (invalid, PublishFailed("order-17", "Throttled")):
        copy = pickle.loads(pickle.dumps(one))
        assert vars(copy) == vars(one)
        assert str(copy) == str(one)
