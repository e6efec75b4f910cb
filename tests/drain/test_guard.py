"""The staging guard, with a real server: none outside is ever said in a RCPT."""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Log
from draining import ion_of, reasons, recipients
from emulated import Account
from function import Function, email, guarded, invoke, once
from ion.contract import Address, Mailbox, Send
from ion.deadline import Deadline
from ion.delivery import InDoubt, Status
from ion.drain.deliver import Deliverer
from ion.drain.work_item import Job
from ion.envelope import Email
from ion.guard_rules import GuardRules
from ion.mail import compose
from ion.message import Message
from ion.policy.guard import StagingGuard
from ion.policy.lease import CLAIMED, Row, RowStatus
from ion.smtp.pool import Pool
from smtp.client import pool_for
from smtp_server import ScriptedServer, Step, Submission, drop, reply

ANN, BOB, CAT = "ann@partner.test", "bob@elsewhere.test", "cat@elsewhere.test"
INBOX = "inbox@example.com"
MIXED = email(recipient=f"Ann <{ANN}>", cc=BOB, bcc=CAT, subject="Hi", email_id="order-17")

NOW = datetime(2026, 11, 28, tzinfo=UTC)
MESSAGE = Message("m", "r", "{}", {}, sent_at=NOW.timestamp(), receives=1)

pytestmark = pytest.mark.row(80)


def rules(function: Function, **keys: str) -> None:
    for key in ("only", "redirect_to", "required", "senders"):
        function.monkeypatch.setenv(f"ION_GUARD_{key.upper()}", keys.get(key, ""))


def said(server: ScriptedServer) -> Counter[str]:
    """Addresses in RCPT, whatever the server answered."""
    lines = [command.line for session in server.sessions for command in session.commands]
    return Counter(line[len("RCPT TO:<") : -1] for line in lines if line.startswith("RCPT"))


def read(one: Submission) -> EmailMessage:
    return message_from_bytes(one.content, policy=policy.default)


# some may be reached, others not


def test_others_are_dead_letters_and_the_rest_is_served(
    account: Account, function: Function, log: Log
) -> None:
    rules(function, only=ANN, required="true")
    account.publish(MIXED)
    server = guarded()
    summary = once(function, account, server)
    assert (summary.sent, summary.dead_lettered, account.waiting()) == (1, 1, [])
    assert said(server) == {ANN: 1}
    (letter,) = account.dead()
    assert (letter.body, letter.attributes["reason"][1]) == (MIXED, "GUARDED")
    assert letter.attributes["reply"][1] == "not in [guard] only"
    record = ion_of(letter)
    assert (record["left"], record["stage"], record["email_id"]) == ([1, 2], "guard", "order-17")
    (row,) = account.rows()
    assert (row["fates"], row["status"], row["reason"]) == ("sdd", "bounced", "GUARDED")
    fates = [(event["message"], event.get("recipients")) for event in log.events]
    assert ("dead_lettered", 2) in fates
    assert "elsewhere.test" not in log.text


def test_where_all_are_outside_no_email_is_begun(account: Account, function: Function) -> None:
    rules(function, only="*@example.com")
    account.publish(MIXED)
    server = guarded()
    assert once(function, account, server).dead_lettered == 1
    assert (said(server), reasons(account)) == ({}, ["GUARDED"])
    assert "MAIL" not in server.sessions[0].verbs
    assert "left" not in ion_of(account.dead()[0]), "it is about all"


def test_who_is_outside_is_buried_once_while_the_others_wait(
    account: Account, function: Function
) -> None:
    rules(function, only=f"{ANN}, {BOB}")
    account.publish(MIXED)
    server = guarded(recipients={BOB: [reply(450, "4.2.1 busy")]})

    async def main() -> None:
        async with server:
            function.knows(server)
            for _ in range(2):
                await invoke(function.relay())
                account.time_passes(60)

    asyncio.run(main())
    assert recipients(server) == {ANN: 1, BOB: 1}
    assert (reasons(account), account.waiting()) == (["GUARDED"], [])
    assert account.rows()[0]["fates"] == "ssd"


