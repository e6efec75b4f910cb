"""Templates give what their authors expect, and say where they don't."""

import pytest

from ion.contract import BadInput
from ion.outcome import Problem, Reason
from ion.template import Part, Renderer, Rendering
from template.rendering import Texts, html, refusal, rendered, text

WELCOME: dict[str, str | bytes] = {
    "welcome/subject.txt.j2": "Welcome, {{ name }}",
    "welcome/subject.de.txt.j2": "Willkommen, {{ name }}",
    "welcome/body.txt.j2": "Hello {{ name }}",
    "welcome/body.html.j2": "<p>Hello {{ name }}",
    "welcome/body.de.html.j2": "<p>Hallo {{ name }}",
    "welcome/body.de-AT.html.j2": "<p>Servus {{ name }}",
    "welcome/body.de-x.html.j2": "no language is called x",
    "welcome/body.zh-Hant.html.j2": "<p>歡迎 {{ name }}",
    "orders/shipped/body.txt.j2": "Shipped",
    "layout.html.j2": "<html>{% block main %}{% endblock %}</html>",
}


def welcome(locale: str | None, name: str = "Ann") -> Rendering:
    return Renderer(Texts(WELCOME)).render("welcome", {"name": name}, locale)


@pytest.mark.parametrize(
    ("locale", "subject", "hello"),
    [
        (None, "Welcome, Ann", "<p>Hello Ann"),
        ("en", "Welcome, Ann", "<p>Hello Ann"),
        ("de", "Willkommen, Ann", "<p>Hallo Ann"),
        ("de-CH", "Willkommen, Ann", "<p>Hallo Ann"),
        ("de-AT", "Willkommen, Ann", "<p>Servus Ann"),
        ("DE-at", "Willkommen, Ann", "<p>Servus Ann"),
        ("de_AT", "Willkommen, Ann", "<p>Servus Ann"),
        ("de-AT-1996", "Willkommen, Ann", "<p>Servus Ann"),
        ("zh-Hant-TW", "Welcome, Ann", "<p>歡迎 Ann"),
        ("zh-Hant-x-secret", "Welcome, Ann", "<p>歡迎 Ann"),
        ("de-x-secret", "Willkommen, Ann", "<p>Hallo Ann"),
        ("zh-Hans", "Welcome, Ann", "<p>Hello Ann"),
    ],
)
def test_each_part_is_in_the_nearest_language_that_it_has(
    locale: str | None, subject: str, hello: str
) -> None:
    assert welcome(locale) == Rendering(subject, "Hello Ann", hello)


def test_characters_of_any_language_come_through() -> None:
    name = "Zoë Ωmega 王 🎉 שלום"
    assert welcome("de", name).subject == f"Willkommen, {name}"
    assert welcome("de", name).html == f"<p>Hallo {name}"


def test_a_chain_of_comparisons_compares_neighbours() -> None:
    assert text("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 3 > 1 < 2 == 2 }}") == "True False True"


def test_templates_may_lie_in_folders_of_folders() -> None:
    assert Renderer(Texts(WELCOME)).render("orders/shipped", {}).text == "Shipped"


