"""What the soak draws from its seed: the mail, the order of it, the faults; and its clock."""

import json
from collections import Counter
from pathlib import Path

import pytest

from ion.settings import Pipelining
from soak.aws_chaos import AwsChaos, Fault
from soak.books import PARK, RESEND_ONCE
from soak.clock import Clock
from soak.flow import BULK, CAMPAIGNS, NORMAL
from soak.mail import (
    BEFORE,
    WITH,
    Mail,
    is_bounced,
    is_malformed,
    is_refused,
    name_of,
    written,
)
from soak.manner import Manner
from soak.orders import (
    REDRIVE,
    REDRIVE_ALL_BUT_THE_DOUBTED,
    cancel,
    cancelled_by,
    is_order,
)
from soak.publisher import Post, Publisher
from soak.smtp_chaos import SmtpChaos


def now() -> float:
    return 1_800_000_000.0


# -- the mail --------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_mail_of_every_sort() -> None:
    mails = list(written(7, 2000, now))
    assert mails == list(written(7, 2000, now))
    assert mails != list(written(8, 2000, now))
    assert {mail.due for mail in mails} == {
        "",
        "BAD_JSON",
        "INVALID_SCHEMA",
        "INVALID_ADDRESS",
    }
    assert {len(mail.recipients) for mail in mails} == {0, 1, 2, 3, 4}
    assert any(mail.twice for mail in mails)
    assert not [mail for mail in mails if mail.twice and "email_id" not in mail.body]
    assert any("email_id" not in mail.body for mail in mails)


def test_everything_of_a_message_carries_its_name() -> None:
    for mail in written(7, 500, now):
        assert {name_of(text) for text in (mail.body, *mail.recipients)} == {mail.name}
        refused = [one for one in mail.recipients if mail.due_of(one) == "RCPT_REJECTED"]
        assert refused == [*filter(is_refused, mail.recipients)]
        assert all(mail.due_of(fate) == mail.due for fate in mail.fates if fate not in refused)
    several = [mail for mail in written(7, 2000, now) if len(mail.recipients) > 1]
    for kind in (is_bounced, is_malformed):
        assert any(sum(map(kind, mail.recipients)) == 1 for mail in several)


@pytest.mark.parametrize("policy", [RESEND_ONCE, PARK])
def test_everything_is_published_and_twins_twice(policy: str) -> None:
    posts = Counter[Post]()
    mails: list[Mail] = []
    portions = list(Publisher(1010, 7, policy, now).portions())
    for portion in portions:
        mails += portion.mails
        posts.update(portion.posts)
    assert sum(portion.then_a_lull for portion in portions) > 20
    redrive = REDRIVE if policy == RESEND_ONCE else REDRIVE_ALL_BUT_THE_DOUBTED
    assert posts.pop(Post(redrive)) == 2
    of_mail = {post: count for post, count in posts.items() if not is_order(post.body)}
    assert of_mail == {
        Post(mail.body, mail.flow.door, mail.flow.tenant): 1 + mail.twice for mail in mails
    }
    cancels = {cancelled_by(post.body) for post in posts} - {""}
    assert cancels == {mail.name for mail in mails if mail.cancelled}
    assert mails == list(written(7, 1010, now))


def test_cancels_come_before_with_and_after_the_email() -> None:
    bodies = [
        post.body
        for portion in Publisher(2000, 7, RESEND_ONCE, now).portions()
        for post in portion.posts
    ]
    for mail in (one for one in written(7, 2000, now) if one.cancelled):
        at, order = bodies.index(mail.body), bodies.index(cancel(mail.name))
        assert (order < at) is (mail.cancelled == BEFORE)
        assert mail.cancelled != WITH or order == at + 1


def test_orders_of_every_sort_are_published() -> None:
    asked = [
        json.loads(post.body)
        for portion in Publisher(1010, 7, RESEND_ONCE, now).portions()
        for post in portion.posts
        if is_order(post.body)
    ]
    assert {one["action"] for one in asked} == {"redrive", "cancel", "stop", "pause", "resume"}
    assert {one["lane"] for one in asked if one["action"] == "pause"} == {None, "bulk", "normal"}


def test_emails_travel_in_every_way() -> None:
    flows = [mail.flow for mail in written(7, 2000, now)]
    ways = {(flow.door, flow.lane) for flow in flows}
    assert ways == {(door, lane) for door in (NORMAL, BULK) for lane in ("", NORMAL, BULK)}
    for moments in ([one.not_before for one in flows], [one.expires_at for one in flows]):
        ahead = [moment - now() for moment in moments if moment]
        assert min(ahead) < 120
        assert max(ahead) > 3600
    assert {flow.tags.get("campaign", "") for flow in flows} == {"", *CAMPAIGNS}
    assert len({flow.tenant for flow in flows}) > 3
    assert not [one for one in flows if one.expires_at and one.expires_at <= one.not_before]


# -- the clock and the faults ----------------------------------------------------------------


def test_the_clock_stops_at_the_end_of_an_invocation_that_lives(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    clock.began(1, 900)
    clock.began(2, 60)
    before = clock.now()
    clock.turn(1000)
    assert clock.is_over(2)
    assert not clock.is_over(1)
    assert clock.now() - before == pytest.approx(60, abs=5)
    clock.ended(2)
    clock.ended(1)
    clock.turn(1000)
    assert clock.now() - before == pytest.approx(1060, abs=5)


@pytest.mark.parametrize("way", [Manner(mode) for mode in Pipelining], ids=[*Pipelining])
def test_the_faults_are_as_many_as_promised_and_end_when_told(way: Manner) -> None:
    aws, smtp = AwsChaos(7), SmtpChaos(7)
    drawn = [aws.draw("ReceiveMessage", 1) for _ in range(5000)]
    befallen = [smtp.of_transaction(f"m{number:07}", way) for number in range(5000)]
    assert sum(fault is not None for fault in drawn) > 0.04 * 5000
    assert sum(fault is not None for fault in befallen) > 0.08 * 5000
    probed = [smtp.of_probe(str(number)) for number in range(5000)]
    assert sum(fault is not None and fault.loses_the_thread for fault in probed) > 0.02 * 5000
    assert Fault.PARTLY not in drawn
    aws.on = smtp.on = False
    assert not any(aws.draw("ReceiveMessage", 1) for _ in range(500))
    assert not any(smtp.of_transaction("m0000001", way) for _ in range(500))
