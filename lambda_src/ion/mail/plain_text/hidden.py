"""What a mail program doesn't show: by an attribute, by a style, by a class of the style sheet."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

_hiding = re.compile(
    r"(?:^|[;\s{])(?:display\s*+:\s*+none|visibility\s*+:\s*+hidden|opacity\s*+:\s*+0++\.?+0*+(?!\d))",
    re.IGNORECASE,
).search
_no_height = re.compile(
    r"(?:^|[;\s])(?:max-)?height\s*+:\s*+0(?:px|em|pt|%)?+\s*+(?:!|;|$)", re.IGNORECASE
).search
_overflow = re.compile(r"(?:^|[;\s])overflow\s*+:\s*+hidden", re.IGNORECASE).search
_display = re.compile(r"(?:^|[;\s])display\s*+:", re.IGNORECASE).search
_no_marks = re.compile(r"list-style(?:-type)?+\s*+:\s*+none", re.IGNORECASE).search

_comment = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_braces = re.compile(r"[^{}]*+([{}]|\Z)")
_simple_selector = re.compile(r"[a-zA-Z]*+([.#][-\w]++)")


def is_hidden(attributes: Mapping[str, str], names: AbstractSet[str]) -> bool:
    """True if an element with these attributes isn't shown.

    Args:
        attributes: of the element.
        names: what the style sheet hides, see `hidden_names`.
    """
    if "hidden" in attributes:
        return True
    style = attributes.get("style", "")
    if style and (_hiding(style) or (_no_height(style) and _overflow(style))):
        return True
    if not names or _display(style):
        return False
    own = ("." + name for name in attributes.get("class", "").split())
    return any(name in names for name in own) or "#" + attributes.get("id", "") in names


def is_pixel(attributes: Mapping[str, str]) -> bool:
    """True for a tracking pixel: an image too small to be seen, which counts readers."""
    return any(
        attributes.get(side, "").removesuffix("px") in {"0", "1"} for side in ("width", "height")
    )


def has_no_marks(attributes: Mapping[str, str]) -> bool:
    """True for a list whose items have neither bullet nor number."""
    return _no_marks(attributes.get("style", "")) is not None


def hidden_names(sheet: str) -> set[str]:
    """Classes (".preheader") and ids ("#preheader") that a style sheet hides on every screen.

    Rules for some media (`@media`) don't count, nor do selectors of more than one part.
    """
    names: set[str] = set()
    sheet = _comment.sub("", sheet).replace("<!--", "").replace("-->", "")
    depth, selectors = 0, ""
    for piece in _braces.finditer(sheet):
        text = piece[0].rstrip("{}")
        if piece[1] == "{":
            depth += 1
            selectors = text.rpartition(";")[2] if depth == 1 else ""
        elif piece[1] == "}":
            if _hiding(text):
                names.update(_names(selectors))
            depth = max(depth - 1, 0)
            selectors = ""
    return names


def _names(selectors: str) -> list[str]:
    found = [_simple_selector.fullmatch(one.strip()) for one in selectors.split(",")]
    return [one[1] for one in found if one]
