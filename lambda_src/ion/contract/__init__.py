"""The wire JSON: what a publisher may put on the topic, and what bad input is."""

from ion.contract.actions import Action
from ion.contract.attachment import Attachment, S3Object
from ion.contract.bad_input import BadInput
from ion.contract.claim_check import OutboxClaim, claim_check
from ion.contract.content_hash import content_hash
from ion.contract.parse import parse
from ion.contract.paths import header
from ion.contract.send import (
    BLANKS,
    Address,
    Addresses,
    EmailId,
    Lane,
    Mailbox,
    Send,
    is_given,
)
from ion.contract.steering import (
    Cancel,
    Pause,
    Redrive,
    Resume,
    Stop,
    StopWhere,
    Where,
    seconds_of,
)
from ion.contract.tags import Tags, given_tags
from ion.contract.times import FURTHEST_AHEAD_SECONDS, Time, read_time

__all__ = [
    "BLANKS",
    "FURTHEST_AHEAD_SECONDS",
    "Action",
    "Address",
    "Addresses",
    "Attachment",
    "BadInput",
    "Cancel",
    "EmailId",
    "Lane",
    "Mailbox",
    "OutboxClaim",
    "Pause",
    "Redrive",
    "Resume",
    "S3Object",
    "Send",
    "Stop",
    "StopWhere",
    "Tags",
    "Time",
    "Where",
    "claim_check",
    "content_hash",
    "given_tags",
    "header",
    "is_given",
    "parse",
    "read_time",
    "seconds_of",
]
