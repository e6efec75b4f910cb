"""The section [guard] of the settings: whom a relay's email may reach, and in whose name."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from ion.config_file import Section

GUARD_KEYS = ("only", "redirect_to", "required", "senders")

# A quoted local part may have commas in it. What is never closed goes to its end.
_between_commas = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^,"])+').findall


@dataclass(frozen=True, slots=True)
class GuardRules:
    """Rules of the staging guard, checked. A pattern is `ann@b.example`, `*@b.example` or a domain.

    Args:
        only: patterns of recipients that email may reach; empty: all, or with a redirect none.
        redirect_to: an address that gets what others may not get; None: no address does.
        senders: patterns of senders that may be used; empty: all.
    """

    only: tuple[str, ...] = ()
    redirect_to: str | None = None
    senders: tuple[str, ...] = ()


def guard_rules(section: Section, is_address: Callable[[str], bool]) -> GuardRules:
    """The rules as they are in the section [guard], each of which may be left out.

    Raises:
        SettingsError: one of them is wrong, or recipients must be limited here and aren't.
    """
    rules = GuardRules(
        only=_patterns(section, "only", is_address),
        redirect_to=section.address(
            "redirect_to", lambda text: "*" not in text and is_address(text)
        ),
        senders=_patterns(section, "senders", is_address),
    )
    required = section.one_of("required", ["true", "false"], default="false") == "true"
    if required and not (rules.only or rules.redirect_to):
        raise section.wrong(
            "required",
            "is true, so this relay must not reach everybody: name in only who may get email, or "
            "in redirect_to an address that gets it instead (Terraform: settings = { guard = "
            '{ only = "*@example.org" } })',
        )
    return rules


def _patterns(section: Section, key: str, is_address: Callable[[str], bool]) -> tuple[str, ...]:
    text = section.text(key, default="")
    patterns = tuple(filter(None, map(str.strip, _between_commas(text))))
    if text and not patterns:
        raise section.wrong(key, "has no address between its commas: write one, or leave it empty")
    for number, pattern in enumerate(patterns, 1):
        if not _is_pattern(pattern, is_address):
            why = (
                f"entry {number} must be ann@example.org, *@example.org or example.org: no name, "
                "and no other *; commas between entries"
            )
            raise section.wrong(key, why)
    return patterns


def _is_pattern(pattern: str, is_address: Callable[[str], bool]) -> bool:
    local_part, at, domain = pattern.rpartition("@")
    if local_part == "*" or not at:
        return is_address(f"x@{domain}")
    return "*" not in local_part and not pattern.endswith(">") and is_address(pattern)