async def test_who_is_outside_is_buried_where_a_refused_sender_lets_the_others_wait() -> None:
    """The server isn't asked about the second email, since it said it all of the first."""
    unverified = reply(554, "Message rejected: Email address is not verified.")
    server = ScriptedServer({Step.DOT: unverified})
    job = claimed(Send(recipient=ANN, cc=BOB, body_text="x"))
    async with server, pool_for(server) as pool:
        deliverer = guarding(pool, GuardRules(only=(ANN,)))
        for _ in range(2):
            deliveries = await deliverer.deliver(job, MESSAGE, Deadline.after(600))
            fates = {one.status: one.recipients for one in deliveries}
            assert fates == {Status.DEAD: (1,), Status.RELEASED: (0,)}
    assert said(server) == {ANN: 1}


# a redirect


def test_the_redirect_gets_one_copy_that_alone_names_the_bcc(
    account: Account, function: Function
) -> None:
    rules(function, only=ANN, redirect_to=f"Inbox <{INBOX}>")
    account.publish(MIXED)
    server = guarded()
    summary = once(function, account, server)
    assert (summary.sent, summary.dead_lettered) == (1, 0)
    assert said(server) == {ANN: 1, INBOX: 1}
    theirs, copy = server.accepted
    assert (theirs.recipients, copy.recipients) == ((ANN,), (INBOX,))
    assert CAT.encode() not in theirs.content
    assert (read(theirs)["Subject"], read(theirs)["X-Ion-Original-To"]) == ("Hi", None)
    assert read(copy)["Subject"] == f"[{BOB}, {CAT}] Hi"
    assert read(copy)["X-Ion-Original-To"] == f"{BOB}, {CAT}"
    assert read(copy)["Message-ID"] == read(theirs)["Message-ID"]
    assert account.rows()[0]["fates"] == "sss"


def test_with_a_redirect_alone_all_goes_there(account: Account, function: Function) -> None:
    rules(function, redirect_to=INBOX)
    account.publish(MIXED)
    server = guarded()
    assert once(function, account, server).sent == 1
    assert said(server) == {INBOX: 1}
    assert read(server.accepted[0])["Subject"] == f"[{ANN}, {BOB}, {CAT}] Hi"


def test_what_the_redirect_says_is_the_fate_of_those_it_stands_for(
    account: Account, function: Function
) -> None:
    rules(function, only=ANN, redirect_to=INBOX)
    account.publish(MIXED)
    gone = reply(550, f"5.1.1 <{INBOX}>: no inbox here")
    server = guarded(recipients={INBOX: gone})
    summary = once(function, account, server)
    assert (summary.sent, summary.dead_lettered, said(server)) == (1, 1, {ANN: 1, INBOX: 1})
    (letter,) = account.dead()
    assert (letter.attributes["reason"][1], ion_of(letter)["left"]) == ("RCPT_REJECTED", [1, 2])
    assert letter.attributes["reply"][1] == "550 5.1.1 <address>: no <address> here"
    assert account.rows()[0]["fates"] == "sdd"


def test_a_doubt_about_the_redirects_copy_is_of_no_other(
    account: Account, function: Function
) -> None:
    function.monkeypatch.setenv("ION_RETRY_IN_DOUBT", "park")
    rules(function, only=ANN, redirect_to=INBOX)
    account.publish(MIXED)
    once(function, account, guarded({Step.DOT: [reply(250, "2.0.0 Ok"), drop()]}))
    assert account.rows()[0]["fates"] == "s??"
    assert ion_of(account.dead()[0])["left"] == [1, 2]


def test_where_the_site_is_ill_the_redirect_is_not_tried_as_well(
    account: Account, function: Function
) -> None:
    rules(function, only=ANN, redirect_to=INBOX)
    account.publish(MIXED)
    quota = reply(454, "Throttling failure: Daily message quota exceeded")
    server = guarded({Step.MAIL: [quota, reply(250, "2.1.0 Ok")]})
    summary = once(function, account, server)
    assert (summary.sent, summary.released, said(server)) == (0, 1, {})
    assert (len(account.waiting()), account.dead()) == (1, [])


# whatever made the email


@dataclass(frozen=True)
class Way:
    """A way of asking for an email to CAT, and nothing else."""

    body: str
    template: bool = False
    in_outbox: bool = False
    in_s3: bool = False


