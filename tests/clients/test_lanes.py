"""Bulk goes by its own door, a tenant's email says whose it is, and what waits can be cancelled."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from clients.topic import Topic, failing
from emulated import Request
from ion_publisher import (
    AsyncPublisher,
    Email,
    InvalidMessage,
    Lane,
    Publisher,
    PublishFailed,
    Receipt,
)

ELSEWHERE = "arn:aws:sns:ap-south-2:123456789012:ion-bulk-topic"


def hi(**more: Any) -> Email:  # noqa: ANN401 - any part
    return cast("Email", {"to": "ann@example.org", "text": "hi"} | more)


def emails(*lanes: str) -> list[Email]:
    return [hi(email_id=f"n-{i}", lane=lane) for i, lane in enumerate(lanes)]


def names(messages: list[dict[str, Any]]) -> list[str]:
    return [one["email_id"] for one in messages]


def test_an_email_says_when_it_goes_and_what_it_is_called(topic: Topic) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    tags = {"campaign": "spring", "none": None}
    topic.publisher().send(
        **hi(email_id="a", send_at=soon, expires_at="2099-03-08T12:00:00Z", tags=tags)
    )
    assert topic.messages == [
        {
            "action": "send",
            "recipient": "ann@example.org",
            "body_text": "hi",
            "email_id": "a",
            "not_before": soon.isoformat(),
            "expires_at": "2099-03-08T12:00:00Z",
            "tags": {"campaign": "spring", "none": None},
        }
    ]


def test_an_email_may_ask_for_a_link_to_unsubscribe(topic: Topic) -> None:
    topic.publisher().send(**hi(email_id="a", tags={"list": "news"}, unsubscribe="list"))
    topic.publisher().send(**hi(email_id="b", unsubscribe=True))
    assert [one["unsubscribe"] for one in topic.messages] == ["list", True]


@pytest.mark.parametrize("lane", ["bulk", Lane.BULK])
def test_bulk_goes_to_the_topic_for_bulk(topic: Topic, lane: Any) -> None:  # noqa: ANN401
    publisher = topic.publisher(bulk_topic_arn=topic.bulk_arn)
    publisher.send(**hi(email_id="a", lane=lane))
    publisher.send(**hi(email_id="b", lane="normal"))
    publisher.send(**hi(email_id="c"))
    assert names(topic.bulk) == ["a"]
    assert names(topic.messages) == ["b", "c"]


def test_the_content_is_the_same_by_either_topic(topic: Topic) -> None:
    for publisher in (topic.publisher(bulk_topic_arn=topic.bulk_arn), topic.publisher()):
        publisher.send(**hi(email_id="a", lane="bulk"))
    (by_its_own,), (by_the_input,) = topic.bulk, topic.messages
    assert by_its_own == by_the_input
    assert by_the_input["lane"] == "bulk"


def test_many_go_each_to_its_topic_and_the_results_keep_their_order(topic: Topic) -> None:
    sns = topic.sns()
    lanes = ["bulk", "normal"] * 12
    results = topic.publisher(sns, bulk_topic_arn=topic.bulk_arn).send_many(emails(*lanes))
    receipts = [one for one in results if isinstance(one, Receipt)]
    assert [one.email_id for one in receipts] == [f"n-{i}" for i in range(24)]
    assert sorted(names(topic.bulk)) == sorted(f"n-{i}" for i in range(0, 24, 2))
    assert sorted(names(topic.messages)) == sorted(f"n-{i}" for i in range(1, 24, 2))
    calls = sns.asked("publish_batch")
    assert [len(call["PublishBatchRequestEntries"]) for call in calls] == [10, 2, 10, 2]


def test_a_topic_that_fails_as_a_whole_holds_up_none_of_the_others(topic: Topic) -> None:
    def forbidden(real: Any, request: Request) -> Any:  # noqa: ANN401
        if request["TopicArn"] == topic.bulk_arn:
            raise ClientError({"Error": {"Code": "AuthorizationError", "Message": ""}}, "x")
        return real(**request)

    sns = topic.sns(publish_batch=forbidden)
    publisher = topic.publisher(sns, bulk_topic_arn=topic.bulk_arn)
    results = publisher.send_many(emails("normal", "bulk", "normal", "bulk"))
    failed = [one.code if isinstance(one, PublishFailed) else "" for one in results]
    assert failed == ["", "AuthorizationError", "", "AuthorizationError"]
    assert sorted(names(topic.messages)) == ["n-0", "n-2"]


def test_a_tenant_is_the_message_group_of_its_emails(topic: Topic) -> None:
    throttled = {"n-1": ("Throttled", False)}
    publisher = topic.publisher(topic.sns(publish_batch=failing(throttled)))
    publisher.send(**hi(email_id="alone", tenant="shop-17"))
    many = [hi(email_id=f"n-{i}", tenant=tenant) for i, tenant in enumerate(["a", "b", None])]
    assert all(isinstance(one, Receipt) for one in publisher.send_many(many))
    assert topic.groups == {"alone": "shop-17", "n-0": "a", "n-1": "b", "n-2": ""}


def test_a_tenant_is_nothing_of_the_content(topic: Topic) -> None:
    topic.publisher().send(**hi(email_id="a", tenant="shop-17"))
    (message,) = topic.messages
    assert message.keys() == {"action", "recipient", "body_text", "email_id"}


def test_both_topics_come_from_the_environment(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ION_BULK_TOPIC_ARN", topic.bulk_arn)
    Publisher().send(**hi(email_id="a", lane="bulk"))
    assert names(topic.bulk) == ["a"]


def test_the_environments_bulk_goes_with_the_environments_topic_alone(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another ion's bulk would go to this one."""
    monkeypatch.setenv("ION_BULK_TOPIC_ARN", ELSEWHERE)
    Publisher(topic.arn).send(**hi(email_id="a", lane="bulk"))
    assert names(topic.messages) == ["a"]


