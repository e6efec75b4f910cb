"""The relay over HTTP: what is told of it, and what is done to it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from consoles import Opened, email, unreachable_deployment
from function import email as message
from ion.aws.address_key import AddressKey
from ion.mail import message_id_left
from ionctl.console.keys import Keys
from ionctl.console.switches import MODES
from ionctl.local.mode import Mode
from ionctl.ops import rows
from letters import written
from relays import Operated

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def opened(relay: Operated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opened]:
    """The relay's console; what it writes lies in a folder of the test's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Opened(relay.deployment) as opened:
        yield opened


@pytest.fixture
def unreached() -> Iterator[Opened]:
    """A console whose AWS isn't reached: what is refused is refused before it is asked."""
    with Opened() as opened:
        yield opened


def buried(relay: Operated, body: str, reason: str = "RCPT_REJECTED", **ion: object) -> str:
    """A dead letter; gives its id."""
    attributes = {"reason": reason, "reply": "550 no", "ion": written(**ion)}
    return relay.queued(body, relay.names.dead_letter_queue_url, attributes=attributes)


def visible(relay: Operated, url: str) -> int:
    counts = relay.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return int(counts["Attributes"]["ApproximateNumberOfMessages"])


def get(opened: Opened, url: str, **parameters: str) -> Any:  # noqa: ANN401 - JSON
    answer = opened.client.get(url, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(opened: Opened, url: str, asked: object, status: int = 200) -> Any:  # noqa: ANN401
    answer = opened.client.post(url, json=asked)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_what_the_relay_is(opened: Opened, relay: Operated) -> None:
    about = get(opened, "/api/about")
    known = {
        "name": "ion",
        "region": "us-east-1",
        "local": True,
        "write": True,
        "inbox": True,
        "version": "0.1.0",
        "topic_arn": relay.names.topic_arn,
        "bulk_topic_arn": relay.names.bulk_topic_arn,
        "commands": {"ionctl": "./ionctl --local"},
    }
    assert about | known == about


def test_how_it_is_with_the_reasons_of_dead_letters(opened: Opened, relay: Operated) -> None:
    buried(relay, message())
    status = get(opened, "/api/status")
    assert status["dead_letters"] == [{"reason": "RCPT_REJECTED", "count": 1}]
    assert visible(relay, relay.names.dead_letter_queue_url) == 1


def test_the_life_of_an_email_by_its_key_and_by_its_message_id(
    opened: Opened, relay: Operated
) -> None:
    relay.logged("sent", email_id="order-18", reply="250 Ok")
    message_id = quote(f"<{message_id_left('order-18')}@example.org>")
    for asked in ("order-18", message_id):
        life = get(opened, f"/api/emails/{asked}")
        assert (life["email_id"], life["state"]) == ("order-18", "sent")
    odd = get(opened, f"/api/emails/{quote('a/b?c=d%', safe='')}")
    assert (odd["email_id"], odd["state"]) == ("a/b?c=d%", "never_seen")


def test_an_address_has_a_list_of_emails(
    opened: Opened, relay: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(AddressKey(relay.clients.dynamodb, relay.names.table).get())
    relay.queued(message(email_id="o-1", recipient="ann@e.org"))
    found = get(opened, "/api/emails/Ann@e.org")
    assert [one["email_id"] for one in found["emails"]] == ["o-1"]
    assert found["scanned"] is None
    assert get(opened, "/api/emails/Ann@e.org", scan="1")["scanned"] == 1
    monkeypatch.setattr(rows, "size", lambda _: rows.Size(10**8, 4 * 10**10))
    answer = opened.client.get("/api/emails/ann@e.org", params={"scan": "1"})
    assert answer.status_code == 409
    assert "ionctl show ann@e.org --scan does it" in answer.json()["error"]


def test_an_address_is_suppressed_and_written_to_again(opened: Opened, relay: Operated) -> None:
    asyncio.run(AddressKey(relay.clients.dynamodb, relay.names.table).get())
    done = post(opened, "/api/suppress", {"address": "ann@e.org", "scope": "tag:list=news"})
    assert [one["scope"] for one in done["entries"]] == ["tag:list=news"]
    (one,) = get(opened, "/api/emails/ann@e.org")["suppressions"]
    assert (one["scope"], one["why"]) == ("tag:list=news", "manual")
    refused = post(opened, "/api/suppress", {"address": "ann@e.org", "scope": "x"}, 409)
    assert "--scope x: must be all" in refused["error"]
    assert post(opened, "/api/unsuppress", {"address": "ann@e.org"})["entries"] == []
    assert get(opened, "/api/emails/ann@e.org")["suppressions"] == []


# -- dead letters ------------------------------------------------------------------------


def test_dead_letters_are_listed_by_reason_and_path(opened: Opened, relay: Operated) -> None:
    buried(relay, message())
    buried(relay, "{}", "INVALID_SCHEMA", path="$.lane", problem="value")
    buried(relay, "{}", "INVALID_SCHEMA", path="$.cc", problem="type")
    assert get(opened, "/api/dead")["chosen"] == 3
    assert get(opened, "/api/dead", reason="INVALID_SCHEMA")["chosen"] == 2
    found = get(opened, "/api/dead", reason="INVALID_SCHEMA", path="$.lane")
    assert [(group["path"], group["count"]) for group in found["groups"]] == [("$.lane", 1)]
    assert visible(relay, relay.names.dead_letter_queue_url) == 3
    assert opened.client.get("/api/dead?reason=NO_SUCH").status_code == 400


def test_a_list_is_cut_and_its_groups_count_all(
    opened: Opened, relay: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ionctl.console.operations._MOST_LETTERS", 2)
    for _ in range(3):
        buried(relay, message())
    found = get(opened, "/api/dead")
    assert (len(found["letters"]), found["groups"][0]["count"], found["chosen"]) == (2, 3, 3)


def test_one_dead_letter_has_its_body(opened: Opened, relay: Operated) -> None:
    named = buried(relay, message())
    assert get(opened, f"/api/dead/{named}")["body"] == message()
    missing = opened.client.get("/api/dead/no-such")
    assert missing.status_code == 409
    assert "there is no letter no-such" in missing.json()["error"]


def test_chosen_letters_are_sent_again(opened: Opened, relay: Operated) -> None:
    one, _ = buried(relay, message()), buried(relay, message(), "EXPIRED")
    moved = post(opened, "/api/dead/redrive", {"ids": [one]})
    assert (moved["done"], moved["words"].split(";")[0].rstrip(".")) == (
        *(1, "1 of 1 dead letter moved back to the input queue"),
    )
    none = post(opened, "/api/dead/redrive", {"ids": [one]})["words"]
    assert none == "Nothing is moved: no such letter is in the dead-letter queue any more."
    assert post(opened, "/api/dead/redrive", {"where": {"reason": "EXPIRED"}})["done"] == 1
    assert visible(relay, relay.names.dead_letter_queue_url) == 0


@pytest.mark.parametrize("asked", [{}, {"ids": []}, {"where": {"reson": "EXPIRED"}}, {"id": "1"}])
def test_a_redrive_of_nothing_in_particular_asks_aws_for_nothing(
    unreached: Opened, asked: object
) -> None:
    assert post(unreached, "/api/dead/redrive", asked, 400)["error"]


def test_what_is_discarded_is_given_back_and_stays_in_a_file(
    opened: Opened, relay: Operated
) -> None:
    one, _ = buried(relay, message()), buried(relay, message())
    moved = post(opened, "/api/dead/discard", {"ids": [one]})
    assert moved["done"] == 1
    (line,) = moved["jsonl"].splitlines()
    assert one in line
    file = Path(moved["file"])
    assert file.read_text(encoding="utf-8") == moved["jsonl"]
    assert file.stat().st_mode & 0o077 == 0, "it holds emails"
    assert visible(relay, relay.names.dead_letter_queue_url) == 1
    post(opened, "/api/dead/discard", {"ids": []}, 400)
    post(opened, "/api/dead/discard", {"where": {}}, 400)
    assert visible(relay, relay.names.dead_letter_queue_url) == 1


def test_a_letter_is_edited_and_goes_under_its_own_key(opened: Opened, relay: Operated) -> None:
    body = message(recipient="ann@", email_id="order-17")
    named = buried(relay, body, "INVALID_ADDRESS", path="$.recipient", email_id="order-17")
    refused = post(opened, f"/api/dead/{named}/edit", {"body": body}, 409)
    assert "recipient" in refused["error"]
    right = body.replace('"ann@"', '"ann@example.org"')
    edited = post(opened, f"/api/dead/{named}/edit", {"body": right})
    assert edited["email_id"] == "order-17"
    assert visible(relay, relay.names.dead_letter_queue_url) == 0


# -- publishing --------------------------------------------------------------------------


def test_a_message_is_checked(unreached: Opened) -> None:
    checked = post(unreached, "/api/check", {"body": '{"action": "send", "recipeint": "a@b.c"}'})
    assert (checked["ok"], checked["faults"][0]["did_you_mean"]) == (False, "recipient")
    assert post(unreached, "/api/check", {"body": message()})["ok"]


def test_a_message_is_published_and_known_by_its_key(opened: Opened, relay: Operated) -> None:
    body = message(email_id=None)
    published = post(opened, "/api/publish", {"body": body})
    assert published["topic_arn"] == relay.names.topic_arn
    bulk = post(opened, "/api/publish", {"body": body, "bulk": True})
    assert bulk["topic_arn"] == relay.names.bulk_topic_arn
    key = published["email_id"]
    opened.arrives(email(Message_ID=f"<{message_id_left(key)}@example.org>").as_bytes())
    assert get(opened, "/api/inbox")["emails"][0]["email_id"] == key


def test_what_the_relay_would_not_take_is_published_on_demand_alone(
    opened: Opened, relay: Operated
) -> None:
    wrong = '{"action":"send"}'
    assert "recipient" in post(opened, "/api/publish", {"body": wrong}, 409)["error"]
    assert visible(relay, relay.names.queue_url) == 0
    post(opened, "/api/publish", {"body": wrong, "as_it_is": True})
    assert visible(relay, relay.names.queue_url) == 1


def test_the_contract_has_schema_hints_and_examples_that_are_right(unreached: Opened) -> None:
    contract = get(unreached, "/api/contract")
    schema = (ROOT / "docs" / "schema" / "message.schema.json").read_text(encoding="utf-8")
    assert contract["schema"] == json.loads(schema)
    assert contract["hints"]["$.lane"] == "normal or bulk"
    assert len(contract["examples"]) > 20
    first = contract["examples"][0]
    assert (first["name"], first["title"]) == ("cancel-email_id", "cancel: email_id")
    assert all(json.loads(one["body"])["action"] in one["name"] for one in contract["examples"])


# -- steering ----------------------------------------------------------------------------


def test_orders_are_given_and_ended(opened: Opened) -> None:
    paused = post(opened, "/api/pause", {"lane": "bulk", "why": "a typo"})
    assert [(one["lane"], one["why"]) for one in paused["pauses"]] == [("bulk", "a typo")]
    assert paused["pauses"][0]["by"]
    where = {"tag": {"campaign": "spring"}}
    stopped = post(opened, "/api/stop", {"where": where, "why": "wrong link"})
    assert [one["where"] for one in stopped["stops"]] == [where]
    named = stopped["stops"][0]["id"]
    ended = post(opened, "/api/resume", {"stop_id": named})
    assert (len(ended["pauses"]), ended["stops"]) == (1, [])
    post(opened, "/api/resume", {"stop_id": named}, 409)
    resumed = post(opened, "/api/resume", {})
    assert (resumed["pauses"], resumed["stops"]) == ([], [])


@pytest.mark.parametrize(("verb", "orders"), [("pause", "pauses"), ("stop", "stops")])
def test_an_order_ends_when_it_was_asked_to(opened: Opened, verb: str, orders: str) -> None:
    until = (datetime.now(UTC) + timedelta(hours=5)).replace(microsecond=0)
    (order,) = post(opened, f"/api/{verb}", {"until": until.isoformat()})[orders]
    assert datetime.fromisoformat(order["until"]) == until


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("/api/pause", {"lane": "fast"}, "$.lane"),
        ("/api/pause", {"until": "tomorrow"}, "a time with a zone"),
        ("/api/pause", {"lanes": "bulk"}, "lanes"),
        ("/api/stop", {"where": {"reason": "X"}}, "$.where.reason"),
        ("/api/stop", {"where": {"sender": "nobody"}}, "$.where.sender"),
        ("/api/cancel", {"email_id": "a b"}, "$.email_id"),
        ("/api/cancel", {}, "email_id"),
    ],
)
def test_an_order_that_is_not_understood_changes_nothing(
    unreached: Opened, path: str, asked: object, said: str
) -> None:
    assert said in post(unreached, path, asked, 400)["error"]


def test_an_email_is_cancelled(opened: Opened) -> None:
    assert post(opened, "/api/cancel", {"email_id": "order-17"})["how"] == "untried"


def test_the_relay_is_woken(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr("ionctl.ops.steering.wake", lambda relay: woken.append(relay.name))
    assert "words" in post(opened, "/api/wake", {})
    assert woken == ["ion"]


# -- switches ----------------------------------------------------------------------------


def test_the_mail_server_is_switched(unreached: Opened) -> None:
    switches = get(unreached, "/api/switches")
    names = ["well", "wrong_login", "down", "slow", "full", "quota", "throttle"]
    assert (switches["mode"], [one["name"] for one in switches["modes"]]) == ("well", names)
    assert post(unreached, "/api/switches", {"mode": "full"})["mode"] == "full"
    assert unreached.switched.mode == "full"
    assert "there are well" in post(unreached, "/api/switches", {"mode": "odd"}, 400)["error"]
    assert unreached.switched.mode == "full"


def test_each_switch_is_one_that_the_mail_server_has() -> None:
    assert [one.name for one in MODES] == list(Mode)


# -- an email's key ----------------------------------------------------------------------


def test_the_key_of_an_email_is_learnt_of_from_the_log(relay: Operated) -> None:
    now = 0.0
    keys = Keys(relay.deployment, clock=lambda: now)
    message_id = f"<{message_id_left('order-17')}@example.org>"
    assert keys.of(message_id) == ""
    relay.logged("sent", email_id="order-17")
    assert keys.of(message_id) == "", "the log was looked at a moment ago"
    now = 3.0
    assert keys.of(message_id) == "order-17"


@pytest.mark.parametrize("message_id", ["", "<x@example.org>", "nonsense", "<" + "0" * 32 + "@x>"])
def test_other_messages_have_no_key(message_id: str) -> None:
    assert Keys(unreachable_deployment()).of(message_id) == ""


def test_a_log_that_can_not_be_read_costs_the_link_alone(unreached: Opened) -> None:
    unreached.arrives(email(Message_ID=f"<{message_id_left('x')}@example.org>").as_bytes())
    assert get(unreached, "/api/inbox")["emails"][0]["email_id"] == ""
