"""Which known name a misspelt one was probably meant to be."""

from collections.abc import Iterable

_LONGEST = 100
"""Characters of a name that is compared: the time taken grows with its square."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that resembles `name` most, case aside; None: none resembles it."""
    import difflib  # noqa: PLC0415 - 2 ms of a cold start, for what is misspelt

    if len(name) > _LONGEST:
        return None
    by_lower_case = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return by_lower_case[close[0]] if close else None
