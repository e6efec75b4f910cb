"""What replies mean: as servers and providers word them, and all that nobody says."""

import asyncio
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fuzz.stream import hear
from ion.outcome import Kind, Reason, Reply, Scope, Stage
from ion.smtp.replies import classify, leaves_in_step
from ion.smtp.stream import reply_of
from smtp.corpus import UNSOURCED, Seen, corpus
from smtp.invariants import (
    MALFORMED_ADDRESS,
    OUT_OF_STEP,
    SETTING_UP,
    TRANSACTION,
    assert_consistent,
)

MAIL, RCPT, DATA, BODY, DOT = TRANSACTION

Verdict = tuple[Kind, Scope, Reason]
THROTTLED: Verdict = (Kind.THROTTLED, Scope.SITE, Reason.THROTTLED)
QUOTA: Verdict = (Kind.QUOTA, Scope.SITE, Reason.QUOTA)
LOGIN_REFUSED: Verdict = (Kind.MISCONFIGURED, Scope.SITE, Reason.AUTH)
OF_THE_ACCOUNT: Verdict = (Kind.MISCONFIGURED, Scope.SITE, Reason.CONFIGURATION)
OF_THE_SENDER: Verdict = (Kind.MISCONFIGURED, Scope.SENDER, Reason.CONFIGURATION)
FULL: Verdict = (Kind.TRANSIENT, Scope.RECIPIENT, Reason.MAILBOX_FULL)
NO_RELAY: Verdict = (Kind.PERMANENT, Scope.RECIPIENT, Reason.RELAYING_DENIED)
TOO_LARGE: Verdict = (Kind.PERMANENT, Scope.MESSAGE, Reason.TOO_LARGE)
NO_SUCH_USER: Verdict = (Kind.PERMANENT, Scope.RECIPIENT, Reason.RCPT_REJECTED)
CONTENT: Verdict = (Kind.PERMANENT, Scope.MESSAGE, Reason.CONTENT_REJECTED)
NO_DATA: Verdict = (Kind.PERMANENT, Scope.MESSAGE, Reason.DATA_REJECTED)
BAD_SENDER: Verdict = (Kind.PERMANENT, Scope.SENDER, Reason.SENDER_REJECTED)

SEEN = corpus()
SOURCE = re.compile(r"https://\S+|[\w.-]+/[\w.-]+(?:#\d+|:\S+)")


def said(octets: bytes) -> Reply:
    """A reply as the wire hands it on."""
    heard = asyncio.run(hear([octets], at_once=True))
    (reply,) = heard.replies
    return reply


def verdict_on(stage: Stage, text: str, *, after_accepted: bool = False) -> Verdict:
    reply = said(text.replace("\n", "\r\n").encode() + b"\r\n")
    outcome = classify(stage, reply, after_accepted=after_accepted)
    return outcome.kind, outcome.scope, outcome.reason


# as seen


def test_there_are_enough_real_replies_to_go_by() -> None:
    assert len(SEEN) >= 400
    assert len([seen for seen in SEEN if seen.source != UNSOURCED]) >= 350
    assert len({seen.provider for seen in SEEN}) >= 30
    assert {seen.stage for seen in SEEN} == {*SETTING_UP, *TRANSACTION} - {BODY}
    assert {seen.kind for seen in SEEN} == {*Kind}


def test_each_real_reply_names_its_source() -> None:
    assert len({(seen.provider, seen.stage, seen.octets, seen.source) for seen in SEEN}) > 390
    for seen in SEEN:
        assert seen.source == UNSOURCED or SOURCE.fullmatch(seen.source), seen.source


@pytest.mark.parametrize("seen", SEEN, ids=str)
def test_a_real_reply_means(seen: Seen) -> None:
    reply = said(seen.octets)
    outcome = classify(seen.stage, reply, after_accepted=seen.after_accepted)
    assert (outcome.kind, outcome.scope, outcome.reason) == (seen.kind, seen.scope, seen.reason)
    assert_consistent(seen.stage, reply, outcome)


# rule by rule, at every stage


