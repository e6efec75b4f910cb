"""What replies mean, by example: as servers and providers word them, and all that nobody says."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ion.outcome import Kind, Outcome, Reason, Reply, Scope, Stage
from ion.smtp.replies import classify, leaves_in_step
from ion.smtp.wire import reply_of

CONNECT, EHLO, STARTTLS, AUTH = Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH
MAIL, RCPT, DATA, BODY, DOT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.BODY, Stage.DOT
SETTING_UP = (CONNECT, EHLO, STARTTLS, AUTH)
TRANSACTION = (MAIL, RCPT, DATA, BODY, DOT)
OUT_OF_STEP = {500, 501, 502, 503, 555}

Verdict = tuple[Kind, Reason]
SENT: Verdict = (Kind.ACCEPTED, Reason.ACCEPTED)
LATER: Verdict = (Kind.TRANSIENT, Reason.TRY_LATER)
GREYLISTED: Verdict = (Kind.GREYLISTED, Reason.GREYLISTED)
THROTTLED: Verdict = (Kind.THROTTLED, Reason.THROTTLED)
QUOTA: Verdict = (Kind.QUOTA, Reason.QUOTA)
CONFIGURATION: Verdict = (Kind.MISCONFIGURED, Reason.CONFIGURATION)
PROTOCOL: Verdict = (Kind.OUT_OF_STEP, Reason.PROTOCOL)
IN_DOUBT: Verdict = (Kind.IN_DOUBT, Reason.IN_DOUBT)
SENDER: Verdict = (Kind.PERMANENT, Reason.SENDER_REJECTED)
RECIPIENT: Verdict = (Kind.PERMANENT, Reason.RCPT_REJECTED)
REFUSED_DATA: Verdict = (Kind.PERMANENT, Reason.DATA_REJECTED)
CONTENT: Verdict = (Kind.PERMANENT, Reason.CONTENT_REJECTED)
GREETING_LATER: Verdict = (Kind.UNAVAILABLE, Reason.GREETING)
NO_GREETING: Verdict = (Kind.MISCONFIGURED, Reason.GREETING)
AUTH_LATER: Verdict = (Kind.UNAVAILABLE, Reason.AUTH_LATER)
WRONG_LOGIN: Verdict = (Kind.MISCONFIGURED, Reason.AUTH)
NO_TLS_NOW: Verdict = (Kind.UNAVAILABLE, Reason.TLS_REQUIRED)

SES = [
    (DOT, "250 Ok 0100017f3c5e0b7a-8d9e2f10-000000", SENT),
    (CONNECT, "421 Too many concurrent SMTP connections", GREETING_LATER),
    (MAIL, "421 Too many concurrent SMTP connections", THROTTLED),
    (DOT, "451 Temporary service failure", LATER),
    (DOT, "451 Timeout waiting for data from client", LATER),
    (MAIL, "421 4.4.2 Timeout waiting for data from client.", LATER),
    (MAIL, "454 Throttling failure: Maximum sending rate exceeded", THROTTLED),
    (DOT, "454 Throttling failure: Maximum sending rate exceeded.", THROTTLED),
    (DOT, "454 Throttling failure: Daily message quota exceeded", QUOTA),
    (MAIL, "454 Throttling failure: Daily message quota exceeded.", QUOTA),
    (AUTH, "454 Temporary authentication failure", AUTH_LATER),
    (AUTH, "535 Authentication Credentials Invalid", WRONG_LOGIN),
    (AUTH, "535 Account not subscribed to SES", WRONG_LOGIN),
    (MAIL, "530 Authentication required", CONFIGURATION),
    (MAIL, "530 Must issue a STARTTLS command first", CONFIGURATION),
    (MAIL, "501 Invalid MAIL FROM address provided", PROTOCOL),
    (RCPT, "501 Invalid RCPT TO address provided", PROTOCOL),
    (DOT, "552 Message is too long.", CONTENT),
    (MAIL, "552 5.3.4 Message size exceeds fixed limit", SENDER),
    (
        DOT,
        (
            "554 Message rejected: Email address is not verified. The following identities failed "
            "the check in region EU-WEST-1: ann@example.org"
        ),
        CONFIGURATION,
    ),
    (
        DOT,
        (
            "554 Access denied: User `arn:aws:iam::123456789012:user/smtp' is not authorized to "
            "perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:123456789012:identity/x'"
        ),
        CONFIGURATION,
    ),
    (DOT, "554 Transaction failed: Missing start boundary", CONTENT),
    (DOT, "554 Transaction failed: Local address contains control or whitespace", CONTENT),
    (DOT, "554 Message rejected: Address blacklisted.", CONTENT),
]

GMAIL = [
    (DOT, "250 2.0.0 OK  1706000000 a1-20020a05600c0a0100b0040e4914f28dsm123 - gsmtp", SENT),
    (CONNECT, "421 4.7.0 Try again later, closing connection. - gsmtp", GREETING_LATER),
    (MAIL, "421 4.3.0 Temporary System Problem. Try again later - gsmtp", LATER),
    (MAIL, "421 4.4.5 Server busy, try again later. - gsmtp", LATER),
    (MAIL, "421 4.7.0 Temporary System Problem.  Try again later - gsmtp", THROTTLED),
    (RCPT, "421 4.7.0 IP not in whitelist for RCPT domain, closing connection. - gsmtp", THROTTLED),
    (
        DOT,
        (
            "421-4.7.0 Our system has detected an unusual rate of unsolicited mail originating\n"
            "421-4.7.0 from your IP address. To protect our users from spam, mail sent from\n"
            "421 4.7.0 your IP address has been temporarily blocked. - gsmtp"
        ),
        THROTTLED,
    ),
    (
        DOT,
        "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail. To protect our users",
        THROTTLED,
    ),
    (
        RCPT,
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly. - gsmtp",
        THROTTLED,
    ),
    (
        RCPT,
        (
            "450 4.2.1 The user you are trying to contact is receiving mail at a rate that "
            "prevents additional messages from being delivered. - gsmtp"
        ),
        THROTTLED,
    ),
    (RCPT, "450 4.2.1 Peak SMTP relay limit exceeded for customer. - gsmtp", THROTTLED),
    (DOT, "451 4.3.0 Mail server temporarily rejected message. - gsmtp", LATER),
    (RCPT, "451 4.3.0 Multiple destination domains per transaction is unsupported.", LATER),
    (DATA, "451 4.4.2 Timeout - closing connection. - gsmtp", LATER),
    (DATA, "451 4.5.0 SMTP protocol violation, see RFC 2821. - gsmtp", LATER),
    (RCPT, "452 4.2.2 The email account that you tried to reach is over quota. - gsmtp", LATER),
    (RCPT, "452 4.5.3 Your message has too many recipients. - gsmtp", LATER),
    (AUTH, "454 4.7.0 Too many login attempts, please try again later. - gsmtp", AUTH_LATER),
    (AUTH, "454 4.7.0 Cannot authenticate due to temporary system problem.", AUTH_LATER),
    (AUTH, "534-5.7.9 Application-specific password required.\n534 5.7.9 - gsmtp", WRONG_LOGIN),
    (AUTH, "535-5.7.8 Username and Password not accepted.\n535 5.7.8 - gsmtp", WRONG_LOGIN),
    (AUTH, "535 5.7.1 Please log in via your web browser - gsmtp", WRONG_LOGIN),
    (MAIL, "530-5.5.1 Authentication Required.\n530 5.5.1 - gsmtp", CONFIGURATION),
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first. - gsmtp", CONFIGURATION),
    (MAIL, "530-5.7.0 Authentication Required.\n530 5.7.0 - gsmtp", CONFIGURATION),
    (
        RCPT,
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "550-5.1.1 double-checking the recipient's email address for typos or\n"
            "550 5.1.1 unnecessary spaces. - gsmtp"
        ),
        RECIPIENT,
    ),
    (RCPT, "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp", RECIPIENT),
    (RCPT, "550 5.4.5 Daily SMTP relay limit exceeded for user. - gsmtp", QUOTA),
    (DOT, "550-5.4.5 Daily user sending limit exceeded.\n550 5.4.5 - gsmtp", QUOTA),
    (DOT, "550 5.4.5 Daily sending quota exceeded. - gsmtp", QUOTA),
    (DOT, "550 5.7.0 Mail relay denied. - gsmtp", CONTENT),
    (DOT, "550 5.7.1 Our system has detected that this message is likely unsolicited", CONTENT),
    (
        DOT,
        (
            "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n"
            "550 5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM."
        ),
        CONTENT,
    ),
    (DOT, "552 5.2.2 The email account that you tried to reach is over quota.", CONTENT),
    (DOT, "552 5.2.3 Your message exceeded Google's message size limits.", CONTENT),
    (DOT, "552 5.7.0 This message was blocked because its content presents a risk.", CONTENT),
    (RCPT, "553 5.1.2 We weren't able to find the recipient domain.", RECIPIENT),
    (DOT, "554 5.6.0 Mail message is malformed. Not accepted.", CONTENT),
    (MAIL, "555 5.5.2 Syntax error. - gsmtp", PROTOCOL),
    (RCPT, "503 5.5.1 MAIL first. - gsmtp", PROTOCOL),
    (DATA, "502 5.5.1 Unrecognized command. - gsmtp", PROTOCOL),
]

EXCHANGE = [
    (DOT, "250 2.0.0 OK <x@prod.outlook.com> [Hostname=AM0PR01MB0001]", SENT),
    (MAIL, "250 2.1.0 Sender OK", SENT),
    (CONNECT, "421 4.3.2 Service not available", GREETING_LATER),
    (
        MAIL,
        (
            "421 4.3.2 The maximum number of concurrent connections has exceeded a limit, "
            "closing transmission channel"
        ),
        LATER,
    ),
    (DOT, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/x", THROTTLED),
    (DOT, "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", THROTTLED),
    (MAIL, "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)", THROTTLED),
    (RCPT, "451 4.7.550 Access denied, please try again later", THROTTLED),
    (RCPT, "451 4.7.651 The mail server [192.0.2.1] has been temporarily rate limited", THROTTLED),
    (MAIL, "451 4.7.0 Temporary server error. Please try again later. PRX2", THROTTLED),
    (DOT, "451 4.4.0 DNS query failed", LATER),
    (DOT, "452 4.3.1 Insufficient system resources", LATER),
    (RCPT, "452 4.5.3 Recipients belong to multiple regions ATTR38", LATER),
    (AUTH, "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001]", WRONG_LOGIN),
    (
        AUTH,
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled",
        WRONG_LOGIN,
    ),
    (AUTH, "504 5.7.4 Unrecognized authentication type", WRONG_LOGIN),
    (MAIL, "530 5.7.57 Client not authenticated to send mail. [AM0PR01CA0001]", CONFIGURATION),
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first", CONFIGURATION),
    (MAIL, "535 5.7.3 Authentication unsuccessful", CONFIGURATION),
    (DOT, "550 5.2.251 Sender throttled due to continuous mailbox full errors", CONFIGURATION),
    (DOT, "550 5.2.252 Sender throttled due to continuous send as denied errors", CONFIGURATION),
    (DOT, "550 5.2.253 Sender throttled due to continuous invalid license errors", CONFIGURATION),
    (DOT, "550 5.2.254 Sender throttled due to continuous too many recipients", CONFIGURATION),
    (DOT, "550 5.2.255 Sender throttled due to continuous invalid recipients", CONFIGURATION),
    (
        DOT,
        (
            "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to "
            "process message due to a permanent exception with message The message can't be "
            "submitted because the sender's submission quota was exceeded."
        ),
        QUOTA,
    ),
    (DOT, "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException", CONTENT),
    (DOT, "554 5.2.252 SendAsDenied; a@example.org not allowed to send as b@example.org", CONTENT),
    (DOT, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", CONTENT),
    (DOT, "550 5.7.708 Service unavailable. Access denied, traffic not accepted", CONTENT),
    (RCPT, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", RECIPIENT),
    (RCPT, "550 5.4.1 Recipient address rejected: Access denied. [AM0]", RECIPIENT),
    (RCPT, "550 5.7.1 Unable to relay", RECIPIENT),
    (RCPT, "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", RECIPIENT),
    (MAIL, "550 5.7.1 Client does not have permissions to send as this sender", SENDER),
    (DOT, "552 5.3.4 Message size exceeds fixed maximum message size", CONTENT),
    (DOT, "554 5.6.0 Corrupt message content", CONTENT),
    (RCPT, "501 5.1.3 Invalid address", PROTOCOL),
    (MAIL, "503 5.5.2 Send hello first", PROTOCOL),
    (DATA, "503 5.5.1 Bad sequence of commands", PROTOCOL),
    (DOT, "500 5.3.3 Unrecognized command", IN_DOUBT),
]

SENDGRID = [
    (DOT, "250 Ok: queued as 3Q9bX1TvRbSxU2P7wO8-1A", SENT),
    (DOT, "250 Queued mail for delivery", SENT),
    (MAIL, "403 You are not authorized to send from that email address", CONFIGURATION),
    (DOT, "421 Message from (192.0.2.1) temporarily deferred", LATER),
    (RCPT, "450 too frequent connects from 198.51.100.1, please try again later.", LATER),
    (DOT, "451 Temporary local problem - please try later", LATER),
    (MAIL, "451 Authentication failed: Maximum credits exceeded", QUOTA),
    (AUTH, "451 Authentication failed: Maximum credits exceeded", AUTH_LATER),
    (RCPT, "452 Too many recipients received this hour (throttled)", THROTTLED),
    (AUTH, "535 Authentication failed: Bad username / password", WRONG_LOGIN),
    (RCPT, "550 Requested action not taken: mailbox unavailable", RECIPIENT),
    (
        DOT,
        (
            "550 The from address does not match a verified Sender Identity. Mail cannot be sent "
            "until this error is resolved."
        ),
        CONTENT,
    ),
    (RCPT, "551 User does not exist", RECIPIENT),
    (DOT, "552 This message is larger than the current system limit", CONTENT),
    (RCPT, "553 Requested action not taken: mailbox name not allowed", RECIPIENT),
    (RCPT, "550 Unauthenticated senders not allowed", RECIPIENT),
]

POSTFIX = [
    (DOT, "250 2.0.0 Ok: queued as 4SxY1z2w3vz9rxL", SENT),
    (RCPT, "250 2.1.5 Ok", SENT),
    (MAIL, "250 2.1.0 Ok", SENT),
    (RCPT, "252 2.0.0 ann@example.org", SENT),
    (
        CONNECT,
        "421 4.7.0 mx.example.org Error: too many connections from 192.0.2.1",
        GREETING_LATER,
    ),
    (MAIL, "421 4.7.0 mx.example.org Error: too many errors", THROTTLED),
    (MAIL, "421 mx.example.org Error: too many errors", THROTTLED),
    (MAIL, "421 4.4.2 mx.example.org Error: timeout exceeded", LATER),
    (MAIL, "450 4.7.1 Error: too much mail from 192.0.2.1", GREYLISTED),
    (MAIL, "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found", LATER),
    (RCPT, "450 4.1.1 <ann@example.org>: Recipient address rejected: unverified address", LATER),
    (RCPT, "450 4.1.2 <ann@example.org>: Recipient address rejected: Domain not found", LATER),
    (RCPT, "450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted", GREYLISTED),
    (
        RCPT,
        "450 4.2.0 <ann@example.org>: Recipient address rejected: Greylisted, see http://x/y.html",
        GREYLISTED,
    ),
    (RCPT, "451 4.7.1 Greylisting in action, please come back later", GREYLISTED),
    (RCPT, "451 4.7.1 Service unavailable - try again later", GREYLISTED),
    (RCPT, "450 4.3.2 Service currently unavailable", LATER),
    (RCPT, "451 4.3.0 <ann@example.org>: Temporary lookup failure", LATER),
    (DOT, "451 4.3.0 Error: queue file write error", LATER),
    (DOT, "451 4.7.1 milter is unavailable - try again later", GREYLISTED),
    (MAIL, "452 4.3.1 Insufficient system storage", LATER),
    (RCPT, "452 4.5.3 Error: too many recipients", LATER),
    (STARTTLS, "454 4.7.0 TLS not available due to local problem", NO_TLS_NOW),
    (AUTH, "454 4.7.0 Temporary authentication failure: Connection lost", AUTH_LATER),
    (AUTH, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", WRONG_LOGIN),
    (AUTH, "503 5.5.1 Error: authentication not enabled", WRONG_LOGIN),
    (MAIL, "530 5.7.0 Must issue a STARTTLS command first", CONFIGURATION),
    (MAIL, "538 5.7.11 Encryption required for requested authentication mechanism", CONFIGURATION),
    (DOT, "550 5.7.1 Command rejected", CONTENT),
    (RCPT, "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown", RECIPIENT),
    (MAIL, "552 5.3.4 Message size exceeds fixed limit", SENDER),
    (DOT, "552 5.3.4 Error: message file too big", CONTENT),
    (MAIL, "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user ion", SENDER),
    (RCPT, "554 5.7.1 <ann@example.org>: Relay access denied", RECIPIENT),
    (RCPT, "554 5.7.1 <x[192.0.2.1]>: Client host rejected: Access denied", RECIPIENT),
    (RCPT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using x", RECIPIENT),
    (CONNECT, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked", NO_GREETING),
    (CONNECT, "521 5.7.1 Service unavailable", NO_GREETING),
    (DATA, "554 5.5.1 Error: no valid recipients", REFUSED_DATA),
    (RCPT, "503 5.5.1 Error: need MAIL command", PROTOCOL),
    (MAIL, "503 5.5.1 Error: nested MAIL command", PROTOCOL),
    (RCPT, "501 5.1.3 Bad recipient address syntax", PROTOCOL),
    (MAIL, "555 5.5.4 Unsupported option: SIZE", PROTOCOL),
    (DOT, "502 5.5.2 Error: command not recognized", IN_DOUBT),
]

EXIM = [
    (DOT, "250 OK id=1rTxyz-0001AB-2C", SENT),
    (RCPT, "250 Accepted", SENT),
    (CONNECT, "421 Too many concurrent SMTP connections; please try again later.", GREETING_LATER),
    (MAIL, "421 mx.example.org lost input connection", LATER),
    (RCPT, "451 Temporary local problem - please try later", LATER),
    (RCPT, "451-Greylisted, please try again in 180 seconds\n451 see http://x", GREYLISTED),
    (RCPT, "450 Greylisting enforced - try again later", GREYLISTED),
    (MAIL, "452 Space shortage, please try later", LATER),
    (RCPT, "452 too many recipients", LATER),
    (AUTH, "435 Unable to authenticate at present", AUTH_LATER),
    (AUTH, "535 Incorrect authentication data", WRONG_LOGIN),
    (RCPT, "550 Unrouteable address", RECIPIENT),
    (RCPT, "550 Unknown user", RECIPIENT),
    (RCPT, "550 relay not permitted", RECIPIENT),
    (RCPT, "550-Verification failed for <a@b.example>\n550 Sender verify failed", RECIPIENT),
    (DOT, "550 This message contains a virus", CONTENT),
    (MAIL, "552 Message size exceeds maximum permitted", SENDER),
    (DOT, "552 Message size exceeds maximum permitted", CONTENT),
    (DOT, '554 Too many "Received" headers - suspected mail loop', CONTENT),
    (RCPT, "503 sender not yet given", PROTOCOL),
    (DATA, "503 Valid RCPT command must precede DATA", PROTOCOL),
    (DATA, "503-All RCPT commands were rejected with this error:\n503 Unknown user", PROTOCOL),
    (MAIL, "501 <a b>: malformed address", PROTOCOL),
]

PROVIDERS = {
    "ses": SES,
    "gmail": GMAIL,
    "exchange": EXCHANGE,
    "sendgrid": SENDGRID,
    "postfix": POSTFIX,
    "exim": EXIM,
}
EXAMPLES = [
    pytest.param(stage, raw, verdict, id=f"{provider}-{stage}-{raw[:40]}")
    for provider, replies in PROVIDERS.items()
    for stage, raw, verdict in replies
]

STATES_OF_THE_SITE = {Kind.UNAVAILABLE, Kind.MISCONFIGURED, Kind.QUOTA, Kind.THROTTLED}


def said(raw: str) -> Reply:
    """A reply as the wire hands it on."""
    return reply_of(int(raw[:3]), "\n".join(line[4:] for line in raw.split("\n")))


def verdict_on(stage: Stage, raw: str, *, after_accepted: bool = False) -> Verdict:
    outcome = classify(stage, said(raw), after_accepted=after_accepted)
    return outcome.kind, outcome.reason


def test_there_are_enough_examples_to_go_by() -> None:
    assert len(EXAMPLES) >= 150
    assert len(PROVIDERS) >= 5


@pytest.mark.parametrize(("stage", "raw", "verdict"), EXAMPLES)
def test_a_reply_means(stage: Stage, raw: str, verdict: Verdict) -> None:
    assert verdict_on(stage, raw) == verdict


@pytest.mark.parametrize(("stage", "raw", "verdict"), EXAMPLES)
def test_what_is_said_before_mail_is_of_the_site_and_some_later_things_too(
    stage: Stage, raw: str, verdict: Verdict
) -> None:
    outcome = classify(stage, said(raw))
    if stage in SETTING_UP or verdict[0] in STATES_OF_THE_SITE:
        assert outcome.scope is Scope.SITE
    else:
        assert outcome.scope is not Scope.SITE


@pytest.mark.row(62)
@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    "raw",
    [
        "454 Throttling failure: Maximum sending rate exceeded",
        "421 Too many concurrent SMTP connections",
        "432 4.3.2 Concurrent connections limit exceeded",
        "451 4.7.500 Server busy",
        "421 4.7.0 Try again later, closing connection.",
        "450 4.2.1 receiving mail at a rate that prevents additional messages",
        "452 Too many recipients received this hour (throttled)",
    ],
)
def test_a_throttle_is_one_at_any_stage(stage: Stage, raw: str) -> None:
    assert verdict_on(stage, raw) == THROTTLED
    assert verdict_on(stage, raw, after_accepted=True) == THROTTLED


@pytest.mark.row(63)
@pytest.mark.parametrize("stage", TRANSACTION)
@pytest.mark.parametrize(
    "raw",
    [
        "454 Throttling failure: Daily message quota exceeded",
        "550 5.4.5 Daily user sending limit exceeded.",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
        "451 Authentication failed: Maximum credits exceeded",
    ],
)
def test_a_quota_is_one_at_any_stage_and_never_a_dead_letter(stage: Stage, raw: str) -> None:
    assert verdict_on(stage, raw) == QUOTA


@pytest.mark.row(49)
@pytest.mark.parametrize(
    ("raw", "too_many"),
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
        ("450 4.5.3 no", False),
        ("550 5.5.3 no", False),
    ],
)
def test_one_too_many_is_said_only_behind_an_accepted_one(raw: str, *, too_many: bool) -> None:
    kind, _ = verdict_on(RCPT, raw, after_accepted=True)
    assert (kind is Kind.TOO_MANY_RECIPIENTS) == too_many
    kind, _ = verdict_on(RCPT, raw)
    assert kind in {Kind.TRANSIENT, Kind.PERMANENT}


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("451 5.1.1 the code wins", Kind.TRANSIENT),
        ("550 4.2.1 the code wins, whatever the rate", Kind.PERMANENT),
        ("550 4.7.1 and this is no greylist", Kind.PERMANENT),
        ("450 5.4.5 nor is this a quota", Kind.TRANSIENT),
        ("250 5.1.1 and this is success", Kind.ACCEPTED),
        ("550 2.0.0 and this isn't", Kind.PERMANENT),
        ("550-5.4.5 the last line counts\n550 5.1.1 no such user", Kind.PERMANENT),
        ("550-5.1.1 the last line counts\n550 5.4.5 daily limit", Kind.QUOTA),
    ],
)
def test_the_code_wins_over_the_enhanced_code_and_the_last_line_over_the_others(
    raw: str, kind: Kind
) -> None:
    assert verdict_on(DOT, raw)[0] is kind


@pytest.mark.parametrize(
    ("code", "keeps"),
    [
        (200, True),
        (250, True),
        (299, True),
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
def test_a_connection_is_kept_only_after_a_clean_reply(code: int, *, keeps: bool) -> None:
    assert leaves_in_step(Reply(code, None, "")) == keeps


WORDS = (
    "too many recipients",
    "rate",
    "throttled",
    "daily message quota exceeded",
    "greylisted",
    "Access denied",
    "\n",
    "4.7.1 ",
    "5.4.5 ",
    "4.5.3 ",
    "5.2.251 ",
)
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map("".join)


@given(st.sampled_from([*SETTING_UP, *TRANSACTION]), st.integers(200, 599), texts, st.booleans())
@example(DOT, 354, "", False)
@settings(max_examples=1_000)
def test_every_reply_means_something(
    stage: Stage, code: int, text: str, after_accepted: bool
) -> None:
    reply = reply_of(code, text)
    outcome = classify(stage, reply, after_accepted=after_accepted)
    assert_consistent(stage, reply, outcome)
    assert classify(stage, reply, after_accepted=after_accepted) == outcome


@pytest.mark.parametrize("stage", [*SETTING_UP, *TRANSACTION])
def test_every_code_means_something(stage: Stage) -> None:
    for code in range(200, 600):
        for text in ("", "4.7.1 x", "5.4.5 x", "2.0.0 x", "too many recipients"):
            reply = reply_of(code, text)
            assert_consistent(stage, reply, classify(stage, reply))


def assert_consistent(stage: Stage, reply: Reply, outcome: Outcome) -> None:
    """The promise's rules that hold for all replies."""
    digit = reply.code // 100
    assert outcome.stage is stage
    assert outcome.reply is reply
    assert str(outcome)
    if stage in SETTING_UP:  # nothing said there is a verdict on a message
        assert outcome.scope is Scope.SITE
        assert outcome.kind is (Kind.UNAVAILABLE if digit == 4 else Kind.MISCONFIGURED)
        return
    if outcome.kind is Kind.ACCEPTED:
        assert digit == 2
        assert stage in {MAIL, RCPT, DOT}
    if reply.code in OUT_OF_STEP or digit == 3:
        assert outcome.kind is (Kind.IN_DOUBT if stage is DOT else Kind.OUT_OF_STEP)
    if outcome.kind is Kind.IN_DOUBT:
        assert stage is DOT
    if outcome.kind is Kind.PERMANENT:
        assert digit == 5
        assert outcome.scope is not Scope.SITE
    if digit == 4 and outcome.kind is not Kind.MISCONFIGURED:
        assert outcome.kind in {
            Kind.TRANSIENT,
            Kind.GREYLISTED,
            Kind.THROTTLED,
            Kind.QUOTA,
            Kind.TOO_MANY_RECIPIENTS,
        }
    if outcome.kind is Kind.TOO_MANY_RECIPIENTS:
        assert reply.code in {452, 552}
