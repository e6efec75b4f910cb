"""The console of a running local stack: emails that the relay has sent lead back to it."""

import time

import pytest

from consoles import Opened
from ionctl.local.announcement import addresses
from ionctl.local.stack import Stack
from ionctl.ops.account import local_account
from ionctl.ops.deployment import find

pytestmark = pytest.mark.system

_LONGEST_SECONDS = 60


def test_an_email_that_another_has_published_leads_to_its_life() -> None:
    with Stack(settings={"drain": {"linger_seconds": "0"}}) as stack:
        told = addresses(stack)
        deployment = find(local_account(told), told.name)
        with Opened(deployment) as opened:
            stack.publish(
                {
                    "action": "send",
                    "email_id": "order-17",
                    "recipient": "ann@example.org",
                    "body_html": "<p>Hi</p>",
                }
            )
            (arrived,) = stack.wait_for_emails(1)
            opened.inbox.put(arrived)
            deadline = time.monotonic() + _LONGEST_SECONDS
            while not (key := opened.client.get("/api/inbox").json()["emails"][0]["email_id"]):
                assert time.monotonic() < deadline, "its run is over, and in the log"
            assert key == "order-17"
            life = opened.client.get(f"/api/emails/{key}").json()
            assert life["state"] == "sent"
            (summary,) = opened.client.get("/api/inbox").json()["emails"]
            assert summary["marks"] == ["html", "text"]
            shown = opened.client.get(f"/mail/{summary['id']}/html")
            assert shown.text.strip() == '<base target="_blank"><p>Hi</p>'
