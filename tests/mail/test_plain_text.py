import gc
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion.mail.plain_text import plain_text
from mail.reading import body, composed, read

LETTER = """<?xml version="1.0"?><!DOCTYPE html><html><head><title>Ignore</title>
<style>p {color: red}</style></head><body><!-- hidden --><h1>Hello *Ann*</h1>
<script>alert(1)</script><p>See <a href="https://example.org/a_b?c=1&amp;d=2">the site</a>,<br>
   or <a href="https://example.org/">https://example.org/</a>.</p><ul><li>one</li><li>two</li></ul>
<table><tr><td>Total</td><td>4&nbsp;€</td></tr></table><img src="https://t.example/p.gif">
<img src="logo.png" alt="The Firm"></body></html>"""

READABLE = """# Hello *Ann*

See [the site](https://example.org/a_b?c=1&d=2),
or <https://example.org/>.

- one
- two

Total 4\xa0€

The Firm"""


TAGS = [
    *("<p>", "</p>", "<li>", "<ul>", "<ol start='1'>", "<table>", "<tr>", "<td>", "<th>", "<pre>"),
    *("<h1>", "<a href='x'>", "</a>", "<b>", "</b>", "<br>", "<blockquote>", "<dl>", "<dt>"),
    *("<img>", "<video>", "<code>", "`", "<!--", "-->", "<![", "]>", "<?", "&#0;", "x", " "),
]


def test_a_letter_is_readable() -> None:
    assert plain_text(LETTER) == READABLE


def test_the_text_goes_before_the_html() -> None:
    message = read(composed(body_text=None, body_html="<p>Hi <b>Ann</b>"))
    assert message.get_content_type() == "multipart/alternative"
    assert body(message, "plain") == "Hi **Ann**\n"
    assert body(message, "html") == "<p>Hi <b>Ann</b>\n"


@pytest.mark.parametrize("html", ["", " ", '<img src="x.png">', "<style>p {}</style>", "<p>&nbsp;"])
def test_where_there_is_nothing_to_read_the_html_goes_alone(html: str) -> None:
    assert plain_text(html) is None


def test_long_texts_and_pictures_inside_the_html_are_no_attributes() -> None:
    words, picture = "5 < 6 and so on " * 2_000, "iVBORw0KGgo/AAAA" * 10_000
    text = plain_text(f'<p>{words}</p><img alt="A hut" src="data:image/png;base64,{picture}">')
    assert text is not None
    assert text.endswith("A hut")


def test_a_tree_is_freed_without_the_garbage_collector() -> None:
    """It has many times the size of its text, and the next email's may be made before that runs."""
    from bs4.element import PageElement  # noqa: PLC0415 - as where it is used

    gc.collect()
    gc.disable()
    try:
        assert plain_text(LETTER)
        left = [one for one in gc.get_objects() if isinstance(one, PageElement)]
    finally:
        gc.enable()
    assert left == []


def test_a_picture_goes_as_html_alone() -> None:
    email = composed(body_text=None, body_html='<img src="x.png">')
    assert read(email).get_content_type() == "text/html"


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 3_000,
        "<div>" * 100_000 + "x",
        "<li>x" * 4_000,
        "<blockquote>" * 95 + "x\n" * 100_000,
        "<blockquote>" * 95 + "x\n" * 14_000,
        "<td>" * 2_000_000,
        "x" * 5_000_000,
        "<p " + "b=c " * 100_000 + ">x",
        "<p class='" + "b " * 100_000 + "'>x",
        "<p" + "/b" * 100_000 + ">x",
    ],
)
def test_the_text_of_hostile_html_is_left_out(html: str) -> None:
    assert plain_text(html) is None


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + " " * 900_000 + "x",
        "<pre>x" + "\t\xa0" * 400_000 + "x",
        "<" * 5_000,
        "<!--" * 4_000,
        "<a " + "b=c " * 100_000,
        "<![foo",
        "<!foo bar",
        "<table><tr><td colspan='²'>x</table>",
        "<ol start='½'><li>x</ol>",
        "<p>&#xD800;&#0;&#x110000;",
        "https://example.org",
        "page.html",
        "<?xml version='1.0'?><p>x",
    ],
)
def test_odd_html_neither_hangs_nor_raises(html: str) -> None:
    plain_text(html)
    composed(body_text=None, body_html=html)


@settings(deadline=None)
@given(st.lists(st.sampled_from(TAGS) | st.text(max_size=5)).map("".join))
def test_no_html_raises(html: str) -> None:
    assert plain_text(html) == plain_text(html)


def test_the_libraries_are_loaded_only_when_needed() -> None:
    code = "import sys, ion.mail; print({'bs4', 'markdownify', 'idna'} & set(sys.modules))"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )
    assert run.stdout == "set()\n"
