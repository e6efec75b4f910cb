"""Unpacked packages at their usual paths, for some processes alone.

Postfix, Dovecot, OpenSMTPD and Sendmail have paths and users built in. Here each gets a view of
this machine in which /usr and /etc have the package's files beside the machine's own, and /var and
/run are empty folders: mount and process namespaces (unshare), of which nothing is left when the
last process has ended.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from real.process import Process
from real.unavailable import UnavailableError

FIRST_UID = 3001
"""Of the users that the package's own scripts would have made."""
_SECONDS = 30
_MOUNT = """
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$tree/usr:/usr" /usr
mount -t overlay overlay -o "lowerdir=$folder/etc:$tree/etc:/etc" /etc
mount --bind "$folder/run" /run
mount --bind "$folder/var" /var
exec "$@"
"""
_NO_DNS = {
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
}


class Enclosure:
    """What some processes see.

    Args:
        tree: unpacked packages.
        folder: empty; `etc`, `var` and `run` in it are what the processes find under these names.
        users: that the server expects, each with a group of its own.

    Raises:
        UnavailableError: this machine doesn't let us.
    """

    def __init__(self, tree: Path, folder: Path, users: Sequence[str]) -> None:
        if os.getuid() != 0:
            raise UnavailableError("this server is only run by root, in namespaces of its own")
        if not (shutil.which("unshare") and shutil.which("setpriv")):
            raise UnavailableError("there is no unshare or no setpriv (Debian: util-linux)")
        self.etc, self.var = folder / "etc", folder / "var"
        self._folder = folder
        self._environment = os.environ | {"tree": str(tree), "folder": str(folder)}
        for place in (self.etc, self.var, folder / "run"):
            place.mkdir()
        (self.var / "run").symlink_to("/run")
        for name, text in _NO_DNS.items():
            self.publish(name, text)
        self._introduce(users)
        self.run("true")

    def publish(self, name: str, text: str) -> Path:
        """Write a file below /etc."""
        path = self.etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def make(self, path: str, user: str = "root", mode: int = 0o755) -> Path:
        """Make a folder, given as the processes see it, below /var or /run."""
        folder = self._folder / path.removeprefix("/")
        folder.mkdir(parents=True)
        folder.chmod(mode)
        os.chown(folder, self._uids[user], self._uids[user])
        return folder

    def start(self, *command: str) -> Process:
        """Start a server that stays in the foreground; what it prints is in `server.log`."""
        return Process(
            self._enclosed(command),
            self._folder / "server.log",
            environment=self._environment,
            enclosed=True,
        )

    def run(self, *command: str) -> str:
        """Run a command to its end and give what it printed."""
        try:
            return subprocess.run(
                self._enclosed(command),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                text=True,
                timeout=_SECONDS,
            ).stdout
        except subprocess.CalledProcessError as failed:
            raise UnavailableError(f"{command[0]} doesn't run here: {failed.stderr}") from failed

    def _introduce(self, users: Sequence[str]) -> None:
        self._uids = {user: uid for uid, user in enumerate(users, FIRST_UID)} | {"root": 0}
        accounts = [(user, uid) for user, uid in self._uids.items() if uid]
        self.publish(
            "passwd",
            Path("/etc/passwd").read_text(encoding="utf-8")
            + "".join(f"{user}:x:{uid}:{uid}::/var/empty:/bin/sh\n" for user, uid in accounts),
        )
        self.publish(
            "group",
            Path("/etc/group").read_text(encoding="utf-8")
            + "".join(f"{user}:x:{uid}:\n" for user, uid in accounts),
        )
        self.make("/var/empty")

    @staticmethod
    def _enclosed(command: Sequence[str]) -> list[str]:
        alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*alone, "sh", "-euc", _MOUNT, "sh", *command]
