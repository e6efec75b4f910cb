"""What a server said, fit to be kept: no address, no control character, not too long."""

import re
from collections.abc import Iterable

LONGEST_REPLY = 200

# Each begins only where a word does and never goes back: a server can make its reply 32 KB of
# whatever it likes, and everything else would wait for this.
_ADDRESS = re.compile(
    r"<[^<>@]*@[^<>]*>"
    r"|(?<![^\s<>])[^\s<>@]*@[^\s<>,;:()]*(?:[,;:()]+[^\s<>,;:()]+)*"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+|[\ud800-\udfff\ufffe\uffff]")


def scrub(text: str, addresses: Iterable[str] = ()) -> str:
    """At most 200 characters of `text`; whatever looks like an address becomes `<address>`.

    Args:
        text: a server's reply; servers like to repeat whom they refuse.
        addresses: those of this email: their local parts go too, where a server says no more.
    """
    for address in addresses:
        local, at, domain = map(re.escape, address.rpartition("@"))
        if local:
            whole_or_local = rf"<{local}{at}{domain}>|(?<!\w){local}(?:{at}{domain}|(?!\w))"
            text = re.sub(whole_or_local, "<address>", text, flags=re.IGNORECASE)
    text = _ADDRESS.sub("<address>", text)
    return _CONTROL.sub(" ", text).strip()[:LONGEST_REPLY]
