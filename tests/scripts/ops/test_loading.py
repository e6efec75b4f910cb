"""A load test publishes at its rate, and tells the delays that the log has."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clock import Clock
from ionctl.ops import loading
from ionctl.problem import Problem
from relays import Operated

HUNDRED = [float(n) for n in range(1, 101)]


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [(HUNDRED, 50, 50), (HUNDRED, 99, 99), ([1.0, 2.0], 95, 2), ([1.0], 50, 1), ([], 50, None)],
)
def test_a_percentile_is_one_of_the_values(
    values: list[float], percent: int, found: float | None
) -> None:
    assert loading.percentile(values, percent) == found


class Served(threading.Thread):
    """Takes what is queued, as the function would, and logs its fate: a second later by its clock.

    Every tenth is dead-lettered, and of one nothing is heard.
    """

    def __init__(self, relay: Operated, count: int) -> None:
        super().__init__()
        self._relay, self._count = relay, count
        self.bodies: list[dict[str, object]] = []

    def run(self) -> None:
        while len(self.bodies) < self._count:
            answer = self._relay.clients.sqs.receive_message(
                QueueUrl=self._relay.names.queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for one in answer.get("Messages", []):
                self._serve(json.loads(one["Body"]))

    def _serve(self, body: dict[str, object]) -> None:
        self.bodies.append(body)
        number = len(self.bodies)
        at = datetime.now(UTC) + timedelta(seconds=1)
        if number != self._count:
            name = "dead_lettered" if number % 10 == 0 else "sent"
            self._relay.logged(name, at, email_id=body["email_id"], timestamp=at.isoformat())


def test_the_fates_and_delays_of_all_are_told(relay: Operated) -> None:
    served = Served(relay, 21)
    served.start()
    told: list[tuple[int, int]] = []
    done = loading.load(
        relay.deployment,
        "ann@example.org",
        21,
        100,
        patience_seconds=3,
        progress=lambda *of: told.append(of),
    )
    served.join()
    assert (done.asked, done.published, done.sent, done.dead_lettered) == (21, 21, 18, 2)
    assert {body["email_id"] for body in served.bodies} == {
        f"load-{done.run}-{number}" for number in range(21)
    }
    assert all(body["tags"] == {"load": done.run} for body in served.bodies)
    assert done.p50 is not None
    assert done.p99 is not None
    assert 1 <= done.p50 <= done.p99 <= done.seconds
    assert done.per_second == pytest.approx(18 / done.seconds)
    assert told[-1] == (20, 21)


class Passing:
    """The module `time`, where time passes while it is waited for and at no other moment."""

    def __init__(self) -> None:
        self.monotonic = Clock()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.monotonic.passes(seconds)


def test_emails_are_spread_evenly_and_what_sns_refuses_is_not_published(
    relay: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A burst would be more than the provider allows, though the rate is not."""
    passing = Passing()
    monkeypatch.setattr(loading, "time", passing)

    def refuse_one(parsed: dict[str, Any], **_: object) -> None:
        parsed["Successful"].pop()

    deployment = relay.deployment
    deployment.account.sns.meta.events.register("after-call.sns.PublishBatch", refuse_one)
    done = loading.load(deployment, "ann@example.org", 10, 2, patience_seconds=1)
    assert passing.slept[:5] == [0, 1, 1, 1, 1], "two each second"
    assert (done.asked, done.published) == (10, 5)


def test_what_would_not_be_taken_is_not_published(relay: Operated) -> None:
    with pytest.raises(Problem, match="nothing is published: recipient must be a@b"):
        loading.load(relay.deployment, "ann@", 5, 10)
