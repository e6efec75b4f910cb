"""Which known name a misspelt one was probably meant to be."""

from collections.abc import Iterable

_LONGEST = 100
"""Characters of a name that is compared: the time taken grows with its square."""


_OTHERS = {
    "from": "sender",
    "to": "recipient",
    "body": "body_text",
    "message": "body_text",
    "plain": "body_text",
    "text": "body_text",
    "html": "body_html",
    "send_at": "not_before",
    "sendat": "not_before",
    "expires": "expires_at",
}
"""Names that other systems use, and ours."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that others call `name`, or that resembles it most; None: there is none.

    Whether letters are small or large makes no difference.
    """
    import difflib  # noqa: PLC0415 - 2 ms of a cold start, for what is misspelt

    if len(name) > _LONGEST:
        return None
    by_lower_case = {one.lower(): one for one in known}
    other = _OTHERS.get(name.lower())
    if other in by_lower_case:
        return other
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return by_lower_case[close[0]] if close else None
