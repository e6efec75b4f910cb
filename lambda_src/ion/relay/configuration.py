"""The settings in force: read at first, and again as the secret may have changed meanwhile."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ion.aws.secrets import Secret, SecretStore
from ion.mail import is_address
from ion.report.telemetry import Telemetry
from ion.settings import Settings, SettingsError, Smtp, load

READ_AGAIN_SECONDS = 300
"""A password may be changed while the old one still works; so long it may go on to be used."""


class Configuration:
    """Gives the same settings until the secret has another version.

    Each method waits for AWS, so it is called in a thread.

    Args:
        root: the folder that holds the configuration files.
        environment: os.environ.
        store: where the secret is; None: it is in `root`.
        telemetry: told of a secret that can't be read a second time.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        root: Path,
        environment: Mapping[str, str],
        store: SecretStore | None,
        telemetry: Telemetry,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._environment = environment
        self._store = store
        self._telemetry = telemetry
        self._now = now
        self._secret: Secret | None = None
        self._settings: Settings | None = None
        self._read_at = 0.0
        self._lock = threading.Lock()

    def settings(self, *, again: bool = False) -> Settings:
        """The settings: the same object until they are other ones.

        Args:
            again: look for another secret even if that was done lately: a login was refused.

        Raises:
            SettingsError: naming what is wrong and where.
        """
        with self._lock:
            is_old = self._store and self._now() >= self._read_at + READ_AGAIN_SECONDS
            if self._settings is None or again or is_old:
                self._settings = self._read()
            return self._settings

    def latest(self, smtp: Smtp) -> Smtp:
        """The server with the login that it has in the settings in force.

        As it is, if the settings can't be read, or have another server there: that is the next
        run's.
        """
        try:
            return _login_of(self.settings(), smtp) or smtp if self._settings else smtp
        except SettingsError:
            return smtp

    def is_in_force(self, smtp: Smtp) -> bool:
        """True unless it is an earlier login."""
        return self._settings is None or smtp in self._settings.servers

    def others(self, smtp: Smtp) -> list[Smtp]:
        """The server with other logins: the one in force by now, and the one before that."""
        try:
            current = _login_of(self.settings(again=True), smtp)
        except SettingsError:
            current = None
        return [one for one in (current, self.previous(smtp)) if one not in (None, smtp)]

    def previous(self, smtp: Smtp) -> Smtp | None:
        """The server with the login that it had in the secret before this one.

        None: there is none, it is the same, or it was for another server.
        """
        try:
            secret = self._store.previous() if self._store else None
            found = _login_of(self._parsed(secret), smtp) if secret else None
        except SettingsError as error:
            self._telemetry.trouble("the previous secret can't be used", code=str(error))
            return None
        return found if found != smtp else None

    def _read(self) -> Settings:
        """Read the secret, and if it has another version, everything."""
        before, self._settings = self._settings, None
        try:
            secret = self._store.current() if self._store else None
        except SettingsError as error:
            if before is None:
                raise
            self._telemetry.trouble("the secret can't be read again", code=str(error))
            secret = self._secret
        self._read_at = self._now()
        if before and secret and self._secret and secret.version == self._secret.version:
            return before
        settings = self._parsed(secret)
        self._secret = secret
        return before if before == settings else settings

    def _parsed(self, secret: Secret | None) -> Settings:
        def text(_arn: str) -> str:
            return secret.text if secret else ""

        return load(self._root, self._environment, text, is_address)


def _login_of(settings: Settings, smtp: Smtp) -> Smtp | None:
    """The same server in the settings: its login may be another, and nothing else is.

    A password, or a token, goes only to the server that it is for.
    """
    for other in settings.servers:
        username, password, oauth = other.username, other.password, other.oauth
        if other == replace(smtp, username=username, password=password, oauth=oauth):
            return other
    return None
