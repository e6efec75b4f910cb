"""The life of an email, by what it has left behind."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ion.contract import Send
from ion.mail import compose, message_id_left
from ion.policy.backoff import Backoff
from ion.policy.timeline import Entry, written
from ionctl.ops.life import life
from ionctl.ops.result import Life, LifeState
from ionctl.problem import Problem
from relays import Operated

TAKEN = "250 2.0.0 Ok: queued as 4SxY1z2w3vz9rxL"


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def row(relay: Operated, key: str = "order-17", **values: Any) -> None:  # noqa: ANN401
    usual = {
        "status": "sent",
        "fates": "s",
        "attempts": 1,
        "lease_until": 0,
        "server": "smtp",
        "first_queued_at": ago(3600).isoformat(),
        "updated_at": ago(60).isoformat(),
        "reason": "ACCEPTED",
        "reply": TAKEN,
        "stage": "dot",
    }
    relay.row(key, **(usual | values))


def event(relay: Operated, name: str, seconds_ago: float = 60, **about: object) -> None:
    usual: dict[str, object] = {"email_id": "order-17", "message_id": "m-1", "recipients": 1}
    relay.logged(name, ago(seconds_ago), **(usual | about))


def letter(relay: Operated, body: str = "{}", reason: str = "RCPT_REJECTED", **ion: object) -> str:
    record: dict[str, object] = {
        "email_id": "order-17",
        "stage": "rcpt",
        "path": "",
        "attempts": 1,
        "redrives": 0,
        "original_message_id": "m-1",
        "first_queued_at": ago(600).isoformat(),
        "failed_at": ago(300).isoformat(),
    }
    attributes = {
        "reason": reason,
        "reply": "550 5.1.1 no such user",
        "ion": json.dumps(record | ion),
    }
    return relay.queued(body, relay.names.dead_letter_queue_url, attributes=attributes)


def told(relay: Operated, key: str = "order-17", since: datetime | None = None) -> Life:
    return life(relay.deployment, key, since=since)


def test_an_email_that_was_sent_has_the_servers_name_for_it(relay: Operated) -> None:
    row(relay, fates="ss")
    event(relay, "sent", reply=TAKEN, server="smtp", attempt=1, recipients=2, reason="ACCEPTED")
    found = told(relay)
    assert found.state is LifeState.SENT
    assert found.words.startswith("Sent: smtp took it at ")
    assert (found.provider_id, found.fates, found.attempts) == (
        *("4SxY1z2w3vz9rxL", ["sent", "sent"], 1),
    )
    (one,) = found.events
    assert (one.words, one.attempt, one.reply) == ("Taken by smtp for 2 recipients", 1, TAKEN)
    assert found.unknown == []


def test_without_events_the_row_still_tells(relay: Operated) -> None:
    row(relay)
    found = told(relay)
    assert (found.state, found.events, found.provider_id) == (
        *(LifeState.SENT, [], "4SxY1z2w3vz9rxL"),
    )


def test_the_log_is_read_from_when_the_email_was_queued(relay: Operated) -> None:
    row(relay, first_queued_at=ago(5 * 86_400).isoformat())
    event(relay, "deferred", 5 * 86_400 - 60, reason="TRY_LATER", retry_in_seconds=60)
    event(relay, "sent", 60, reply=TAKEN)
    found = told(relay)
    assert [one.what for one in found.events] == ["deferred", "sent"]
    assert found.looked_back_to < ago(5 * 86_400)
    assert [one.what for one in told(relay, since=ago(3600)).events] == ["sent"]


def test_an_email_that_is_put_off_says_when_it_is_tried_again(relay: Operated) -> None:
    row(relay, status="deferred", fates=".", attempts=2, reason="TRY_LATER", reply="451 4.3.0 full")
    event(relay, "deferred", 60, reason="TRY_LATER", reply="451 4.3.0 full", retry_in_seconds=900)
    found = told(relay)
    assert found.state is LifeState.DEFERRED
    assert found.words.startswith("Deferred (TRY_LATER: 451 4.3.0 full), tried 2 times; next try ")
    assert found.next_try is not None
    assert found.next_try > datetime.now(UTC)
    event(relay, "deferred", 30, reason="TRY_LATER", reply="451", retry_in_seconds=1)
    assert "; due since " in told(relay).words
    row(relay, "other", status="deferred", fates=".", reason="TRY_LATER", reply="")
    assert "isn't in the log that was read" in told(relay, "other").words


def test_scheduled_mail_says_until_when_it_waits(relay: Operated) -> None:
    event(relay, "deferred", 60, reason="SCHEDULED", stage="parse", retry_in_seconds=86_400 * 3)
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.SCHEDULED, [])
    due = found.next_try
    assert due is not None
    assert found.words == f"Scheduled: it isn't sent before {due:%Y-%m-%d %H:%M} UTC."


def test_an_email_under_way_and_one_whose_run_has_died_differ(relay: Operated) -> None:
    row(relay, status="sending", fates=">", lease_until=int(time.time()) + 600)
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.SENDING, ["sending"])
    assert found.words.startswith("A run is at work on it, until ")
    row(relay, status="sending", fates=">", lease_until=1)
    assert told(relay).words.startswith("A run died while it had it")


def test_a_dead_letter_is_told_with_its_way_on(relay: Operated) -> None:
    row(relay, status="bounced", fates="sd", reason="RCPT_REJECTED", reply="550")
    body = json.dumps(
        {"action": "send", "recipient": ["a@b.example", "c@d.example"], "body_text": "x"}
    )
    message_id = letter(relay, body, left=[1])
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.DEAD_LETTERED, ["sent", "dead_lettered"])
    assert found.words.startswith("Dead-lettered for 1 of its recipients at ")
    assert "RCPT_REJECTED: 550 5.1.1 no such user." in found.words
    assert f"ionctl dead show {message_id}" in found.words
    (one,) = found.letters
    assert (one.message_id, one.recipients) == (message_id, ["a@b.example", "c@d.example"])
    assert told(relay, message_id).letters == [one]
    assert len(told(relay).letters) == 1, "a look hides none"


def test_bad_input_is_found_by_the_key_in_its_text(relay: Operated) -> None:
    """Its schema is wrong, so the relay has taken SQS's id for its key."""
    body = '{"action": "send", "recipeint": "a@b", "email_id":"order-17"}'
    letter(relay, body, "INVALID_SCHEMA", email_id="m-1", path="$.recipeint", did_you_mean="x")
    event(relay, "dead_lettered", 300, email_id="m-1", reason="INVALID_SCHEMA", path="$.recipeint")
    found = told(relay)
    assert (found.state, found.email_id) == (LifeState.DEAD_LETTERED, "m-1")
    assert [one.what for one in found.events] == ["dead_lettered"]