@pytest.mark.parametrize(
    "name", ["wellcome", "layout.html.j2", "..", "orders", "welcome/body", "/"]
)
def test_an_unknown_template_is_missing(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        Renderer(Texts(WELCOME)).render(name, {})
    bad = caught.value
    assert (bad.reason, bad.path) == (Reason.TEMPLATE_MISSING, "$.template")
    assert name != "wellcome" or bad.did_you_mean == "welcome"


def test_a_template_without_a_body_is_missing_it() -> None:
    renderer = Renderer(Texts({"t/subject.txt.j2": "Hi"}))
    with pytest.raises(BadInput) as caught:
        renderer.render("t", {})
    assert (caught.value.reason, caught.value.problem) == (
        Reason.TEMPLATE_MISSING,
        Problem.MISSING,
    )
    assert renderer.render("t", {}, parts={Part.SUBJECT, Part.HTML}).subject == "Hi"


def test_only_what_is_asked_for_is_rendered() -> None:
    files = Texts({"t/subject.txt.j2": "{{ oops", "t/body.txt.j2": "Hi"})
    assert Renderer(files).render("t", {}, parts={Part.TEXT}) == Rendering(text="Hi")


def test_a_template_is_compiled_once_and_again_when_it_is_another() -> None:
    files = Texts({"t/body.txt.j2": "one {% include 'part.txt.j2' %}", "part.txt.j2": "x"})
    renderer = Renderer(files)
    for _ in range(3):
        assert renderer.render("t", {}).text == "one x"
    assert files.reads == ["t/body.txt.j2", "part.txt.j2"]
    files.texts["part.txt.j2"] = "y"
    assert renderer.render("t", {}).text == "one y"
    assert files.reads == ["t/body.txt.j2", "part.txt.j2", "part.txt.j2"]


# escaping


@pytest.mark.row(94)
@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}",
        "{{ '<b>' ~ x }}",
        "{{ '%s' % x }}",
        "{{ '{}'.format(x) }}",
        "{{ [x]|join('<br>') }}",
        "{{ x|replace('a', '<') }}",
        "{% set y %}{{ x }}{% endset %}{{ y }}",
        "{% include 'footer.txt.j2' %}",
        "{% import 'macros.j2' as m %}{{ m.show(x) }}",
        "{% from 'macros.j2' import show with context %}{{ show(x) }}",
        "{% extends 'layout.txt.j2' %}{% block main %}{{ x }}{% endblock %}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{{ '<i>%s</i>'|safe|format(x) }}",
        "{{ '<i>{}</i>'|safe }}{{ ('<i>{}</i>'|safe).format(x) }}",
        "<a {{ {'title': x}|xmlattr }}>",
        "<script>{{ x|tojson }}</script>",
        "{{ x|indent }}{{ x|wordwrap(5) }}{{ x|truncate(9) }}{{ x|title }}",
        "{{ {'a': x} }}",
    ],
)
def test_html_never_has_the_markup_of_data(source: str) -> None:
    others = {
        "footer_txt": "{{ x }}",
        "macros": "{% macro show(y) %}{{ y }}{% endmacro %}",
        "layout_txt": "<hr>{% block main %}{% endblock %}",
    }
    made = html(source, {"x": "<SCRIPT>alert('\"')</SCRIPT>"}, **others)
    assert "<script>alert" not in made.lower()
    assert "script" in made.lower()


def test_text_and_subject_are_not_escaped() -> None:
    assert text("{{ x }}", {"x": "Tom & Jerry <tj@x.org>"}) == "Tom & Jerry <tj@x.org>"
    made = rendered("{{ x }}", {"x": "Tom & Jerry"}, "subject.txt", t_body_html="")
    assert made.subject == "Tom & Jerry"


@pytest.mark.row(15)
def test_braces_in_data_are_text() -> None:
    assert text("{{ x }}", {"x": "{{ 7 * 7 }}{% include 'secret' %}"}).startswith("{{ 7 * 7 }}")


def test_the_subject_is_one_line() -> None:
    source = "\n{% if x %}\n  Hello\t{{ x }}\n{% endif %}\n"
    made = rendered(source, {"x": "Ann\r\nBcc: eve@x.org\u2028!\u00a0?"}, "subject.txt")
    assert made.subject == "Hello\tAnn Bcc: eve@x.org !\u00a0?"


# from one email to the next


def test_nothing_of_one_email_is_left_for_the_next() -> None:
    files = Texts(
        {
            "t/body.txt.j2": "{% import 'm.j2' as m %}{{ m.see(x) }}{{ m.see(x) }}",
            "m.j2": "{% set n = namespace(seen='') %}{% macro see(x) %}"
            "{% set n.seen = n.seen ~ x %}{{ n.seen }};{% endmacro %}",
        }
    )
    renderer = Renderer(files)
    assert renderer.render("t", {"x": "a"}).text == "a;aa;"
    assert renderer.render("t", {"x": "b"}).text == "b;bb;"


@pytest.mark.parametrize(
    "source",
    [
        "{{ data.update({'a': 2}) }}",
        "{{ list.append(4) }}",
        "{{ list.pop() }}",
        "{{ list.sort() }}",
        "{{ ''.__class__ }}",
        "{{ data.__class__.__mro__ }}",
        "{{ list.__add__([4]) }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ self._TemplateReference__context }}",
        "{{ range.__globals__ }}",
        "{{ '{0.__class__}'.format(data) }}",
        "{{ ''.format_map({}) }}",
        "{{ lipsum() }}",
        "{{ list|random }}",
    ],
)
@pytest.mark.row(14)
def test_a_template_changes_nothing_and_sees_nothing_but_data(source: str) -> None:
    data = {"data": {"a": 1}, "list": [3, 1, 2]}
    assert refusal(source, data).reason is Reason.TEMPLATE_ERROR
    assert data == {"data": {"a": 1}, "list": [3, 1, 2]}