SPELT = {"recipient": CAT, "body_text": "x", "sender": "ion@example.org"}
WAYS = {
    "to": Way(email(recipient=CAT)),
    "cc": Way(email(recipient=None, cc=CAT)),
    "bcc": Way(email(recipient=None, bcc=[CAT])),
    "name of another": Way(email(recipient=f'"{ANN}" <{CAT}>')),
    "object": Way(email(recipient={"email": CAT, "name": ANN})),
    "a header": Way(email(recipient=CAT, headers={"X-Ion-Original-To": ANN, "Errors-To": ANN})),
    "template": Way(email(recipient=CAT, template="t", body_text=None), template=True),
    "outbox": Way('{"email_id": "order-17"}', in_outbox=True),
    "S3": Way('["software.amazon.payloadoffloading.PayloadS3Pointer",', in_s3=True),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("redirect", ["", INBOX])
def test_nothing_goes_round_it(
    account: Account, function: Function, way: Way, redirect: str
) -> None:
    rules(function, only=ANN, redirect_to=redirect)
    body = way.body
    if way.template:
        (function.root / "templates" / "t").mkdir(parents=True)
        (function.root / "templates" / "t" / "body.txt.j2").write_text("Hello")
    if way.in_outbox:
        function.monkeypatch.setenv("ION_AWS_OUTBOX_TABLE", account.outbox_table)
        account.leave({"email_id": {"S": "order-17"}, "email": {"S": json.dumps(SPELT)}})
    if way.in_s3:
        at = account.store("k", email(recipient=CAT).encode())
        body += f'{{"s3BucketName": "{at["bucket"]}", "s3Key": "{at["key"]}"}}]'
    account.publish(body)
    server = guarded()
    once(function, account, server)
    assert said(server) == ({INBOX: 1} if redirect else {})
    assert reasons(account) == ([] if redirect else ["GUARDED"])
    assert account.waiting() == []


def test_a_redrive_is_guarded_by_the_settings_of_now(account: Account, function: Function) -> None:
    """What was dead-lettered before there was a guard goes to nobody else; nor what one let go."""
    rules(function)
    account.publish(MIXED)
    refused = reply(550, "5.1.1 no such user")
    once(function, account, guarded({Step.RCPT: refused}))
    assert reasons(account) == ["RCPT_REJECTED"]

    def redriven(**keys: str) -> ScriptedServer:
        rules(function, **keys)
        account.publish('{"action": "redrive"}')
        server = guarded()
        once(function, account, server)
        return server

    assert said(redriven(only=ANN)) == {ANN: 1}
    assert reasons(account) == ["GUARDED"]
    assert said(redriven(only="example.com")) == {}
    assert reasons(account) == ["GUARDED"]
    assert said(redriven(only=f"{ANN}, {CAT}")) == {CAT: 1}
    assert ion_of(account.dead()[0])["left"] == [1]
    assert said(redriven(redirect_to=INBOX)) == {INBOX: 1}
    assert (account.dead(), account.waiting()) == ([], [])


# senders


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"sender": "Shop <shop@example.com>"}, None),
        ({"sender": "shop@EXAMPLE.com", "return_path": "b@bounces.test"}, None),
        ({"sender": "shop@elsewhere.test"}, "$.sender"),
        ({"sender": '"shop@example.com" <shop@elsewhere.test>'}, "$.sender"),
        ({"sender": "shop@elsewhere.test", "return_path": "b@bounces.test"}, "$.sender"),
        ({"sender": "shop@example.com", "return_path": "b@elsewhere.test"}, "$.return_path"),
        ({"sender": None}, "$.sender"),
    ],
)
def test_an_email_goes_out_in_the_name_of_some_senders_only(
    account: Account, function: Function, fields: dict[str, Any], path: str | None
) -> None:
    rules(function, senders="example.com, b@bounces.test")
    function.monkeypatch.setenv("ION_MAIL_SENDER", "default@example.org")
    account.publish(email(recipient=[ANN, BOB], **fields))
    server = guarded()
    once(function, account, server)
    if path is None:
        assert said(server) == {ANN: 1, BOB: 1}
        return
    assert "MAIL" not in server.sessions[0].verbs
    (letter,) = account.dead()
    assert (letter.attributes["reason"][1], ion_of(letter)["path"]) == ("GUARDED", path)
    assert letter.attributes["reply"][1] == "not in [guard] senders"
    assert account.rows()[0]["fates"] == "dd"


# any list of recipients