def test_a_letter_that_is_gone_is_told_as_gone(relay: Operated) -> None:
    row(relay, status="expired", fates="d", reason="EXPIRED", reply="451 4.3.0 full")
    found = told(relay)
    assert found.words.startswith("Dead-lettered (EXPIRED: 451 4.3.0 full), and its letter isn't")
    relay.queued('{"action": "send", "email_id": "order-17"}')
    assert "and back in the input queue" in told(relay).words


def test_an_email_in_doubt_asks_for_a_person(relay: Operated) -> None:
    row(relay, status="in_doubt", fates="?", reason="IN_DOUBT", reply="connection lost")
    letter(relay, reason="IN_DOUBT")
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.IN_DOUBT, ["in_doubt"])
    assert "ionctl dead redrive sends it once more" in found.words


def test_a_cancelled_email_is_told_as_such(relay: Operated) -> None:
    row(relay, status="cancelled", fates="", reason="CANCELLED")
    assert told(relay).state is LifeState.CANCELLED
    event(relay, "done", 30, email_id="other", reason="CANCELLED")
    assert told(relay, "other").state is LifeState.CANCELLED


def test_what_no_run_has_looked_at_yet_is_queued(relay: Operated) -> None:
    for number in range(25):
        relay.queued(json.dumps({"action": "send", "email_id": f"k{number}"}))
    key = "order-17"
    message_id = relay.queued(json.dumps({"email_id": key}), relay.names.bulk_queue_url)
    for asked in (key, message_id):
        found = told(relay, asked)
        assert found.state is LifeState.QUEUED
        assert found.words.startswith("It is in the bulk queue since ")
    counts = relay.clients.sqs.get_queue_attributes(
        QueueUrl=relay.names.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert counts["Attributes"]["ApproximateNumberOfMessages"] == "25", "a look hides none"


def test_what_is_not_there_was_never_seen_as_far_as_was_looked(relay: Operated) -> None:
    found = told(relay)
    assert found.state is LifeState.NEVER_SEEN
    assert "and no queue has it" in found.words
    relay.queued('{"action": "send", "email_id": "other"}', relay.names.later_queue_url, delay=900)
    words = told(relay).words
    assert words.startswith("Not found: 1 of 1 queued messages can't be looked at")
    assert "what SNS returned" not in words


def test_an_sqs_id_leads_to_the_key(relay: Operated) -> None:
    row(relay)
    event(relay, "sent", reply=TAKEN)
    found = told(relay, "m-1")
    assert (found.email_id, found.state) == ("order-17", LifeState.SENT)


@pytest.mark.parametrize("form", ["<{}@example.org>", "{}@example.org", " <{}@example.org> "])
def test_a_message_id_leads_to_a_key_of_the_log(relay: Operated, form: str) -> None:
    row(relay)
    event(relay, "sent", reply=TAKEN, email_id="other")
    event(relay, "sent", reply=TAKEN)
    found = told(relay, form.format(message_id_left("order-17")))
    assert (found.email_id, found.state) == ("order-17", LifeState.SENT)


def test_a_message_id_is_made_of_the_key() -> None:
    send = Send(recipient="a@b.example", body_text="x", sender="c@d.example")
    email = compose(send, key="order-17", queued_at=datetime.now(UTC), default_sender=None)
    assert f"Message-ID: <{message_id_left('order-17')}@d.example>".encode() in email.content


def test_a_message_id_that_the_log_does_not_have_says_how_to_go_on(relay: Operated) -> None:
    with pytest.raises(Problem, match=r"look further back with --since 7d, with --scan"):
        told(relay, f"<{message_id_left('order-17')}@example.org>")


@pytest.mark.parametrize("key", ["", " "])
def test_an_empty_id_is_no_emails(relay: Operated, key: str) -> None:
    row(relay)
    event(relay, "sent", reply=TAKEN)
    with pytest.raises(Problem, match="an id that is empty"):
        told(relay, key)


def test_an_address_may_be_a_key(relay: Operated) -> None:
    row(relay, "ann@example.org")
    assert told(relay, "ann@example.org").state is LifeState.SENT


def test_what_can_not_be_looked_at_is_told(relay: Operated) -> None:
    deployment = relay.deployment

    def deny(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "Operation")

    for client in (deployment.account.logs, deployment.account.sqs):
        client.meta.events.register("before-send.*", deny)
    found = life(deployment, "order-17")
    assert {one.partition(":")[0] for one in found.unknown} == {
        *("the log", "the dead letters", "the queues"),
    }
    assert found.words.startswith("Not found, as far as could be looked: the log: AccessDenied")


def test_a_letter_in_somebodys_hands_is_not_overlooked_in_silence(relay: Operated) -> None:
    letter(relay)
    relay.clients.sqs.receive_message(
        QueueUrl=relay.names.dead_letter_queue_url, VisibilityTimeout=300
    )
    (why,) = told(relay).unknown
    assert why.startswith("the dead letters: 1 are hidden")


def test_the_cancel_itself_is_an_event(relay: Operated) -> None:
    asyncio.run(relay.ledger.cancel("order-17", time.time()))
    event(relay, "cancelled", 10, tried=False)
    found = told(relay)
    assert found.state is LifeState.CANCELLED
    assert [one.words for one in found.events] == ["Cancelled; nothing of it had been tried"]


def test_an_email_that_waits_untried_is_told_from_one_that_was_never_seen(relay: Operated) -> None:
    row(relay, status="queued", fates=".", attempts=0, reason="", reply="", server="")
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.QUEUED, ["waiting"])
    assert found.words.startswith("Received, and waits since ")
    assert "it hasn't been tried yet" in found.words