@pytest.mark.row(62)
@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    "text",
    [
        "454 Throttling failure: Maximum sending rate exceeded",
        "421 Too many concurrent SMTP connections",
        "421 4.3.2 The maximum number of concurrent connections has exceeded a limit",
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        "451 4.7.500 Server busy",
        "421 4.7.0 Try again later, closing connection.",
        "450 4.2.1 receiving mail at a rate that prevents additional messages",
        "452 Too many recipients received this hour (throttled)",
        "450 4.7.1 Error: too much mail from 192.0.2.1",
        "554 5.2.122 The recipient has exceeded their limit",
        "550 This IP has sent too many messages this hour.",
        "550-5.7.1 unusual rate of\n550 5.7.1 unsolicited mail originating from your IP address",
        "550 5.7.1 This mail has been rate limited.",
        "452 4.4.5 Messages per second limit exceeded",
        "455 Maximum messages sent per minute reached : limit is 10",
        "450 Number messages per hour exceeded",
    ],
)
def test_a_throttle_is_one_at_any_stage(stage: Stage, text: str) -> None:
    assert verdict_on(stage, text) == THROTTLED
    assert verdict_on(stage, text, after_accepted=True) == THROTTLED


@pytest.mark.row(63)
@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    "text",
    [
        "454 Throttling failure: Daily message quota exceeded",
        "550 5.4.5 Daily user sending limit exceeded.",
        "550-5.7.1 Daily SMTP relay limit exceeded for customer.\n550 5.7.1 see x",
        "550-5.7.1 Daily SMTP\n550 5.7.1 relay limit exceeded for customer.",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        "451 Authentication failed: Maximum credits exceeded",
        "550 5.1.90 Your message can't be sent",
        "452 4.5.3 Daily message limit exceeded",
        "502 5.7.0 Daily user sending limit exceeded",
        "455 Maximum messages sent per day reached : limit is 200",
        "552 Message would take you over your relay quota of 500 Current quota used: 487",
        "554 5.7.0 The limit on the number of allowed outgoing messages was exceeded.",
        "450 Your account reached its email quota limit.",
        "554 Your account is on probation and domains are limited to 100 messages / hour",
        "421 Domain a is not allowed to send: recipient limit exceeded, try again after Sun",
    ],
)
def test_a_quota_is_one_at_any_stage_and_never_a_dead_letter(stage: Stage, text: str) -> None:
    assert verdict_on(stage, text) == QUOTA


@pytest.mark.parametrize(
    "text",
    [
        "552 5.2.2 Quota exceeded (mailbox for user is full)",
        "550 5.2.1 the recipient has reached their daily limit",
        "452 4.2.2 The email account that you tried to reach is over quota",
        "552 5.2.2 This account reached its email quota",
    ],
)
def test_a_recipient_s_quota_holds_nobody_else(text: str) -> None:
    assert verdict_on(RCPT, text)[1] is Scope.RECIPIENT


@pytest.mark.row(90)
@pytest.mark.parametrize("stage", [Stage.AUTH, *TRANSACTION])
@pytest.mark.parametrize(
    "text",
    [
        "550 5.7.30 Basic authentication is not supported for Client Submission.",
        "550-5.7.30 Basic authentication is not\n550 5.7.30 supported for Client Submission.",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "535 5.7.3 Authentication unsuccessful",
        "535 Mail server has been suspended",
        "534 5.7.9 Application-specific password required",
        "530 5.7.57 Client not authenticated. Error: 535 5.7.139 Authentication unsuccessful",
        "550 5.7.1 SmtpClientAuthentication is disabled for the Tenant.",
    ],
)
def test_a_login_may_be_refused_at_any_stage(stage: Stage, text: str) -> None:
    assert verdict_on(stage, text) == LOGIN_REFUSED


