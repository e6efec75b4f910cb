"""MAIL and RCPT arguments, and the transaction they build up."""

import re
from dataclasses import dataclass, field

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PATH = re.compile(rf"(?:FROM|TO):<((?:{_QUOTED}|[^<>\s\"])*)>((?: \S+)*)", re.IGNORECASE)


@dataclass(frozen=True)
class Path:
    """An address and the parameters behind it."""

    address: str
    parameters: tuple[str, ...]

    @property
    def keywords(self) -> frozenset[str]:
        return frozenset(parameter.partition("=")[0].upper() for parameter in self.parameters)

    def value(self, keyword: str) -> str | None:
        """A parameter's value, empty if it has none; None: it isn't there."""
        for parameter in self.parameters:
            name, _, value = parameter.partition("=")
            if name.upper() == keyword:
                return value
        return None


def parse_path(argument: str, keyword: str) -> Path | None:
    """The argument of MAIL ("FROM") or RCPT ("TO"); None: a syntax error (RFC 5321 4.1.1)."""
    match = _PATH.fullmatch(argument)
    if match is None or not argument.upper().startswith(f"{keyword}:"):
        return None
    address = match[1]
    if (address or keyword == "TO") and not re.fullmatch(r".+@[^@]+", address):
        return None
    return Path(address, tuple(match[2].split()))


@dataclass
class Transaction:
    """From an accepted MAIL to the verdict, RSET or EHLO."""

    mail: Path
    recipients: list[str] = field(default_factory=list)
