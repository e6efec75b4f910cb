"""A hash that tells two messages under one key apart."""

import hashlib
import json


def content_hash(body: str) -> str:
    """SHA-256 of what a message says, however it is spelt: order and white space don't count.

    Of the JSON and not of the email made from it: a deploy or another setting changes the email,
    and the message that waits in the queue must still be the one that it was.

    Args:
        body: a body that `parse` has taken.
    """
    canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
