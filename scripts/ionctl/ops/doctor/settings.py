"""The settings, loaded as the function loads them: each fault, and what is right beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ion.envelope import Envelope
from ion.mail import is_address
from ion.mail.addresses import parse_address
from ion.policy.guard import StagingGuard
from ion.settings import CONFIG_FILE, SECRETS_FILE, Settings, SettingsError, load
from ionctl.ops.doctor.check import ok, warning, wrong
from ionctl.ops.result import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ion.guard_rules import GuardRules

_VARIABLE = re.compile(r"environment:? (\w+)")
_SENDER = "sender"
_CHECKS = {"ION_MAIL_SENDER": _SENDER}
"""Names of checks, by the variable that is wrong."""
_HELD = "until then nothing is received, and all mail waits"
_NOT_PRODUCTION = re.compile(r"(?:^|[-_])(?:staging|stage|test|testing|dev|qa|preview)(?:$|[-_])")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what is wrong with them.

    Args:
        settings: without the variables that are wrong; None: nothing can be made of them.
        faults: none: the function takes them.
    """

    settings: Settings | None
    faults: list[Finding] = field(default_factory=list)

    @property
    def sender_is_known(self) -> bool:
        """False: it is what is wrong."""
        return not any(one.check == _SENDER for one in self.faults)


def loaded(root: Path, environment: Mapping[str, str], secret: str) -> Loaded:
    """Load the settings; a variable that is wrong is told and left out, and the rest loaded.

    Args:
        root: folder of the package's files.
        environment: the function's.
        secret: text of config-secrets.cfg.
    """
    left, faults = dict(environment), list[Finding]()
    while True:
        try:
            return Loaded(load(root, left, lambda _arn: secret, is_address), faults)
        except SettingsError as error:
            variable = _VARIABLE.match(str(error))
            name = variable[1] if variable else ""
            faults.append(_fault(str(error), name, environment.get("ION_AWS_SECRET_ARN", "")))
            if name not in left:
                return Loaded(None, faults)
            del left[name]


def sender(settings: Settings) -> Iterator[Finding]:
    """Say whose name emails go out in that name no sender."""
    if settings.sender:
        yield ok(_SENDER, f"emails that name no sender go out from {settings.sender}")
        return
    yield warning(
        _SENDER,
        "[mail] sender is empty, and the SMTP username is no address (as with SES and SendGrid): "
        "an email that names no sender is dead-lettered as SENDER_MISSING",
        'set it, settings = { mail = { sender = "post@example.org" } }, unless each email names '
        "its own",
    )


def guard(settings: Settings, name: str) -> Iterator[Finding]:
    """Say whom email may reach."""
    rules = settings.guard
    if settings.sender and _is_forbidden(settings.sender, rules):
        words = f"[guard] senders doesn't allow {settings.sender}, which is [mail] sender"
        advice = "correct one of them: emails that name no sender are dead-lettered as GUARDED"
        yield wrong("guard", words, advice)
    if rules.only or rules.redirect_to:
        may = ", ".join(rules.only) or "nobody directly"
        instead = f"; what is for others goes to {rules.redirect_to}" if rules.redirect_to else ""
        yield ok("guard", f"email may reach {may}{instead}")
    elif _NOT_PRODUCTION.search(name):
        yield warning(
            "guard",
            f"{name} doesn't sound like production, and its email may reach everybody",
            'environment = "staging" and settings = { guard = { only = … } } limit it',
        )


def _is_forbidden(sender: str, rules: GuardRules) -> bool:
    address = parse_address(sender, "$").address
    return bool(StagingGuard(rules).forbidden_sender(Envelope(address, ())))


def _fault(error: str, variable: str, secret_arn: str) -> Finding:
    if variable:
        advice = f"correct it in settings of the Terraform module, and apply; {_HELD}"
        return wrong(_CHECKS.get(variable, "settings"), error, advice, about=variable)
    of_secret = error.startswith((f"{secret_arn}:", f"{SECRETS_FILE}:"))
    what = "the secret (docs/providers.md has one for each provider)"
    where = what if of_secret else f"{CONFIG_FILE}, build the package anew, and apply"
    return wrong("secret" if of_secret else "settings", error, f"correct {where}; {_HELD}")