MAILBOXES: list[tuple[Address, str, str]] = [
    # as a publisher writes it, the mailbox that is meant, its domain
    ("ann@a.test", "ann@a.test", "a.test"),
    ("Ann <ANN@A.test>", "ann@a.test", "a.test"),
    ('"ann@a.test" <ann+x@a.test>', "ann+x@a.test", "a.test"),
    (Mailbox(email="bob@sub.a.test", name="ann@a.test"), "bob@sub.a.test", "sub.a.test"),
    ('"ann@a.test"@b.test', '"ann@a.test"@b.test', "b.test"),
    ('"ann"@b.test', "ann@b.test", "b.test"),
    ("Jörg <jörg@bücher.test>", "jörg@xn--bcher-kva.test", "xn--bcher-kva.test"),
    ("cat@BÜCHER.test", "cat@xn--bcher-kva.test", "xn--bcher-kva.test"),
    ("*@b.test", "*@b.test", "b.test"),
    ("inbox@example.com", "inbox@example.com", "example.com"),
]
PATTERNS = {
    "ann@a.test": ("ann@a.test", None),
    "ANN@A.TEST": ("ann@a.test", None),
    "*@a.test": (None, "a.test"),
    "b.test": (None, "b.test"),
    "*@bücher.test": (None, "xn--bcher-kva.test"),
    "jörg@bücher.test": ("jörg@xn--bcher-kva.test", None),
    "example.com": (None, "example.com"),
}
"""To the mailbox, or the domain, that each means."""
SOME = st.lists(st.sampled_from(MAILBOXES), max_size=4)


@settings(max_examples=60)
@given(
    SOME,
    SOME,
    SOME,
    st.lists(st.sampled_from(sorted(PATTERNS)), max_size=3, unique=True),
    st.none() | st.just(INBOX),
)
def test_no_list_of_recipients_reaches_anybody_else(
    to: list[tuple[Address, str, str]],
    cc: list[tuple[Address, str, str]],
    bcc: list[tuple[Address, str, str]],
    only: list[str],
    redirect: str | None,
) -> None:
    everybody = [*to, *cc, *bcc]
    if not everybody or not (only or redirect):
        return
    may = {
        mailbox
        for _, mailbox, domain in everybody
        if any(PATTERNS[one] in ((mailbox, None), (None, domain)) for one in only)
    }
    send = Send(
        recipient=[one for one, *_ in to],
        cc=[one for one, *_ in cc],
        bcc=[one for one, *_ in bcc],
        body_text="x",
    )
    server, statuses = delivered(send, GuardRules(tuple(only), redirect))
    asked = {one.lower() for one in said(server)}
    assert asked <= may | {redirect}
    assert asked >= may - {redirect}
    plain = composed(send).content
    for one in server.accepted:
        if one.recipients != (redirect,):
            assert one.content == plain, "what others get tells nothing of a bcc"
    left_out = {mailbox for _, mailbox, _ in everybody} - may
    assert (Status.DEAD in statuses) == bool(left_out and redirect is None)


def composed(send: Send) -> Email:
    return compose(send, key="k", queued_at=NOW, default_sender="ion@example.org")


def claimed(send: Send) -> Job:
    sent = composed(send)
    count = len(sent.envelope.recipients)
    until = NOW.timestamp() + 960
    row = Row(RowStatus.SENDING, "t", until, "h", CLAIMED * count, "0" * count)
    return Job(sent, row, tuple(range(count)), InDoubt.RESEND_ONCE, NOW.timestamp(), 1)


def guarding(pool: Pool, guard_rules: GuardRules) -> Deliverer:
    guard = StagingGuard(guard_rules)
    return Deliverer(pool, 86_400, NOW.timestamp, lambda: 0.5, guard=guard)


def delivered(send: Send, guard_rules: GuardRules) -> tuple[ScriptedServer, set[Status]]:
    """One attempt on a new connection, without a queue."""
    server, job = ScriptedServer(), claimed(send)

    async def main() -> set[Status]:
        async with server, pool_for(server) as pool:
            deliverer = guarding(pool, guard_rules)
            deliveries = await deliverer.deliver(job, MESSAGE, Deadline.after(600))
            told = sorted(i for one in deliveries for i in one.recipients)
            assert told == [*job.targets], "each recipient has one fate"
            return {one.status for one in deliveries}

    return server, asyncio.run(main())
