"""The copy of an email that another mailbox gets in the place of recipients of a staging relay."""

from collections.abc import Sequence
from dataclasses import replace

from ion.envelope import Email
from ion.mail.headers import text_field

ORIGINALS = "X-Ion-Original-To"
"""The header field that has the recipients who don't get it."""

LONGEST_PREFIX = 120
"""Characters before the subject; more only for a single address that is longer (254 at most)."""


def redirected(email: Email, originals: Sequence[str], to: str) -> Email:
    """The email for `to` alone, marked by subject and header; body, Date and Message-ID stay.

    Only this copy names the recipients of a bcc, so no other recipient may get it.

    Args:
        email: as composed.
        originals: addresses in whose place `to` gets it; at least one.
        to: ready for the wire, as `Envelope` has it.
    """
    prefix = _prefix(originals)
    subject = f"{prefix} {email.subject}" if email.subject else prefix
    header, *body = email.pieces
    # Folded lines begin with a blank, so that no other field has a line that begins like this one.
    unmarked = f"\r\n{text_field('Subject', email.subject)}".encode()
    before, field, after = header.partition(unmarked)
    assert field, "an email has its own subject"
    marks = text_field("Subject", subject) + text_field(ORIGINALS, ", ".join(originals))
    marked = b"".join((before, b"\r\n", marks.encode(), after))
    envelope = replace(email.envelope, recipients=(to,))
    return Email(envelope, (marked, *body), subject, email.queued_at)


def _prefix(originals: Sequence[str]) -> str:
    """The first addresses, as many as there is room for: "[ann@a.example, 2 more]"."""
    named = originals[0]
    count = 1
    for one in originals[1:]:
        if len(f"[{named}, {one}, {len(originals)} more]") > LONGEST_PREFIX:
            break
        named = f"{named}, {one}"
        count += 1
    more = len(originals) - count
    return f"[{named}, {more} more]" if more else f"[{named}]"
