from pathlib import Path

import pytest

from ion.mail.plain_text import plain_text
from mail.reading import body, composed, read

NEWSLETTERS = Path(__file__).parent / "newsletters"

LETTER = """<?xml version="1.0"?><!DOCTYPE html><html><head><title>Ignore</title>
<style>p {color: red}</style></head><body><!-- hidden --><h1>Hello *Ann*</h1>
<script>alert(1)</script><p>See <a href="https://example.org/a_b?c=1&amp;d=2">the site</a>,<br>
   or <a href="https://example.org/">https://example.org/</a>.</p><ul><li>one</li><li>two</li></ul>
<table><tr><td>Total</td><td>4&nbsp;€</td></tr></table><img src="https://t.example/p.gif">
<img src="logo.png" alt="The Firm"></body></html>"""

READABLE = """Hello *Ann*
===========

See the site <https://example.org/a_b?c=1&d=2>,
or <https://example.org/>.

- one
- two

Total 4\xa0€

The Firm"""


def test_a_letter_is_readable() -> None:
    assert plain_text(LETTER) == READABLE


def test_the_text_goes_before_the_html() -> None:
    message = read(composed(body_text=None, body_html="<p>Hi <b>Ann</b>"))
    assert message.get_content_type() == "multipart/alternative"
    assert body(message, "plain") == "Hi Ann\n"
    assert body(message, "html") == "<p>Hi <b>Ann</b>\n"


@pytest.mark.parametrize(
    "html", ["", " ", '<img src="x.png">', "<style>p {}</style>", "<p>&nbsp;", "<hr>"]
)
def test_where_there_is_nothing_to_read_the_html_goes_alone(html: str) -> None:
    assert plain_text(html) is None


def test_a_picture_goes_as_html_alone() -> None:
    email = composed(body_text=None, body_html='<img src="x.png">')
    assert read(email).get_content_type() == "text/html"


@pytest.mark.parametrize("name", ["mjml", "react_email"])
def test_a_newsletter_is_read_as_it_looks(name: str) -> None:
    html = (NEWSLETTERS / f"{name}.html").read_text(encoding="utf-8")
    text = (NEWSLETTERS / f"{name}.txt").read_text(encoding="utf-8")
    assert plain_text(html) == text.rstrip("\n")


@pytest.mark.parametrize("before", [65_530, 65_534, 65_535, 65_536, 131_066, 131_071])
@pytest.mark.parametrize("blanks", [" ", "\n \t "])
def test_words_of_the_longest_lines_stay_one_blank_apart(before: int, blanks: str) -> None:
    """Lines are looked through in pieces of 65,536 characters."""
    word = "x" * before
    assert plain_text(f"{blanks}{word}{blanks}y{blanks}") == f"{word} y"


def test_a_hundred_kilobytes_of_deep_newsletter_lose_nothing() -> None:
    depth, stories = 60, 500
    words = [f"story{number}" for number in range(stories)]
    cells = "".join(f'<tr><td style="padding:0 0 1em"><p>{word} and <b>so on</b>' for word in words)
    html = "<table><tr><td><div>" * depth + f"<table>{cells}</table>" + "</div></table>" * depth
    html = html.replace("<p>", f'<p style="margin:0;{"font:16px serif;" * 10}">')
    assert len(html) > 100_000
    assert plain_text(html) == "\n\n".join(f"{word} and so on" for word in words)
