"""Which ends of a run are remembered, and for how long."""

from dataclasses import replace

import pytest

from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.backoff import Backoff, fingerprint, following
from ion.settings import OAuth, Security, Smtp

SMTP = Smtp("smtp.example.org", 587, Security.STARTTLS, "ion", "canary-password")
NOW = 1_800_000_000.0
REFUSED = Outcome(Stage.AUTH, Kind.MISCONFIGURED, Scope.SITE, Reason.AUTH)
QUOTA = Outcome(Stage.DOT, Kind.QUOTA, Scope.SITE, Reason.QUOTA)


def hold(outcome: Outcome, before: Backoff | None = None, smtp: Smtp = SMTP) -> Backoff:
    following_one = following(outcome, "535 no", before, smtp, NOW)
    assert following_one is not None
    return following_one


@pytest.mark.row(42)
def test_a_refused_login_is_left_alone_longer_each_time_up_to_an_hour() -> None:
    one, waits = None, []
    for _ in range(7):
        one = hold(REFUSED, one)
        waits.append(one.until - NOW)
    assert waits == [300, 600, 1200, 2400, 3600, 3600, 3600]


@pytest.mark.row(90)
@pytest.mark.parametrize("stage", [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT])
def test_a_login_that_is_refused_behind_its_command_is_left_alone_as_long(stage: Stage) -> None:
    """Exchange lets a password in and says at MAIL that it takes none any more."""
    first = hold(replace(REFUSED, stage=stage))
    assert first.reason == "auth"
    again = hold(replace(REFUSED, stage=stage), first)
    assert [first.until - NOW, again.until - NOW] == [300, 600]
    assert hold(REFUSED, again).times == 3, "it is one and the same login"


@pytest.mark.row(63)
def test_a_quota_is_asked_for_every_ten_minutes() -> None:
    first = hold(QUOTA)
    assert [first.until - NOW, hold(QUOTA, first).until - NOW] == [600, 600]


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "another"},
        {"username": "another"},
        {"server": "smtp2.example.org"},
        {"port": 465},
    ],
)
def test_another_login_is_tried_at_once_and_begins_anew(changed: dict[str, str]) -> None:
    mended = replace(SMTP, **changed)  # type: ignore[arg-type]
    old = hold(REFUSED, hold(REFUSED))
    assert not old.is_over(SMTP, NOW)
    assert old.is_over(mended, NOW)
    assert hold(REFUSED, old, mended).times == 1


@pytest.mark.row(89)
@pytest.mark.parametrize(
    "changed", ["token_url", "client_id", "client_secret", "scope", "refresh_token"]
)
def test_other_credentials_for_a_token_are_tried_at_once(changed: str) -> None:
    oauth = OAuth("https://login.example/token", "id", "canary-secret", "scope", "canary-refresh")
    smtp = replace(SMTP, password=None, oauth=oauth)
    old = hold(REFUSED, smtp=smtp)
    assert "canary" not in f"{old}"
    assert not old.is_over(smtp, NOW)
    assert old.is_over(replace(smtp, oauth=replace(oauth, **{changed: "another"})), NOW)


def test_what_was_noted_of_a_password_still_holds() -> None:
    """Its fingerprint is as it was before there were other logins."""
    salt = bytes(16)
    assert fingerprint(SMTP, salt).endswith("17bdea365ec4e31f047c3849c84f6488")


def test_other_settings_do_not_end_a_hold() -> None:
    assert not hold(REFUSED).is_over(replace(SMTP, connections=9), NOW)


def test_a_hold_is_over_when_its_time_has_come() -> None:
    one = hold(REFUSED)
    assert [one.is_over(SMTP, one.until - 1), one.is_over(SMTP, one.until)] == [False, True]


def test_another_reason_begins_anew() -> None:
    assert hold(QUOTA, hold(REFUSED, hold(REFUSED))).times == 1


@pytest.mark.row(38)
@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(Stage.CONNECT, Kind.UNAVAILABLE, Scope.SITE, Reason.CONNECT),
        Outcome(Stage.AUTH, Kind.UNAVAILABLE, Scope.SITE, Reason.AUTH_LATER),
        Outcome(Stage.STARTTLS, Kind.MISCONFIGURED, Scope.SITE, Reason.TLS_CERT),
        Outcome(Stage.MAIL, Kind.MISCONFIGURED, Scope.SITE, Reason.CONFIGURATION),
        Outcome(Stage.CLAIM, Kind.UNAVAILABLE, Scope.SITE, Reason.LEDGER),
    ],
)
def test_what_trying_does_not_make_worse_is_tried_with_each_wake_up(outcome: Outcome) -> None:
    assert following(outcome, "", None, SMTP, NOW) is None


def test_the_fingerprint_is_salted_and_shows_nothing() -> None:
    prints = {fingerprint(SMTP) for _ in range(2)}
    assert len(prints) == 2
    assert not any("canary" in one for one in prints)