@pytest.mark.row(90)
@pytest.mark.parametrize(
    ("stage", "text", "verdict"),
    [
        (DOT, "550 5.7.30 This mail has been blocked because DKIM does not pass.", CONTENT),
        (DOT, "550 5.7.1 rejected: message authentication unsuccessful", CONTENT),
        (RCPT, "550 5.7.3 Not Authorized", NO_SUCH_USER),
        (RCPT, "550 5.7.134 Sender was not authenticated for mailbox", NO_SUCH_USER),
        (RCPT, "550 5.7.139 no such group", NO_SUCH_USER),
    ],
)
def test_not_every_authentication_is_our_login(stage: Stage, text: str, verdict: Verdict) -> None:
    assert verdict_on(stage, text) == verdict


@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("530 Authentication required", OF_THE_ACCOUNT),
        ("538 5.7.11 Encryption required", OF_THE_ACCOUNT),
        ("554 Access denied: User `arn' is not authorized", OF_THE_ACCOUNT),
        ("550 Unauthenticated senders not allowed", OF_THE_ACCOUNT),
        ("550 5.7.708 Access denied, traffic not accepted from this IP", OF_THE_ACCOUNT),
        ("550 5.7.749 Access denied, tenant has exceeded threshold", OF_THE_ACCOUNT),
        ("550 5.7.506 Access Denied, Bad HELO", OF_THE_ACCOUNT),
        ("550 that IP address is not allowed to send", OF_THE_ACCOUNT),
        ("554 Message rejected: Sending paused for this account. See x", OF_THE_ACCOUNT),
        ("552 Your account has been suspended. Please contact us", OF_THE_ACCOUNT),
        ("502 5.7.0 Your SMTP account is not yet activated", OF_THE_ACCOUNT),
        ("421 Domain x is not allowed to send: Account Terminated", OF_THE_ACCOUNT),
        (
            "421 Domain x is not allowed to send: Please activate your Mailgun account.",
            OF_THE_ACCOUNT,
        ),
        (
            "550-5.7.1 not authorized to\n550 5.7.1 send email directly to our servers",
            OF_THE_ACCOUNT,
        ),
        ("502 5.7.0 Please authenticate first", OF_THE_ACCOUNT),
        ("503 Administrative prohibition -- authorization required.", OF_THE_ACCOUNT),
        ("554 Message rejected: Email address is not verified. a@b", OF_THE_SENDER),
        ("403 You are not authorized to send from that email address", OF_THE_SENDER),
        ("550 The from address does not match a verified Sender Identity.", OF_THE_SENDER),
        ("550 5.7.60 SMTP; Client does not have permissions to send as this", OF_THE_SENDER),
        ("554 5.2.252 SendAsDenied; a not allowed to send as b", OF_THE_SENDER),
        *((f"550 5.2.25{n} Sender throttled", OF_THE_SENDER) for n in range(1, 6)),
        ("553 5.7.1 <a@b>: Sender address rejected: not owned by user c", OF_THE_SENDER),
        ("421 Domain x is not allowed to send: Sandbox subdomains are for", OF_THE_SENDER),
        ("421 Domain x is not allowed to send: whatever it is", OF_THE_SENDER),
        ("550-From header sender domain not verified.\n550 See x", OF_THE_SENDER),
        ("530 From/Sender domain is not verified for this workspace.", OF_THE_SENDER),
        ("530 From/Sender name is not valid", OF_THE_SENDER),
        ("530 API key is restricted to sending domain: example.com.", OF_THE_SENDER),
        ("550 Sending from this domain is paused", OF_THE_SENDER),
        ("550 This domain is not associated with your account", OF_THE_SENDER),
        ("550 5.7.1 Unconfigured Sending Domain <example.org>", OF_THE_SENDER),
        ("550 5.7.511 Access denied, banned sender", OF_THE_SENDER),
        ("553 Mail from must equal authorized user", OF_THE_SENDER),
    ],
)
def test_what_the_account_may_not_do_is_no_message_s_fault(
    stage: Stage, text: str, verdict: Verdict
) -> None:
    assert verdict_on(stage, text) == verdict


def test_a_login_that_is_missed_at_mail_is_ours_and_at_rcpt_the_recipient_s_to_demand() -> None:
    for text in ("550 5.7.1 Client was not authenticated", "550 SMTP; Client not authenticated"):
        assert verdict_on(MAIL, text) == OF_THE_ACCOUNT
        assert verdict_on(RCPT, text) == NO_SUCH_USER