def test_what_the_publisher_calls_items_is_no_method() -> None:
    data = {"order": {"items": ["tea"], "values": 7}, "plain": {"a": 1}}
    source = (
        "{{ order.items[0] }} {{ order.values }} {% for k, v in plain.items() %}{{ k }}{% endfor %}"
    )
    assert text(source, data) == "tea 7 a"


# what is wrong, and where


@pytest.mark.row(14)
@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("{{ name }}", "$.context.name"),
        ("{% if name %}x{% endif %}", "$.context.name"),
        ("{% for i in name %}x{% endfor %}", "$.context.name"),
        ("{{ name|upper }}", "$.context.name"),
        ("{{ 'a' ~ name }}", "$.context.name"),
        ("{{ name == 1 }}", "$.context.name"),
        ("{{ name + 1 }}", "$.context.name"),
        ("{{ [name]|join }}", "$.context.name"),
        ("{{ order.total }}", "$.context.order.total"),
        ("{{ order['total'] }}", "$.context.order.total"),
        ("{{ order.customer.city.zip }}", "$.context.order.customer.city"),
        (
            "{% for line in order.lines %}{{ line.price }}{% endfor %}",
            "$.context.order.lines[1].price",
        ),
        ("{{ order.lines|map(attribute='price')|join }}", "$.context.order.lines[1].price"),
        ("{{ order.lines|sum(attribute='price') }}", "$.context.order.lines[1].price"),
        ("{{ order[secret] }}", "$.context.order[*]"),
        ("{{ order.extra.secret }}{{ order.extra.x }}", "$.context.order.extra.secret"),
        ("{% for k, v in order.by.items() %}{{ v.x }}{% endfor %}", "$.context.order.by[*].x"),
    ],
)
def test_what_isnt_there_is_told_by_its_path(source: str, path: str) -> None:
    order = {
        "customer": {"name": "canary"},
        "lines": [{"price": 1}, {"count": 2}],
        "extra": {},
        "by": {"canary@example.org": {}},
    }
    bad = refusal(source, {"order": order, "secret": "canary"})
    assert (bad.reason, bad.path, bad.problem) == (Reason.TEMPLATE_ERROR, path, Problem.MISSING)
    assert bad.detail == "t/body.txt.j2, line 1"
    assert "canary" not in str(bad)


@pytest.mark.row(14)
@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("Hi\n{{ oops", "t/body.txt.j2: line 2: unexpected end of template"),
        ("{% for %}", "t/body.txt.j2: line 1: "),
        ("{{ x|nofilter }}", "t/body.txt.j2: line 1: No filter named 'nofilter'."),
        ("\n\n{{ 1 / 0 }}", "t/body.txt.j2, line 3: ZeroDivisionError"),
        ("{{ data + 1 }}", "t/body.txt.j2, line 1: TypeError"),
        ("{{ range }}", "t/body.txt.j2, line 1: writes out what is no data"),
        ("{{ list|map('string') }}", "t/body.txt.j2, line 1: writes out what is no data"),
        ("{{ list[7] }}", "t/body.txt.j2, line 1: not defined"),
        ("{% include 'no.j2' %}", "t/body.txt.j2, line 1: there is no no.j2"),
        ("{% include data.b %}", "t/body.txt.j2, line 1: there is no such template"),
        ("{% include ['no.j2', 'or.j2'] %}", "t/body.txt.j2, line 1: there is no no.j2 and no or"),
        ("{% include '../../etc/passwd' %}", "t/body.txt.j2, line 1: there is no ../../etc/passwd"),
        ("{% import 'm.j2' as m %}\n{{ m.f() }}", "m.j2, line 2: ZeroDivisionError"),
        ("{{ '\\ud800' }}", "t/body.txt.j2: UnicodeEncodeError"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(source: str, detail: str) -> None:
    data = {"data": {"b": "canary"}, "list": [1]}
    bad = refusal(source, data, m="{% macro f() %}\n{{ 1 / 0 }}{% endmacro %}")
    assert (bad.reason, bad.path) == (Reason.TEMPLATE_ERROR, "$.template")
    assert bad.detail.startswith(detail)
    assert "canary" not in bad.detail


def test_a_file_that_is_no_text_or_too_large_is_told() -> None:
    for content, said in ((b"\xff", "isn't UTF-8"), (b"x" * 600_000, "more than 512 KiB")):
        with pytest.raises(BadInput, match=said):
            Renderer(Texts({"t/body.txt.j2": content})).render("t", {})


def test_a_byte_order_mark_is_read_over() -> None:
    assert Renderer(Texts({"t/body.txt.j2": b"\xef\xbb\xbfHi"})).render("t", {}).text == "Hi"
