"""ionctl pause, resume, stop, cancel and wake, as a person types them."""

import asyncio

import msgspec
import pytest

from ionctl.ops.result import Cancelled, InForce
from relays import Operated
from terminal import Ionctl


@pytest.mark.row(77)
def test_pauses_and_stops_are_made_shown_and_ended(local: Operated, ionctl: Ionctl) -> None:
    ran = ionctl("--local", "pause", "--lane", "bulk", "--by", "ann", "--why", "a typo")
    assert ran.status == 0, ran.err
    done, paused = ran.out.splitlines()
    assert done.startswith("bulk mail is paused: every running function obeys by ")
    assert paused.startswith("paused: bulk mail until ")
    assert paused.endswith(", by ann: a typo")
    words = ["--tag", "campaign=spring", "--recipient-domain", "b.example", "--for", "2h"]
    ran = ionctl("--local", "--json", "stop", *words)
    in_force = msgspec.json.decode(ran.out, type=InForce)
    (stop,) = in_force.stops
    assert stop.where == {"tag": {"campaign": "spring"}, "recipient_domain": "b.example"}
    assert stop.at is not None
    assert 7190 <= (stop.until - stop.at).total_seconds() <= 7200
    ran = ionctl("--local", "resume", "--lane", "bulk")
    assert ran.out.startswith("the pause of bulk mail is over: the relay is awake\n")
    assert f"stop {stop.id}: tag campaign=spring, recipient domain b.example until" in ran.out
    ran = ionctl("--local", "resume", "--stop", stop.id)
    assert ran.out == f"stop {stop.id} is over: the relay is awake\n"
    assert ionctl("--local", "resume").status == 0
    ran = ionctl("--local", "resume", "--stop", stop.id)
    assert (ran.status, ran.err) == (
        1,
        f"ionctl: no stop {stop.id} is in force: ionctl --local status shows those that are\n",
    )


@pytest.mark.usefixtures("local")
def test_each_condition_of_a_stop_has_an_option(ionctl: Ionctl) -> None:
    for option, value, where in (
        ("--tag", "campaign=spring", {"tag": {"campaign": "spring"}}),
        ("--sender", "shop@a.example", {"sender": "shop@a.example"}),
        ("--domain", "b.example", {"recipient_domain": "b.example"}),
        ("--id", "order-17", {"email_id": "order-17"}),
    ):
        ran = ionctl("--local", "--json", "stop", option, value)
        *_, stop = msgspec.json.decode(ran.out, type=InForce).stops
        assert stop.where == where


def test_a_stop_of_everything_is_asked_about(local: Operated, ionctl: Ionctl) -> None:
    ran = ionctl("--local", "stop")
    assert (ran.status, "say --yes" in ran.err) == (1, True)
    assert ionctl("--local", "stop", typed="n\n").status == 1
    assert asyncio.run(local.control.read()).stops == ()
    assert ionctl("--local", "stop", typed="y\n").status == 0
    (stop,) = asyncio.run(local.control.read()).stops
    assert stop.where is None


@pytest.mark.row(76)
def test_an_email_is_cancelled(local: Operated, ionctl: Ionctl) -> None:
    ran = ionctl("--local", "cancel", "order-17")
    assert (ran.status, ran.out[:60]) == (
        0,
        "order-17: cancelled; nothing of that id has been tried yet: ",
    )
    ran = ionctl("--local", "--json", "cancel", "order-17")
    assert msgspec.json.decode(ran.out, type=Cancelled).how == "cancelled"


@pytest.mark.row(76)
@pytest.mark.parametrize(
    ("status", "fates", "said"),
    [
        ("sent", "s", "too late: sent at 2026-11-28 20:00 UTC"),
        ("bounced", "d", "too late: dead-lettered at 2026-11-28 20:00 UTC, so it isn't sent as"),
        ("in_doubt", "?", "too late: the mail server may have it, since 2026-11-28 20:00 UTC"),
        ("sending", "c", "too late: it is being sent, since 2026-11-28 20:00 UTC"),
    ],
)
def test_why_it_is_too_late_is_told(
    local: Operated, ionctl: Ionctl, status: str, fates: str, said: str
) -> None:
    local.row(
        "order-18",
        status=status,
        token="t",
        lease_until=4e9,
        content_hash="h",
        fates=fates,
        attempts=1,
        doubts="0",
        crashes=0,
        used_ids="",
        first_queued_at="",
        updated_at="2026-11-28T20:00:00.000+00:00",
        expires_at=4e9,
    )
    ran = ionctl("--local", "cancel", "order-18")
    assert ran.status == 1
    assert ran.out.startswith(f"order-18: {said}")


@pytest.mark.usefixtures("local")
def test_the_relay_is_woken(ionctl: Ionctl, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr("ionctl.ops.steering.wake", lambda relay: woken.append(relay.name))
    assert ionctl("--local", "wake").out.startswith("the relay is awake")
    assert woken == ["ion"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["pause", "--until", "2999-11-28T19:00:00"],
            "--until 2999-11-28T19:00:00: must be a time with a zone: ",
        ),
        (["pause", "--for", "soon"], "--for soon: must be an age: 90s, 30m, 12h, 7d"),
        (["pause", "--for", "1h", "--until", "x"], "--until and --for: one of them is enough"),
        (["stop", "--tag", "no value"], "--tag no value: write it as NAME=VALUE"),
        (["stop", "--tag", "a b=c"], "--tag a b=c: must be one to ten: names of 1-64 letters"),
        (["stop", "--tag", "c=a", "--tag", "c=b"], "--tag c is there twice"),
        (
            ["stop", "--sender", "Joe <a@b.example>"],
            "--sender Joe <a@b.example>: must be an address without a name",
        ),
        (["stop", "--domain", "*@x.example"], "--domain *@x.example: must be what follows the @"),
        (["cancel", "two words"], "EMAIL_ID two words: must be 1-256 printable ASCII characters"),
        (["resume", "--stop", "a", "--lane", "bulk"], "--stop and --lane: one at a time"),
    ],
)
def test_what_can_not_be_meant_is_told_by_the_options_name(
    ionctl: Ionctl, words: list[str], said: str
) -> None:
    ran = ionctl("--local", *words)
    assert (ran.status, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith(f"ionctl: {said}")