def test_a_sender_that_isn_t_the_login_s_may_be_called_malformed() -> None:
    assert verdict_on(MAIL, "501 mail from address must be same as authorization user") == (
        OF_THE_SENDER
    )


@pytest.mark.parametrize(
    ("stage", "text", "verdict"),
    [
        (RCPT, "550 5.2.1 <a@b>: the account has been suspended", NO_SUCH_USER),
        (RCPT, "550 <a@b>: account is not yet activated", NO_SUCH_USER),
        (RCPT, "525 5.7.13 <a@b>: Recipient address rejected: User account disabled", NO_SUCH_USER),
        (DOT, "550 5.7.1 the IP address is not allowed to send for example.org (SPF)", CONTENT),
        (RCPT, "550 you are not allowed to send mail to <a@b>", NO_SUCH_USER),
        (DOT, "550 unusual rate of unsolicited mail containing one of your URL domains", CONTENT),
    ],
)
def test_not_every_account_is_ours(stage: Stage, text: str, verdict: Verdict) -> None:
    assert verdict_on(stage, text) == verdict


@pytest.mark.row(54)
@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    "text",
    ["502 5.5.1 Command not implemented", "502 no", "503 5.5.1 nested MAIL", "503 Authorize first"],
)
def test_a_lost_thread_is_no_missing_login(stage: Stage, text: str) -> None:
    kind = Kind.IN_DOUBT if stage is DOT else Kind.OUT_OF_STEP
    assert verdict_on(stage, text)[:2] == (kind, Scope.CONNECTION)
    assert not leaves_in_step(stage, said(f"{text}\r\n".encode()))


@pytest.mark.parametrize(
    "text",
    [
        "554 5.7.1 <ann@example.org>: Relay access denied",
        "550 5.7.1 <ann@example.org>... Relaying denied",
        "550 5.7.1 Unable to relay",
        "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
        "550 relay not permitted",
        "551 we do not relay",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "550-host.example [192.0.2.1] is currently not permitted to\n550 relay through this server",
    ],
)
def test_relaying_is_denied_before_the_content(text: str) -> None:
    assert verdict_on(MAIL, text) == NO_RELAY
    assert verdict_on(RCPT, text) == NO_RELAY
    assert verdict_on(DOT, text) != NO_RELAY


@pytest.mark.parametrize(
    "text",
    [
        "450 4.7.1 <ann@example.org>: Relay access denied",
        "550 5.7.1 blocked, 192.0.2.1 is an open relay",
        "550 5.1.1 relay.example.org knows no such user",
    ],
)
def test_not_every_relay_is_denied(text: str) -> None:
    assert verdict_on(RCPT, text) != NO_RELAY


@pytest.mark.parametrize("code", [450, 451, 452])
def test_a_full_mailbox_is_one_recipient_s_and_may_be_emptied(code: int) -> None:
    for stage in (RCPT, DOT):
        assert verdict_on(stage, f"{code} 4.2.2 full") == FULL
    assert verdict_on(RCPT, f"{code} 4.2.2 full", after_accepted=True) == FULL
    assert verdict_on(RCPT, f"{code} Mailbox full", after_accepted=True) == FULL
    assert verdict_on(RCPT, f"{code} 5.2.2 the digits differ") != FULL


