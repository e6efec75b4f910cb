"""What is in the text, beside what an independent parser of HTML (Lexbor) says is to be seen."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from ion.mail.plain_text import plain_text

UNSEEN = "script, style, title, template, noscript, [hidden], [style*='display:none']"
HIDDEN = ["<div hidden>", "<p style='display:none'>", "<span style='color:red;display:none'>"]
TAGS = [
    *("<p>", "</p>", "<div>", "</div>", "<span>", "</span>", "<br>", "<hr>", "<h2>", "</h2>"),
    *("<ul>", "</ul>", "<ol start=7>", "</ol>", "<li>", "</li>", "<dl>", "<dt>", "<dd>", "</dl>"),
    *("<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<th>", "<tbody>", "<caption>"),
    *("<blockquote>", "</blockquote>", "<center>", "</center>", "<a href=//x>", "</a>"),
    *("<b>", "</b>", "<i title='<p>'>", "<img alt='a hut'>", "<!-- unseen -->", "<![if !mso]>"),
    *("<!--[if mso]>unseen<![endif]-->", "<style>unseen{}</style>", "<script>unseen</script>"),
    *("<pre>", "</pre>", "<template>unseen</template>", "<noscript>unseen</noscript>", "&nbsp;"),
]
WORDS = st.integers(0, 99).map("w{}w".format)


def words(text: str | None) -> set[str]:
    return set(re.findall(r"w\d+w|unseen", text or ""))


def seen(html: str) -> set[str]:
    tree = LexborHTMLParser(html)
    for node in tree.css(UNSEEN):
        node.decompose()
    return words(tree.text(separator=" "))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(TAGS) | WORDS).map("".join))
@example("<table><tr>w1w<td>w2w</table>w3w")
def test_all_words_of_any_html_are_in_its_text(html: str) -> None:
    html = "<!DOCTYPE html><body>" + html
    assert words(plain_text(html)) == seen(html)


trees = st.recursive(
    WORDS,
    lambda parts: (
        st.builds(
            lambda name, inside: f"<{name}>{''.join(inside)}</{name}>",
            st.sampled_from(["div", "span", "section", "center", "blockquote", "font", "x-y"]),
            st.lists(parts, max_size=4),
        )
        | st.lists(parts, max_size=4).map(
            lambda cells: f"<table><tr><td>{'</td><td>'.join(cells)}</td></tr></table>"
        )
        | st.lists(parts, max_size=4).map(lambda items: f"<ul><li>{'<li>'.join(items)}</ul>")
        | st.builds(
            lambda name, how, inside: f"<{name} {how}>{''.join(inside)}</{name}>",
            st.sampled_from(["div", "span", "ul", "font", "x-y"]),
            st.sampled_from(["hidden", "style='color:red; display:none'", "style=display:none"]),
            st.lists(parts, max_size=4),
        )
    ),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(trees).map("".join))
def test_what_is_hidden_isn_t_in_the_text_and_all_else_is(html: str) -> None:
    tree = LexborHTMLParser("<!DOCTYPE html><body>" + html)
    for node in tree.css("[hidden], [style]"):
        node.decompose()
    assert words(plain_text(html)) == words(tree.text(separator=" "))


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*TAGS, *HIDDEN, "<", "&#", "\0", "<a", "='"]) | st.text(max_size=5)),
)
def test_the_same_html_gives_the_same_text(parts: list[str]) -> None:
    html = "".join(parts)
    assert plain_text(html) == plain_text(html)
