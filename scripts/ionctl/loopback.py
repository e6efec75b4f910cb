"""Which ports of this machine are to be had."""

import errno
import socket

from ionctl.problem import Problem

HOST = "127.0.0.1"
"""Only this machine can reach what listens here."""


def listen(port: int | None, option: str) -> socket.socket:
    """Give a listening socket.

    Args:
        port: the one asked for; None: any free one.
        option: the command line's option for this port, for the error's text.

    Raises:
        Problem: the port is taken, or not ours to take.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # a port whose last user has just gone is free
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port or 0))
        listener.listen()
    except OSError as error:
        listener.close()
        why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be had ({error.strerror})"
        raise Problem(
            f"port {port} on {HOST} {why}: "
            f"choose another with {option}, or leave the option out for a free one"
        ) from error
    return listener


def free_port(port: int | None, option: str) -> int:
    """Give a port that a process about to start can listen on.

    Raises:
        Problem: see `listen`.
    """
    with listen(port, option) as listener:
        number: int = listener.getsockname()[1]
        return number
