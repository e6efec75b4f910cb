"""An email's HTML can be shown: its images are in it, and what is hostile does nothing.

That a browser keeps to it is shown in page/.
"""

import base64
import re

import pytest

from ionctl.console.html_mail import document, policy, remote_references
from ionctl.console.mime import Attachment

LOGO = b"\x89PNG logo"


def image(content_id: str = "logo", content_type: str = "image/png") -> Attachment:
    return Attachment(
        n=0,
        filename="",
        content_type=content_type,
        content=LOGO,
        content_id=content_id,
        inline=True,
    )


def shown(html: str, *attachments: Attachment, remote: bool = False) -> str:
    return document(html, attachments, remote=remote)


@pytest.mark.parametrize(
    "html",
    [
        '<img src="cid:logo">',
        "<img src='cid:logo'>",
        "<img src=cid:logo>",
        "<img src= cid:logo >",
        "<td background='CID:logo'>",
        '<p style="background: url(cid:logo)">',
        "<style>p { background: url( 'cid:logo' ) }</style>",
    ],
)
def test_an_image_of_the_email_is_put_into_the_document(html: str) -> None:
    data = "data:image/png;base64," + base64.b64encode(LOGO).decode()
    (written,) = re.findall(r"cid:logo", html, re.IGNORECASE)
    assert shown(html, image()).endswith(html.replace(written, data))


def test_a_content_id_is_found_however_it_is_escaped() -> None:
    assert "data:image/png" in shown('<img src="cid:a%40b">', image("a@b"))
    assert "data:image/png" in shown('<img src="cid:a%40b">', image("a%40b"))


@pytest.mark.parametrize("kind", ["text/html", "application/pdf", 'image/png" onload="x', ""])
def test_only_images_are_put_into_it(kind: str) -> None:
    html = '<img src="cid:logo">'
    assert shown(html, image(content_type=kind)).endswith(html)


def test_text_that_speaks_of_cid_stays() -> None:
    html = "<p>the URL scheme cid:logo is RFC 2392's</p>"
    assert not shown(html.replace(" cid", "&nbsp;cid"), image()).count("data:")


def test_an_image_that_is_shown_again_and_again_makes_no_endless_document() -> None:
    large = Attachment(
        n=0,
        filename="",
        content_type="image/png",
        content=b"x" * 1024 * 1024,
        content_id="logo",
        inline=True,
    )
    made = shown('<img src="cid:logo">' * 1000, large)
    assert made.count("data:") == 32
    assert len(made) < 50 * 1024 * 1024


def test_links_open_a_window_of_their_own() -> None:
    html = '<a href="https://example.org" target="_top">x</a>'
    assert shown(html) == (
        '<base target="_blank"><a href="https://example.org" target="_blank">x</a>'
    )


def test_the_document_s_type_stays_the_first() -> None:
    made = shown("\n<!DOCTYPE html>\n<html><body>x</body></html>")
    assert made.startswith('\n<!DOCTYPE html><base target="_blank">')


@pytest.mark.parametrize(
    "tag", ["<link rel=preconnect href=//a.example>", "<LINK\nrel=x>", "<link/>"]
)
def test_nothing_is_connected_to_beforehand(tag: str) -> None:
    assert not re.search(r"<link", shown(tag), re.IGNORECASE)
    assert tag in shown(tag, remote=True), "a style sheet may be one"


def test_a_word_that_begins_like_link_stays() -> None:
    assert shown("<linked-list>").endswith("<linked-list>")


@pytest.mark.parametrize("remote", [False, True])
def test_no_script_form_frame_or_other_base_is_allowed(*, remote: bool) -> None:
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy(remote=remote).split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["frame-ancestors"] == "'self'"
    assert rules["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert not {"script-src", "frame-src", "connect-src", "object-src"} & rules.keys()


def test_what_lies_elsewhere_is_fetched_only_if_asked_for() -> None:
    assert "http" not in policy(remote=False)
    assert "img-src data: https: http:" in policy(remote=True)


@pytest.mark.parametrize(
    ("html", "count"),
    [
        ("<p>plain</p>", 0),
        ('<a href="https://example.org/a">a link is none</a>', 0),
        ('<img src="https://example.org/a.png">', 1),
        ("<img src=//example.org/a.png>", 1),
        ('<img src="https://example.org/a.png"><img src="https://example.org/a.png">', 1),
        ('<img srcset="https://example.org/a.png 1x">', 1),
        ("<td background = 'http://example.org/a'>", 1),
        ('<p style="background:url( http://example.org/a )">', 1),
        ("<style>@import 'http://example.org/a.css'; @import url(http://b.example)</style>", 2),
        ('<link rel="stylesheet" href="https://example.org/a.css">', 1),
        ('<img src="cid:logo"><img src="data:image/png;base64,//8=">', 0),
        ('<img src="/a.png">', 0),
    ],
)
def test_addresses_elsewhere_are_counted(html: str, count: int) -> None:
    assert remote_references(html) == count


HOSTILE = {
    "blanks after url(": "url(" + " " * 1_000_000,
    "blanks after src": "src" + " " * 1_000_000,
    "blanks after target": " target" + " " * 1_000_000,
    "only blanks": " " * 1_000_000,
    "open tags": "<link " * 200_000,
    "content ids": "(cid:" * 200_000,
    "depth": "<div>" * 200_000,
    "a doctype without an end": "<!doctype " + "x" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_html_keeps_the_console_busy(name: str) -> None:
    # with a pattern that looks at a place again and again this takes minutes, and the test its end
    assert len(shown(HOSTILE[name])) >= len(HOSTILE[name])
    assert remote_references(HOSTILE[name]) == 0