@pytest.mark.row(47)
@pytest.mark.parametrize(
    ("stage", "text", "verdict"),
    [
        *((stage, "552 5.3.4 too big", TOO_LARGE) for stage in TRANSACTION),
        *((stage, "554 5.3.4 too big", TOO_LARGE) for stage in TRANSACTION),
        *((stage, "552 5.2.3 too long", TOO_LARGE) for stage in TRANSACTION),
        *((stage, "552 too big", TOO_LARGE) for stage in (MAIL, DATA, BODY, DOT)),
        *((stage, "552 4.3.4 the digits differ", TOO_LARGE) for stage in (MAIL, DATA, BODY, DOT)),
        (RCPT, "552 mailbox full", NO_SUCH_USER),
        *((stage, "552 5.2.2 mailbox full", NO_SUCH_USER) for stage in (RCPT, DATA, BODY, DOT)),
        (MAIL, "552 5.2.2 mailbox full", BAD_SENDER),
        (MAIL, "552 5.7.0 blocked", BAD_SENDER),
        (DATA, "552 5.7.0 blocked", NO_DATA),
        *((stage, "552 5.7.0 blocked", CONTENT) for stage in (BODY, DOT)),
        *((stage, "552 Virus infected message rejected", CONTENT) for stage in (DATA, BODY, DOT)),
        (MAIL, "550 5.1.1 no such user", BAD_SENDER),
        *((stage, "550 5.1.1 no such user", NO_SUCH_USER) for stage in (RCPT, DATA, BODY, DOT)),
        *((stage, "550 5.1.8 domain not found", BAD_SENDER) for stage in TRANSACTION),
        *((stage, "550 5.1.7 bad sender", BAD_SENDER) for stage in TRANSACTION),
        (DATA, "550 5.7.1 no", NO_DATA),
        (DOT, "550 5.7.1 no", CONTENT),
    ],
)
def test_whose_fault_it_is(stage: Stage, text: str, verdict: Verdict) -> None:
    assert verdict_on(stage, text) == verdict


@pytest.mark.row(49)
@pytest.mark.parametrize(
    ("text", "too_many"),
    [
        ("452 4.5.3 Too many recipients", True),
        ("452 too many recipients", True),
        ("452 5.5.3 the digits differ: the code counts", True),
        ("552 5.5.3 Too many recipients", True),
        ("552 4.5.3 Too many recipients", True),
        ("552 Too many recipients", True),
        ("452 4.5.3 Domain policy size per transaction exceeded", True),
        ("452 4.2.2 The email account that you tried to reach is over quota", False),
        ("452 4.3.1 Insufficient system storage", False),
        ("552 5.2.2 Mailbox full", False),
        ("552 5.3.4 Message too big", False),
        ("451 4.5.3 Too many recipients: Too many recipients", True),
        ("550 5.5.3 too many recipients", True),
        ("450 4.5.3 no", False),
        ("550 5.5.3 no", False),
        ("550 198.51.100.225 has sent to too many recipients this hour. IB607", False),
        ("450 4.7.1 Error: too many recipients from 192.0.2.1", False),
    ],
)
def test_one_too_many_is_said_only_behind_an_accepted_one(text: str, *, too_many: bool) -> None:
    kind, _, _ = verdict_on(RCPT, text, after_accepted=True)
    assert (kind is Kind.TOO_MANY_RECIPIENTS) == too_many
    kind, _, _ = verdict_on(RCPT, text)
    assert kind in {Kind.TRANSIENT, Kind.PERMANENT, Kind.THROTTLED}
    kind, _, _ = verdict_on(MAIL, text, after_accepted=True)
    assert kind is not Kind.TOO_MANY_RECIPIENTS


@pytest.mark.row(62)
def test_too_many_messages_on_a_connection_are_not_too_many_recipients() -> None:
    """OpenSMTPD says so to the MAIL of the hundred and first email, and doesn't close."""
    text = "452 4.5.3 Too many recipients: Too many messages sent"
    assert verdict_on(MAIL, text) == THROTTLED
    assert verdict_on(MAIL, text, after_accepted=True) == THROTTLED


@pytest.mark.row(46)
def test_a_time_out_that_is_said_late_is_transient() -> None:
    """SES's reply to the dot, or to MAIL, on a connection that it had given up before."""
    text = "451 4.4.2 Timeout waiting for data from client."
    assert verdict_on(DOT, text) == (Kind.TRANSIENT, Scope.MESSAGE, Reason.TRY_LATER)
    assert verdict_on(MAIL, text) == (Kind.TRANSIENT, Scope.SENDER, Reason.TRY_LATER)


