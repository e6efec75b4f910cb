"""What keeps mail from going, in words, and what to do about it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ion.aws.control import UNREADABLE
from ion.outcome import Reason
from ionctl.program import command, hinted

if TYPE_CHECKING:
    from ionctl.ops.result import HeldServer

_AGAIN = "ion tries again with each wake-up: every five minutes, or by ionctl wake"

_ADVICE = {
    Reason.AUTH: "put the right login into the secret, then ionctl wake",
    Reason.AUTH_MISSING: "see port, security and auth in the secret; ionctl doctor tries them",
    Reason.AUTH_LATER: f"nothing, for an hour; {_AGAIN}",
    Reason.CONNECT: "see the server's name and port in the secret, and the function's network; "
    f"{_AGAIN}",
    Reason.GREETING: f"most servers come back by themselves; {_AGAIN}",
    Reason.EHLO: f"most servers come back by themselves; {_AGAIN}",
    Reason.TLS_CERT: "see the server's certificate, or ca_file in the secret; ionctl doctor shows "
    "it",
    Reason.TLS_REQUIRED: "see port and security in the secret; ionctl doctor tries them",
    Reason.QUOTA: "ask the provider for more, or add [smtp:backup] to the secret",
    Reason.CONFIGURATION: "the account may not send, or not as this sender: docs/providers.md",
    Reason.LEDGER: "see the table, and what the function's role may do: ionctl doctor",
}
"""By why mail is held: what to do."""
_SAYS = {
    Reason.AUTH: "refuses the login",
    Reason.AUTH_MISSING: "offers no login that ion has",
    Reason.AUTH_LATER: "puts the login off",
    Reason.CONNECT: "can't be reached",
    Reason.GREETING: "greets with a refusal",
    Reason.EHLO: "refuses EHLO",
    Reason.TLS_CERT: "has a certificate that isn't valid",
    Reason.TLS_REQUIRED: "offers no TLS",
    Reason.QUOTA: "takes no more: the quota is used up",
    Reason.CONFIGURATION: "doesn't let this account send",
}
"""By why mail is held: what the server does."""
_ADVICE_BY_WORD = {
    "queue": "see the queues, and what the function's role may do: ionctl doctor",
    "in_flight_limit": "SQS gives out no more of that queue until messages in flight come back",
    "deadline": "runs end without a result: AWS or the mail server is slow, see ionctl doctor",
    "error": "a fault of ion's own: ionctl tail --errors has the traceback",
}


def refusal(held: HeldServer) -> str:
    """What a server does, and its words; or what else holds mail."""
    said = next((words for code, words in _SAYS.items() if code == held.reason), "")
    if not said or not held.server:
        who = held.server or "AWS, or a setting,"
        said, held_for = "keeps mail from going", f" ({held.reason})"
    else:
        who, held_for = f"the mail server {held.server}", ""
    return f"{who} {said}{held_for}{f': {held.reply}' if held.reply else ''}"


def advice(held: HeldServer) -> str:
    """What to do."""
    if held.reason == Reason.LEDGER and UNREADABLE in held.reply:
        return f"let {command('resume')} write it anew"
    by_word = _ADVICE_BY_WORD.get(held.reason)
    by_code = next((what for code, what in _ADVICE.items() if code == held.reason), _AGAIN)
    return hinted(by_word or by_code)
