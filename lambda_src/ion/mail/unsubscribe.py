"""The header fields by which a mail program offers to unsubscribe, and does so with one click."""

from ion.mail.headers import folded

_LINK = "List-Unsubscribe"
_ONE_CLICK = "List-Unsubscribe-Post"
UNSUBSCRIBE_FIELDS = frozenset({"list-unsubscribe", "list-unsubscribe-post"})
"""Their names in small letters: a publisher's own would contradict them."""


def unsubscribe_fields(url: str) -> str:
    """Both fields (RFC 2369 section 3.2, RFC 8058 section 3.1), CRLF included.

    A link isn't folded: some programs would read the blank as a part of it.

    Args:
        url: of https, at most 900 ASCII characters without blanks, < and >.
    """
    return f"{_LINK}: <{url}>\r\n" + folded(_ONE_CLICK, [f" {_LINK}=One-Click"])
