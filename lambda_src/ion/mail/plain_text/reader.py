"""From tags and texts to lines: which elements are open, and what begins and ends with them."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ion.mail.plain_text.addresses import LONGEST_SAME, address, is_web, says_the_same
from ion.mail.plain_text.elements import (
    APART,
    CELLS,
    ENDS_PARAGRAPH,
    GAPS,
    GROUPS,
    HEADINGS,
    IN_TABLES,
    LISTS,
    NEXT_LINE,
    UNSEEN,
    VOID,
    WALLS,
)
from ion.mail.plain_text.hidden import has_no_marks, hidden_names, is_hidden, is_pixel
from ion.mail.plain_text.lines import MOST_LEVELS, Lines
from ion.mail.plain_text.open_elements import OpenElements
from ion.mail.plain_text.tables import MOST_TABLES, Table
from ion.mail.plain_text.tokens import Tag, decoded, tokens

if TYPE_CHECKING:
    from collections.abc import Callable

RULE = "-" * 5
"""For <hr>."""
_UNDERLINES = {"h1": "=", "h2": "-"}
_RAISED = {
    "sup": str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "sub": str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"),
}
"""So that 19<sup>99</sup> isn't read as 1999."""
_KEPT = frozenset(GAPS) | WALLS | frozenset(_RAISED) | {"a", "q"}
"""Elements whose end matters. The others only do where they are hidden."""
_VERBATIM = frozenset({"listing", "pre"})
_ITEMS = {
    "li": (("li",), (*LISTS, "blockquote")),
    "dd": (("dd", "dt"), ("dl", "blockquote")),
    "dt": (("dd", "dt"), ("dl", "blockquote")),
}
"""Start tags of items, which items they end, and inside what they don't."""
_number = re.compile(r"-?[0-9]{1,9}").fullmatch


def plain_text(html: str) -> str | None:
    """The text of `html` as a person would have written it; None: there is nothing to read."""
    reader = _Reader()
    for token in tokens(html):
        if isinstance(token, str):
            reader.read_text(token)
        elif token.closing:
            reader.read_end(token.name)
        else:
            reader.read_start(token)
    return reader.text(most_indents=len(html))


@dataclass(slots=True)
class _Link:
    """A link that is open.

    Args:
        at: its element's place.
        address: "" for none that is written.
        line: the index of the line that it began in, if that is the one under way.
        start: where in that line.
    """

    at: int
    address: str
    line: int
    start: int
    text: str = ""
    """What it says so far, or the beginning of that."""
    has_image: bool = False


@dataclass(slots=True)
class _List:
    """A list that is open.

    Args:
        at: its element's place.
        mark: before each item; "": numbers.
        next: the next item's number.
    """

    at: int
    mark: str
    next: int


