"""Mail providers, known by the name of their server: what the sender's domain has to say of them.

docs/providers.md has the rest about each.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider.

    Args:
        name: for people.
        servers: what its servers' names end with.
        spf: domain whose SPF record has its addresses, for an include.
        keeps_sender: the envelope's sender stays ours, so SPF is asked of our domain. Others put
            an address of theirs there, and DKIM alone speaks for us.
        selectors: of the DKIM keys that it has its customers publish; empty: each customer has
            others.
    """

    name: str
    servers: tuple[str, ...]
    spf: str
    keeps_sender: bool = False
    selectors: tuple[str, ...] = ()


_PROVIDERS = (
    Provider("Amazon SES", ("amazonaws.com", "amazonaws.com.cn"), "amazonses.com"),
    Provider("SendGrid", ("sendgrid.net",), "sendgrid.net", selectors=("s1", "s2")),
    Provider(
        "Google",
        ("gmail.com", "google.com", "googlemail.com"),
        "_spf.google.com",
        keeps_sender=True,
        selectors=("google",),
    ),
    Provider(
        "Office 365",
        ("office365.com", "outlook.com"),
        "spf.protection.outlook.com",
        keeps_sender=True,
        selectors=("selector1", "selector2"),
    ),
    Provider(
        "Mailgun", ("mailgun.org",), "mailgun.org", selectors=("mailo", "pic", "k1", "smtp", "mx")
    ),
    Provider("Postmark", ("postmarkapp.com",), "spf.mtasv.net", selectors=("pm",)),
)

USUAL_SELECTORS = (
    *("default", "dkim", "mail", "email", "smtp", "k1", "s1", "s2"),
    *("selector1", "selector2", "google"),
)
"""Of servers of one's own, and of providers that aren't known here."""


def provider_of(server: str) -> Provider | None:
    """The provider that a server belongs to; None: another one, or a server of one's own."""
    name = server.lower().rstrip(".")
    for provider in _PROVIDERS:
        if any(name == end or name.endswith(f".{end}") for end in provider.servers):
            return provider
    return None