def test_a_recipient_who_is_not_written_to_is_told_in_words(relay: Operated) -> None:
    row(relay, status="suppressed", fates="x", reason="SUPPRESSED", reply="", server="")
    found = told(relay)
    assert (found.state, found.fates) == (LifeState.SUPPRESSED, ["suppressed"])
    assert "on the suppression list" in found.words
    assert "ionctl suppress check ADDRESS says" in found.words
    assert "ionctl suppress remove ADDRESS takes one off; put in the recipient's" in found.words
    row(relay, status="suppressed", fates="x", reason="ERASED", reply="", server="")
    assert "was erased (ionctl erase) after it was published" in told(relay).words


def test_an_email_that_some_got_and_others_did_not_says_so_first(relay: Operated) -> None:
    row(relay, fates="sx")
    assert told(relay).words.startswith("Sent to 1 of 2; 1 suppressed: ")
    bounced = json.dumps({"0": {"type": "bounced", "at": ago(30).isoformat()}})
    row(relay, fates="sxs", feedback=bounced)
    assert told(relay).words.startswith("Sent to 1 of 3; 1 bounced, 1 suppressed: ")
    row(relay, fates="ss")
    assert told(relay).words.startswith("Sent: ")
    row(relay, fates="sx", feedback=bounced)
    assert told(relay).words.startswith("Bounced after ")


