"""Events are JSON lines with the fields that are named here and no others; metrics are EMF."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from conftest import Log
from ion.delivery import Delivery, Status
from ion.history import History
from ion.outcome import Kind, Outcome, Problem, Reason, Reply, Scope, Stage
from ion.policy.lease import Row, RowStatus
from ion.report.telemetry import Telemetry

ORIGIN = History(
    email_id="e-1", first_queued_at=datetime.now(UTC), original_message_id="m-0", attempts=7
)
ROW = Row(RowStatus.SENDING, "token", 0, "hash", ">", "0", attempts=2)
REFUSED = Outcome(
    Stage.RCPT,
    Kind.PERMANENT,
    Scope.RECIPIENT,
    Reason.RCPT_REJECTED,
    Reply(550, "5.1.1", "<canary@example.org>: canary unknown"),
)
OF_EVERY_EVENT = {"level", "location", "message", "timestamp", "service"}


def test_an_attempt_is_one_event_with_what_there_is_to_know(log: Log) -> None:
    delivery = Delivery(
        Status.DEAD,
        REFUSED,
        smtp_seconds=0.25,
        recipients=(4,),
        reply="550 5.1.1 <address>: <address> unknown",
        path="$.x",
        server="smtp",
    )
    Telemetry().attempted("m-1", ORIGIN, ROW, delivery)
    (event,) = log.events
    assert {name: event[name] for name in event.keys() - OF_EVERY_EVENT} == {
        "email_id": "e-1",
        "message_id": "m-1",
        "attempt": 3,
        "redrives": 0,
        "recipients": 1,
        "retry_in_seconds": 0,
        "path": "$.x",
        "server": "smtp",
        "smtp_ms": 250.0,
        "stage": "rcpt",
        "reason": "RCPT_REJECTED",
        "reply": "550 5.1.1 <address>: <address> unknown",
    }
    assert (event["message"], event["level"]) == ("dead_lettered", "INFO")


def test_what_breaks_the_contract_is_logged_with_its_path_and_in_what_way(log: Log) -> None:
    bad = Outcome(Stage.PARSE, Kind.PERMANENT, Scope.MESSAGE, Reason.INVALID_SCHEMA)
    delivery = Delivery(Status.DEAD, bad, path="$.recipeint", problem=Problem.UNKNOWN)
    for one in (delivery, replace(delivery, did_you_mean="recipient")):
        Telemetry().attempted("m-1", ORIGIN, None, one)
    said = [(event["path"], event["problem"], event.get("did_you_mean")) for event in log.events]
    assert said == [("$.recipeint", "unknown", None), ("$.recipeint", "unknown", "recipient")]


def test_what_never_reached_the_ledger_was_no_attempt(log: Log) -> None:
    Telemetry().attempted("m-1", ORIGIN, None, Delivery(Status.DEAD, REFUSED))
    assert [event["attempt"] for event in log.events] == [0]


def test_a_copy_that_is_thrown_away_is_logged_and_counts_as_nothing(log: Log) -> None:
    telemetry = Telemetry()
    copy = Outcome(Stage.CLAIM, Kind.ACCEPTED, Scope.MESSAGE, Reason.DUPLICATE)
    telemetry.attempted("m-1", ORIGIN, None, Delivery(Status.DONE, copy))
    telemetry.ended({})
    assert (log.events[0]["message"], log.events[0]["reason"]) == ("done", "DUPLICATE")
    assert log.metrics == {}


@pytest.mark.parametrize(
    ("status", "metric"),
    [
        (Status.SENT, "Sent"),
        (Status.DEFERRED, "Deferred"),
        (Status.RELEASED, "Released"),
        (Status.DEAD, "DeadLettered"),
        (Status.SUPPRESSED, "Suppressed"),
    ],
)
def test_each_fate_is_counted(log: Log, status: Status, metric: str) -> None:
    """Sent has data wherever Deferred has: the alarm on mail that is all put off holds it so."""
    telemetry = Telemetry()
    for _ in range(3):
        telemetry.attempted("m", ORIGIN, ROW, Delivery(status, REFUSED, smtp_seconds=0.001))
    telemetry.ended({"sent": 3})
    none_sent = {"Sent": [0.0, 0.0, 0.0]} if status is Status.DEFERRED else {}
    assert log.metrics == {metric: [1.0, 1.0, 1.0], "SmtpTime": [1.0, 1.0, 1.0], **none_sent}


@pytest.mark.parametrize(
    ("status", "scope", "reason", "smtp_seconds", "told"),
    [
        (Status.RELEASED, Scope.SITE, Reason.QUOTA, 0.1, False),
        (Status.RELEASED, Scope.SENDER, Reason.CONFIGURATION, 0.1, True),
        (Status.RELEASED, Scope.SENDER, Reason.CONFIGURATION, 0, False),
        (Status.DEFERRED, Scope.SITE, Reason.LEDGER, 0, False),
        (Status.DEFERRED, Scope.MESSAGE, Reason.LEDGER, 0, True),
        (Status.DEFERRED, Scope.MESSAGE, Reason.LEASED, 0, True),
        (Status.DEAD, Scope.SITE, Reason.EXPIRED, 0, True),
    ],
)
def test_what_the_run_says_for_all_is_not_said_for_each(
    log: Log, status: Status, scope: Scope, reason: Reason, smtp_seconds: float, told: bool
) -> None:
    telemetry = Telemetry()
    outcome = Outcome(Stage.MAIL, Kind.UNAVAILABLE, scope, reason)
    delivery = Delivery(status, outcome, smtp_seconds=smtp_seconds)
    telemetry.attempted("m", ORIGIN, ROW, delivery)
    assert len(log.events) == told
    telemetry.ended({})
    assert sum(map(len, log.metrics.values())) >= 1, "and counted all the same"


def test_what_a_run_came_to_is_its_last_event(log: Log) -> None:
    telemetry = Telemetry()
    telemetry.accepted(12.5)
    telemetry.accepted(-1)  # clocks differ
    telemetry.redriven({}, 2)
    telemetry.ended({"received": 2, "stopped": "empty"})
    assert log.metrics == {"PublishToAccept": [12.5, 0.0], "Redriven": [2.0]}
    last = log.events[-1]
    assert (last["message"], last["received"], last["stopped"]) == ("run ended", 2, "empty")


@pytest.mark.parametrize(
    ("rate", "figures"),
    [(13.44001, {"Rate": [13.44001], "Connections": [3]}), (None, {"Connections": [3]})],
)
def test_the_pace_in_force_is_told_with_its_run(
    log: Log, rate: float | None, figures: dict[str, list[float]]
) -> None:
    telemetry = Telemetry()
    telemetry.paced("smtp:backup", rate, 3)
    telemetry.ended({"sent": 1})
    telemetry.ended({"sent": 0})
    assert log.metrics == figures
    first, second = log.events
    assert (first["server"], first["connections"]) == ("smtp:backup", 3)
    assert first.get("rate") == (rate and 13.44)
    assert not {"server", "connections", "rate"} & second.keys()


def test_a_run_that_found_nothing_ends_in_peace(log: Log) -> None:
    Telemetry().ended({"received": 0})
    assert [event["message"] for event in log.events] == ["run ended"]
    assert log.metrics == {}


def test_metrics_of_one_run_are_not_told_again_by_the_next(log: Log) -> None:
    telemetry = Telemetry()
    telemetry.redriven({}, 2)
    telemetry.ended({})
    telemetry.redriven({}, 5)
    telemetry.ended({})
    assert log.metrics == {"Redriven": [2.0, 5.0]}


def test_more_metrics_than_fit_into_one_record_are_all_told(log: Log) -> None:
    telemetry = Telemetry()
    for _ in range(250):
        telemetry.redriven({}, 1)
    telemetry.ended({})
    assert log.text.count("_aws") == 3
    assert log.metrics == {"Redriven": [1.0] * 250}


def test_a_metric_of_a_run_is_a_line_of_its_own_that_says_more(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "ion-test")
    telemetry = Telemetry()
    telemetry.redriven({}, 2)
    telemetry.held("auth", "smtp:backup")
    telemetry.ended({})
    lines = [json.loads(line) for line in log.text.splitlines() if "_aws" in line]
    assert [one["service"] for one in lines] == ["ion-test"] * 2
    directives = [one["_aws"]["CloudWatchMetrics"] for one in lines]
    assert directives == [
        [{"Namespace": "ion", "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": u}]}]
        for name, u in (("Held", "Count"), ("Redriven", "Count"))
    ]
    assert (lines[0]["reason"], lines[0]["server"], lines[0]["Held"]) == (
        *("auth", "smtp:backup"),
        [1.0],
    )
    assert (log.about("Held"), log.about("Redriven")) == (
        [{"reason": "auth", "server": "smtp:backup"}],
        [{}],
    )


def test_the_level_decides_what_is_written(log: Log) -> None:
    telemetry = Telemetry()
    telemetry.level("ERROR")
    telemetry.attempted("m", ORIGIN, ROW, Delivery(Status.SENT, REFUSED))
    telemetry.trouble("something", count=2, code="X")
    telemetry.suspended(REFUSED, "smtp")
    assert [(event["message"], event["level"]) for event in log.events] == [
        ("delivery suspended", "ERROR")
    ]
    telemetry.level("INFO")


def test_a_suspension_says_why_without_an_address(log: Log) -> None:
    Telemetry().suspended(REFUSED, "smtp:backup")
    (event,) = log.events
    assert (event["server"], event["reason"]) == ("smtp:backup", "RCPT_REJECTED")
    assert "canary@" not in log.text


def test_trouble_has_its_count_and_code(log: Log) -> None:
    Telemetry().trouble("not deleted", count=3, code="Throttling", message_id="m-1")
    (event,) = log.events
    found = (event["message"], event["count"], event["code"], event["message_id"])
    assert found == ("not deleted", 3, "Throttling", "m-1")


def test_a_fault_has_its_traceback_and_not_its_text(log: Log) -> None:
    """A KeyError's text is a key, an encoder's is what it couldn't encode: often an address."""

    async def fail() -> None:
        raise KeyError("canary@example.org")

    try:
        asyncio.run(fail())
    except KeyError as error:
        Telemetry().fault("fault", error, "m-1")
    (event,) = log.events
    assert (event["error"], event["message_id"]) == ("KeyError", "m-1")
    assert "in fail" in event["traceback"]
    assert log.text.count("canary") == 1, "only the line of code that raised"