async def test_the_same_can_be_awaited(topic: Topic) -> None:
    publisher = AsyncPublisher(topic.arn, topic.bulk_arn)
    await publisher.send(**hi(email_id="a", lane="bulk", tenant="shop-17"))
    assert names(topic.bulk) == ["a"]


@pytest.mark.parametrize("wrong", ["ion-bulk-topic", "arn:aws:sqs:us-east-1:1:ion", ELSEWHERE])
def test_a_wrong_topic_for_bulk_is_told_at_once(topic: Topic, wrong: str) -> None:
    with pytest.raises(ValueError, match="ION_BULK_TOPIC_ARN"):
        Publisher(topic.arn, wrong)


# -- cancel ------------------------------------------------------------------------------


def test_an_email_is_cancelled_by_its_name(topic: Topic) -> None:
    publisher = topic.publisher(bulk_topic_arn=topic.bulk_arn)
    receipt = publisher.send(**hi(lane="bulk"))
    assert publisher.cancel(receipt.email_id)
    assert topic.messages == [{"action": "cancel", "email_id": receipt.email_id}]


@pytest.mark.parametrize("wrong", ["", "a b", "x" * 257, None, 17])
def test_what_is_no_name_is_not_published(topic: Topic, wrong: Any) -> None:  # noqa: ANN401
    with pytest.raises(InvalidMessage) as caught:
        topic.publisher().cancel(wrong)
    assert caught.value.path == "$.email_id"
    assert not topic.bodies


def test_a_cancel_that_sns_did_not_take_tells_of_which_email(topic: Topic) -> None:
    def refuses(*_: object) -> None:
        raise ClientError({"Error": {"Code": "Throttling", "Message": ""}}, "x")

    with pytest.raises(PublishFailed) as caught:
        topic.publisher(topic.sns(publish=refuses)).cancel("order-17")
    assert (caught.value.email_id, caught.value.code) == ("order-17", "Throttling")