def test_what_the_provider_said_afterwards_is_told(relay: Operated) -> None:
    at = ago(30).isoformat()
    delivered = {"*": {"type": "delivered", "at": at, "detail": "250 ok"}}
    row(relay, feedback=json.dumps(delivered))
    found = told(relay)
    assert found.state is LifeState.SENT
    assert "The provider says: delivered at " in found.words
    assert [(one.recipient, one.what) for one in found.notices] == [(None, "delivered")]
    bounced = {"1": {"type": "bounced", "at": at, "detail": "550 5.1.1 gone"}, **delivered}
    row(relay, fates="ss", feedback=json.dumps(bounced))
    found = told(relay)
    assert found.state is LifeState.BOUNCED
    assert found.words.startswith("Sent to 1 of 2; 1 bounced: ")
    assert "bounced for recipient 2 at " in found.words
    assert "(550 5.1.1 gone)" in found.words
    row(relay, feedback="no JSON")
    assert told(relay).notices == []


def test_the_rows_own_names_of_an_email_go_before_those_in_the_log(relay: Operated) -> None:
    row(relay, header_message_id="<a@example.org>", queue_id="4ZABC0123", reply="250 ok")
    event(relay, "sent", reply=TAKEN, header_message_id="<b@example.org>")
    found = told(relay)
    assert (found.header_message_id, found.provider_id) == ("<a@example.org>", "4ZABC0123")
    event(relay, "sent", reply="250", header_message_id="<b@example.org>", email_id="gone")
    assert told(relay, "gone").header_message_id == "<b@example.org>"


