"""A person's data is erased, on the whole local stack: nothing is left of the address but its hash.

The address has been sent to, has bounced, lies in the dead-letter queue twice, and waits. The list
isn't on, or it would be that which lets nothing out.
"""

import json
from collections.abc import Iterator

import msgspec
import pytest

from ionctl.local.announcement import announced
from ionctl.local.mailbox_simulator import BOUNCE_LATER as CANARY
from ionctl.local.outcomes import Outcomes
from ionctl.local.peek import peek
from ionctl.local.stack import Stack
from ionctl.ops import local_stack
from ionctl.ops.result import Erased
from system.test_flow import eventually
from terminal import Ionctl

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        pytest.MonkeyPatch.context() as patch,
        Stack(events=True, feedback=True) as running,
    ):
        file = tmp_path_factory.mktemp("local") / "stack.json"
        patch.setenv(local_stack.FILE_VARIABLE, str(file))
        with announced(running):
            yield running


def published(stack: Stack, email_id: str, **fields: object) -> None:
    stack.publish(
        {"email_id": email_id, "recipient": CANARY, "subject": CANARY, "body_text": CANARY}
        | {"action": "send", **fields}
    )


def held(stack: Stack) -> dict[str, str]:
    """Each row, message and log line of the account, by where it is."""
    aws, endpoint = stack.aws, stack.ministack.endpoint
    found = {"rows": json.dumps(aws.dynamodb.scan(TableName=stack.names.table)["Items"])}
    for url in aws.sqs.list_queues()["QueueUrls"]:
        found[url] = "\n".join(f"{one.body}{one.attributes}" for one in peek(endpoint, url))
    for group in aws.logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        events = aws.logs.filter_log_events(logGroupName=name)["events"]
        found[name] = "\n".join(one["message"] for one in events)
    return found


def where_it_is(stack: Stack) -> set[str]:
    return {where for where, what in held(stack).items() if CANARY in what.lower()}


def test_nothing_is_left_of_an_erased_address_but_its_hash(stack: Stack, ionctl: Ionctl) -> None:
    names = stack.names
    told = Outcomes(stack.aws, names)
    published(stack, "late", expires_at="2026-01-01T00:00:00Z")
    published(stack, "broken", subjct="Hi")
    published(stack, "sent")
    assert stack.wait_until_settled()
    assert eventually(lambda: "bounced" in held(stack)["rows"])
    assert ionctl("--local", "pause").status == 0
    stack.invoke()  # a run that is under way obeys within ten seconds
    published(stack, "waiting")
    assert stack.queued()
    assert where_it_is(stack) == {names.dead_letter_queue_url, names.queue_url}
    assert len(stack.dead_letters()) == 2

    ran = ionctl("--local", "--json", "erase", CANARY, "--yes")
    assert ran.status == 0, ran.err
    done = msgspec.json.decode(ran.out, type=Erased)
    assert (len(done.deleted), done.waiting) == (2, 1)
    assert [(one.scope, one.why) for one in done.kept] == [("all", "bounce")]

    assert ionctl("--local", "resume").status == 0
    stack.wake()
    assert stack.wait_until_settled()
    assert stack.ledger_stream.catch_up(60)
    assert where_it_is(stack) == set()
    assert stack.dead_letters() == ()
    assert f" address {done.hash}" in held(stack)["rows"]
    (waited,) = [one["data"] for one in told.heard() if one["subject"] == "waiting"]
    assert (waited["fates"], waited["reason"]) == (["suppressed"], "ERASED")
    assert len(stack.mailbag.emails) == 1
    assert CANARY not in json.dumps(told.heard())
    for email_id in ("sent", "waiting"):  # the log has it a moment later than the row
        assert eventually(lambda key=email_id: key in ionctl("--local", "show", CANARY).out)  # type: ignore[misc]
