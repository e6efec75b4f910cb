"""A Django message says by attributes when, how and for whom it goes, as with django-anymail."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import django
import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.test import override_settings
from django.utils.functional import lazystr
from django.utils.timezone import override

from clients.topic import Topic
from ion_publisher import InvalidMessage, Lane
from ion_publisher.django import shared_publisher

BACKEND = "ion_publisher.django.EmailBackend"
BERLIN = "Europe/Berlin"
MIDNIGHT = "2025-03-08T23:00:00+00:00"
"""Of March 9 in Berlin."""

if not settings.configured:
    settings.configure(EMAIL_BACKEND=BACKEND, USE_TZ=True)
    django.setup()


@pytest.fixture(autouse=True)
def _backend(topic: Topic) -> Iterator[None]:
    shared_publisher.cache_clear()
    with override_settings(EMAIL_BACKEND=BACKEND), override(BERLIN):
        yield


def message(**attributes: Any) -> EmailMessage:  # noqa: ANN401 - whatever an application sets
    one = EmailMessage("Hi", "plain", "post@example.org", ["ann@example.org"])
    for name, value in attributes.items():
        setattr(one, name, value)
    return one


def published(topic: Topic, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401
    assert message(**attributes).send() == 1
    (one,) = topic.messages
    return one


def refused(**attributes: Any) -> tuple[str, str]:  # noqa: ANN401
    with pytest.raises(InvalidMessage) as caught:
        message(**attributes).send()
    return caught.value.path, caught.value.problem


def test_a_message_without_them_is_as_it_was(topic: Topic) -> None:
    nothing = dict.fromkeys(
        ["email_id", "lane", "tenant", "send_at", "expires_at", "metadata", "tags"]
    )
    cases: list[dict[str, Any]] = [{}, nothing, {"metadata": {}, "tags": []}]
    for attributes in cases:
        said = published(topic, **attributes)
        assert said.keys() == {
            *("action", "email_id", "recipient", "sender", "subject", "body_text")
        }


def test_bulk_goes_to_the_topic_of_the_settings(topic: Topic) -> None:
    assert published(topic, lane="bulk")["lane"] == "bulk"
    with override_settings(ION_TOPIC_ARN=topic.arn, ION_BULK_TOPIC_ARN=topic.bulk_arn):
        mail.get_connection().send_messages([message(lane=Lane.BULK), message()])
    assert [one["lane"] for one in topic.bulk] == ["bulk"]
    assert ["lane" in one for one in topic.messages] == [False]


def test_bulk_goes_to_the_topic_of_the_environment(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ION_BULK_TOPIC_ARN", topic.bulk_arn)
    message(lane="bulk").send()
    assert len(topic.bulk) == 1
    with override_settings(ION_TOPIC_ARN=topic.arn):  # whose bulk isn't the environment's
        message(lane="bulk").send()
    assert (len(topic.bulk), len(topic.messages)) == (0, 1)


def test_a_wrong_topic_for_bulk_is_a_fault_of_the_settings() -> None:
    with (
        override_settings(ION_BULK_TOPIC_ARN="bulk"),
        pytest.raises(ImproperlyConfigured, match="ION_BULK_TOPIC_ARN"),
    ):
        message().send(fail_silently=True)


def test_a_tenant_is_the_message_group(topic: Topic) -> None:
    mail.get_connection().send_messages(
        [message(email_id="a", tenant="shop-17"), message(email_id="b")]
    )
    assert topic.groups == {"a": "shop-17", "b": ""}


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2025, 3, 9, tzinfo=UTC), "2025-03-09T00:00:00+00:00"),
        (datetime(2025, 3, 9, tzinfo=timezone(timedelta(hours=1))), MIDNIGHT),
        (datetime(2025, 3, 9), MIDNIGHT),  # noqa: DTZ001 - Django's zone is meant
        (date(2025, 3, 9), MIDNIGHT),
        (1_741_474_800, MIDNIGHT),
        (1_741_474_800.5, "2025-03-08T23:00:00.500000+00:00"),
        ("2025-03-09T00:00:00+01:00", "2025-03-09T00:00:00+01:00"),
        (lazystr("2025-03-09T00:00:00+01:00"), "2025-03-09T00:00:00+01:00"),
    ],
)
@pytest.mark.parametrize(("name", "field"), [("send_at", "not_before"), ("expires_at",) * 2])
def test_a_time_is_read_as_anymail_reads_it(
    topic: Topic, moment: object, written: str, name: str, field: str
) -> None:
    assert published(topic, **{name: moment})[field] == written


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("tomorrow", "isn't allowed"),
        ("2025-03-09T00:00:00", "isn't allowed"),
        (10**30, "isn't allowed"),
        (float("nan"), "isn't allowed"),
        (b"2025-03-09", "wrong type"),
        ([1], "wrong type"),
        (True, "wrong type"),
    ],
)
def test_what_is_no_time_is_refused(topic: Topic, moment: object, said: str) -> None:
    for name, field in (("send_at", "not_before"), ("expires_at", "expires_at")):
        path, problem = refused(**{name: moment})
        assert path in (f"$.{name}", f"$.{field}")
        assert said in problem
    assert not topic.bodies


def test_metadata_are_tags(topic: Topic) -> None:
    metadata = {"user": 17, "campaign": lazystr("spring"), "ratio": 0.5, "none": None}
    expected = {"user": "17", "campaign": "spring", "ratio": "0.5", "none": None}
    assert published(topic, metadata=metadata)["tags"] == expected
    both = published(topic, metadata={"a": "1", "b": "2"}, tags={"b": "3"})
    assert both["tags"] == {"a": "1", "b": "3"}


@pytest.mark.parametrize(
    ("attributes", "path", "said"),
    [
        ({"tags": ["welcome"]}, "$.tags", "must be a mapping"),
        ({"tags": "welcome"}, "$.tags", "must be a mapping"),
        ({"metadata": ["welcome"]}, "$.metadata", "must be a mapping"),
        ({"tags": {"campaign": "Frühling"}}, "$.tags['campaign']", "isn't allowed"),
        ({"metadata": {"a b": "c"}}, "$.tags[*]", "isn't allowed"),
        ({"metadata": dict.fromkeys(range(11), "x")}, "$.tags", "isn't allowed"),
        ({"lane": "express"}, "$.lane", "isn't allowed"),
        ({"lane": 5}, "$.lane", "wrong type"),
        ({"tenant": "a b"}, "$.tenant", "isn't allowed"),
    ],
)
def test_what_ion_cannot_say_is_refused(
    topic: Topic, attributes: dict[str, Any], path: str, said: str
) -> None:
    found, problem = refused(**attributes)
    assert found == path
    assert said in problem
    assert not topic.bodies


def test_the_header_with_the_name_goes_before_the_attribute(topic: Topic) -> None:
    one = message(email_id="order-18")
    one.extra_headers["X-Ion-Id"] = "order-17"
    one.send()
    assert topic.messages[0]["email_id"] == "order-17"