def test_the_timeline_of_the_row_outlives_the_log(relay: Operated) -> None:
    entries = (
        Entry(
            1, ago(600), "deferred", "connect", "CONNECT", server="smtp", times=144, last=ago(60)
        ),
        Entry(2, ago(30), "sent", "dot", "ACCEPTED", 250, TAKEN, "smtp", 120),
    )
    row(relay, timeline=written(entries))
    event(relay, "moved_to_bulk", 700)
    event(relay, "deferred", 600, reason="CONNECT")
    event(relay, "deferred", 300, reason="CONNECT")
    event(relay, "sent", 30, reason="ACCEPTED", reply=TAKEN)
    found = told(relay)
    assert [one.what for one in found.events] == ["moved_to_bulk", "deferred", "sent"]
    _, deferred, sent = found.events
    assert deferred.words.startswith("Deferred (CONNECT), \N{MULTIPLICATION SIGN}144 until ")
    assert (deferred.times, deferred.until) == (144, entries[0].last)
    assert (sent.words, sent.ms, sent.code, sent.reply) == ("Taken by smtp", 120, 250, TAKEN)


def test_an_email_that_is_held_says_why_it_waits(relay: Operated) -> None:
    about = {"server": "smtp", "reason": "AUTH", "reply": "535 5.7.8 no", "stage": "auth"}
    relay.logged("delivery suspended", ago(61), **about)
    relay.ran(ago(60), stopped="auth", held="auth", held_by="smtp", received=1)
    until = int(time.time()) + 300
    asyncio.run(relay.server_states.write("smtp", Backoff("auth", "535 no", 1, until, "00")))
    relay.queued('{"action": "send", "email_id": "order-17"}')
    found = life(relay.deployment, "order-17", with_cause=True)
    assert found.state is LifeState.QUEUED
    said = found.words.replace("\n", " ")
    assert "no run has looked at it yet. 1 email waits: the mail server smtp refuses the" in said
    assert "the login: 535 5.7.8 no" in said
    assert f"next try {datetime.fromtimestamp(until, UTC):%H:%M} UTC." in said
    event(relay, "released", reason="AUTH")
    found = life(relay.deployment, "order-17", with_cause=True)
    assert found.state is LifeState.DEFERRED
    assert "the mail server smtp refuses the login: 535 5.7.8 no" in found.words


def test_an_email_that_has_its_time_to_wait_for_does_not_ask_the_relay(relay: Operated) -> None:
    relay.ran(ago(60), stopped="auth", held="auth", held_by="smtp", received=1)
    row(relay, status="deferred", fates=".", reason="GREYLISTED", reply="450 later")
    event(relay, "deferred", reason="GREYLISTED", reply="450 later", retry_in_seconds=3600)
    found = life(relay.deployment, "order-17", with_cause=True)
    assert "keeps mail" not in found.words
    assert found.words.startswith("Deferred (GREYLISTED: 450 later)")


def test_an_edit_is_told_with_who_did_it_and_when(relay: Operated) -> None:
    row(relay, edited_by="ann", edited_at=ago(120).isoformat(), edits=1)
    event(relay, "dead_lettered", 300, reason="INVALID_ADDRESS", stage="parse")
    event(relay, "sent", 60, reply=TAKEN)
    found = told(relay)
    assert [one.what for one in found.events] == ["dead_lettered", "edited", "sent"]
    assert found.events[1].words == "Edited by ann, under the same id"
    row(relay, edited_by="ann", edited_at=ago(30).isoformat(), edits=2)
    assert told(relay).events[-1].words == "Edited by ann (edit number 2), under the same id"


def test_what_the_ledger_knows_is_told_though_the_log_has_nothing(relay: Operated) -> None:
    row(relay, first_queued_at="2027-01-15T08:00:00+00:00", updated_at="2027-01-15T08:00:02+00:00")
    found = told(relay)
    assert found.queued_at == datetime(2027, 1, 15, 8, 0, 0, tzinfo=UTC)
    assert found.changed_at == datetime(2027, 1, 15, 8, 0, 2, tzinfo=UTC)
    assert (found.server, found.reply) == ("smtp", TAKEN)
