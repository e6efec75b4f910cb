"""A hash that tells two messages under one key apart."""

import hashlib
import json

from ion.contract.parse import without_mark


def content_hash(body: str) -> str:
    """SHA-256 of what a message says: a redelivery, and the same published again, have the same.

    Nothing counts that JSON leaves open: the order of fields, white space, escapes, a byte order
    mark. A field that is null is a field that is left out, as for the email.

    It is the hash of the JSON and not of the email made from it: a deploy or another setting
    changes the email, and the message that waits in the queue must still be the one that it was.
    So what is spelt in another way inside a value counts as other content (`ID_REUSED`), though
    the same email would come of it: `""` and null for an address, `"a@b"` and `["a@b"]`, blanks
    around a name, null in a list, for a header or a tag and none there, and one time in two zones.

    Args:
        body: a body that `parse` has taken.
    """
    fields = json.loads(without_mark(body)).items()
    said = {name: value for name, value in fields if value is not None}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
