"""The emails to an address."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ion.address_hash import address_hash
from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.mail import message_id_left
from ion.policy.suppression import ALL, AddressState, Suppression, Why
from ionctl.ops.by_address import are_meant, emails_to, is_one
from ionctl.ops.result import Emails, LifeState
from ionctl.problem import Problem
from relays import Operated

ANN = "ann@example.org"


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.fixture
def hashed(relay: Operated) -> str:
    """Ann's; a run has made the key."""
    return hash_of(relay, ANN)


def hash_of(relay: Operated, address: str) -> str:
    key = asyncio.run(AddressKey(relay.clients.dynamodb, relay.names.table).get())
    return address_hash(key, address)


def row(relay: Operated, email_id: str, hashes: str, **values: Any) -> None:  # noqa: ANN401
    usual = {"status": "sent", "fates": "s", "reason": "ACCEPTED", "reply": "250 ok"}
    at = {"first_queued_at": ago(3600).isoformat()}
    relay.row(email_id, recipients=hashes, **(usual | at | values))


def letter(relay: Operated, email_id: str, body: str, reason: str = "RCPT_REJECTED") -> str:
    ion = {
        "email_id": email_id,
        "original_message_id": "m-1",
        "first_queued_at": ago(600).isoformat(),
        "failed_at": ago(300).isoformat(),
    }
    attributes = {"reason": reason, "reply": "550 no", "ion": json.dumps(ion)}
    return relay.queued(body, relay.names.dead_letter_queue_url, attributes=attributes)


def message(email_id: str, *recipients: str, **fields: object) -> str:
    send = {"action": "send", "email_id": email_id, "recipient": list(recipients)}
    return json.dumps({**send, "subject": "s", "body_text": "x", **fields})


def found(relay: Operated, address: str = ANN, **options: Any) -> Emails:  # noqa: ANN401
    return emails_to(relay.deployment, address, **options)


@pytest.mark.parametrize(
    ("text", "is_address"),
    [
        ("ann@example.org", True),
        ("Ann@EXAMPLE.org", True),
        ("ann@bücher.example", True),
        ("<ann@example.org>", False),
        ("order-17", False),
        ("a@b@", False),
    ],
)
def test_an_address_is_told_by_its_form(text: str, is_address: bool) -> None:
    assert is_one(text) is is_address


def test_a_message_id_without_its_brackets_is_that_email_and_else_an_address(
    relay: Operated,
) -> None:
    left = message_id_left("order-17")
    message_id = f"{left}@example.org"
    assert are_meant(relay.deployment, ANN)
    assert are_meant(relay.deployment, message_id)
    relay.logged("sent", ago(30), email_id="order-17", recipients=1)
    assert not are_meant(relay.deployment, message_id)
    row(relay, ANN, "0123456789abcdef")
    assert not are_meant(relay.deployment, ANN)


def test_an_email_is_found_in_the_log_by_the_hash(relay: Operated, hashed: str) -> None:
    bob = hash_of(relay, "bob@example.org")
    for key, hashes, seconds in (("o-1", [bob, hashed], 600), ("o-2", [hashed], 60)):
        row(
            relay,
            key,
            " ".join(hashes),
            first_queued_at=ago(seconds).isoformat(),
            fates="ds"[-len(hashes) :],
        )
        relay.logged("sent", ago(30), email_id=key, recipients=1, addresses=hashes)
    relay.logged("sent", ago(30), email_id="o-3", recipients=1, addresses=[bob])
    emails = found(relay, "Ann@Example.ORG")
    assert [one.email_id for one in emails.emails] == ["o-2", "o-1"], "the newest first"
    assert [one.fate for one in emails.emails] == ["sent", "sent"], (
        "of two recipients the right one"
    )
    assert (emails.scanned, emails.unknown) == (None, [])


def test_the_state_is_the_recipients_own_and_the_emails_stands_beside_it(
    relay: Operated, hashed: str
) -> None:
    bob = hash_of(relay, "bob@example.org")
    bounced = json.dumps({"0": {"type": "bounced", "at": ago(60).isoformat()}})
    both = f"{bob} {hashed}"
    row(relay, "o-1", both, fates="ss", feedback=bounced)
    row(relay, "o-2", both, fates="xs")
    row(relay, "o-3", both, fates="sd", status="bounced")
    row(relay, "o-4", both, fates="ds", status="bounced")
    row(relay, "o-5", both, fates="s.", status="deferred")
    row(relay, "o-6", both, fates="ss", feedback=bounced.replace('"0"', '"*"'))

    def states(address: str) -> dict[str, tuple[LifeState, LifeState]]:
        emails = found(relay, address, scan=True).emails
        return {one.email_id: (one.state, one.email_state) for one in emails}

    assert states(ANN) == {
        "o-1": (LifeState.SENT, LifeState.BOUNCED),
        "o-2": (LifeState.SENT, LifeState.SENT),
        "o-3": (LifeState.DEAD_LETTERED, LifeState.DEAD_LETTERED),
        "o-4": (LifeState.SENT, LifeState.DEAD_LETTERED),
        "o-5": (LifeState.DEFERRED, LifeState.DEFERRED),
        "o-6": (LifeState.BOUNCED, LifeState.BOUNCED),
    }
    assert states("bob@example.org") == {
        "o-1": (LifeState.BOUNCED, LifeState.BOUNCED),
        "o-2": (LifeState.SUPPRESSED, LifeState.SENT),
        "o-3": (LifeState.SENT, LifeState.DEAD_LETTERED),
        "o-4": (LifeState.DEAD_LETTERED, LifeState.DEAD_LETTERED),
        "o-5": (LifeState.SENT, LifeState.DEFERRED),
        "o-6": (LifeState.BOUNCED, LifeState.BOUNCED),
    }


