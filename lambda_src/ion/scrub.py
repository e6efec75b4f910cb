"""What a server said, fit to be kept: no address, no control character, not too long."""

import re
from collections.abc import Iterable

LONGEST_REPLY = 200

_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@,;:()]+>?|<[^>]*@[^>]*>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+|[\ud800-\udfff\ufffe\uffff]")


def scrub(text: str, addresses: Iterable[str] = ()) -> str:
    """At most 200 characters of `text`; whatever looks like an address becomes `<address>`.

    Args:
        text: a server's reply; servers like to repeat whom they refuse.
        addresses: those of this email: their local parts go too, where a server says no more.
    """
    text = _ADDRESS.sub("<address>", text)
    for address in addresses:
        local = address.rpartition("@")[0]
        if local:
            text = re.sub(
                rf"(?<!\w){re.escape(local)}(?!\w)", "<address>", text, flags=re.IGNORECASE
            )
    return _CONTROL.sub(" ", text).strip()[:LONGEST_REPLY]
