"""Paragraphs, headings, lists, quotes, preformatted text."""

import pytest

from ion.mail.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two<br>\nthree</p>", "one\n\ntwo\nthree"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("one<br><br><br><br>two", "one\n\ntwo"),
        (" one \n\t two <b> three</b> ", "one two three"),
        ("o<b>n</b>e<wbr>s", "ones"),
        ("<h1>One</h1>two<h2>Three</h2><h3>Four</h3>", "One\n===\n\ntwo\n\nThree\n-----\n\nFour"),
        ("<h1>One<br>two</h1>", "One\ntwo"),
        (f"<h1>{'long ' * 20}</h1>", ("long " * 20).strip()),
        ("one<hr><hr>two", "one\n\n-----\n\ntwo"),
        ("<ul><li>one<li>two<br>lines</ul>", "- one\n- two\n  lines"),
        ("<ol><li>one<li value=7>two<li>three</ol>", "1. one\n7. two\n8. three"),
        ("<ol start=10><li>one<br>more</ol>", "10. one\n    more"),
        ("<ol start='½'><li>one</ol>", "1. one"),
        ("<ul><li>one<ol><li>two</ol><li>three</ul>", "- one\n  1. two\n- three"),
        ("<ul style='list-style:none'><li>one<li>two</ul>", "one\ntwo"),
        ("<ul><li><p>one<p>two</ul>", "- one\n\n  two"),
        ("<ul><li><li>one</ul>", "- one"),
        ("<dl><dt>one<dd>two<dt>three</dl>", "one\n  two\nthree"),
        ("<blockquote><p>one<p>two</blockquote>three", "> one\n>\n> two\n\nthree"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<ul><li><blockquote>a</blockquote></ul>", "- > a"),
        ("<pre>\n a  b\n\tc \n</pre>d", " a  b\n\tc\n\nd"),
        ("<blockquote><pre>a\n  b</pre></blockquote>", "> a\n>   b"),
        ("<pre>a\r\n\r\n\r\n\r\nb<br>c</pre>", "a\n\nb\nc"),
        ("19<sup>99</sup>, H<sub>2</sub>O, 1<sup>st</sup>", "19⁹⁹, H₂O, 1st"),
        ("<q>yes</q> &amp; &lt;no&gt; &euro;&#8364;&#x20AC;&copy", '"yes" & <no> €€€©'),
        ("a &lt;b&gt; 5 < 6 <3", "a <b> 5 < 6 <3"),
        ("<textarea>a <b></textarea>", "a <b>"),
        ("<P ALIGN=left>one</P >two</p/>", "one\n\ntwo"),
        ("one</p>two</br>three", "one\n\ntwo\nthree"),
        ("<a title='1 > 0' b=\"it's\">one</a>", "one"),
        ('<p title="never ended>one</p>two', "one\n\ntwo"),
    ],
)
def test_it_is_written_as_a_person_would(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_paragraphs_aren_t_broken_into_lines() -> None:
    paragraph = "word " * 1_000
    assert plain_text(f"<p>{paragraph}</p>") == paragraph.strip()
