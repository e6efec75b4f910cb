"""What mail goes by, deployed or not: the servers, the sender, and the sender's domain in DNS."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ion.mail.addresses import parse_address
from ionctl.ops.doctor import sender_domain, servers, settings, spf
from ionctl.ops.doctor.check import Check, ok, skipped
from ionctl.ops.doctor.providers import provider_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ion.settings import Settings, Smtp
    from ionctl.ops.deployment import Deployment
    from ionctl.ops.doctor.names import Names
    from ionctl.ops.doctor.providers import Provider
    from ionctl.ops.doctor.settings import Loaded
    from ionctl.ops.result import Finding


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose.

    Args:
        nameserver: that answers about the sender's domain, as `names.Names` has it; None: this
            machine's.
        dkim_selectors: of the sender's domain; empty: the usual ones.
        sender: From; None: the relay's own.
        probe: address that an email is sent to; None: none is.
    """

    nameserver: str | None = None
    dkim_selectors: Sequence[str] = ()
    sender: str | None = None
    probe: str | None = None


def checks(
    known: Loaded, options: Options, names: Names, deployment: Deployment | None
) -> Iterator[Check]:
    """Each server, then the sender, then the domain.

    Args:
        known: the settings.
        options: what was chosen.
        names: asks DNS.
        deployment: whose function has met the servers, too; None: there is none yet.
    """
    if known.settings is None:
        return
    for smtp in known.settings.servers:
        look = partial(servers.look, smtp, deployment)
        yield Check("connect", f"{smtp.server}:{smtp.port}", look, about=smtp.name)
    if known.sender_is_known or options.sender:
        yield Check("sender", "the sender", partial(_sender, known.settings, options))
        if sender := options.sender or known.settings.sender:
            domain = parse_address(sender, "$").domain
            yield from _domain(domain, known.settings, options, names)


def _domain(domain: str, known: Settings, options: Options, names: Names) -> Iterator[Check]:
    smtp = known.servers
    if options.nameserver is None and all(map(_is_local, smtp)):
        why = "the mail server is on this machine, so no receiver asks DNS (--nameserver asks)"
        yield Check("spf", "DNS", lambda: [skipped("spf", why, about=domain)])
        return
    providers = list(dict.fromkeys(provider_of(one.server) for one in smtp))
    looks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("spf", partial(_one, spf.look, names, domain, providers)),
        *_dkim(domain, known, options, names, providers),
        ("dmarc", partial(_one, sender_domain.dmarc, names, domain)),
        ("mx", partial(sender_domain.bounces, names, domain)),
    ]
    for name, look in looks:
        yield Check(name, f"{name.upper()} of {domain}", look, about=domain)


def _dkim(
    domain: str,
    known: Settings,
    options: Options,
    names: Names,
    providers: Sequence[Provider | None],
) -> Iterator[tuple[str, Callable[[], Iterable[Finding]]]]:
    """Of ion's own signatures, where it signs; else of each provider's."""
    if known.dkim is not None:
        yield "dkim", partial(_one, sender_domain.own_key, names, domain, known.dkim)
        return
    selectors = options.dkim_selectors
    for one in providers:
        yield "dkim", partial(_one, sender_domain.dkim, names, domain, one, selectors)


def _one(look: Callable[..., Finding], *arguments: object) -> list[Finding]:
    return [look(*arguments)]


def _sender(known: Settings, options: Options) -> Iterator[Finding]:
    if options.sender:
        yield ok("sender", f"{options.sender}, as --sender says")
    else:
        yield from settings.sender(known)


def _is_local(smtp: Smtp) -> bool:
    try:
        return ipaddress.ip_address(smtp.server).is_loopback
    except ValueError:
        return smtp.server.lower() == "localhost"
