"""Blanks of a line, as a browser shows them: one for many, and none for what can't be seen."""

import re
from io import StringIO

_INVISIBLE = "\xad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"
"""They fill up the preview of an email in a list, as blanks do between them. Some have a meaning
between two letters: a joiner (in emoji, in Persian), a mark of direction."""
_BLANK = " \t\n\f\r\xa0\u2007"
_EDGE = (
    f"{_BLANK}\xad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f"
    "\u2060\u2061\u2062\u2063\u2064\ufeff"
)

_collapsible = re.compile(r"[ \t\n\f\r]+")
_special = re.compile(rf"[\xa0\u2007{_INVISIBLE}]").search
_run = re.compile(rf"[{_BLANK}{_INVISIBLE}]+")
_without_meaning = re.compile("[\xad\u180e\u200b\u2060-\u2064\ufeff]")
_line = re.compile(r"[^\r\n]++(?:\r\n|\r|\n|\Z)|\r\n|\r|\n")
_AT_A_TIME = 65_536
"""Characters. A pattern keeps a list of all the pieces of what it goes through, each with fifty
octets of its own."""
_MOST_MARKS = 2
"""In a row between two letters: a joiner and a mark of direction."""


def visible(line: str) -> str:
    """A line as it is read: "" if there is nothing to read in it."""
    if len(line) <= _AT_A_TIME:
        return _collapsed(line).strip(_EDGE)
    whole = StringIO()
    blank = True
    for start in range(0, len(line), _AT_A_TIME):
        piece = _collapsed(line[start : start + _AT_A_TIME])
        whole.write(piece.lstrip(" ") if blank else piece)
        blank = piece.endswith(" ") or (blank and not piece)
    return whole.getvalue().strip(_EDGE)


def _collapsed(line: str) -> str:
    line = _collapsible.sub(" ", line)
    return _run.sub(_one, line) if _special(line) else line


def trimmed(text: str) -> str:
    """A preformatted text without what can't be seen: blanks at ends of lines, more empty lines."""
    whole = StringIO()
    empty = 1  # at the beginning none is kept
    for found in _line.finditer(text):
        line = found[0].rstrip(" \t\r\n")
        empty = 0 if line else empty + 1
        if empty < 2:
            whole.write(line)
            whole.write("\n")
    return whole.getvalue().rstrip()


def _one(run: re.Match[str]) -> str:
    text = run[0]
    if len(text) == 1 and text in _BLANK:
        return text
    if any(blank in text for blank in _BLANK):
        return " "
    marks = _without_meaning.sub("", text)
    return marks if len(marks) <= _MOST_MARKS else ""
