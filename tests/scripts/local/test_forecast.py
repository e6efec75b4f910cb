"""What a dry run says of a message that it has in hand; nothing is asked of AWS."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function import email
from ion.contract import Lane, Pause
from ion.guard_rules import GuardRules
from ion.limits import MOST_RECEIVES
from ion.message import Attribute, Message
from ion.policy.control import Control
from ion.policy.guard import StagingGuard
from ion.template import Renderer
from ion.template.folder import Folder
from ionctl.local.forecast import Relay, would
from letters import written

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def received(body: str, *, receives: int = 1, **ion: object) -> Message:
    attributes = {"ion": Attribute.text(written(**ion))}
    return Message("m-2", "r", body, attributes, NOW.timestamp(), receives)


def relay(control: Control | None = None, states: Mapping[str, str] | None = None) -> Relay:
    known = states or {}
    return Relay(
        sender="ion@example.org",
        renderer=Renderer(Folder(Path())),
        guard=StagingGuard(GuardRules()),
        control=control or Control(),
        states=lambda keys: {key: known[key] for key in keys if key in known},
        now=NOW.timestamp,
    )


def test_only_those_are_named_who_are_still_to_get_it() -> None:
    body = email(recipient=["ann@example.org", "bob@example.org"], cc="cid@example.org")
    said = would(received(body, left=[1, 2]), relay())
    assert said.startswith("would go from ion@example.org to bob@example.org, cid@example.org: ")


@pytest.mark.parametrize(
    ("receives", "said"),
    [
        (MOST_RECEIVES - 2, "would go from "),
        (MOST_RECEIVES - 1, "would be dead-lettered: POISON"),
    ],
)
def test_the_receive_that_comes_next_counts(receives: int, said: str) -> None:
    assert would(received(email(), receives=receives), relay()).startswith(said)


def test_of_several_pauses_the_last_to_end_is_told() -> None:
    control = Control()
    for lane, hours in ((None, 1), (Lane.NORMAL, 3), (Lane.BULK, 5)):
        pause = Pause(lane=lane, until=(NOW + timedelta(hours=hours)).isoformat())
        control = control.with_pause(pause, NOW.timestamp(), by="ann", why="")
    said = would(received(email()), relay(control))
    assert said == "would wait: normal mail is paused until 2026-11-22T12:00:00+00:00"


@pytest.mark.parametrize("state", ["sent", "cancelled"])
def test_what_has_had_its_fate_is_not_sent(state: str) -> None:
    said = would(received(email(), email_id="order-17"), relay(states={"order-17": state}))
    assert said == f"would not be sent: order-17 is {state} already, as the ledger has it"
