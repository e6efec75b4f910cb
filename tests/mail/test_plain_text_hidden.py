"""What is hidden in the HTML isn't in the text."""

import pytest

from ion.mail.plain_text import plain_text


@pytest.mark.parametrize(
    "html",
    [
        "<div hidden>no</div>",
        "<div hidden><div>no</div>no</div>",
        "<p style='display:none'>no",
        '<span STYLE="color: red; Display : None !important">no</span>',
        "<div style='visibility:hidden'>no</div>",
        "<div style='max-height:0;overflow:hidden'>no</div>",
        "<div style='overflow: hidden; height: 0px'>no</div>",
        "<div style='opacity:0'>no</div>",
        "<img alt=no style='display:none'>",
        "<img alt=no width=1 height=1>",
        "<template>no</template>",
        "<noscript>no</noscript>",
        "<head><title>no</title></head>",
        "<style>no</style>",
        "<script>'<p>no'</script>",
        "<svg><title>no</title><text>no</text></svg>",
        "<!-- no -->",
        "<!--[if mso]><p>no</p><![endif]-->",
        "<!--[if gte mso 9]><xml><o:p>no</o:p></xml><![endif]-->",
        "<?xml version='no'?>",
        "<!DOCTYPE no>",
        "<![CDATA[no]]>",
        "<iframe>no</iframe>",
        "<a href='https://no.example/'></a>",
        "<style>.pre, p.x {color: red; display: none}</style><i class='a pre'>no</i>",
        "<style>/* } */ #pre{display:none}</style><i id=pre>no</i>",
        "<style>} .a {color: red} .pre {display: none}</style><i class=pre>no</i>",
        "<ul><li hidden>no</ul>",
        "<table><tr><td hidden>no<td>yes</table>",
        "<table><tr hidden><td>no<tr><td>yes</table>",
    ],
)
def test_what_no_reader_sees_is_left_out(html: str) -> None:
    text = plain_text(f"yes{html}<p>yes") or ""
    assert text.replace("yes", "").strip() == ""
    assert text.startswith("yes")
    assert text.endswith("yes")


@pytest.mark.parametrize(
    "html",
    [
        "<!--[if !mso]><!--><p>yes</p><!--<![endif]-->",
        "<![if !mso]><p>yes</p><![endif]>",
        "<!-->yes<!--->",
        "<!--->yes<!---->",
        "<td style='font-size:0'><p style='font-size:16px'>yes</p></td>",
        "<div style='opacity:0.9; max-height:0px'>yes</div>",
        "<div style='mso-hide:all'>yes</div>",
        "<div style='max-height:100px; overflow:hidden'>yes</div>",
        "<style>@media print { .a { display: none } } p .a { display: none }</style><i class=a>yes",
        "<style media=print>.a { display: none }</style><i class=a>yes",
        "<style>.a { display: none }</style><i class=a style='display:block'>yes",
        "<style>.a { display: none }</style><i class=aa>yes",
        "<div hidden></div><p>yes",
        "<p hidden><p>yes",
        "<table><tr><td hidden><div><td>yes</table>",
        "<svg><path/></svg>yes",
    ],
)
def test_what_readers_see_is_kept(html: str) -> None:
    assert plain_text(html) == "yes"


@pytest.mark.parametrize(
    "filler",
    [
        "&#847;&zwnj;&nbsp;&#8199;&shy;",
        "\u200b\u200c\u200d\ufeff ",
        "&zwnj;&nbsp;",
        "&nbsp;",
        "\xa0\u200c\u200b\u200d\u200e\u200f\ufeff",
        "\u2060",
    ],
)
def test_fillers_of_the_preview_are_left_out(filler: str) -> None:
    assert plain_text(f"<p>Good news{filler * 90}</p><p>{filler * 90}</p>Hello") == (
        "Good news\n\nHello"
    )
    inside = plain_text(f"Good{filler * 90} <b>{filler}</b>news")
    assert inside is not None
    assert inside.split() == ["Good", "news"]


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "4\xa0€",
        "क्\u200dष",
        "a\u200e1",
        "🏳\ufe0f\u200d🌈",
        "a\u200d\u200e1",
    ],
)
def test_joiners_inside_words_are_kept(text: str) -> None:
    assert plain_text(f"<p>so {text} it is") == f"so {text} it is"


def test_more_than_a_joiner_and_a_mark_of_direction_is_filler() -> None:
    assert plain_text("a\u200d\u200e\u200db") == "ab"
