"""The text of an HTML body, for the readers and filters that want one."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bs4 import BeautifulSoup, Tag

MOST_TAGS = 5_000
"""A newsletter has some 2,000. The libraries are quadratic in places: this bounds the worst."""
DEEPEST_NESTING = 100
"""Tags within tags; tables within tables reach 60. The libraries recurse: this keeps them from the
interpreter's limit wherever in the stack we are, so that the same HTML always gives the same."""
MOST_WORK = 3_000_000
"""Characters times depth, as each level goes through all the text inside it: a second or two."""
MOST_ATTRIBUTES = 20_000
"""In one tag, by the blanks, quotes and slashes in it. The parser holds all of them at a time, each
with half a kilobyte and more."""

# markdownify's patterns are quadratic over a run of blanks
_long_run_of_blanks = re.compile(r"(\s)\s{99,}")
_empty_lines = re.compile(r"\n{3,}")


def plain_text(html: str) -> str | None:
    """The text of `html` as a person would read it, with links as Markdown; None: unreadable."""
    if len(html) > MOST_WORK or html.count("<") > MOST_TAGS or _attributes(html) > MOST_ATTRIBUTES:
        return None
    try:
        # the opening tag keeps bs4 from warning that this might be XML, a URL or a file's name
        text = _converter()("<html>" + _long_run_of_blanks.sub(r"\1", html))
    except Exception:  # noqa: BLE001 - if the parsers trip over it, the HTML can go alone
        return None
    if len(text) > 2 * len(html):  # quotes within quotes: thirty kilobytes can make megabytes
        return None
    lines = "\n".join([line.rstrip() for line in text.split("\n")])
    return _empty_lines.sub("\n\n", lines).strip() or None


def _attributes(html: str) -> int:
    """How many the tag with the most may have; tags too short for `MOST_ATTRIBUTES` count as 0."""
    long = (piece for piece in html.split("<")[1:] if len(piece) > MOST_ATTRIBUTES)
    tags = [piece.partition(">")[0] for piece in long if piece[0].isalpha()]
    return max((sum(map(tag.count, " \t\n\r\f\"'/")) for tag in tags), default=0)


@lru_cache(maxsize=1)
def _converter() -> "Callable[[str], str]":
    from bs4 import BeautifulSoup  # noqa: PLC0415 - 130 ms of a cold start, for HTML-only mail
    from bs4.element import PreformattedString  # noqa: PLC0415 - the same
    from markdownify import MarkdownConverter  # noqa: PLC0415 - the same

    class Reader(MarkdownConverter):
        """Markdown for eyes rather than for a renderer."""

        def convert_head(self, _el: "Tag", _text: str, parent_tags: set[str]) -> str:  # noqa: ARG002
            return ""

        def convert_img(self, el: "Tag", _text: str, parent_tags: set[str]) -> str:  # noqa: ARG002
            return str(el.attrs.get("alt") or "")  # the address is a tracking pixel's as often

        # Email is laid out by tables: pipes and rules would be noise, so cells become blocks
        def convert_td(self, _el: "Tag", text: str, parent_tags: set[str]) -> str:  # noqa: ARG002
            return f"{text.strip()} "

        convert_th = convert_td

        def convert_tr(self, _el: "Tag", text: str, parent_tags: set[str]) -> str:  # noqa: ARG002
            return f"{text.strip()}\n"

    reader = Reader(
        heading_style="atx",
        bullets="-",
        escape_asterisks=False,
        escape_underscores=False,
    )

    def convert(html: str) -> str:
        soup = BeautifulSoup(html, "html.parser")
        try:
            if _depth(soup) > min(DEEPEST_NESTING, MOST_WORK // len(html)):
                return ""
            for unseen in soup.find_all(string=lambda text: isinstance(text, PreformattedString)):
                unseen.extract()  # declarations and instructions, which would pass for text
            return str(reader.convert_soup(soup))
        finally:
            for part in [*soup.contents, soup]:
                part.decompose()  # they refer to one another, and would wait for the collector

    return convert


def _depth(soup: "BeautifulSoup") -> int:
    depth = 0
    level: list[Tag] = [soup]
    while level and depth <= DEEPEST_NESTING:
        depth += 1
        level = [child for tag in level for child in tag.find_all(recursive=False)]
    return depth
