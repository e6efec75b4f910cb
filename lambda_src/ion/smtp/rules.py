"""Meanings of replies, as a table: read from the top, the first rule that fits decides."""

import re
from dataclasses import dataclass

from ion.outcome import Kind, Reason, Reply, Scope, Stage

_ENVELOPE = frozenset({Stage.MAIL, Stage.RCPT})
_CONTENT = frozenset({Stage.DATA, Stage.BODY, Stage.DOT})
_TRANSACTION = _ENVELOPE | _CONTENT

Verdict = tuple[Kind, Scope, Reason]


@dataclass(frozen=True, slots=True)
class _Rule:
    """Fits a reply if everything that it names does; `text` may be anywhere in its words."""

    kind: Kind
    scope: Scope
    reason: Reason
    codes: frozenset[int] | range
    enhanced: str = ""
    text: str = ""
    stages: frozenset[Stage] = _TRANSACTION
    after_accepted: bool = False

    def fits(self, asked: "_Asked") -> bool:
        return (
            asked.code in self.codes
            and asked.stage in self.stages
            and (asked.after_accepted or not self.after_accepted)
            and (not self.enhanced or re.fullmatch(self.enhanced, asked.enhanced) is not None)
            and (not self.text or re.search(self.text, asked.words, re.IGNORECASE) is not None)
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A reply as the rules want it.

    Args:
        stage: the command that was answered.
        code: 400-599.
        enhanced: the enhanced status code; empty if there is none that agrees with the code.
        words: the text as one line: servers break theirs between any two words.
        after_accepted: this recipient comes behind an accepted one.
    """

    stage: Stage
    code: int
    enhanced: str
    words: str
    after_accepted: bool

    @classmethod
    def about(cls, stage: Stage, reply: Reply, *, after_accepted: bool) -> "_Asked":
        enhanced = reply.enhanced or ""
        if enhanced[:1] != str(reply.code)[0]:
            enhanced = ""
        behind = after_accepted and stage is Stage.RCPT
        return cls(stage, reply.code, enhanced, " ".join(reply.text.split()), behind)


def _codes(*codes: int) -> frozenset[int]:
    return frozenset(codes)


_4XX, _5XX, _NEGATIVE = range(400, 500), range(500, 600), range(400, 600)
_NONE = r"|\d\.0\.0"
"""No enhanced code, or the one that says nothing."""

_QUOTA = (Kind.QUOTA, Scope.SITE, Reason.QUOTA)
_SLOW_DOWN = (Kind.THROTTLED, Scope.SITE, Reason.THROTTLED)
_GREYLISTED = (Kind.GREYLISTED, Scope.RECIPIENT, Reason.GREYLISTED)
_LOGIN_REFUSED = (Kind.MISCONFIGURED, Scope.SITE, Reason.AUTH)
_OF_THE_ACCOUNT = (Kind.MISCONFIGURED, Scope.SITE, Reason.CONFIGURATION)
_OF_THE_SENDER = (Kind.MISCONFIGURED, Scope.SENDER, Reason.CONFIGURATION)
_FEWER_AT_A_TIME = (Kind.TOO_MANY_RECIPIENTS, Scope.RECIPIENT, Reason.TRY_LATER)
_FULL = (Kind.TRANSIENT, Scope.RECIPIENT, Reason.MAILBOX_FULL)
_NO_RELAY = (Kind.PERMANENT, Scope.RECIPIENT, Reason.RELAYING_DENIED)
_TOO_LARGE = (Kind.PERMANENT, Scope.MESSAGE, Reason.TOO_LARGE)
_BAD_SENDER = (Kind.PERMANENT, Scope.SENDER, Reason.SENDER_REJECTED)
_BAD_RECIPIENT = (Kind.PERMANENT, Scope.RECIPIENT, Reason.RCPT_REJECTED)
_BAD_CONTENT = (Kind.PERMANENT, Scope.MESSAGE, Reason.CONTENT_REJECTED)

# The account's, never a recipient's: one full mailbox must not suspend delivery to all.
_OVER_QUOTA = (
    r"\bdaily (user |smtp |sending |relay |message )+(limit|quota)|submission ?quota"
    r"|sending quota exceeded|over your relay quota|^your account reached its email quota"
    r"|maximum credits exceeded|maximum messages sent per day|outgoing messages was exceeded"
    r"|^your account is on probation|not allowed to send: \w+ limit exceeded"  # Mailgun
)
_TOO_MUCH = (
    r"throttl|rate limit|maximum sending rate|concurrent|too (fast|quickly|frequent)"
    r"|too many (messages|conn)|too (much mail|many recipients) from"
    r"|messages (sent )?per (second|minute|hour)"
)
_TOO_MUCH_FOR_NOW = (  # said with a 5xx, though time mends it: GoDaddy, QQ, Mimecast, Gmail
    r"too many (messages|recipients) this hour|messages per session|frequency limited"
    r"|outbound thread limit|rate of unsolicited mail originating|mail has been rate limited"
)
# Exchange says of a login that it let in, or failed, what it thinks of it at a later command.
_NO_PASSWORDS = (
    r"basic authentication is (not supported|disabled)|SmtpClientAuthentication is disabled"
)
_LOG_IN_FIRST = r"^(authentication required|unauthenticated (senders|mail) not allowed)"
_NOT_LOGGED_IN = r"^(smtp; )?client (was )?not authenticated"
"""Exchange's; of a recipient it means that only its own people may write to that one."""
_SUSPENDED = (
    r"sending (paused|suspended) for this account|^your account (has been|is) suspended"
    r"|smtp account is not yet activated|activate your mailgun account"  # Brevo, Mailgun
    r"|not allowed to send: account|unusual sending activity"  # Mailgun, Zoho: it is locked
    r"|^that ip address is not allowed to send|not authorized to send e?mail directly"
)
_NOT_VERIFIED = (
    r"email address is not verified|not match a verified sender identity|sandbox subdomains"
    r"|mail sending denied|sender domain (is )?not verified|restricted to sending domain"
    r"|sending from this domain is paused|unconfigured sending domain"
    r"|domain is not associated with your account|from/sender name is not valid"
    r"|^domain \S+ is not allowed to send: "  # Mailgun; its reasons are many
)
_SEND_AS_DENIED = (  # Exchange, SendGrid, Postfix and Yandex, Zoho; QQ and 163
    r"permissions? to send (as|on behalf)|SendAsDenied|not authorized to send from"
    r"|not owned by (auth )?user|relaying disallowed|bad outbound sender"
    r"|same as authorization user|must equal authorized user"
)
_NO_RELAYING = (
    r"relay(ing)?( access| mail)?( was| is)? (denied|not (permitted|allowed)|prohibited)"
    r"|(unable|not (permitted|allowed|authori[sz]ed)) to relay|(do|can|will) ?not relay"
    r"|credentials for relay|as a relay, but|allowed rcpthosts"  # Gmail, MessageLabs, qmail
)

# Log in first, said with codes that otherwise mean a lost thread. Rules above these in the table
# go first, as ever: the same codes may tell of a quota, or of an account that is suspended.
_NO_LOGIN_OUT_OF_STEP = (
    _Rule(*_OF_THE_ACCOUNT, _codes(502), enhanced=r"5\.7\.\d+"),  # go-smtp, Brevo
    _Rule(*_OF_THE_ACCOUNT, _codes(503), text=r"authori[sz]ation required"),  # mail.ru
)

_IN_A_TRANSACTION = (
    # Quotas: to be waited for, whatever the code says.
    _Rule(*_QUOTA, _5XX, enhanced=r"5\.4\.5|5\.1\.90"),
    _Rule(*_QUOTA, _NEGATIVE, text=_OVER_QUOTA),
    # Throttles: too fast, or too many at once.
    _Rule(*_SLOW_DOWN, _4XX, text=_TOO_MUCH),
    _Rule(*_SLOW_DOWN, _codes(432), enhanced=r"4\.3\.2"),
    _Rule(*_SLOW_DOWN, _codes(450), enhanced=r"4\.2\.1", text=r"rate|limit"),
    _Rule(*_SLOW_DOWN, _codes(421), enhanced=r"4\.7\.\d+"),
    _Rule(*_SLOW_DOWN, _codes(421), text=r"too many"),
    _Rule(*_SLOW_DOWN, _5XX, enhanced=r"5\.2\.12[12]|5\.7\.508"),  # Exchange: within the hour
    _Rule(*_SLOW_DOWN, _5XX, text=_TOO_MUCH_FOR_NOW),
    # Greylisting (RFC 6647) borrows the throttles' enhanced code.
    _Rule(*_GREYLISTED, _4XX, text=r"gr[ea]y-?list"),
    _Rule(*_GREYLISTED, _codes(450, 451), enhanced=r"4\.7\.1"),
    _Rule(*_SLOW_DOWN, _4XX, enhanced=r"4\.7\.\d+"),
    # The account's fault, said about a message: the whole account's, or that of one sender. What
    # the words say goes first: 530 means a login to some (RFC 4954), and a sender to others.
    _Rule(*_OF_THE_ACCOUNT, _NEGATIVE, text=_SUSPENDED),
    _Rule(*_OF_THE_SENDER, _NEGATIVE, text=_NOT_VERIFIED),
    _Rule(*_OF_THE_SENDER, _NEGATIVE, text=_SEND_AS_DENIED),
    _Rule(*_LOGIN_REFUSED, _codes(534, 535)),  # RFC 4954
    _Rule(*_LOGIN_REFUSED, _5XX, text=_NO_PASSWORDS),
    _Rule(*_LOGIN_REFUSED, _codes(530), text=r"authentication unsuccessful"),
    _Rule(*_OF_THE_ACCOUNT, _codes(530, 538)),  # log in first (RFC 4954)
    *_NO_LOGIN_OUT_OF_STEP,
    _Rule(*_OF_THE_ACCOUNT, _codes(550), text=_LOG_IN_FIRST),
    _Rule(*_OF_THE_ACCOUNT, _codes(550), text=_NOT_LOGGED_IN, stages=frozenset({Stage.MAIL})),
    _Rule(*_OF_THE_ACCOUNT, _codes(554), text=r"^access denied"),  # SES
    # Exchange: the tenant is banned, or the name that we say in EHLO; then, a sender is.
    _Rule(*_OF_THE_ACCOUNT, _5XX, enhanced=r"5\.7\.7([0-4]\d|50)|5\.7\.506"),
    _Rule(*_OF_THE_SENDER, _5XX, enhanced=r"5\.2\.25[1-5]|5\.7\.60|5\.7\.50[1-3]|5\.7\.511"),
    _Rule(*_FULL, _4XX, enhanced=r"4\.2\.2"),
    _Rule(*_FULL, _4XX, text=r"mailbox (is )?full|over ?quota"),
    # One recipient too many (RFC 5321 section 4.5.3.1.10: 452, and 552 from older servers). Said
    # about the first, these codes mean a full disk or mailbox. Exim may say it of all, at DATA.
    _Rule(*_FEWER_AT_A_TIME, _codes(452, 552), enhanced=r"|[45]\.5\.3", after_accepted=True),
    _Rule(*_FEWER_AT_A_TIME, _NEGATIVE, text=r"too many recipients", after_accepted=True),
    _Rule(*_FEWER_AT_A_TIME, _NEGATIVE, text=r"too many recipients", stages=_CONTENT),
    _Rule(*_FEWER_AT_A_TIME, _NEGATIVE, enhanced=r"[45]\.5\.3", stages=_CONTENT),
    # Whose fault it is, where the reply knows better than the stage.
    _Rule(*_NO_RELAY, _5XX, text=_NO_RELAYING, stages=_ENVELOPE),
    _Rule(*_TOO_LARGE, _5XX, enhanced=r"5\.3\.4|5\.2\.3"),
    _Rule(*_BAD_CONTENT, _codes(552), enhanced=_NONE, text=r"virus|spam", stages=_CONTENT),
    _Rule(*_TOO_LARGE, _codes(552), enhanced=_NONE, stages=_TRANSACTION - {Stage.RCPT}),
    _Rule(*_BAD_SENDER, _5XX, enhanced=r"5\.1\.[78]"),
    _Rule(*_BAD_RECIPIENT, _5XX, enhanced=r"5\.1\.([1-6]|10)|5\.2\.[12]", stages=_CONTENT),
)


def verdict_on(stage: Stage, reply: Reply, *, after_accepted: bool) -> Verdict | None:
    """The verdict of the first rule that fits; None: the code and the stage decide."""
    asked = _Asked.about(stage, reply, after_accepted=after_accepted)
    for rule in _IN_A_TRANSACTION:
        if rule.fits(asked):
            return rule.kind, rule.scope, rule.reason
    return None


def asks_to_log_in(stage: Stage, reply: Reply) -> bool:
    """True where a code that says that the server lost the thread is about the account."""
    asked = _Asked.about(stage, reply, after_accepted=False)
    return any(rule.fits(asked) for rule in _NO_LOGIN_OUT_OF_STEP)
