"""HTML as a sequence of tags and texts (HTML standard, section 13.2.5), in time linear in it.

Every pattern is possessive: what it has taken it never gives back to try again. What a browser
never shows because it isn't ended (a tag, a comment) is dropped up to the end, as there. A quote
that isn't ended is the exception: its tag ends all the same, or the text behind would be lost.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

_READ = frozenset(
    {
        *("alt", "class", "height", "hidden", "href", "id", "media", "start", "style", "value"),
        "width",
    }
)
"""The attributes that are kept: with all of them, one tag could take many times its size."""
_RAW = frozenset({"iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"})
"""Elements in which nothing but their own end tag is markup."""

_markup = re.compile(r"<(?=[a-zA-Z/!?])").search
_name = re.compile(r"</?+([a-zA-Z][^\t\n\f\r />]*+)").match
_attribute = re.compile(
    r"""[\t\n\f\r /]*+
    (?:(?P<end>>)
    |(?P<name>=?+[^\t\n\f\r />=]*+)
     (?:[\t\n\f\r ]*+=[\t\n\f\r ]*+
      (?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>(?!["'])[^\t\n\f\r >]*+)))?+
    )""",
    re.VERBOSE,
).match
_comment_end = re.compile(r"--!?>").search
_raw_ends = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search for name in _RAW}
# int() refuses more than 4,300 digits (CPython's limit); none that large is a character
_leading_zeros = re.compile(r"&#0++(?=[0-9])").sub
_huge_reference = re.compile(r"&#[0-9]{8,}+;?+").sub


class Tag(NamedTuple):
    """A tag.

    Args:
        name: in lower case.
        closing: it is an end tag.
        attributes: those that matter here; of two with one name, the first.
        raw: the content of an element in which nothing is markup, whose end tag is left out.
    """

    name: str
    closing: bool
    attributes: dict[str, str]
    raw: str = ""


def tokens(html: str) -> Iterator[str | Tag]:
    """The tags and the texts of `html`, in their order; texts without character references."""
    position = 0
    while found := _markup(html, position):
        start = found.start()
        if start > position:
            yield decoded(html[position:start])
        name = _name(html, start)
        if name is None:
            position = _after_no_tag(html, start)
            continue
        attributes, position = _attributes(html, name.end())
        if position > len(html):
            return
        tag = Tag(name[1].lower(), html[start + 1] == "/", attributes)
        if tag.name in _RAW and not tag.closing:
            tag, position = _with_content(tag, html, position)
        yield tag
    if position < len(html):
        yield decoded(html[position:])


def decoded(text: str) -> str:
    """Text with its character references replaced (section 13.2.5.72)."""
    if "&" not in text:
        return text
    return unescape(_huge_reference("\ufffd", _leading_zeros("&#", text)))


def _after_no_tag(html: str, start: int) -> int:
    """Where a comment, or what is read as one, is over."""
    if html.startswith("<!--", start):
        if html.startswith((">", "->"), start + 4):
            return html.index(">", start + 4) + 1
        end = _comment_end(html, start + 4)
        return end.end() if end else len(html)
    return html.find(">", start) + 1 or len(html)


def _attributes(html: str, position: int) -> tuple[dict[str, str], int]:
    """Those of the tag, and where it is over: beyond the end of `html` if it never is."""
    attributes: dict[str, str] = {}
    while found := _attribute(html, position):
        if found["end"]:
            return attributes, found.end()
        if found.end() == position or found.end() == len(html):
            break
        position = found.end()
        name = found["name"].lower()
        if name in _READ and name not in attributes:
            value = found["double"] or found["single"] or found["bare"] or ""
            attributes[name] = decoded(value)
    return attributes, len(html) + 1


def _with_content(tag: Tag, html: str, position: int) -> tuple[Tag, int]:
    end = _raw_ends[tag.name](html, position)
    if end is None:
        return tag._replace(raw=html[position:]), len(html)
    after = html.find(">", end.end()) + 1 or len(html)
    return tag._replace(raw=html[position : end.start()]), after
