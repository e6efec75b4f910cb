"""Amazon SES, where it is the provider: what the account may send, and in whose name.

Asked with the operator's credentials. That the SMTP credentials are of the same account is likely,
and not known: so what isn't found there is no fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ion.aws.errors import code_of
from ionctl.ops.doctor.check import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ion.settings import Smtp
    from ionctl.ops.account import Account
    from ionctl.ops.result import Finding

_SERVER = re.compile(r"email-smtp(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?", re.IGNORECASE)
_NEARLY_ALL = 0.9
_NOT_FOUND = "NotFoundException"


def region_of(smtp: Smtp) -> str:
    """SES's region that a server belongs to; empty: it isn't SES's."""
    found = _SERVER.fullmatch(smtp.server.rstrip("."))
    return found[1].lower() if found else ""


def look(account: Account, smtp: Smtp, domain: str) -> Iterator[Finding]:
    """Look at the account's quota, and at the sender's domain there.

    Args:
        account: the operator's.
        smtp: a server of SES's.
        domain: of the sender.

    Raises:
        botocore's errors: these credentials may not look.
    """
    make: Any = account.session.client
    ses = make("sesv2", region_name=region_of(smtp), endpoint_url=account.endpoint_url)
    yield from quota(ses.get_account(), smtp)
    try:
        identity = ses.get_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if code_of(error) != _NOT_FOUND:
            raise
        words = f"SES of this account doesn't know {domain}"
        advice = "verify it there, unless an address of it is, or the login is another account's"
        yield warning("identity", words, advice, about=domain)
        return
    yield from verified(identity, domain)


def quota(account: Mapping[str, Any], smtp: Smtp) -> Iterator[Finding]:
    """Judge what GetAccount has answered."""
    may = account["SendQuota"]
    rate, most, sent = (may[key] for key in ("MaxSendRate", "Max24HourSend", "SentLast24Hours"))
    words = (
        f"SES takes {rate:g} emails a second, {most:g} a day; {sent:g} since this time yesterday"
    )
    if not account["SendingEnabled"]:
        advice = "see SES's console, Account dashboard: AWS or a person has paused it"
        yield wrong("quota", "SES doesn't let this account send", advice, about=smtp.name)
    elif not account["ProductionAccessEnabled"]:
        advice = "ask for production access in SES's console; the mailbox simulator works always"
        sandbox = f"SES has this account in its sandbox: only verified recipients. {words}"
        yield warning("quota", sandbox, advice, about=smtp.name)
    elif 0 < most * _NEARLY_ALL < sent:  # -1: without a limit
        yield warning("quota", words, "ask for more in SES's console", about=smtp.name)
    elif smtp.max_rate is not None and smtp.max_rate > rate:
        advice = f'settings = {{ smtp = {{ max_rate = "{rate:g}" }} }}'
        words += f", and max_rate is {smtp.max_rate:g}"
        yield warning("quota", words, advice, about=smtp.name)
    else:
        yield ok("quota", words, about=smtp.name)


def verified(identity: Mapping[str, Any], domain: str) -> Iterator[Finding]:
    """Judge what GetEmailIdentity has answered."""
    if not identity.get("VerifiedForSendingStatus"):
        advice = "publish the records that SES's console shows under Identities"
        yield wrong("identity", f"SES hasn't verified {domain}", advice, about=domain)
        return
    signing = identity.get("DkimAttributes", {})
    if not signing.get("SigningEnabled") or signing.get("Status") != "SUCCESS":
        advice = "switch Easy DKIM on in SES's console, and publish the three records it shows"
        words = f"SES sends for {domain}, and doesn't sign with DKIM"
        yield warning("identity", words, advice, about=domain)
        return
    yield ok("identity", f"SES sends for {domain}, and signs with DKIM", about=domain)