@pytest.mark.row(49)
@pytest.mark.parametrize("stage", [DATA, BODY, DOT])
@pytest.mark.parametrize(
    ("text", "too_many"),
    [
        ("554 Too many recipients", True),
        ("452 4.5.3 Too many recipients", True),
        ("554 5.5.3 no more than ten at a time", True),
        ("452 too many hops", False),
        ("452 4.3.1 Insufficient system storage", False),
        ("554 5.3.5 5.5.3 is elsewhere", False),
        ("550 5.2.254 Sender throttled due to continuous too many recipients errors", False),
        ("550 198.51.100.225 has sent to too many recipients this hour. IB607", False),
    ],
)
def test_too_many_may_be_said_of_the_whole_transaction(
    stage: Stage, text: str, *, too_many: bool
) -> None:
    verdict = verdict_on(stage, text)
    assert (verdict[0] is Kind.TOO_MANY_RECIPIENTS) == too_many
    if too_many:
        assert verdict == (Kind.TOO_MANY_RECIPIENTS, Scope.RECIPIENT, Reason.TRY_LATER)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("451 5.1.1 the code wins", Kind.TRANSIENT),
        ("550 4.2.1 the code wins, whatever the rate", Kind.PERMANENT),
        ("550 4.7.1 and this is no greylist", Kind.PERMANENT),
        ("450 5.4.5 nor is this a quota", Kind.TRANSIENT),
        ("250 5.1.1 and this is success", Kind.ACCEPTED),
        ("550 2.0.0 and this isn't", Kind.PERMANENT),
        ("550-5.4.5 the last line counts\n550 5.1.1 no such user", Kind.PERMANENT),
        ("550-5.1.1 the last line counts\n550 5.4.5 no more today", Kind.QUOTA),
    ],
)
def test_the_code_wins_over_the_enhanced_code_and_the_last_line_over_the_others(
    text: str, kind: Kind
) -> None:
    assert verdict_on(DOT, text)[0] is kind


@pytest.mark.parametrize("code", ["5.\u0661.\u0661", "5.\uff17.1", "5.7.1.1", "5.7", "6.7.1"])
def test_what_only_looks_like_an_enhanced_code_is_text(code: str) -> None:
    reply = said(f"550 {code} no\r\n".encode())
    assert (reply.enhanced, reply.text) == (None, f"{code} no")


@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    ("code", "keeps"),
    [
        (300, False),
        (354, False),
        (420, True),
        (421, False),
        (450, True),
        (499, True),
        *[(code, False) for code in sorted(OUT_OF_STEP)],
        (504, True),
        (550, True),
        (554, True),
        (599, True),
    ],
)
def test_a_connection_is_kept_only_after_a_clean_reply(
    stage: Stage, code: int, *, keeps: bool
) -> None:
    clean = keeps or (stage, code) in MALFORMED_ADDRESS
    assert leaves_in_step(stage, Reply(code, None, "")) == clean


@pytest.mark.parametrize("code", [200, 250, 299])
def test_a_connection_is_kept_after_success_in_its_time(code: int) -> None:
    in_time = [stage for stage in TRANSACTION if leaves_in_step(stage, Reply(code, None, ""))]
    assert in_time == [MAIL, RCPT, DOT]


@pytest.mark.row(54)
@pytest.mark.parametrize(
    "text",
    [
        "554 5.5.0 Error: SMTP protocol synchronization",
        "554-5.5.0 Error: SMTP protocol\n554 5.5.0 synchronization",
        "554 SMTP synchronization error",
        "503 5.5.0 <a@b>: Recipient address rejected: Improper use of SMTP command pipelining",
        "550 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
        "450 4.5.0 <a@b>: Sender address rejected: Improper use of SMTP command pipelining",
        "501 5.5.0 Improper use of SMTP command pipelining",
        "550 5.5.1 Protocol error",
        "521 5.5.1 Protocol error",
    ],
)
def test_what_speaks_against_pipelining_is_no_refusal(text: str) -> None:
    reply = said(text.replace("\n", "\r\n").encode() + b"\r\n")
    for stage in TRANSACTION:
        kind = Kind.IN_DOUBT if stage is DOT else Kind.OUT_OF_STEP
        assert verdict_on(stage, text)[:2] == (kind, Scope.CONNECTION)
        assert not leaves_in_step(stage, reply)
    for stage in SETTING_UP:
        assert verdict_on(stage, text)[1] is Scope.SITE, "nothing there is about a message"


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 <pipelining@example.org>: no such user",
        "550 5.1.1 <synchronization@example.org>: no such user",
        "550 5.7.1 Protocol error of your virus scanner",
    ],
)
def test_not_every_refusal_that_has_the_word_speaks_against_pipelining(text: str) -> None:
    assert verdict_on(RCPT, text) == NO_SUCH_USER


