"""Which servers let nothing in, and how fast mail may go, by what runs have written down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ion.aws.server_state import ServerState
from ion.policy.backoff import Backoff
from ion.policy.rate import LearnedRate
from ionctl.ops.log import Event
from ionctl.ops.result import HeldServer, Pace
from ionctl.ops.servers import held, named, paces

NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)


def at(minutes_ago: float) -> datetime:
    return NOW - timedelta(minutes=minutes_ago)


def run(minutes_ago: float, **about: Any) -> Event:  # noqa: ANN401
    return Event(at(minutes_ago), {"message": "run ended", "seconds": 6.0, "held": ""} | about)


def suspended(minutes_ago: float, server: str = "smtp", reason: str = "AUTH") -> Event:
    about = {"server": server, "reason": reason, "reply": "535 5.7.8 no", "stage": "auth"}
    return Event(at(minutes_ago), {"message": "delivery suspended"} | about)


def backoff(minutes: float = 5, times: int = 1, reason: str = "auth") -> ServerState:
    until = int((NOW + timedelta(minutes=minutes)).timestamp())
    return ServerState(Backoff(reason, "AUTH at auth: 535 5.7.8 no", times, until, "00"))


def test_a_server_that_the_last_run_was_turned_away_by_is_held() -> None:
    runs = [run(20), run(10, held="auth", held_by="smtp"), run(5, held="auth", held_by="smtp")]
    told = [suspended(10.05), suspended(5.05)]
    (one,) = held(runs, told, {"smtp": backoff()}, NOW)
    assert one == HeldServer(
        server="smtp",
        reason="AUTH",
        reply="535 5.7.8 no",
        since=at(10.05),
        next_try=NOW + timedelta(minutes=5),
    )


def test_a_server_that_is_well_again_is_not_held_though_its_backoff_is_still_there() -> None:
    """It is another login's: the table doesn't say so to those that don't know the secret."""
    runs = [run(0.05, held="auth", held_by="smtp"), run(0.01, sent=3)]
    assert held(runs, [suspended(0.06)], {"smtp": backoff()}, NOW) == []


def test_what_turned_a_run_away_that_goes_on_is_held_already() -> None:
    (one,) = held([run(5)], [suspended(0.1)], {}, NOW)
    assert (one.server, one.next_try) == ("smtp", None)


def test_where_the_backup_is_used_only_the_first_is_held() -> None:
    runs = [run(1, server="smtp:backup", sent=5)]
    (one,) = held(runs, [suspended(1.01)], {"smtp": backoff()}, NOW)
    assert one.server == "smtp"


def test_of_several_servers_the_first_is_told_first() -> None:
    runs = [run(1, held="auth", held_by="smtp")]
    told = [suspended(1.02, "smtp"), suspended(1.01, "smtp:backup", "CONNECT")]
    assert [one.server for one in held(runs, told, {}, NOW)] == ["smtp", "smtp:backup"]


def test_a_run_may_be_held_by_what_is_no_server() -> None:
    error = "the input queue can't be read: AccessDenied"
    runs = [run(6, held="queue"), run(1, held="queue", error=error)]
    (one,) = held(runs, [], {}, NOW)
    assert one == HeldServer(server="", reason="queue", reply=error, since=at(6))


def test_without_a_log_the_table_tells_what_is_held() -> None:
    states = {"smtp": backoff(), "smtp:backup": backoff(minutes=-1), "smtp:third": backoff(times=0)}
    (one,) = held([], [], states, NOW)
    assert (one.server, one.reason, one.reply) == ("smtp", "AUTH", "535 5.7.8 no")


def test_servers_are_those_that_events_name_and_the_first() -> None:
    runs = [run(1, held_by="smtp:backup"), run(0, server="smtp")]
    assert named(runs) == ["smtp", "smtp:backup"]
    assert named([]) == ["smtp"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Pace(server="smtp", rate=None, connections=4, learned=False)),
        (
            {"ION_SMTP_MAX_RATE": "10", "ION_SMTP_CONNECTIONS": "8", "ION_AWS_CONCURRENCY": "2"},
            Pace(server="smtp", rate=9.6, connections=8, learned=False),
        ),
        ({"ION_SMTP_CONNECTIONS": "many"}, Pace(server="smtp", rate=None, connections=4,
                                                learned=False)),
    ],
)  # fmt: skip
def test_the_pace_is_that_of_the_settings(environment: dict[str, str], expected: Pace) -> None:
    assert paces(["smtp"], environment, {}, NOW.timestamp()) == [expected]


def test_a_further_server_has_its_own_settings_and_the_firsts_connections() -> None:
    environment = {"ION_SMTP_CONNECTIONS": "8", "ION_SMTP_BACKUP_MAX_RATE": "1"}
    (one,) = paces(["smtp:backup"], environment, {}, NOW.timestamp())
    assert (one.connections, one.rate) == (8, 0.96)


def test_what_throttles_taught_goes_before_the_settings_while_it_lasts() -> None:
    learned = LearnedRate(2, int(at(0.5).timestamp()), "00", "", rate=5.0)
    states = {"smtp": ServerState(rate=learned)}
    (one,) = paces(["smtp"], {"ION_AWS_CONCURRENCY": "2"}, states, NOW.timestamp())
    assert one == Pace(server="smtp", rate=10.0, connections=2, learned=True, since=at(0.5))
    (one,) = paces(["smtp"], {}, states, (NOW + timedelta(days=2)).timestamp())
    assert one == Pace(server="smtp", rate=None, connections=4, learned=False)
