"""Lines of text, how far they stand apart, and what stands before them in quotes and lists."""

from dataclasses import dataclass, field
from io import StringIO
from typing import Final

from ion.mail.plain_text.addresses import without_addresses
from ion.mail.plain_text.blanks import trimmed, visible
from ion.mail.plain_text.elements import APART, NEXT_LINE

MOST_LEVELS = 10
"""Quotes and lists inside one another that are shown as such. What is deeper stands with those:
its text is all there, but fifty kilobytes of tags can't make megabytes of indents."""
_LONGEST_UNDERLINED = 78
"""Characters; a longer heading would be broken, by a mail program, and its underline as well."""
_NO_RULE: Final = 0
_VERBATIM: Final = ord("\n")
"""In place of a rule: the text has line breaks of its own."""


@dataclass(frozen=True, slots=True)
class Level:
    """A quote, or an item of a list.

    Args:
        at: its element, by its place among those that are open.
        mark: before its first line.
        rest: before its other lines, with what the levels around it want.
    """

    at: int
    mark: str
    rest: str


@dataclass(slots=True)
class Lines:
    """The text so far: lines that are ended, and one that isn't."""

    texts: list[str] = field(default_factory=list)
    gaps: bytearray = field(default_factory=bytearray)
    """Newlines before each of them."""
    rules: bytearray = field(default_factory=bytearray)
    """The character that underlines each of them; see also `_VERBATIM`."""
    indents: list[tuple[str, str]] = field(default_factory=list)
    """Before each of them; and before another line of the same item."""
    _gap: int = NEXT_LINE
    _levels: list[Level] = field(default_factory=list)
    _unmarked: int = 0
    """Levels that have had a line. The others' marks are still to be written."""
    _line: StringIO = field(default_factory=StringIO)
    _last: str = ""
    """The last character of the line under way."""
    _is_blank: bool = True
    verbatim: bool = False
    """Blanks and line breaks count, as in <pre>."""

    def write(self, text: str) -> None:
        """Goes on with the line."""
        if text:
            self._line.write(text)
            self._last = text[-1]
            self._is_blank = self._is_blank and text.isspace()

    def write_word(self, text: str) -> None:
        """Goes on with the line, but not with its last word or address."""
        if (self._last.isalnum() or self._last == ">") and text[:1].isalnum():
            self.write(" ")
        self.write(text)

    @property
    def is_blank(self) -> bool:
        """True if nothing but blanks is in the line under way."""
        return self._is_blank

    @property
    def length(self) -> int:
        """Of the line under way, in characters."""
        return self._line.tell()

    def cut(self, length: int) -> None:
        """Takes back what is beyond that length of the line under way."""
        self._line.seek(length)
        self._line.truncate()
        self._last = " "

    def end(self, gap: int) -> None:
        """Ends the line, if there is anything to read in it; the next one stands apart from it."""
        if self._line.tell():
            written = self._line.getvalue()
            if text := trimmed(written) if self.verbatim else visible(written):
                self._append(text, _VERBATIM if self.verbatim else _NO_RULE)
            self._line = StringIO()
            self._last, self._is_blank = "", True
        self._gap = max(self._gap, gap)

    def break_line(self) -> None:
        """Ends the line. If there is nothing in it, it is an empty one."""
        if self.verbatim:
            self.write("\n")
            return
        before = len(self.texts)
        self.end(NEXT_LINE)
        if len(self.texts) == before:
            self._gap = APART

    def draw(self, rule: str) -> None:
        """A line across, once where several meet."""
        self.end(APART)
        if not self.texts or self.texts[-1] != rule:
            self._append(rule, _NO_RULE)
        self._gap = APART

    def append_to_last(self, text: str) -> None:
        """Goes on with the last line that was ended."""
        self.texts[-1] += text

    def drop_last(self, text: str) -> None:
        """Takes the last line that was ended back, if that is all it says."""
        if self.texts and self.texts[-1] == text:
            self.texts[-1] = ""

    def underline(self, character: str, since: int) -> None:
        """Underlines the heading whose lines begin at that index, if it is a single one."""
        if len(self.texts) == since + 1:
            self.rules[since] = ord(character)

    def join(self, first: int, end: int) -> None:
        """Makes one line of those of these indexes."""
        self.texts[first:end] = [" ".join(filter(None, self.texts[first:end]))]
        del self.gaps[first + 1 : end], self.rules[first + 1 : end], self.indents[first + 1 : end]

    def indent(self, at: int, mark: str, *, quotes: bool = False) -> None:
        """Begins a quote or an item."""
        if len(self._levels) < MOST_LEVELS:
            around = self._levels[-1].rest if self._levels else ""
            self._levels.append(Level(at, mark, around + (mark if quotes else " " * len(mark))))

    def dedent(self, at: int) -> None:
        """Ends what that element began, if it did."""
        if self._levels and self._levels[-1].at == at:
            self._levels.pop()
            self._unmarked = min(self._unmarked, len(self._levels))

    @property
    def rest(self) -> str:
        """What stands before another line of this item."""
        return self._levels[-1].rest if self._levels else ""

    def _append(self, text: str, rule: int) -> None:
        first = rest = self.rest
        if self._unmarked < len(self._levels):
            new = self._levels[self._unmarked :]
            around = self._levels[self._unmarked - 1].rest if self._unmarked else ""
            first = around + "".join([level.mark for level in new])
            self._unmarked = len(self._levels)
        self.texts.append(text)
        self.gaps.append(self._gap)
        self.rules.append(rule)
        indent = (first, rest)
        # one tuple for all the lines of an item: there may be a hundred thousand
        same = self.indents and self.indents[-1] == indent
        self.indents.append(self.indents[-1] if same else indent)
        self._gap = NEXT_LINE

    def text(self, most_indents: int) -> str:
        """All of it.

        Args:
            most_indents: characters before lines. Where they are used up, lines stand at the left.
        """
        whole = StringIO()
        above, most_gap = "", NEXT_LINE
        for text, gap, rule, (first, rest) in zip(
            self.texts, self.gaps, self.rules, self.indents, strict=True
        ):
            most_gap = max(most_gap, gap)
            if not text:
                continue
            most_indents -= len(first) + len(rest) * (1 + text.count("\n"))
            if most_indents < 0:
                first = rest = ""  # noqa: PLW2901 - from here on
            if whole.tell():
                # a quote goes on over an empty line
                between = _common(above, rest).rstrip()
                whole.write(f"\n{between}\n" if most_gap > NEXT_LINE else "\n")
            most_gap = NEXT_LINE
            whole.write(first)
            whole.write(text.replace("\n", "\n" + rest) if rule == _VERBATIM else text)
            if rule > _VERBATIM:
                whole.write(_underline(text, rest, chr(rule)))
            above = rest
        return whole.getvalue()


def _underline(text: str, indent: str, character: str) -> str:
    width = len(without_addresses(text))
    return f"\n{indent}{character * width}" if 3 <= width <= _LONGEST_UNDERLINED else ""


def _common(one: str, other: str) -> str:
    """What both begin with."""
    length = 0
    while one[length : length + 1] == other[length : length + 1] != "":
        length += 1
    return one[:length]
