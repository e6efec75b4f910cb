"""Where a running ./run.sh is: a file that it writes, and that scripts and ionctl --local read."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from ionctl.files import write_own
from ionctl.problem import Problem

FILE_VARIABLE = "ION_LOCAL_FILE"
"""Environment variable that names another file than the usual one."""
_NONE_RUNS = "no local relay runs: start one with ./run.sh, in another terminal"

_locks: dict[int, int] = {}
"""Descriptors of the files that this process has written, by the pid in them. Each holds a lock,
which ends with the process however that ends: a pid alone may be another process's one day."""


class MailServerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the local mail server listens, and its login. STARTTLS, with a certificate of its own.

    Args:
        ca_file: path of the certificate that vouches for it.
    """

    host: str
    port: int
    username: str
    password: str
    ca_file: str


class LocalStack(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of a running local stack.

    Args:
        pid: of its process.
        name: of the relay in it, as with `--name`.
        console_url: of the console, with the token in it that lets a browser change something;
            empty: it has none.
        endpoint_url: of the emulated AWS.
    """

    pid: int
    name: str
    console_url: str
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    topic_arn: str
    bulk_topic_arn: str
    mail_server: MailServerAddress


def local_file() -> Path:
    """The file, which is there while ./run.sh runs. Of several the last that was started has it."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else Path(tempfile.gettempdir()) / f"ion-{os.getuid()}.json"


def door() -> Path:
    """The page that leads a browser to the console, if it was asked to; beside the file."""
    return local_file().with_suffix(".html")


def read() -> LocalStack:
    """The stack that runs now.

    Raises:
        Problem: none does, as far as the file tells.
    """
    file = local_file()
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):
            raise Problem(f"{file} is no file: take it away, and start ./run.sh anew")
        if about.st_uid != os.getuid():  # the folder is everybody's
            raise Problem(f"{file} is another user's: name another one in {FILE_VARIABLE}")
        with file.open("rb") as opened:
            stack = msgspec.json.decode(opened.read(), type=LocalStack)
            os.kill(stack.pid, 0)  # nothing is sent: is it there?
            is_its_own = _is_locked(opened.fileno())
    except (FileNotFoundError, ProcessLookupError):
        raise Problem(_NONE_RUNS) from None
    except (OSError, OverflowError, msgspec.DecodeError) as error:
        raise Problem(f"{file} can't be read ({error}): start ./run.sh anew") from error
    if not is_its_own:  # its number is another process's by now
        raise Problem(_NONE_RUNS)
    if not stack.endpoint_url.startswith(("http://", "https://")):
        raise Problem(f"{file} names no emulator: start ./run.sh anew")
    return stack


def write(stack: LocalStack) -> None:
    """Write the file, readable for its owner alone, and locked until this process ends.

    Raises:
        Problem: it can't be written.
    """
    file = local_file()
    try:
        content = msgspec.json.format(msgspec.json.encode(stack)) + b"\n"
        write_own(file, content, opened=lambda descriptor: _lock(stack.pid, descriptor))
    except OSError as error:
        raise Problem(
            f"{file} can't be written ({error.strerror}): name another one in {FILE_VARIABLE}"
        ) from error


def remove(pid: int) -> None:
    """Take the file away, unless another stack has written it since."""
    file = local_file()
    if (lock := _locks.pop(pid, None)) is not None:
        os.close(lock)
    try:
        if msgspec.json.decode(file.read_bytes(), type=LocalStack).pid == pid:
            file.unlink()
            door().unlink(missing_ok=True)
    except (OSError, msgspec.DecodeError):
        pass  # it is gone, or another one's


def _lock(pid: int, descriptor: int) -> None:
    """Lock a new file, through a descriptor that stays open when `descriptor` is closed."""
    if (before := _locks.pop(pid, None)) is not None:
        os.close(before)
    _locks[pid] = os.dup(descriptor)
    with suppress(OSError):  # a file system without locks: `_is_locked` takes it for locked
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_locked(descriptor: int) -> bool:
    """Whether another descriptor holds the file, as far as can be told."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
