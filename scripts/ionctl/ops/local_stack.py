"""Where a running ./run.sh is: a file that it writes, and that scripts and ionctl --local read."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import msgspec

from ionctl.files import write_own
from ionctl.problem import Problem

FILE_VARIABLE = "ION_LOCAL_FILE"
"""Environment variable that names another file than the usual one."""


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
        stack = msgspec.json.decode(file.read_bytes(), type=LocalStack)
        os.kill(stack.pid, 0)  # nothing is sent: is it there?
    except (FileNotFoundError, ProcessLookupError):
        raise Problem("no local relay runs: start one with ./run.sh, in another terminal") from None
    except (OSError, OverflowError, msgspec.DecodeError) as error:
        raise Problem(f"{file} can't be read ({error}): start ./run.sh anew") from error
    if not stack.endpoint_url.startswith(("http://", "https://")):
        raise Problem(f"{file} names no emulator: start ./run.sh anew")
    return stack


def write(stack: LocalStack) -> None:
    """Write the file, readable for its owner alone.

    Raises:
        Problem: it can't be written.
    """
    file = local_file()
    try:
        write_own(file, msgspec.json.format(msgspec.json.encode(stack)) + b"\n")
    except OSError as error:
        raise Problem(
            f"{file} can't be written ({error.strerror}): name another one in {FILE_VARIABLE}"
        ) from error


def remove(pid: int) -> None:
    """Take the file away, unless another stack has written it since."""
    file = local_file()
    try:
        if msgspec.json.decode(file.read_bytes(), type=LocalStack).pid == pid:
            file.unlink()
            door().unlink(missing_ok=True)
    except (OSError, msgspec.DecodeError):
        pass  # it is gone, or another one's
