"""Links and images."""

import pytest

from ion.mail.plain_text import plain_text

URL = "https://example.org/a_b?c=1&d=2"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f"See <a href='{URL}'>the site</a>.", f"See the site <{URL}>."),
        ("<a href='https://e.org/?a=1&amp;b=2'>x </a>y", "x <https://e.org/?a=1&b=2> y"),
        ("<a href=https://e.org/>x</a>y", "x <https://e.org/> y"),
        ("<a href='https://e.org/'>https://e.org</a>", "<https://e.org/>"),
        ("at<a href='https://www.e.org/'> E.org</a>.", "at <https://www.e.org/>."),
        ("<a href='mailto:ann@e.org'>ann@e.org</a>", "ann@e.org"),
        ("<a href='mailto:ann@e.org'>Ann</a>", "Ann <ann@e.org>"),
        ("<a href='mailto:a@e.org?subject=Off'>Off</a>", "Off <mailto:a@e.org?subject=Off>"),
        ("<a href='tel:+43316123'>+43 (316) 12-3</a>", "+43 (316) 12-3"),
        ("<a href='tel:+43 316 123'>Call</a>", "Call <+43316123>"),
        ("<a href='#top'>Up</a>", "Up"),
        *((f"<a href='{to}'>rel</a>", "rel") for to in ("/rel", "/", "./a", "../a/b", "?id=1")),
        ("<a href='//e.org/a'>x</a>", "x <//e.org/a>"),
        ("<a href='www.e.org/a'>x</a>", "x <www.e.org/a>"),
        ("<s>20</s> <del>15</del> 10", "20 15 10"),
        ("<a href=' JavaScript:go()'>Go</a>", "Go"),
        ("<a href='java\nscript:go()'>Go</a>", "Go"),
        ("<a href=''>Go</a> <a name=x>there</a>", "Go there"),
        ("<a href='https://e.org/a b>c'>x</a>", "x <https://e.org/a%20b%3Ec>"),
        ("<a href='{{ link }}'>x</a>", "x <{{ link }}>"),
        ("<a href='%%unsubscribe%%'>Leave</a>", "Leave <%%unsubscribe%%>"),
        (f"<a href='{URL}'><div><b>Buy</b></div>\n</a>now", f"Buy <{URL}>\nnow"),
        (f"<a href='{URL}'><h1>Buy</h1></a>", f"Buy <{URL}>\n==="),
        (f"<a href='{URL}'><table><tr><td>Buy</table></a>", f"Buy <{URL}>"),
        (f"<a href='{URL}'>one <a href='{URL}'>two", f"one <{URL}> two <{URL}>"),
        (f"<p><a href='{URL}'>one<p>two", f"one <{URL}>\n\ntwo"),
        (f"<a href='{URL}'><img src=l.png alt='The Firm'></a>", f"The Firm <{URL}>"),
        (f"<a href='{URL}'><img src=l.png></a>", f"<{URL}>"),
        (f"<a href='{URL}'><img width=1 src=l.png></a>x", "x"),
        (
            f"<table><tr><td><a href='{URL}'><img src=i></a><td><a href='{URL}'>Map</a></table>",
            f"Map <{URL}>",
        ),
        ("<img src=a alt=one><img src=b alt=two>three", "one two three"),
        ("<img src='https://t.example/p.gif'>x", "x"),
    ],
)
def test_a_link_says_where_it_leads_once(html: str, text: str) -> None:
    assert plain_text(html) == text
