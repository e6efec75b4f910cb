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
from ion.contract.attachment import Attachment, S3Object
from ion.contract.bad_input import BadInput
from ion.contract.claim_check import OutboxClaim, claim_check
from ion.contract.content_hash import content_hash
from ion.contract.parse import parse
from ion.contract.paths import header

__all__ = [
    "BLANKS",
    "Action",
    "Address",
    "Addresses",
    "Attachment",
    "BadInput",
    "Mailbox",
    "OutboxClaim",
    "Redrive",
    "S3Object",
    "Send",
    "Where",
    "claim_check",
    "content_hash",
    "header",
    "is_given",
    "parse",
    "seconds_of",
]
