"""Applications test what they send with the fixture `ion_outbox`, and without an account."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from clients.building import PROJECT, run, wheel_of
from ion.contract import Cancel, Lane, Redrive
from ion_publisher import InvalidMessage, Publisher
from ion_publisher.django import shared_publisher
from ion_publisher.outbox import DEFAULT_SENDER, Outbox
from ion_publisher.pytest import ion_outbox

__all__ = ["ion_outbox"]  # a fixture

APPLICATION = """
from ion_publisher import Publisher

def test_a_welcome_is_sent(ion_outbox):
    Publisher().send(to="ann@example.org", subject="Welcome", html="<p>Hi")
    (email,) = ion_outbox
    assert email.message["Subject"] == "Welcome"
    assert email.html == "<p>Hi\\n"
"""


def test_what_is_published_is_read_as_email(ion_outbox: Outbox) -> None:
    assert len(ion_outbox) == 0
    publisher = Publisher()
    publisher.send(
        to="Jörg <joerg@bücher.example>",
        bcc="bob@example.org",
        sender="post@example.org",
        return_path="bounces@example.org",
        subject="Grüße 🎉",
        text="one\ntwo",
        html="<p>rich",
        email_id="order-17",
    )
    publisher.send_many([{"to": "пётр@example.org", "text": "hi"}, {"to": "a@b.c", "text": "x"}])
    first, second, third = ion_outbox
    assert ion_outbox[0] is first
    assert ion_outbox[1:] == [second, third]
    assert first.email_id == "order-17"
    assert first.sender == "bounces@example.org"
    assert first.recipients == ("joerg@xn--bcher-kva.example", "bob@example.org")
    assert first.message["Subject"] == "Grüße 🎉"
    assert first.message["To"].addresses[0].display_name == "Jörg"
    assert (first.text, first.html) == ("one\ntwo\n", "<p>rich\n")
    assert second.recipients == ("пётр@example.org",)
    assert second.message["To"].addresses[0].username == "пётр"
    assert (second.sender, second.html) == (DEFAULT_SENDER, None)


def test_a_template_is_named(ion_outbox: Outbox) -> None:
    Publisher().send(to="a@b.example", template="welcome", context={"name": "Ann"}, locale="de")
    (email,) = ion_outbox
    assert (email.template, email.context) == ("welcome", {"name": "Ann"})


def test_redrives_are_apart(ion_outbox: Outbox) -> None:
    Publisher().redrive(max=5)
    assert ion_outbox.redrives == [Redrive(max=5)]
    assert len(ion_outbox) == 0
    ion_outbox.clear()
    assert ion_outbox.redrives == []


def test_when_how_and_for_whom_an_email_goes_can_be_seen(ion_outbox: Outbox) -> None:
    publisher = Publisher()
    soon = datetime.now(UTC) + timedelta(days=1)
    publisher.send(
        to="a@b.example",
        text="x",
        lane="bulk",
        tenant="shop-17",
        send_at=soon,
        expires_at="2099-03-08T12:00:00+02:00",
        tags={"campaign": "spring", "none": None},
    )
    publisher.send(to="a@b.example", text="y")
    plain, bulk = ion_outbox
    assert (bulk.lane, bulk.tenant, bulk.send_at) == (Lane.BULK, "shop-17", soon)
    assert bulk.expires_at == datetime(2099, 3, 8, 10, tzinfo=UTC)
    assert bulk.tags == {"campaign": "spring"}
    assert (plain.lane, plain.tenant, plain.send_at) == (Lane.NORMAL, None, None)


def test_what_comes_by_the_topic_for_bulk_is_bulk(ion_outbox: Outbox) -> None:
    least = {"action": "send", "recipient": "a@b.example", "body_text": "x"}
    boto3.client("sns", region_name="us-east-1").publish(
        TopicArn=os.environ["ION_BULK_TOPIC_ARN"], Message=json.dumps(least | {"lane": "normal"})
    )
    assert [one.lane for one in ion_outbox] == [Lane.BULK]


def test_cancels_are_apart(ion_outbox: Outbox) -> None:
    publisher = Publisher()
    publisher.send(to="a@b.example", text="x", email_id="order-17")
    publisher.cancel("order-17")
    assert ion_outbox.cancels == [Cancel(email_id="order-17")]
    assert len(ion_outbox) == 1
    ion_outbox.clear()
    assert ion_outbox.cancels == []


@pytest.mark.parametrize("action", ["stop", "pause", "resume"])
def test_what_an_operator_asks_for_is_read_over(ion_outbox: Outbox, action: str) -> None:
    boto3.client("sns", region_name="us-east-1").publish(
        TopicArn=os.environ["ION_TOPIC_ARN"], Message=json.dumps({"action": action})
    )
    assert len(ion_outbox) == 0


def test_what_was_forgotten_does_not_come_back(ion_outbox: Outbox) -> None:
    publisher = Publisher()
    publisher.send(to="a@b.example", text="x")
    ion_outbox.clear()
    publisher.send(to="a@b.example", text="y")
    assert [one.text for one in ion_outbox] == ["y\n"]


def test_what_ion_would_dead_letter_fails_the_test(ion_outbox: Outbox) -> None:
    boto3.client("sns", region_name="us-east-1").publish(
        TopicArn=os.environ["ION_TOPIC_ARN"], Message=json.dumps({"action": "send", "to": "x"})
    )
    with pytest.raises(InvalidMessage):
        len(ion_outbox)


@pytest.fixture
def no_publisher_is_left() -> Iterator[None]:
    """After the fixtures that come behind it: a publisher would go on with their credentials."""
    yield
    assert shared_publisher.cache_info().currsize == 0


@pytest.mark.usefixtures("no_publisher_is_left")
@pytest.mark.parametrize("_", range(2))
def test_django_publishes_to_each_tests_own_topic(ion_outbox: Outbox, _: int) -> None:
    if not settings.configured:
        settings.configure()
    email = EmailMultiAlternatives("Hi", "plain", "post@example.org", ["ann@example.org"])
    get_connection("ion_publisher.django.EmailBackend").send_messages([email])
    assert [one.message["Subject"] for one in ion_outbox] == ["Hi"]


def test_an_installation_brings_the_fixture(tmp_path: Path) -> None:
    wheel = wheel_of(PROJECT, tmp_path)
    site = tmp_path / "site"
    run(
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        f"{site}",
        f"{wheel}",
    )
    (tmp_path / "test_application.py").write_text(APPLICATION)
    # a developer's own profile leads nowhere
    own = {"PYTHONPATH": str(site), "AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    said = run("-m", "pytest", "-q", "-p", "no:cacheprovider", ".", cwd=tmp_path, **own)
    assert "1 passed" in said
