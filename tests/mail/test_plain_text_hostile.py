"""HTML made to cost much costs what its size allows, and its text isn't left out."""

import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType

import pytest

from ion.mail.plain_text import plain_text
from mail.reading import body, composed, read

SIZE = 20_000
"""Octets, about; of the largest message as well, where one pattern could be quadratic."""
LARGEST = 1_000_000


def repeated(*parts: str) -> Callable[[int], str]:
    """As much of each part as gives an equal share of a size."""
    return lambda size: "".join(part * (size // len(parts) // len(part)) for part in parts)


HOSTILE = {
    "divisions": repeated("<div>", "x"),
    "formats": repeated("<b>", "x"),
    "formats in paragraphs": repeated("<b class=x>", "<p>x"),
    "formats between letters": repeated("xy<b>"),
    "lists": repeated("<ul><li>x"),
    "lists around lines": lambda size: "<ol><li>" * 90 + "x<br>" * (size // 5),
    "quotes": repeated("<blockquote>x"),
    "quotes around lines": lambda size: "<blockquote>" * 90 + "x\n<br>" * (size // 6),
    "preformatted in quotes": lambda size: "<blockquote>" * 90 + "<pre>" + "x\n" * (size // 2),
    "tables": repeated("<table><tr><td>x<td>y"),
    "tables around a long cell": repeated("<table><tr><td>", "y", "</td><td>z</td></tr></table>"),
    "rows": lambda size: "<table>" + "<tr>" * (size // 4),
    "cells": lambda size: "<table>" + "<td>xy" * (size // 6),
    "end tags of nothing": repeated("<div>", "</p>"),
    "end tags behind a wall": lambda size: "<p><table><td>" + repeated("<div>", "</p>")(size),
    "links": repeated("<a href=b>x</a>"),
    "links in a long line": repeated("x", "<a href=b></a>", "<a href=b>x</a>"),
    "links that aren't ended": repeated("<a href=b><div>x"),
    "hidden ones": lambda size: "<i hidden>" + "<x>" * (size // 3),
    "style sheets": lambda size: "".join(
        f"<style>.a{number}{{display:none}}</style>" for number in range(size // 36)
    ),
    "names": lambda size: "".join(f"<x{number}>y" for number in range(size // 8)),
    "rules": repeated("x<hr>"),
    "headings": repeated("<h1>xyz"),
    "images": repeated("<img alt=x>"),
    "line breaks": repeated("xy<br>"),
    "preformatted": lambda size: "<pre>" + "ab\n" * (size // 3),
    "fillers": repeated("x\u200c \xa0"),
    "attributes": lambda size: "<p " + "b=c " * (size // 4) + ">x",
    "classes": lambda size: "<style>.a{display:none}</style><p class='" + "b " * (size // 2) + "'>",
    "references": repeated("&nGt;"),
    "references that are none": repeated("&thisisnoreferencewhateveritsays"),
}
PATTERNS = {
    "<": repeated("<"),
    "open tags": repeated("<a "),
    "open end tags": repeated("</a"),
    "open comments": repeated("<!--"),
    "comments almost ended": lambda size: "<!--" + "--!" * (size // 3),
    "open declarations": repeated("<!"),
    "open instructions": repeated("<?"),
    "open attributes": lambda size: "<a " + "b=c " * (size // 4),
    "names without values": lambda size: "<p" + "/b" * (size // 2) + ">x",
    "one name": lambda size: "<p" + "b" * size,
    "equals signs": lambda size: "<p " + "=" * size + ">",
    "open quotes": repeated('<a b="'),
    "two kinds of quotes": repeated("<a b='\" "),
    "blanks in a tag": lambda size: "<p" + " " * size + "=" + " " * size,
    "open scripts": repeated("<script>"),
    "scripts almost ended": lambda size: "<script>" + "</script" * (size // 8),
    "digits": lambda size: "&#" + "1" * size,
    "zeros": lambda size: "&#" + "0" * size + "65;x",
    "hexadecimal digits": lambda size: "&#x" + "1" * size,
    "&": repeated("&"),
    "blanks": lambda size: "<p>" + " " * size + "x",
    "blanks of two kinds": repeated("\t\xa0"),
    "blanks kept": lambda size: "<pre>x" + "\t\xa0" * (size // 2) + "x",
    "nothing to see": repeated("\u200b\u200c"),
    "open comments in a style sheet": lambda size: "<style>" + "/*" * (size // 2),
    "braces": lambda size: "<style>" + "{" * size,
    "a style": lambda size: "<p style='" + "height:0" * (size // 8) + "'>x",
    "brackets in a cell": lambda size: (
        "<table><td>" + " &lt;" * (size // 10) + "<td>" + "x" * (size // 2)
    ),
}


def calls(html: str) -> int:
    """Of functions, Python's and C's, while the text is made."""
    count = 0

    def see(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        plain_text(html)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_work_follows_the_size(make: Callable[[int], str]) -> None:
    # fixed costs, and depths up to which more is done, are behind at a quarter of the size
    quarter, whole = calls(make(SIZE // 4)), calls(make(SIZE))
    assert whole <= 4.4 * quarter + 1_000


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_memory_and_text_follow_the_size(make: Callable[[int], str]) -> None:
    html = make(2 * SIZE)
    tracemalloc.start()
    try:
        text = plain_text(html)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 32 * len(html) + 1_000_000
    assert len(text or "") <= 3 * len(html)


@pytest.mark.parametrize("make", PATTERNS.values(), ids=PATTERNS)
def test_no_pattern_goes_back(make: Callable[[int], str]) -> None:
    """A quadratic one takes hours here."""
    text = plain_text(make(LARGEST)) or ""
    assert len(text) <= LARGEST + 100


@pytest.mark.parametrize(
    "around", ["<div>", "<b>", "<ul><li>", "<blockquote>", "<table><tr><td>", "<table><td>x<td>"]
)
def test_nothing_is_too_deep_to_be_read(around: str) -> None:
    text = plain_text(around * (SIZE // len(around)) + "last")
    assert text is not None
    assert text.endswith("last")
    assert text.count("x") == around.count("x") * (SIZE // len(around))


@pytest.mark.parametrize(
    "html",
    [
        "<p>&#xD800;&#0;&#x110000;",
        "<![foo",
        "<!foo bar",
        "</",
        "<table><tr><td colspan='²'>x</table>",
        "<ol start='99999999999999999999'><li>x</ol>",
        "<ol start='-1'><li>x</ol>",
        "https://example.org",
        "page.html",
        "\0<p\0>\x1b",
    ],
)
def test_an_email_of_odd_html_is_composed(html: str) -> None:
    email = composed(body_text=None, body_html=html)
    assert body(read(email), "html") == html + "\n"
