"""Relays in several states, as the API tells them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ion.contract.hints import ALLOWED
from ionctl.ops.result import (
    AlarmState,
    Depth,
    EmailFound,
    Emails,
    HeldServer,
    Letter,
    LetterGroup,
    Letters,
    Life,
    LifeEvent,
    LifeState,
    Pace,
    PauseInForce,
    Queues,
    ReasonCount,
    Run,
    Status,
    StopInForce,
    SuppressionFound,
    Verdict,
)
from scripts.console.page.fake_api import SCHEMA, checked


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


NOTHING = Depth(visible=0, in_flight=0, delayed=0)


def ago(**span: float) -> datetime:
    return now() - timedelta(**span)


def run(seconds_ago: float, sent: int, *, held: str = "", deferred: int = 0) -> Run:
    return Run(
        ended_at=ago(seconds=seconds_ago),
        seconds=1.4,
        stopped="held" if held else "empty",
        held=held,
        error=f"{held} at auth: 535 5.7.8 Authentication credentials invalid" if held else "",
        received=sent + deferred,
        sent=sent,
        deferred=deferred,
        released=0,
        dead_lettered=0,
    )


def status(**changes: object) -> Status:
    """Give an idle relay, but for what is said."""
    idle: dict[str, Any] = {
        "name": "ion",
        "region": "us-east-1",
        "at": now(),
        "verdict": Verdict.IDLE,
        "ok": True,
        "words": "Nothing waits; the last run ended 12 s ago.",
        "queues": Queues(input=NOTHING, bulk=NOTHING, later=NOTHING, dead_letter=NOTHING),
        "dead_letters": [],
        "dead_letters_seen": 0,
        "held": [],
        "pauses": [],
        "stops": [],
        "pace": [Pace(server="smtp", rate=None, connections=10, learned=False)],
        "deferred": 0,
        "next_retry": None,
        "runs": [run(12, 3), run(75, 40), run(300, 1, deferred=2)],
        "alarms": [
            AlarmState(key=key, name=f"ion-{key}", state="OK", since=None, heard_by=1)
            for key in ("held", "dead-letters", "old-mail")
        ],
        "backlog_ends": None,
        "unknown": [],
    }
    return Status(**{**idle, **changes})


def held() -> Status:
    """A server that refuses the login, a bulk pause, a stop, and dead letters."""
    return status(
        verdict=Verdict.HELD,
        ok=False,
        words="34 emails wait: smtp refuses the login. Mend the secret; ion notices by itself.",
        queues=Queues(
            input=Depth(visible=34, in_flight=0, delayed=0, oldest_seconds=260),
            bulk=Depth(visible=1200, in_flight=0, delayed=0, oldest_seconds=9000),
            later=Depth(visible=0, in_flight=0, delayed=12),
            dead_letter=Depth(visible=4, in_flight=0, delayed=0, oldest_seconds=86400 * 2),
        ),
        dead_letters=[
            ReasonCount(reason="INVALID_ADDRESS", count=2),
            ReasonCount(reason="RCPT_REJECTED", count=2),
        ],
        dead_letters_seen=4,
        held=[
            HeldServer(
                server="smtp",
                reason="AUTH",
                reply="535 5.7.8 Authentication credentials invalid",
                since=ago(minutes=4),
                next_try=now() + timedelta(minutes=5),
            )
        ],
        pauses=[
            PauseInForce(
                lane="bulk", until=now() + timedelta(minutes=50), by="kim", why="resets first"
            )
        ],
        stops=[
            StopInForce(
                id="s1",
                where={"tag": {"campaign": "spring"}},
                until=now() + timedelta(minutes=20),
                by="kim",
                why="wrong link",
                stopped=18,
            )
        ],
        pace=[Pace(server="smtp", rate=5.0, connections=2, learned=True, since=ago(minutes=9))],
        deferred=12,
        next_retry=now() + timedelta(seconds=48),
        runs=[run(3, 0, held="AUTH"), run(63, 0, held="AUTH"), run(300, 12)],
        alarms=[
            AlarmState(
                key="held", name="ion-held", state="ALARM", since=ago(minutes=3), heard_by=0
            ),
            AlarmState(
                key="dead-letters", name="ion-dead-letters", state="OK", since=None, heard_by=0
            ),
        ],
        unknown=["The age of the oldest email in bulk: CloudWatch has no figure yet."],
    )


BAD_BODY = (
    '{"action":"send","email_id":"order-17","recipient":"ann@@example.org",'
    '"subject":"Your order","body_text":"Thanks for it.","tags":{"campaign":"spring"}}'
)

BAD_BODY_LINES = """{
  "action": "send",
  "email_id": "order-17",
  "recipient": "ann@@example.org",
  "subject": "Your order",
  "body_text": "Thanks for it.",
  "tags": {
    "campaign": "spring"
  }
}"""


def letter(number: int, **changes: object) -> Letter:
    known: dict[str, Any] = {
        "message_id": f"m-{number}",
        "email_id": f"order-{16 + number}",
        "reason": "INVALID_ADDRESS",
        "path": "$.recipient",
        "problem": "value",
        "did_you_mean": "",
        "hint": "an address: a@b, or Name <a@b>",
        "remedy": "correct it with ionctl dead edit",
        "stage": "",
        "reply": "",
        "attempts": 0,
        "redrives": 0,
        "action": "send",
        "recipients": ["ann@@example.org"],
        "subject": "Your order",
        "left": [],
        "lane": "normal",
        "tags": {"campaign": "spring"},
        "first_queued_at": ago(minutes=30),
        "died_at": ago(minutes=29 - number),
    }
    about = {**known, **changes}
    return Letter(**{name: about[name] for name in Letter.__struct_fields__ if name in about})


REFUSED = {
    "reason": "RCPT_REJECTED",
    "path": "",
    "problem": "",
    "hint": "",
    "stage": "rcpt",
    "reply": "550 5.1.1 The email account that you tried to reach does not exist",
    "recipients": ["bounce@simulator.test"],
    "attempts": 1,
    "subject": "Reset your password",
}


def letters() -> Letters:
    all_letters = [letter(1), letter(2), letter(3, **REFUSED), letter(4, **REFUSED)]
    return Letters(
        groups=[
            LetterGroup(
                reason="INVALID_ADDRESS",
                path="$.recipient",
                hint="an address: a@b, or Name <a@b>",
                count=2,
                oldest_at=ago(hours=2),
                newest_at=ago(minutes=27),
            ),
            LetterGroup(
                reason="RCPT_REJECTED",
                path="",
                hint="",
                count=2,
                oldest_at=ago(hours=1),
                newest_at=ago(minutes=25),
            ),
        ],
        letters=all_letters,
        seen=4,
        chosen=4,
        hidden=0,
    )


def life() -> Life:
    return Life(
        email_id="order-17",
        state=LifeState.DEFERRED,
        words="The mail server has put it off once; ion tries again by itself.",
        fates=["sent", "waiting"],
        attempts=2,
        provider_id="",
        next_try=now() + timedelta(minutes=4),
        events=[
            LifeEvent(at=ago(minutes=6), what="received", words="Received from the input queue."),
            LifeEvent(
                at=ago(minutes=6),
                what="sent",
                words="Accepted by the mail server.",
                reply="250 2.0.0 Ok: queued as 4XyZ12",
                server="smtp",
                recipients=[0],
                attempt=1,
            ),
            LifeEvent(
                at=ago(minutes=1),
                what="deferred",
                words="Deferred.",
                reason="GREYLISTED",
                stage="rcpt",
                reply="451 4.7.1 Greylisted, try again in 5 minutes",
                server="smtp",
                recipients=[1],
                attempt=2,
            ),
        ],
        letters=[],
        looked_back_to=ago(days=1),
    )


def sent() -> Life:
    """The same once it has been edited and was sent."""
    event = LifeEvent(
        at=ago(seconds=57),
        what="sent",
        words="Taken by smtp",
        reply="250 2.0.0 Ok: queued as 4XyZ12",
        server="smtp",
        attempt=1,
    )
    edit = LifeEvent(at=ago(seconds=58), what="edited", words="Edited by ann, under the same id")
    return Life(
        email_id="order-17",
        state=LifeState.SENT,
        words="Sent: smtp took it.",
        fates=["sent"],
        attempts=1,
        provider_id="4XyZ12",
        next_try=None,
        events=[edit, event],
        letters=[],
        looked_back_to=ago(days=1),
        queued_at=ago(seconds=60),
        changed_at=ago(seconds=57),
        server="smtp",
        reply="250 2.0.0 Ok: queued as 4XyZ12",
    )


def bounced() -> Life:
    """One that waited for long, was taken, and came back for one of its recipients."""
    reply = "250 2.0.0 Ok: queued as 4XyZ12"
    return Life(
        email_id="order-17",
        state=LifeState.BOUNCED,
        words="Bounced after smtp took it. The provider says: bounced for recipient 2 (550 gone).",
        fates=["sent", "sent", "suppressed"],
        attempts=145,
        provider_id="4XyZ12",
        next_try=None,
        events=[
            LifeEvent(
                at=ago(hours=2),
                what="deferred",
                words="Deferred (AUTH), \N{MULTIPLICATION SIGN}144 until 12:00 UTC",
                reason="AUTH",
                times=144,
                until=ago(hours=1),
            ),
            LifeEvent(
                at=ago(minutes=9),
                what="sent",
                words="Taken by smtp",
                reply=reply,
                server="smtp",
                recipients=[0, 1],
                ms=1120,
            ),
            LifeEvent(
                at=ago(minutes=1),
                what="bounced",
                words="Bounced: the provider couldn't deliver it",
                reply="550 5.1.1 gone",
                recipients=[1],
            ),
        ],
        letters=[],
        looked_back_to=ago(hours=2),
        header_message_id="<a@example.org>",
    )


def to_ann(**changes: object) -> Emails:
    """The emails to an address."""
    known: dict[str, Any] = {
        "address": "ann@example.org",
        "emails": [
            EmailFound(
                email_id="order-18",
                at=ago(minutes=1),
                state=LifeState.QUEUED,
                email_state=LifeState.QUEUED,
                queue="bulk",
            ),
            EmailFound(
                email_id="order-17",
                at=ago(days=2),
                state=LifeState.SENT,
                email_state=LifeState.DEAD_LETTERED,
                reason="RCPT_REJECTED",
                fate="sent",
            ),
        ],
        "suppressions": [SuppressionFound(scope="all", why="complaint", since=ago(hours=3))],
        "looked_back_to": ago(days=1),
        "scanned": None,
    }
    return Emails(**{**known, **changes})


OUTCOMES = [
    {
        "id": "e-2",
        "type": "bounced",
        "email_id": "order-18",
        "at": "2026-11-28T12:00:01Z",
        "reason": "RCPT_REJECTED",
        "reply": "550 no such user",
    },
    {
        "id": "e-1",
        "type": "sent",
        "email_id": "order-17",
        "at": "2026-11-28T12:00:00Z",
        "reason": "ACCEPTED",
        "reply": "250 ok",
    },
]


def summary(number: int, **changes: object) -> dict[str, Any]:
    return {
        "id": f"{number:032x}",
        "at": ago(minutes=number * 7).isoformat(),
        "from": "Shop <post@example.org>",
        "to": [f"Ann Example <ann{number}@example.org>"],
        "recipients": [f"ann{number}@example.org"],
        "subject": f"Your order {4711 + number} is on its way",
        "bytes": 4200 + number,
        "marks": ["html", "text"],
        "email_id": f"order-{number}",
        **changes,
    }


SUBJECTS = [
    "Hello from ion",
    "Reset your password",
    "Your invoice of November",
    "Jörg has replied to you: “Grüße aus Köln, and thanks for all the fish and so on and on”",
    "",
    "Unsubscribe me not",
]


def emails() -> list[dict[str, Any]]:
    return [summary(n, subject=subject) for n, subject in enumerate(SUBJECTS)] + [
        summary(6, marks=["html", "attachments", "unsubscribe"])
    ]


def email(of: dict[str, Any], **changes: object) -> dict[str, Any]:
    return {
        **of,
        "headers": [
            ["From", of["from"]],
            ["To", ", ".join(of["to"])],
            ["Subject", of["subject"]],
            ["Message-ID", "<ion.order-17@example.org>"],
        ],
        "text": "Hello Ann,\n\nyour order is on its way.\n",
        "has_html": "html" in of["marks"],
        "attachments": [
            {
                "n": 0,
                "filename": "invoice.pdf",
                "content_type": "application/pdf",
                "bytes": 48211,
                "inline": False,
            }
        ],
        "remote": 2,
        **changes,
    }


EXAMPLES = [
    {
        "name": "tags",
        "title": "Tags",
        "body": '{"action": "send", "recipient": "bob@example.org", "tags": {"campaign": "may"}}',
    },
]
MODES = [
    {"name": "well", "title": "Well", "words": "accepts mail"},
    {"name": "wrong_login", "title": "Wrong login", "words": "535 at AUTH"},
    {"name": "down", "title": "Down", "words": "refuses connections, and cuts those there are"},
    {"name": "slow", "title": "Slow", "words": "each reply comes a second late"},
    {"name": "full", "title": "Full", "words": "452 4.3.1 Insufficient system storage"},
    {"name": "quota", "title": "Over quota", "words": "454 Daily message quota exceeded"},
    {"name": "throttle", "title": "Throttling", "words": "454 Maximum sending rate exceeded"},
]
HTML = (
    "<body style='font:16px sans-serif;margin:2rem'><h1 style='color:#2a41c4'>On its way</h1>"
    "<p>Hello Ann, your order is on its way.</p><p><a href='https://example.org'>See it</a></p>"
)


def answers(
    *, local: bool = True, write: bool = True, relay: Status | tuple[int, str] | None = None
) -> dict[str, Any]:
    """Give the API's answers for a relay, or for one that can't be looked at; else an idle one."""
    all_emails = emails() if local else []
    known: dict[str, Any] = {
        "GET /api/about": {
            "name": "ion",
            "region": "us-east-1",
            "local": local,
            "write": write,
            "inbox": local,
            "version": "0.2.0",
            "topic_arn": "arn:aws:sns:us-east-1:000000000000:ion-topic",
            "bulk_topic_arn": "arn:aws:sns:us-east-1:000000000000:ion-bulk-topic",
            "commands": {"ionctl": "./ionctl --local"},
        },
        "GET /api/status": relay or status(),
        "GET /api/inbox": {"count": len(all_emails), "emails": all_emails},
        **{f"GET /api/inbox/{one['id']}": email(one) for one in all_emails},
        **{f"mail {one['id']}": HTML for one in all_emails},
        "GET /api/emails/order-17": life(),
        "GET /api/dead": letters(),
        "GET /api/dead/m-1": letter(1, body=BAD_BODY),
        "GET /api/dead/m-3": letter(
            3, body='{"action": "send", "recipient": "bounce@simulator.test"}', **REFUSED
        ),
        "GET /api/switches": {"mode": "well", "modes": MODES},
        "GET /api/contract": {"schema": SCHEMA, "hints": ALLOWED, "examples": EXAMPLES},
        "POST /api/check": checked,
    }
    if not local:
        del known["GET /api/switches"]
    return known
