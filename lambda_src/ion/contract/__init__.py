"""The wire JSON: what a publisher may put on the topic, and what bad input is."""

from ion.contract.actions import (
    BLANKS,
    Action,
    Address,
    Addresses,
    Mailbox,
    Redrive,
    Send,
    Where,
    is_given,
    seconds_of,
)
from ion.contract.bad_input import BadInput
from ion.contract.content_hash import content_hash
from ion.contract.parse import parse
from ion.contract.paths import header

__all__ = [
    "BLANKS",
    "Action",
    "Address",
    "Addresses",
    "BadInput",
    "Mailbox",
    "Redrive",
    "Send",
    "Where",
    "content_hash",
    "header",
    "is_given",
    "parse",
    "seconds_of",
]
