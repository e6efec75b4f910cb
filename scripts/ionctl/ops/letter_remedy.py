"""What to do about a dead letter, by its reason: docs/reasons.md in a clause each. Pure."""

from __future__ import annotations

from ion.outcome import Reason
from ionctl.program import hinted

_CORRECT = "correct it with ionctl dead edit"
_PUT_THERE = "put it there, or name its bucket in Terraform's attachment_buckets, then redrive"
_LATER = "redrive it, if it is worth it still; what keeps mail waiting, ionctl status says"
_SITE = "mend what ionctl doctor finds, then redrive"
_NOTHING = "nothing: discard it"

_BY_REASON = {
    Reason.BAD_JSON: "publish it anew, written by a JSON library, or " + _CORRECT,
    Reason.INVALID_SCHEMA: _CORRECT,
    Reason.INVALID_UNICODE: _CORRECT,
    Reason.INVALID_ADDRESS: _CORRECT,
    Reason.HEADER_NAME: _CORRECT,
    Reason.HEADER_VALUE: _CORRECT,
    Reason.HEADER_INJECTION: "see whether somebody tried to add headers; " + _CORRECT,
    Reason.SENDER_MISSING: "set [mail] sender, then redrive",
    Reason.TOO_LARGE: "several emails, or links in place of files; or more memory_mb, then redrive",
    Reason.ATTACHMENT_MISSING: "put the file there, then redrive",
    Reason.ATTACHMENT_FORBIDDEN: _PUT_THERE,
    Reason.ATTACHMENT_MISMATCH: "name the file's version, or publish it anew",
    Reason.CLAIM_MISSING: "put it there, then redrive",
    Reason.CLAIM_FORBIDDEN: _PUT_THERE,
    Reason.ID_REUSED: "publish it under another email_id; was it corrected already, discard it",
    Reason.SMTPUTF8_UNSUPPORTED: "another address, or another mail server, then redrive",
    Reason.UNSUBSCRIBE_MISSING: "set Terraform's unsubscribe, or [unsubscribe] url, then redrive",
    Reason.TEMPLATE_MISSING: "deploy the template, then redrive",
    Reason.TEMPLATE_ERROR: "mend the template, then redrive; or publish with the whole context",
    Reason.GUARDED: "in staging nothing; else mend [guard], then redrive",
    Reason.STOPPED: "after ionctl resume, redrive what should go after all; discard the rest",
    Reason.CANCELLED: _NOTHING,
    Reason.SUPPRESSED: "nothing; should it be written to: ionctl suppress remove, publish it anew",
    Reason.ERASED: _NOTHING,
    Reason.SENDER_REJECTED: "a sender that the server lets you use: ionctl dead edit",
    Reason.RCPT_REJECTED: "correct the address where you keep it, and with ionctl dead edit",
    Reason.RELAYING_DENIED: "see the server and its login with ionctl doctor, then redrive; is it "
    "the domain's own fault, discard it",
    Reason.DATA_REJECTED: "see the server's reply, then redrive or discard it",
    Reason.CONTENT_REJECTED: "see the server's reply; change the content with ionctl dead edit",
    Reason.PROTOCOL: "redrive it; if it happens often, set [smtp] pipelining = off before",
    Reason.ACCEPTED: _NOTHING,
    Reason.MAILBOX_FULL: "tell the recipient by another way; redrive it later",
    Reason.IN_DOUBT: "find out whether it has arrived; a redrive sends it once more",
    Reason.ERROR: "report it: ionctl tail --errors has the traceback; then redrive",
    Reason.DUPLICATE: _NOTHING,
    Reason.CRASH_LOOP: "more memory_mb, or see the log with ionctl tail --errors, then redrive",
    Reason.POISON: "more memory_mb, or see the log with ionctl tail --errors, then redrive",
    Reason.EXPIRED: "see the last reply, mend that, then redrive; once its expires_at has passed, "
    "publish it anew",
}
"""What isn't here only waits by itself, or is the site's."""
_WAITS = (
    *(Reason.TRY_LATER, Reason.GREYLISTED, Reason.THROTTLED, Reason.CONNECTION_LOST),
    *(Reason.DEADLINE, Reason.LEDGER, Reason.TEMPLATE_UNAVAILABLE, Reason.STORAGE),
    *(Reason.SCHEDULED, Reason.LANE, Reason.LEASED),
)
_OF_THE_SITE = (
    *(Reason.CONNECT, Reason.GREETING, Reason.EHLO, Reason.TLS_CERT, Reason.TLS_REQUIRED),
    *(Reason.AUTH, Reason.AUTH_MISSING, Reason.AUTH_LATER, Reason.QUOTA, Reason.CONFIGURATION),
)
_WORDS = (
    {str(reason): words for reason, words in _BY_REASON.items()}
    | dict.fromkeys(map(str, _WAITS), _LATER)
    | dict.fromkeys(map(str, _OF_THE_SITE), _SITE)
)
_UNKNOWN = "see docs/reasons.md, and the letter with ionctl dead show"
"""Of a letter that ion didn't write: SQS or SNS moved it."""


def remedy(reason: str) -> str:
    """What to do, as a clause; of a reason that this program doesn't know: where to look."""
    return hinted(_WORDS.get(reason, _UNKNOWN))