@pytest.mark.row("54a")
@pytest.mark.parametrize(
    "text",
    [
        "501 5.1.3 Recipient address syntax error",
        "501 Error: Bad recipient address syntax",
        "501 5.5.2 Was expecting RCPT arg syntax of TO:<address>",
        "553 5.1.3 The recipient address <ann@example.org> is not a valid RFC 5321 address.",
        "553 sorry",
        "550 5.1.3 Invalid address",
    ],
)
def test_a_malformed_address_is_refused_alone(text: str) -> None:
    assert verdict_on(RCPT, text) == NO_SUCH_USER
    assert verdict_on(RCPT, text, after_accepted=True) == NO_SUCH_USER
    assert verdict_on(MAIL, text) == BAD_SENDER


@pytest.mark.row(54)
@pytest.mark.parametrize("stage", [DATA, BODY, DOT])
def test_behind_the_envelope_no_address_is_malformed(stage: Stage) -> None:
    kind = Kind.IN_DOUBT if stage is DOT else Kind.OUT_OF_STEP
    assert verdict_on(stage, "501 5.1.3 Bad address syntax")[:2] == (kind, Scope.CONNECTION)


# total

STAGES = (*SETTING_UP, *TRANSACTION)
WORDS = sorted(
    {seen.octets.decode()[4:].strip()[:60] for seen in SEEN}
    | {"too many recipients", "rate", "Access denied", "\n", "mailbox full", "relay not permitted"}
)
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=4).map("".join)
numbers = st.integers(0, 999)
enhanced_codes = (
    st.none()
    | st.text(max_size=9)
    | (st.tuples(st.integers(0, 9), numbers, numbers).map(lambda parts: ".".join(map(str, parts))))
)


@given(st.sampled_from(STAGES), numbers, enhanced_codes, texts, st.booleans())
@example(DOT, 354, None, "", False)
@example(RCPT, 452, "", "", True)
@example(DOT, 502, "5.7.0", "Daily user sending quota exceeded", False)
@example(DATA, 503, None, "frequency limited: authorization required", False)
@settings(max_examples=2_000)
def test_every_reply_means_something(
    stage: Stage, code: int, enhanced: str | None, text: str, after_accepted: bool
) -> None:
    reply = Reply(code, enhanced, text)
    outcome = classify(stage, reply, after_accepted=after_accepted)
    assert_consistent(stage, reply, outcome)
    assert classify(stage, reply, after_accepted=after_accepted) == outcome


@pytest.mark.parametrize("stage", STAGES)
def test_every_code_means_something(stage: Stage) -> None:
    for code in range(1000):
        for text in ("", "4.7.1 x", "5.4.5 x", "2.0.0 x", "too many recipients"):
            reply = reply_of(code, text)
            for after_accepted in (False, True):
                outcome = classify(stage, reply, after_accepted=after_accepted)
                assert_consistent(stage, reply, outcome)


@given(st.sampled_from(TRANSACTION), st.sampled_from(WORDS))
@settings(max_examples=20)
def test_the_longest_reply_is_judged_at_once(stage: Stage, word: str) -> None:
    """No expression in the table goes over a text again and again, or pytest's time-out tells."""
    for code in (421, 450, 550, 552, 554):
        reply = reply_of(code, (word + " too many daily relay") * (32_000 // (len(word) + 21)))
        assert_consistent(stage, reply, classify(stage, reply))
