"""SPF of the sender's domain (RFC 7208): which servers may send with it in the envelope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ionctl.ops.doctor.check import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ionctl.ops.doctor.names import Names
    from ionctl.ops.doctor.providers import Provider
    from ionctl.ops.result import Finding

_CHECK = "spf"
_MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4: a receiver gives up with a permanent error beyond that."""
_IS_SPF = re.compile(r"v=spf1(?: |$)", re.IGNORECASE)
_LOOKS_UP = re.compile(r"[+?~-]?(include|a|mx|ptr|exists|redirect)(?:[:=/](.*))?$", re.IGNORECASE)
_FOLLOWED = frozenset({"include", "redirect"})
_ANYBODY = re.compile(r"(?:^| )\+?all(?: |$)", re.IGNORECASE)


def look(names: Names, domain: str, providers: Sequence[Provider | None]) -> Finding:
    """Judge a domain's SPF record.

    Args:
        names: the resolver.
        domain: of the sender.
        providers: of the servers that send, the first one's first; None: one that isn't known.

    Raises:
        NotKnownError: DNS doesn't answer.
    """
    records = _records(names, domain)
    if len(records) != 1:
        return _not_one(domain, records, providers[0])
    (record,) = records
    walk = _Walk(names)
    walk.through(domain, record)
    if _ANYBODY.search(record):
        advice = "put ~all or -all in the place of +all: as it is, everybody may send in your name"
        return wrong(_CHECK, f"{domain} lets everybody send: {record}", advice, about=domain)
    if walk.broken:
        advice = f"take out include:{walk.broken}, or correct it: receivers see an error, no SPF"
        words = f"{domain} includes {walk.broken}, which has no SPF record"
        return wrong(_CHECK, words, advice, about=domain)
    if walk.lookups > _MOST_LOOKUPS:
        advice = f"take includes away, or write addresses (ip4:): at most {_MOST_LOOKUPS} count"
        words = f"{domain} needs {walk.lookups} look-ups of DNS, so receivers see an error, no SPF"
        return wrong(_CHECK, words, advice, about=domain)
    for provider in filter(None, providers):
        if provider.keeps_sender and provider.spf not in walk.seen:
            advice = f"put include:{provider.spf} before its last word"
            words = f"{domain} doesn't name {provider.name}, whose server sends: {record}"
            return warning(_CHECK, words, advice, about=domain)
    return ok(_CHECK, f"{domain}: {record}", about=domain)


def _not_one(domain: str, records: list[str], provider: Provider | None) -> Finding:
    include = provider.spf if provider else "SERVER'S-DOMAIN"
    if records:
        words = f"{domain} has {len(records)} SPF records, so receivers see an error, no SPF"
        return wrong(_CHECK, words, "make one of them", about=domain)
    words = f"{domain} has no SPF record"
    if provider and not provider.keeps_sender:
        words += f"; {provider.name} puts a sender of its own into the envelope, unless told"
        return warning(_CHECK, words, f'TXT "v=spf1 include:{include} ~all"', about=domain)
    who = f"include:{include}" if provider else "ip4:ADDRESS-OF-THE-SERVER"
    advice = f'publish TXT "v=spf1 {who} ~all" there: without it receivers refuse or hide mail'
    return wrong(_CHECK, words, advice, about=domain)


def _records(names: Names, domain: str) -> list[str]:
    return [text for text in names.texts(domain) if _IS_SPF.match(text)]


class _Walk:
    """Through a record and what it includes, as far as a receiver would go, and a little further.

    Attributes:
        lookups: terms that cost a look-up, as receivers count them.
        seen: domains that are included.
        broken: the first of them that has no record of its own; empty: none.
    """

    def __init__(self, names: Names) -> None:
        self.lookups = 0
        self.seen: set[str] = set()
        self.broken = ""
        self._names = names

    def through(self, domain: str, record: str) -> None:
        for term in record.split()[1:]:
            looks_up = _LOOKS_UP.match(term)
            if looks_up is None:
                continue
            self.lookups += 1
            target = (looks_up[2] or domain).rstrip(".").lower()
            if looks_up[1].lower() not in _FOLLOWED or "%" in target:  # a macro: by the sender
                continue
            if target in self.seen or self.lookups > 2 * _MOST_LOOKUPS:
                continue
            self.seen.add(target)
            records = _records(self._names, target)
            if len(records) != 1:
                self.broken = self.broken or target
            else:
                self.through(target, records[0])
