"""What an email is found by, beside its key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """An email as its row, and the events of the log, tell it: no address, no content.

    Args:
        addresses: the keyed hash of each recipient (`address_hash`), in the order that fates are
            kept in; empty: they aren't known yet.
        header_message_id: its Message-ID (RFC 5322 section 3.6.4), with angle brackets; empty: as
            above.
        content_hash: of what was published; empty: as above.
    """

    addresses: tuple[str, ...] = ()
    header_message_id: str = ""
    content_hash: str = ""
