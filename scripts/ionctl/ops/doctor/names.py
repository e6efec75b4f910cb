"""Questions to the domain name system: to this machine's name server, or to a chosen one."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.resolver

from ionctl.ops.doctor.check import NotKnownError
from ionctl.problem import Problem, UsageProblem

if TYPE_CHECKING:
    from dns.rdata import Rdata

_SECONDS = 3.0
"""For one question; several are asked in the time of a check."""
_PORT = 53


class Names:
    """A resolver.

    Args:
        nameserver: "HOST" or "HOST:PORT", HOST being an IP address ("[::1]:53" of IPv6); None:
            this machine's own.

    Raises:
        Problem: it is none.
    """

    def __init__(self, nameserver: str | None = None) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        except dns.resolver.NoResolverConfiguration as error:
            raise Problem(
                "this machine has no name server: say which, --nameserver HOST"
            ) from error
        if nameserver is not None:
            host, port = _address(nameserver)
            self._resolver.nameservers = [host]
            self._resolver.port = port
        self._resolver.lifetime = _SECONDS

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name, the strings of each joined (RFC 7208 section 3.3).

        Raises:
            NotKnownError: as `records`.
        """
        return [
            b"".join(one.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
            for one in self.records(name, "TXT")
        ]

    def records(self, name: str, kind: str) -> list[Rdata]:
        """The records of a name; none: it has none, or there is no such name.

        Raises:
            NotKnownError: the name server is silent, or fails (SERVFAIL).
        """
        try:
            answer = self._resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, ValueError) as error:
            raise NotKnownError(f"DNS doesn't answer for {name}: {_why(error)}") from error
        return list(answer)

    def exists(self, name: str) -> bool:
        """False: neither the name nor anything below it (RFC 8020).

        Raises:
            NotKnownError: as `records`.
        """
        try:
            self._resolver.resolve(name, "TXT", search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return False
        except (dns.exception.DNSException, ValueError) as error:
            raise NotKnownError(f"DNS doesn't answer for {name}: {_why(error)}") from error
        return True


def _address(text: str) -> tuple[str, int]:
    host, port = text, str(_PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        words = f"--nameserver {text}: must be an IP address, or with a port 127.0.0.1:53"
        raise UsageProblem(words) from None


def _why(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "timed out"
    if isinstance(error, dns.resolver.NoNameservers):
        return "the name server can't say (SERVFAIL)"
    return type(error).__name__
