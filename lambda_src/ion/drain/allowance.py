"""Budgets of a run, from the function's memory size.

A function that Lambda kills for its memory leaves all that was under way in doubt. So emails have a
budget of bytes, beside what the process itself takes, and a part of the memory is kept free: how
large a message is, SQS doesn't tell before it is received.
"""

import ctypes
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

MB = 1024 * 1024
_SIZE_VARIABLE = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Set by Lambda, in MB."""
_DEFAULT_MB = 512
"""Elsewhere; as the Terraform module's."""

_SHARE = 0.55
"""Of the function's memory, for the process and the budget; 0.6 is promised."""
_PROCESS_BYTES = 80 * MB
"""Outside the budget: Python and boto3 take 57 MB; the rest is for what making one
email's content takes meanwhile."""
_CONNECTION_BYTES = 400 * 1024
"""To a mail server, with TLS."""
_LEAST_BYTES = 8 * MB
"""The budget of a function of 128 MB, which has no room to spare."""

MOST_EMAIL_BYTES = 40 * MB
"""The content of an email, as SES takes it. Most servers take less, and say so (RFC 1870); those
that take more are few, and so are the mailboxes behind them."""

MOST_GROWN_BYTES = 160 * MB
"""Up to this, emails that are sent may need more than their messages told: files from S3 above all.
Ten emails of 10 MB at a time, in a process of less than 256 MB, however large the function is."""

LARGEST_BYTES = 1 * MB
"""A message, as SQS allows it."""
_WORST_RECEIVE_BYTES = 9 * LARGEST_BYTES
"""While such a message is received: its octets, the text of the answer and the text of the message,
each text of four bytes a character if there is an emoji in it."""

_M_MMAP_THRESHOLD = -3  # malloc.h
_LARGE_BLOCK_BYTES = 128 * 1024
"""What glibc begins with. It goes up to 32 MB with the blocks that are freed."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Budgets of a function.

    Args:
        budget: bytes that emails may take.
        unseen: messages that calls under way may bring. Even if all of them are as large as SQS
            allows, they fit into what is kept free.
    """

    budget: int
    unseen: int

    @classmethod
    def of(cls, function_bytes: int, connections: int) -> "Allowance":
        """The budgets of a function of so many bytes, with so many connections."""
        planned = int(_SHARE * function_bytes)
        process = _PROCESS_BYTES + connections * _CONNECTION_BYTES
        unseen = (function_bytes - planned) // _WORST_RECEIVE_BYTES
        return cls(max(planned - process, _LEAST_BYTES), max(unseen, 2))


def function_bytes(environment: Mapping[str, str]) -> int:
    """The memory that the function has."""
    text = environment.get(_SIZE_VARIABLE, "")
    return MB * (int(text) if text.isascii() and text.isdigit() else _DEFAULT_MB)


def return_what_is_freed() -> None:
    """Have the allocator give large blocks back to the system as soon as they are freed.

    By default glibc keeps more and larger ones as time goes by, for each thread apart: a hundred
    megabytes after some receives of large messages. Other allocators are left as they are.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
