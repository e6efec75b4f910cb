"""Rows of tables: those of data become one line each, those of a layout paragraphs."""

from dataclasses import dataclass, field
from enum import Enum, auto

from ion.mail.plain_text.addresses import without_addresses
from ion.mail.plain_text.elements import APART, NEXT_LINE
from ion.mail.plain_text.lines import Lines

MOST_TABLES = 200
"""Tables inside one another whose rows are looked at; newsletters reach 60. What is deeper is
still read, each cell on lines of its own."""
LONGEST_ROW = 1_000
"""Characters. So what is moved together once for each table around it stays short."""
_LONGEST_ENTRY = 60
"""Characters. Two cells with more than that aren't read across."""


class _Row(Enum):
    DATA = auto()
    """Cells in one line."""
    SHORT = auto()
    """A single cell, as above or below data: a title, a note."""
    BLOCK = auto()


@dataclass(slots=True)
class Table:
    """One that is open.

    Args:
        at: its element, by its place among those that are open.
        lines: the text, in which its rows are put in order as they end.
    """

    at: int
    lines: Lines
    _before: _Row | None = None
    _rest: str = ""
    _cells: list[int] = field(default_factory=list)
    """The first line of each cell in this row that has any."""

    def begin_row(self) -> None:
        """What follows is in another row."""
        self.lines.end(NEXT_LINE)
        self._cells.clear()
        self._rest = self.lines.rest

    def begin_cell(self) -> None:
        """What follows is in another cell."""
        self.lines.end(NEXT_LINE)
        start = len(self.lines.texts)
        if not self._cells or self._cells[-1] != start:
            self._cells.append(start)

    def end_row(self) -> None:
        """Puts the row's lines in order."""
        self.lines.end(NEXT_LINE)
        end = len(self.lines.texts)
        if self._cells and self._cells[-1] == end:
            self._cells.pop()
        if not self._cells:
            return
        first = self._cells[0]
        row = self._laid(end)
        if self._before is not None:
            near = _Row.BLOCK not in (row, self._before) and _Row.DATA in (row, self._before)
            self.lines.gaps[first] = NEXT_LINE if near else APART
        self._before = row
        self._cells.clear()

    def _laid(self, end: int) -> _Row:
        lines, first = self.lines, self._cells[0]
        if not all(map(self._is_entry, self._cells, [*self._cells[1:], end])):
            self._set_apart(APART)
            return _Row.BLOCK
        texts = lines.texts[first:end]
        if len(texts) == 1:
            return _Row.SHORT if len(texts[0]) <= _LONGEST_ENTRY else _Row.BLOCK
        long = [text for text in texts if len(text) > _LONGEST_ENTRY]
        if len(long) > 1:
            prose = any(len(without_addresses(text)) > _LONGEST_ENTRY for text in long)
            self._set_apart(APART if prose else NEXT_LINE)
            return _Row.BLOCK
        if sum(map(len, texts)) + len(texts) > LONGEST_ROW:
            self._set_apart(NEXT_LINE)
            return _Row.BLOCK
        lines.join(first, end)
        return _Row.DATA

    def _is_entry(self, start: int, end: int) -> bool:
        """True if the cell of these lines has only one, and that is neither heading nor item."""
        lines = self.lines
        return end == start + 1 and not lines.rules[start] and lines.indents[start][1] == self._rest

    def _set_apart(self, gap: int) -> None:
        for start in self._cells[1:]:
            self.lines.gaps[start] = gap
