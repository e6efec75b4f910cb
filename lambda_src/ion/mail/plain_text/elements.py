"""What the elements of HTML are to a reader of text."""

from typing import Final

NEXT_LINE: Final = 1
"""Newlines between two lines."""
APART: Final = 2
"""The same, with an empty line."""

VOID = frozenset(
    {
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    }
)
"""Elements without content or end tag (HTML standard, section 13.1.2)."""
UNSEEN = frozenset({"datalist", "noscript", "svg", "template"})
"""Elements whose content is no text that is read. Elements of raw content aren't listed."""
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LISTS = frozenset({"dir", "menu", "ol", "ul"})
GROUPS = frozenset({"tbody", "tfoot", "thead"})
CELLS = frozenset({"td", "th"})
IN_TABLES = GROUPS | CELLS | {"caption", "tr"}
WALLS = CELLS | {"caption", "object", "table", "template"}
"""End tags inside them end nothing outside (section 13.2.4.2, "scope")."""

GAPS = {
    **dict.fromkeys(
        [
            *("address", "caption", "center", "dd", "details", "dialog", "div", "dt"),
            *("fieldset", "figcaption", "footer", "form", "header", "hgroup", "legend", "li"),
            *("main", "nav", "optgroup", "option", "search", "select", "summary", "tbody", "td"),
            *("tfoot", "th", "thead", "tr"),
        ],
        NEXT_LINE,
    ),
    **dict.fromkeys(
        [
            *("article", "aside", "blockquote", "dir", "dl", "figure", "listing", "menu", "ol"),
            *("p", "plaintext", "pre", "section", "table", "ul", *HEADINGS),
        ],
        APART,
    ),
}
"""Elements that begin a line of their own, and how far they stand from what is around them."""
ENDS_PARAGRAPH = frozenset(GAPS) - IN_TABLES - {"legend", "optgroup", "option", "select"} | {"hr"}
"""Start tags that end a paragraph which is open (section 13.2.6.4.7)."""