def test_the_rows_state_goes_before_the_logs(relay: Operated, hashed: str) -> None:
    relay.logged("deferred", ago(60), email_id="gone", addresses=[hashed], reason="TRY_LATER")
    relay.logged("deferred", ago(60), email_id="sent", addresses=[hashed], reason="TRY_LATER")
    row(relay, "sent", hashed)
    states = {one.email_id: (one.state, one.reason) for one in found(relay).emails}
    assert states == {
        "gone": (LifeState.DEFERRED, "TRY_LATER"),
        "sent": (LifeState.SENT, "ACCEPTED"),
    }


def test_a_scan_finds_what_the_log_has_forgotten(relay: Operated, hashed: str) -> None:
    bob = hash_of(relay, "bob@example.org")
    for number in range(30):
        row(relay, f"o-{number}", bob)
    row(relay, "old", f"{bob} {hashed}", fates="sd", status="bounced")
    assert found(relay).emails == []
    told: list[int] = []
    emails = found(relay, scan=True, progress=lambda done, _: told.append(done))
    (one,) = emails.emails
    assert (one.email_id, one.fate) == ("old", "dead_lettered")
    assert emails.scanned == 32, "the key's row included"
    assert max(told) == 32


def test_dead_letters_and_queued_messages_are_looked_at_themselves(relay: Operated) -> None:
    """Neither takes a hash."""
    one = letter(relay, "dead", message("dead", "bob@example.org", ANN))
    bad = letter(relay, "bad", f'{{"recipeint": "{ANN}", "email_id": "bad"}}', "INVALID_SCHEMA")
    letter(relay, "other", message("other", "bob@example.org", body_text=ANN))
    relay.queued(message("waits", "Ann <ANN@example.org>"), relay.names.bulk_queue_url)
    relay.queued(message("not", "bob@example.org"))
    emails = found(relay)
    by_key = {one.email_id: one for one in emails.emails}
    assert by_key.keys() == {"dead", "bad", "waits"}
    assert (by_key["dead"].state, by_key["dead"].letters) == (LifeState.DEAD_LETTERED, [one])
    assert (by_key["bad"].reason, by_key["bad"].letters) == ("INVALID_SCHEMA", [bad])
    assert (by_key["waits"].state, by_key["waits"].queue) == (LifeState.QUEUED, "bulk")
    assert [why.partition(":")[0] for why in emails.unknown] == ["the log and the ledger"]
    assert len(found(relay).emails) == 3, "a look hides none"


def test_an_email_that_died_under_the_id_of_anothers_is_not_told_as_sent(relay: Operated) -> None:
    """Bob's publish bore the email_id of the email that Ann has."""
    row(relay, "order-17", hash_of(relay, ANN))
    died = letter(relay, "order-17", message("order-17", "bob@example.org"), "ID_REUSED")
    (bobs,) = found(relay, "bob@example.org").emails
    assert (bobs.state, bobs.email_state) == (LifeState.DEAD_LETTERED, LifeState.DEAD_LETTERED)
    assert (bobs.reason, bobs.letters) == ("ID_REUSED", [died])


def test_why_an_address_is_not_written_to_is_told(relay: Operated, hashed: str) -> None:
    since = datetime.now(UTC)
    ended = Suppression("domain:e.org", Why.MANUAL, since, until=ago(60))
    state = AddressState().suppressed(Suppression(ALL, Why.COMPLAINT, since)).suppressed(ended)
    rows = Addresses(relay.clients.dynamodb, relay.names.table)
    asyncio.run(rows.change(hashed, lambda _: state))
    assert [(one.scope, one.why) for one in found(relay).suppressions] == [("all", "complaint")]
    asyncio.run(rows.change(hashed, lambda was: was.erased(since)))
    assert [one.scope for one in found(relay).suppressions] == ["all", "erased"]


def test_what_can_not_be_looked_at_is_told(relay: Operated, hashed: str) -> None:
    deployment = relay.deployment

    def deny(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "Operation")

    for client in (deployment.account.logs, deployment.account.sqs):
        client.meta.events.register("before-send.*", deny)
    row(relay, "o-1", hashed)
    emails = emails_to(deployment, ANN, scan=True)
    assert [one.email_id for one in emails.emails] == ["o-1"]
    assert {one.partition(":")[0] for one in emails.unknown} == {
        *("the log", "the dead letters", "the queues"),
    }


def test_what_is_hidden_just_now_is_told(relay: Operated, hashed: str) -> None:
    assert hashed
    letter(relay, "dead", message("dead", ANN))
    relay.clients.sqs.receive_message(
        QueueUrl=relay.names.dead_letter_queue_url, VisibilityTimeout=600
    )
    relay.queued(message("waits", ANN), delay=900)
    emails = found(relay)
    assert emails.emails == []
    assert emails.unknown[0].startswith("the dead letters: 1 are hidden")
    assert emails.unknown[1].startswith("the queues: 0 of 1 messages could be looked at")


def test_of_more_than_a_hundred_emails_each_has_its_rows_state(
    relay: Operated, hashed: str
) -> None:
    for number in range(101):
        row(relay, f"o-{number}", hashed)
    states = [one.state for one in found(relay, scan=True).emails]
    assert states == [LifeState.SENT] * 101


def test_what_is_no_address_is_a_problem(relay: Operated) -> None:
    with pytest.raises(Problem, match="is no email address"):
        found(relay, "order-17")
