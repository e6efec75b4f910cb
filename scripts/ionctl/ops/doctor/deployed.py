"""The checks of a relay in AWS, in an order in which each knows what it needs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ion.mail.addresses import parse_address
from ion.settings import CONFIG_FILE, SECRETS_FILE, SettingsError, aws_names
from ionctl.ops.doctor import (
    alarms,
    mail,
    package,
    permissions,
    probe,
    secret,
    ses,
    settings,
    state,
    wiring,
)
from ionctl.ops.doctor.before import put_usual_config
from ionctl.ops.doctor.check import SECONDS, Check, ok, skipped, warning, wrong
from ionctl.ops.doctor.settings import Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ionctl.ops.deployment import Deployment
    from ionctl.ops.doctor.mail import Options
    from ionctl.ops.doctor.names import Names
    from ionctl.ops.result import Finding


class Deployed:
    """A relay, and what is known of it so far.

    Args:
        deployment: the relay.
        options: what was chosen.
        names: asks DNS.
        folder: an empty one, for the package's files.
    """

    def __init__(
        self, deployment: Deployment, options: Options, names: Names, folder: Path
    ) -> None:
        self._deployment = deployment
        self._options = options
        self._names = names
        self._folder = folder
        self._secret: str | None = None
        self._known = Loaded(None)
        self._knows_config = False
        self._disabled = False

    def checks(self) -> Iterator[Check]:
        """What mail goes by, then AWS, then what an operator has asked for."""
        at = self._deployment
        yield Check("package", "the package", self._package, seconds=2 * SECONDS)
        yield Check("secret", "the secret", self._read_secret)
        if self._secret is not None:
            yield Check("settings", "the settings", partial(self._load, self._secret))
        yield from mail.checks(self._known, self._options, self._names, at)
        yield from self._ses()
        try:
            aws_names(at.environment)
        except SettingsError:  # told already
            words = "the rest can't be looked at: the function isn't told the names of its queues"
            yield Check("topics", "AWS", partial(list, [skipped("topics", words)]))
            return
        yield Check("permissions", "the role's permissions", partial(permissions.look, at))
        yield Check("topics", "the topics", partial(wiring.topics, at))
        yield Check("queues", "the queues", partial(wiring.queues, at))
        yield Check("wake-up", "what wakes the function", partial(wiring.wakeups, at))
        yield Check("concurrency", "the function's concurrency", self._concurrency)
        yield Check("alarms", "the alarms", self._alarms)
        yield Check("paused", "pauses and stops", partial(state.switches, at))
        yield Check("dead-letters", "the dead-letter queue", partial(state.dead_letters, at))
        yield Check("log", "the log", partial(state.log, at))
        if self._options.probe:
            yield self._probe(self._options.probe)

    def _package(self) -> Iterator[Finding]:
        try:
            package.unpack(self._deployment, self._folder)
        finally:
            self._knows_config = (self._folder / CONFIG_FILE).is_file()
            if not self._knows_config:
                put_usual_config(self._folder)
        yield from package.compare(
            self._deployment.environment.get(package.MODULE_VERSION, ""),
            package.version(self._folder),
        )

    def _read_secret(self) -> Iterator[Finding]:
        arn = self._deployment.environment.get("ION_AWS_SECRET_ARN", "")
        if not arn and (self._folder / SECRETS_FILE).is_file():
            self._secret = ""  # it is read from there
            words = "is in the package, where all who may read the function's code can read it"
            yield warning("secret", f"it {words}", "keep it in SSM, and set secret_arn")
        elif not arn:
            yield wrong("secret", "there is none", "set secret_arn of the Terraform module")
        else:
            yield self._secret_at(arn)

    def _secret_at(self, arn: str) -> Finding:
        try:
            self._secret = secret.text(self._deployment.account, arn)
        except SettingsError as error:
            advice = "put config-secrets.cfg's text there, or correct secret_arn, and apply"
            return wrong("secret", str(error), advice)
        return ok("secret", f"{arn.rsplit(':', 1)[-1]} can be read")

    def _load(self, text: str) -> Iterator[Finding]:
        known = settings.loaded(self._folder, self._deployment.environment, text)
        self._known = known
        yield from known.faults
        if not known.faults:
            unless = "" if self._knows_config else ", if its config.cfg is as it comes"
            yield ok("settings", f"the function takes them{unless}")
        if known.settings is not None:
            yield from settings.guard(known.settings, self._deployment.name)

    def _ses(self) -> Iterator[Check]:
        known = self._known.settings
        sender = self._options.sender or (known.sender if known else None)
        for smtp in known.servers if known and sender else ():
            if ses.region_of(smtp):
                domain = parse_address(sender or "", "$").domain
                look = partial(ses.look, self._deployment.account, smtp, domain)
                yield Check("quota", "Amazon SES", look, about=smtp.name)

    def _concurrency(self) -> Iterator[Finding]:
        self._disabled = state.reserved(self._deployment) == 0
        yield from state.concurrency(self._deployment)

    def _alarms(self) -> Iterator[Finding]:
        yield from alarms.look(self._deployment, disabled=self._disabled)

    def _probe(self, address: str) -> Check:
        sender, known = self._options.sender, self._known.settings
        look: Callable[[], Iterable[Finding]] = partial(
            probe.look, self._deployment, address, sender
        )
        if sender is None and known is not None and known.sender is None:
            words = "the relay has no sender of its own"
            look = partial(list, [wrong("probe", words, "say from whom: --sender ADDRESS")])
        seconds = probe.SECONDS + SECONDS
        return Check("probe", f"an email to {address}, for its fate", look, seconds=seconds)