class _Reader:
    def __init__(self) -> None:
        self._lines = Lines()
        self._open = OpenElements()
        self._tables: list[Table] = []
        self._lists: list[_List] = []
        self._link: _Link | None = None
        self._heading = -1
        """The index of the first line of the heading that is open."""
        self._hidden_at: int | None = None
        """The place of the outermost element that isn't shown."""
        self._hidden_names: set[str] = set()
        self._word_is_over = False
        self._raised: dict[int, int] | None = None
        self._beginnings: dict[str, Callable[[int, dict[str, str]], None]] = {
            **dict.fromkeys(LISTS, self._begin_bullets),
            **dict.fromkeys(CELLS, self._begin_cell),
            "a": self._begin_link,
            "li": self._begin_item,
            "ol": self._begin_numbers,
            "table": self._begin_table,
            "tr": self._begin_row,
        }

    def text(self, most_indents: int) -> str | None:
        """Everything that was read."""
        self._close(0)
        self._lines.end(NEXT_LINE)
        if all(text == RULE for text in self._lines.texts):
            return None
        return self._lines.text(most_indents)

    # texts

    def read_text(self, text: str) -> None:
        """Text between tags."""
        if self._hidden_at is not None or not text:
            return
        if self._raised and text.strip().isdecimal():
            text = text.translate(self._raised)
        self._write(text)

    def _write(self, text: str) -> None:
        if self._word_is_over:
            self._lines.write_word(text)
            self._word_is_over = False
        else:
            self._lines.write(text)
        if self._link and len(self._link.text) < LONGEST_SAME:
            self._link.text += text[:LONGEST_SAME]

    # start tags

    def read_start(self, tag: Tag) -> None:
        """A start tag."""
        name = tag.name
        self._end_what_it_ends(name)
        if self._hidden_at is not None:
            if name not in VOID:
                self._open.push(name)
            return
        is_shown = name not in UNSEEN and not is_hidden(tag.attributes, self._hidden_names)
        if name in VOID or tag.raw:
            if is_shown:
                self._read_single(tag)
        elif not is_shown:
            self._hidden_at = self._open.push(name)
        elif name in _KEPT:
            self._begin(name, self._open.push(name), tag.attributes)

    def _end_what_it_ends(self, name: str) -> None:
        """Elements that a start tag ends by itself (HTML standard, section 13.1.2.4)."""
        opened = self._open
        if name in ENDS_PARAGRAPH and (paragraph := opened.last("p")) > opened.wall:
            self._close(paragraph)
        if name in _ITEMS:
            items, around = _ITEMS[name]
            if (item := opened.last(*items)) > max(opened.wall, opened.last(*around)):
                self._close(item)
        elif name == "table" and opened.last(*CELLS, "caption") < opened.last("table"):
            self._close(opened.last("table"))
        elif name in IN_TABLES:
            self._end_in_table(name)

    def _end_in_table(self, name: str) -> None:
        """Rows and cells are ended by the next; a cell makes its row, if there is none."""
        opened = self._open
        table = opened.last("table")
        if table < 0:
            self._lines.end(NEXT_LINE)
        elif name in CELLS:
            if (row := opened.last("tr")) > table:
                self._close(row + 1)
            else:
                self.read_start(Tag("tr", closing=False, attributes={}))
        elif name == "tr":
            self._close(opened.last("table", *GROUPS) + 1)
        else:
            self._close(table + 1)

    def _read_single(self, tag: Tag) -> None:
        """An element without other elements in it."""
        if tag.name == "br":
            self._lines.break_line()
        elif tag.name == "hr":
            self._lines.draw(RULE)
        elif tag.name == "img" and not is_pixel(tag.attributes):
            if self._link:
                self._link.has_image = True
            if alternative := tag.attributes.get("alt", "").strip():
                self._word_is_over = True
                self._write(alternative)
                self._word_is_over = True
        elif tag.name == "textarea":
            self._write(decoded(tag.raw))
        elif tag.name == "style" and tag.attributes.get("media", "all") in {"all", "screen"}:
            self._hidden_names.update(hidden_names(tag.raw))

    def _begin(self, name: str, place: int, attributes: dict[str, str]) -> None:
        """What begins with an element that is shown."""
        lines = self._lines
        if name in GAPS:
            lines.end(self._gap(name))
        if begin := self._beginnings.get(name):
            begin(place, attributes)
        elif name in _RAISED:
            self._raised = _RAISED[name]
        elif name in HEADINGS:
            self._heading = len(lines.texts)
        elif name == "q":
            self._write('"')
        elif name in _VERBATIM:
            lines.verbatim = True
        elif name == "blockquote":
            lines.indent(place, "> ", quotes=True)
        elif name == "dd":
            lines.indent(place, "  ")

    def _begin_link(self, place: int, attributes: dict[str, str]) -> None:
        self._end_link()
        href = address(attributes.get("href", ""))
        self._link = _Link(place, href, len(self._lines.texts), self._lines.length)

    def _gap(self, name: str) -> int:
        """Lists inside lists don't stand apart."""
        return NEXT_LINE if name in LISTS and self._lists else GAPS[name]

    def _begin_numbers(self, place: int, attributes: dict[str, str]) -> None:
        self._begin_list(place, attributes, "")

    def _begin_bullets(self, place: int, attributes: dict[str, str]) -> None:
        self._begin_list(place, attributes, "- ")

    def _begin_list(self, place: int, attributes: dict[str, str], mark: str) -> None:
        if len(self._lists) >= MOST_LEVELS:
            return
        if has_no_marks(attributes):
            mark = " "
        start = attributes.get("start", "").strip()
        self._lists.append(_List(place, mark, int(start) if _number(start) else 1))

    def _begin_item(self, place: int, attributes: dict[str, str]) -> None:
        around = self._lists[-1] if self._lists else None
        if around is None or around.mark:
            mark = around.mark if around else "- "
        else:
            value = attributes.get("value", "").strip()
            number = int(value) if _number(value) else around.next
            around.next = number + 1
            mark = f"{number}. "
        if mark.strip():
            self._lines.indent(place, mark)

    def _begin_table(self, place: int, _: dict[str, str]) -> None:
        if len(self._tables) < MOST_TABLES:
            self._tables.append(Table(place, self._lines))

    def _begin_row(self, _place: int, _: dict[str, str]) -> None:
        if table := self._table():
            table.begin_row()

    def _begin_cell(self, _place: int, _: dict[str, str]) -> None:
        if table := self._table():
            table.begin_cell()

    def _table(self) -> Table | None:
        """The innermost table that is open; None: there is none, or it is too deep."""
        if self._tables and self._tables[-1].at == self._open.last("table"):
            return self._tables[-1]
        return None

    # end tags

    def read_end(self, name: str) -> None:
        """An end tag."""
        place = self._open.ended_by(name)
        if place >= 0:
            self._close(place)
        elif self._hidden_at is not None:
            return
        elif name == "p":
            self._lines.end(APART)
        elif name == "br":
            self._lines.break_line()
        elif name == "a":
            self._end_link()

    def _close(self, place: int) -> None:
        """Ends the element of that place and all that are open inside it."""
        while len(self._open) > place:
            at = len(self._open) - 1
            name = self._open.pop()
            if self._hidden_at is None:
                self._end(name, at)
            elif self._hidden_at == at:
                self._hidden_at = None

    def _end(self, name: str, at: int) -> None:
        """What ends with an element that was shown."""
        if name == "a" and self._link and self._link.at == at:
            self._end_link()
        elif name == "q":
            self._write('"')
        elif name in _RAISED:
            self._raised = None
        if name in GAPS:
            self._end_block(name, at)

    def _end_block(self, name: str, at: int) -> None:
        lines = self._lines
        if name in LISTS and self._lists and self._lists[-1].at == at:
            self._lists.pop()
        lines.end(self._gap(name))
        lines.dedent(at)
        if name in _UNDERLINES:
            lines.underline(_UNDERLINES[name], self._heading)
        elif name in _VERBATIM:
            lines.verbatim = False
        elif name == "table" and self._tables and self._tables[-1].at == at:
            self._tables.pop()
        elif name == "tr" and (table := self._table()):
            table.end_row()

    def _end_link(self) -> None:
        """Writes the address behind what the link says."""
        link, self._link = self._link, None
        if link is None or not link.address:
            return
        lines = self._lines
        text, bracketed = link.text.strip(), f"<{link.address}>"
        if text and says_the_same(text, link.address):
            if is_web(link.address) and len(lines.texts) == link.line:
                lines.cut(link.start)
                lines.write(" " + bracketed if link.text[0].isspace() else bracketed)
            return
        if text:  # of a link around an image without words, and one around its caption
            lines.drop_last(bracketed)
        if not lines.is_blank and (text or link.has_image):
            lines.write(" " + bracketed)
        elif text and len(lines.texts) > link.line:
            lines.append_to_last(" " + bracketed)
        elif link.has_image:
            lines.write(bracketed)
        self._word_is_over = True
