"""The state of a relay in a word and a sentence: a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from ion.contract import Lane, StopWhere
from ion.outcome import Reason
from ion.policy.control import Control, EmailStop, LanePause
from ionctl.ops import verdict
from ionctl.ops.result import AlarmState, Depth, HeldServer, Pace, Queues, Run, Verdict
from ionctl.ops.verdict import Seen, gone_at, judge

NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
EMPTY = Depth(visible=0, in_flight=0, delayed=0)


def queues(**visible: int) -> Queues:
    usual = dict.fromkeys(("input", "bulk", "later", "dead_letter"), EMPTY)
    given = {name: msgspec.structs.replace(EMPTY, visible=n) for name, n in visible.items()}
    return Queues(**(usual | given))


def waiting(input_: dict[str, int], bulk: dict[str, int]) -> Queues:
    depths = (msgspec.structs.replace(EMPTY, **about) for about in (input_, bulk, {}, {}))
    return Queues(**dict(zip(("input", "bulk", "later", "dead_letter"), depths, strict=True)))


def run(minutes_ago: float = 1, **about: Any) -> Run:  # noqa: ANN401
    usual: dict[str, Any] = {
        "seconds": 2.0,
        "stopped": "empty",
        "held": "",
        "error": "",
        **dict.fromkeys(("received", "sent", "deferred", "released", "dead_lettered"), 0),
    }
    return Run(ended_at=NOW - timedelta(minutes=minutes_ago), **(usual | about))


def held(reason: str = "AUTH", **about: Any) -> HeldServer:  # noqa: ANN401
    return HeldServer(**({"server": "smtp", "reason": reason, "reply": "535 no"} | about))


def pause(lane: Lane | None = None) -> Control:
    until = NOW + timedelta(hours=1)
    return Control(pauses=(LanePause(lane=lane, until=until, by="ann", why="a typo"),))


def alarm(key: str = "old-mail", state: str = "ALARM") -> AlarmState:
    return AlarmState(key=key, name=f"ion-{key}-alarm", state=state, since=None, heard_by=1)


def stop(**about: Any) -> EmailStop:  # noqa: ANN401
    until = NOW + timedelta(hours=1)
    usual: dict[str, Any] = {
        "id": "a1",
        "until": until,
        "by": "bob",
        "why": "wrong link",
        "stopped": 12,
    }
    return EmailStop(**(usual | about))


WELL = Seen(at=NOW, queues=queues(), control=Control(), runs=[run()])
HELD = replace(WELL, queues=queues(input=30), runs=[run(held="auth")], held=[held()])
STOPS = Control(stops=(stop(where=StopWhere(sender="a@example.org")),))


@pytest.mark.parametrize(
    ("seen", "word", "said", "advice", "ok"),
    [
        (WELL, "idle", "Nothing waits.", "", True),
        (replace(WELL, runs=None), "idle", "Nothing waits.", "", True),
        (replace(WELL, blind=True), "idle", "As far as can be seen, nothing waits.", "", True),
        (replace(WELL, queues=queues(dead_letter=2)), "idle",
         "Nothing waits; 2 dead letters: ionctl dead list.", "", True),
        (replace(WELL, queues=queues(input=1)), "sending", "1 email on the way.", "", True),
        (replace(WELL, queues=queues(input=1200), per_second=10.0), "backlog",
         "1,200 emails wait and go out at 10 a second, gone 14:02 UTC.", "", True),
        (replace(WELL, queues=queues(input=200), per_second=4.5, pace=[
            Pace(server="smtp", rate=5.0, connections=2, learned=True,
                 since=NOW - timedelta(minutes=20))]), "backlog",
         ("200 emails wait and go out at 4.5 a second (limited to 5 a second since 13:40 UTC), "
         "gone 14:00 UTC."), "", True),
        (HELD, "held", "30 emails wait: the mail server smtp refuses the login: 535 no.",
         "Put the right login into the secret, then ionctl wake.", False),
        (replace(HELD, held=[held(next_try=NOW + timedelta(minutes=5))]), "held",
         "30 emails wait: the mail server smtp refuses the login: 535 no.",
         "Put the right login into the secret, then ionctl wake; next try 14:05 UTC.", False),
        (replace(HELD, queues=queues()), "held",
         "Nothing waits, but the mail server smtp refuses the login: 535 no.",
         "Put the right login into the secret, then ionctl wake.", False),
        # the log can't be read: it is known from the ledger
        (replace(HELD, runs=None), "held",
         "30 emails wait: the mail server smtp refuses the login: 535 no.",
         "Put the right login into the secret, then ionctl wake.", False),
        (replace(HELD, queues=queues(bulk=5), control=pause(Lane.BULK)), "held",
         "5 emails wait: the mail server smtp refuses the login: 535 no; bulk mail is paused.",
         "Put the right login into the secret, then ionctl wake.", False),
        (replace(HELD, runs=[run(held="queue")], held=[
            held("queue", server="", reply="the input queue can't be read: AccessDenied")]), "held",
         ("30 emails wait: AWS, or a setting, keeps mail from going (queue): the input queue can't "
         "be read: AccessDenied."),
         "See the queues, and what the function's role may do: ionctl doctor.", False),
        (replace(HELD, runs=[run(held="ledger")], held=[
            held("LEDGER", server="", reply="ControlUnreadable")]), "held",
         "30 emails wait: AWS, or a setting, keeps mail from going (LEDGER): ControlUnreadable.",
         "Let ionctl resume write it anew.", False),
        # over the backup: mail goes
        (replace(HELD, runs=[run(sent=9)]), "sending",
         "30 emails on the way; smtp is held (AUTH).", "", True),
        (replace(WELL, runs=[run(stopped="settings", error="[smtp] port: no number")],
                 queues=queues(input=3)), "misconfigured",
         "3 emails wait: a setting is wrong, so nothing is received: [smtp] port: no number.",
         "Mend it, then ionctl wake.", False),
        (replace(HELD, may_run=False), "disabled",
         "30 emails wait: the function may not run, its concurrency is 0.",
         "Set enabled = true in Terraform; SQS keeps mail for 14 days.", False),
        (replace(HELD, control=pause()), "paused",
         ("30 emails wait: everything is paused until 15:00 UTC by ann (a typo); smtp is held "
          "(AUTH)."),
         "End it with ionctl resume; put the right login into the secret, then ionctl wake.",
         False),
        (replace(WELL, queues=queues(bulk=5), control=pause(Lane.BULK)), "paused",
         "5 emails wait: bulk mail is paused until 15:00 UTC by ann (a typo).",
         "End it with ionctl resume.", True),
        (replace(WELL, queues=queues(bulk=5, input=1), control=pause(Lane.BULK)), "sending",
         "6 emails on the way; bulk mail is paused.", "", True),
        (replace(WELL, control=pause(Lane.BULK)), "idle",
         "Nothing waits; bulk mail is paused.", "", True),
        (replace(WELL, control=STOPS, queues=queues(input=3)), "stopping",
         ("The stop a1 is in force until 15:00 UTC by bob (wrong link): 12 emails dead-lettered so "
         "far."),
         "End it with ionctl resume; ionctl dead redrive --reason STOPPED sends them then.", True),
        (replace(WELL, alarms=[alarm(), alarm("held", "OK")]), "idle",
         "Nothing waits; the alarm rings: old-mail.", "See docs/operations.md#old-mail.", False),
        (replace(WELL, queues=Queues(
            input=EMPTY, bulk=EMPTY, later=Depth(visible=0, in_flight=2, delayed=1),
            dead_letter=EMPTY), next_retry=NOW + timedelta(days=1)), "idle",
         "Nothing waits; 3 emails for later, the next due 2026-11-29 14:00 UTC.", "", True),
        (replace(WELL, runs=[run(40)], queues=Queues(
            input=Depth(visible=2, in_flight=0, delayed=0, oldest_seconds=2400), bulk=EMPTY,
            later=EMPTY, dead_letter=EMPTY)), "held",
         "2 emails wait: the function has not run since 13:20 UTC.",
         "See schedule, permissions and concurrency: ionctl doctor; ionctl wake tries at once.",
         False),
        (replace(WELL, runs=[run(40)], queues=Queues(
            input=Depth(visible=2, in_flight=9, delayed=0, oldest_seconds=2400), bulk=EMPTY,
            later=EMPTY, dead_letter=EMPTY)), "sending", "11 emails on the way.", "", True),
        (replace(WELL, queues=Queues(
            input=Depth(visible=0, in_flight=9, delayed=0), bulk=EMPTY, later=EMPTY,
            dead_letter=EMPTY)), "sending",
         "9 emails in hand, or put off for less than a minute.", "", True),
    ],
)  # fmt: skip
def test_a_verdict_has_a_word_a_sentence_and_what_to_do(
    seen: Seen, word: str, said: str, advice: str, *, ok: bool
) -> None:
    judged = judge(seen)
    assert (judged.verdict, judged.said, judged.advice, judged.ok) == (word, said, advice, ok)


@pytest.mark.parametrize(
    ("input_", "bulk", "idle_minutes", "word"),
    [
        ({"visible": 2, "oldest_seconds": 2400}, {}, 40, "held"),
        ({}, {"visible": 2, "oldest_seconds": 2400}, 40, "held"),
        # it has just come, after a quiet hour
        ({"visible": 2, "oldest_seconds": 30}, {}, 40, "sending"),
        ({"visible": 2}, {}, 40, "sending"),
        # a long queue, and runs that come and go
        ({"visible": 2, "oldest_seconds": 2400}, {}, 10, "sending"),
        # a run is under way
        ({"visible": 2, "oldest_seconds": 2400}, {"in_flight": 1}, 40, "sending"),
    ],
)
def test_a_function_is_said_not_to_run_where_mail_waits_and_no_run_ends_or_begins(
    input_: dict[str, int], bulk: dict[str, int], idle_minutes: float, word: str
) -> None:
    waits = waiting(input_, bulk)
    assert judge(replace(WELL, runs=[run(idle_minutes)], queues=waits)).verdict == word


def test_a_function_whose_log_can_not_be_read_is_not_said_not_to_run() -> None:
    """No run in a log that was read is another thing than no log."""
    old = waiting({"visible": 2, "oldest_seconds": 2400}, {})
    assert judge(replace(WELL, runs=[], queues=old)).said.endswith("has not run for an hour.")
    assert judge(replace(WELL, runs=None, queues=old)).verdict is Verdict.SENDING


@pytest.mark.parametrize(
    ("pauses", "said"),
    [
        ([(Lane.BULK, 3, "bob"), (None, 1, "ann")], "paused until 15:00 UTC by ann"),
        ([(Lane.BULK, 3, "bob"), (Lane.NORMAL, 1, "ann")], "paused until 15:00 UTC by ann"),
        ([(Lane.BULK, 1, "bob"), (None, 3, "ann")], "paused until 17:00 UTC by ann"),
    ],
)
def test_everything_is_paused_until_some_mail_goes_again(
    pauses: list[tuple[Lane | None, int, str]], said: str
) -> None:
    control = Control(
        pauses=tuple(
            LanePause(lane=lane, until=NOW + timedelta(hours=hours), by=by)
            for lane, hours, by in pauses
        )
    )
    judged = judge(replace(WELL, control=control))
    assert judged.said == f"Nothing waits, but everything is {said}."


def test_each_reason_of_a_site_has_words_and_advice() -> None:
    """A server that lets nothing in does so for one of these (docs/reasons.md, "The site")."""
    site = (
        *(Reason.CONNECT, Reason.GREETING, Reason.EHLO, Reason.TLS_CERT, Reason.TLS_REQUIRED),
        *(Reason.AUTH, Reason.AUTH_MISSING, Reason.AUTH_LATER, Reason.QUOTA),
        Reason.CONFIGURATION,
    )
    for reason in site:
        judged = judge(replace(HELD, held=[held(reason)]))
        assert "keeps mail from going" not in judged.said
        assert judged.advice
    assert judge(replace(HELD, held=[held("THROTTLED")])).advice.startswith("Ion tries again")


@pytest.mark.parametrize(
    ("seen", "seconds"),
    [
        (replace(WELL, queues=queues(input=50, bulk=50), per_second=10.0), 10),
        (replace(WELL, queues=queues(input=50)), None),
        (replace(WELL, per_second=10.0), None),
        (replace(HELD, per_second=10.0), None),
        (replace(WELL, queues=queues(input=50), per_second=1.0, may_run=False), None),
        (replace(WELL, queues=queues(input=50), per_second=1.0, control=pause()), None),
    ],
)
def test_a_backlog_ends_where_mail_goes_at_a_known_pace(seen: Seen, seconds: int | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert gone_at(seen) == expected


def test_the_verdicts_are_all_there() -> None:
    """Each one is in the table above."""
    marks: Any = test_a_verdict_has_a_word_a_sentence_and_what_to_do
    (table,) = (mark for mark in marks.pytestmark if mark.name == "parametrize")
    assert {row[1] for row in table.args[1]} == {one.value for one in Verdict}


def test_figures_have_as_many_digits_as_people_read() -> None:
    assert [verdict.figure(one) for one in (0.33333, 4.5, 12.34, 1234.5)] == [
        *("0.33", "4.5", "12", "1,234"),
    ]
