"""The rest of DNS about the sender's domain: DKIM, DMARC, and where bounces arrive."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from ionctl.ops.doctor.check import ok, skipped, warning, wrong
from ionctl.ops.doctor.providers import USUAL_SELECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ion.settings import Dkim
    from ionctl.ops.doctor.names import Names
    from ionctl.ops.doctor.providers import Provider
    from ionctl.ops.result import Finding

_POLICY = re.compile(r"(?:^|;)\s*(s?p)\s*=\s*(none|quarantine|reject)\s*(?=;|$)", re.IGNORECASE)
_DMARC = 'publish TXT "v=DMARC1; p=none; rua=mailto:YOU@{domain}" at _dmarc.{domain}'


def dkim(names: Names, domain: str, provider: Provider | None, selectors: Sequence[str]) -> Finding:
    """Look for a key by which mail from the domain is signed (RFC 6376 section 3.6.2).

    Args:
        names: the resolver.
        domain: of the sender.
        provider: of the server that sends; None: not known.
        selectors: of the keys; empty: those that are usual there.

    Raises:
        NotKnownError: DNS doesn't answer.
    """
    who = provider.name if provider else "the mail server"
    advice = f"let {who} sign: it shows a record to publish below _domainkey.{domain}"
    for selector in selectors or (provider.selectors if provider else USUAL_SELECTORS):
        name = f"{selector}._domainkey.{domain}"
        keys = [text for text in names.texts(name) if "p=" in text.replace(" ", "")]
        if any(re.search(r"p=\s*[^;\s]", key) for key in keys):
            return ok("dkim", f"{domain} has the key {selector}", about=domain)
        if keys:
            words = f"{domain} has revoked the key {selector} (its p= is empty)"
            return warning("dkim", words, advice, about=domain)
    if not names.exists(f"_domainkey.{domain}"):
        words = f"{domain} has no DKIM key, so mail from there isn't signed by it"
        return warning("dkim", words, advice, about=domain)
    if selectors:
        words = f"{domain} has no DKIM key {' or '.join(selectors)}"
        return warning("dkim", words, advice, about=domain)
    words = f"{domain} has DKIM keys, and none under a usual name of {who}'s"
    look = "say which: --dkim-selector NAME (s= in the DKIM-Signature of an email)"
    return skipped("dkim", words, look, about=domain)


def own_key(names: Names, domain: str, signing: Dkim) -> Finding:
    """Look whether DNS has the public half of the key that ion signs with itself.

    Args:
        names: the resolver.
        domain: of the sender.
        signing: as the settings have it.

    Raises:
        NotKnownError: DNS doesn't answer.
    """
    name = f"{signing.selector}._domainkey.{signing.domain}"
    if domain != signing.domain and not domain.endswith(f".{signing.domain}"):
        words = f"ion signs for {signing.domain}, and so not what {domain} sends"
        return warning("dkim", words, f"set [dkim] domain to {domain}", about=domain)
    publish = (
        f"publish TXT v=DKIM1; k=rsa; p=KEY at {name}, KEY being: "
        "openssl rsa -in dkim.pem -pubout -outform DER | base64 | tr -d '\\n'"
    )
    records = names.texts(name)
    if not records:
        words = f"ion signs, and {name} isn't there: receivers can't verify it"
        return wrong("dkim", words, publish, about=domain)
    modulus = signing.key.n.to_bytes((signing.key.n.bit_length() + 7) // 8)
    if any(modulus in _octets(record) for record in records):
        return ok("dkim", f"ion signs, and {name} has its public key", about=domain)
    words = f"ion signs with another key than {name} has: receivers take its emails for forged"
    return wrong("dkim", words, publish, about=domain)


def _octets(record: str) -> bytes:
    """The public key of a record (RFC 6376 section 3.6.1); empty: it has none."""
    found = re.search(r"(?:^|;)\s*p=([^;]*)", record)
    try:
        return base64.b64decode("".join(found[1].split())) if found else b""
    except binascii.Error:
        return b""


def dmarc(names: Names, domain: str) -> Finding:
    """Look for the policy at the domain, or at the first one above it that has one (RFC 7489).

    Raises:
        NotKnownError: DNS doesn't answer.
    """
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        at = ".".join(labels[start:])
        texts = names.texts(f"_dmarc.{at}")
        records = [text for text in texts if re.match(r"v=DMARC1\s*(;|$)", text)]
        if len(records) > 1:
            words = f"_dmarc.{at} has {len(records)} records, so receivers go by none"
            return wrong("dmarc", words, "make one of them", about=domain)
        if records:
            return _policy(domain, at, records[0])
    advice = _DMARC.format(domain=domain) + ": large receivers ask for it"
    words = f"{domain} has no DMARC record, nor has a domain above it"
    return warning("dmarc", words, advice, about=domain)


def _policy(domain: str, at: str, record: str) -> Finding:
    policies = {name.lower(): policy.lower() for name, policy in _POLICY.findall(record)}
    policy = policies.get("sp" if at != domain and "sp" in policies else "p")
    if "p" not in policies or policy is None:
        words = f"_dmarc.{at} has no p= that receivers understand: {record}"
        return wrong("dmarc", words, "write p=none, p=quarantine or p=reject", about=domain)
    reports = " (receivers only report)" if policy == "none" else ""
    return ok("dmarc", f"{domain}: p={policy}{reports}, by _dmarc.{at}", about=domain)


def bounces(names: Names, domain: str) -> Iterator[Finding]:
    """Say where an email to the sender goes: bounces, and answers (RFC 5321 section 5.1).

    Raises:
        NotKnownError: DNS doesn't answer.
    """
    advice = "give it an MX record, or another sender: receivers refuse what can't be answered"
    servers = [str(one.exchange).rstrip(".") for one in names.records(domain, "MX")]  # type: ignore[attr-defined]
    if servers == [""]:
        words = f"{domain} takes no mail (a null MX, RFC 7505), so bounces are lost"
        yield wrong("mx", words, advice, about=domain)
    elif servers:
        yield ok("mx", f"bounces and answers go to {', '.join(servers[:3])}", about=domain)
    elif names.records(domain, "A") or names.records(domain, "AAAA"):
        words = f"{domain} has no MX record: mail to it goes to its address, if a server is there"
        yield warning("mx", words, advice, about=domain)
    else:
        yield wrong("mx", f"{domain} has neither MX nor address", advice, about=domain)
