"""No template and no context makes a rendering endless, or its output boundless."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader

from ion.contract import BadInput
from ion.outcome import Reason
from ion.template import Renderer, Rendering
from ion.template.budget import Budget, limited_by
from ion.template.sandbox import Sandbox
from template.rendering import Texts, html, refusal, text

MOST_BYTES = 32_000_000
"""Of memory, on the way to the refusal."""
DATA: dict[str, Any] = {
    "long": "ab-<" * 10_000,
    "list": [1, 2, 3],
    "zeros": [0] * 30_000,
    "object": {"a": 1},
    "names": ["none"] * 30_000,
    "deep": json.loads("[" * 90 + "]" * 90),
}
DOUBLING = (
    "{% set n = namespace(x=SEED, y=SEED) %}"
    "{% for i in range(64) %}{% set n.x = STEP %}{% endfor %}"
)


def doubling(seed: str, step: str, then: str = "{{ n.x }}") -> str:
    """Sixty-four times: what doubles each time would have 2^64 parts."""
    return DOUBLING.replace("SEED", seed).replace("STEP", step) + then


ENDLESS = {
    "a range": "{% for i in range(10**9) %}x{% endfor %}",
    "loops in loops": (
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"
    ),
    "a condition that is never true": (
        "{% for i in range(100000) %}{% for j in range(100000) if i < 0 %}x{% endfor %}{% endfor %}"
    ),
    "a loop over data": "{% for i in zeros %}{% for j in zeros %}{% endfor %}{% endfor %}",
    "a macro for ever": "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "a macro twice in itself": (
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"
    ),
    "a loop that recurses": "{% for i in list recursive %}{{ loop(list) }}{% endfor %}",
    "an include of itself": "{% include 't/body.txt.j2' %}",
    "includes twice of itself": (
        "{% set n = (n|d(0)) + 1 %}{% if n < 60 %}{% include 't/body.txt.j2' %}"
        "{% include 't/body.txt.j2' %}{% endif %}"
    ),
    "includes of what isn't there": (
        "{% for i in range(10) %}{% include names ignore missing %}{% endfor %}"
    ),
    "a caller": (
        "{% macro m(n) %}{% if n %}{% call m(n - 1) %}{% endcall %}{% call m(n - 1) %}{% endcall %}"
        "{% else %}{{ caller() }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "blocks": (
        "{% block a %}{% endblock %}"
        "{% for i in range(100000) %}{% for j in zeros %}{{ self.a() }}{% endfor %}{% endfor %}"
    ),
    "strings times a number": "{{ 'x' * 10**9 }}",
    "a number times strings": "{{ 10**9 * 'x' }}",
    "lists times a number": "{{ [1] * 10**9 }}",
    "powers": "{{ 9 ** (9 ** 9) }}",
    "squares": doubling("3", "n.x * n.x"),
    "concatenation": doubling("'x'", "n.x ~ n.x"),
    "addition": doubling("'x'", "n.x + n.x"),
    "lists added": doubling("list", "n.x + n.x"),
    "lists in lists": doubling("list", "[n.x, n.x]"),
    "tuples in tuples": doubling("list", "(n.x, n.x)"),
    "objects in objects": doubling("list", "{'a': n.x, 'b': n.x}"),
    "dict()": doubling("list", "dict(a=n.x, b=n.x)"),
    "varargs": (
        "{% macro m() %}{% set n.x = varargs %}{% endmacro %}"
        + doubling("1", "n.x").replace("{% set n.x = n.x %}", "{{ m(n.x, n.x) }}")
    ),
    "varargs compared": (
        "{% macro m() %}{% set n.x = varargs %}{% endmacro %}"
        "{% macro k() %}{% set n.y = varargs %}{% endmacro %}"
        + doubling("1", "n.x", "{{ n.x == n.y }}").replace(
            "{% set n.x = n.x %}", "{{ m(n.x, n.x) }}{{ k(n.y, n.y) }}"
        )
    ),
    "filters in loops": "{% for i in zeros %}{{ zeros|sum }}{% endfor %}",
    "generators in loops": "{% for i in range(500) %}{{ 7 in []|slice(9999) }}{% endfor %}",
    "names in loops": "{% for i in zeros %}{% set x = {long: 1} ~ '' %}{% endfor %}",
    "comparisons in loops": "{% for i in zeros %}{{ zeros == zeros + [1] }}{% endfor %}",
    "membership in loops": "{% for i in zeros %}{{ 7 in zeros }}{{ 7 not in zeros }}{% endfor %}",
    "tests in loops": "{% for i in zeros %}{{ long is upper }}{% endfor %}",
    "methods in loops": "{% for i in zeros %}{{ 'q' ~ long.find('q') }}{% endfor %}",
    "widths in loops": "{% for i in zeros %}{% set x = '%999d' % 3 %}{% endfor %}",
    "slices in loops": "{% for i in zeros %}{% set x = zeros[1:] %}{% endfor %}",
}
"""By what would never end."""
MUCH = {
    "a block set": "{% set x %}{% for i in range(9999) %}{{ long }}{% endfor %}{% endset %}{{ x }}",
    "plain text in a block set": (
        "{% set x %}{% for i in range(100000) %}" + "x" * 4000 + "{% endfor %}{% endset %}"
    ),
    "a filter block": (
        "{% filter upper %}{% for i in range(9999) %}{{ long }}{% endfor %}{% endfilter %}"
    ),
    "center": "{{ 'a'|center(10**9) }}",
    "ljust": "{{ 'a'.ljust(10**9) }}",
    "zfill": "{{ 'a'.zfill(10**9) }}",
    "indent": "{{ 'a'|indent(10**9) }}",
    "indent by a text": "{{ ('\\n' * 10000)|indent(long) }}",
    "wordwrap": "{{ long|wordwrap(1, wrapstring=long) }}",
    "a width": "{{ '%1000000000d' % 3 }}",
    "a precision": "{{ '%.1000000000f' % 3 }}",
    "a width from data": "{{ '%*d' % (10**9, 3) }}",
    "a format's width": "{{ '{:1000000000}'.format(3) }}",
    "a format's width from data": "{{ '{:{}}'.format(3, 10**9) }}",
    "a format filter": "{{ '%1000000000d'|format(3) }}",
    "a format with many fields": "{{ ('{0}' * 20000).format(long) }}",
    "a % with many fields": "{{ ('%(a)s' * 20000) % {'a': long} }}",
    "replace": "{{ long|replace('a', long) }}",
    "str.replace": "{{ long.replace('', long) }}",
    "join": "{{ zeros|join(long) }}",
    "str.join": "{{ long.join(zeros|map('string')) }}",
    "tojson": "{{ zeros|tojson(10**9) }}",
    "tojson of what is deep": "{{ deep|tojson(5000) }}",
    "batch": "{{ list|batch(10**9, 0)|list }}",
    "slice": "{{ list|slice(10**9)|list }}",
    "round": "{{ 1.5|round(10**9, 'ceil') }}",
    "sum of lists": "{{ [[1], [2]]|sum(start=[]) }}",
}
"""By what would take gigabytes."""


@pytest.mark.row(94)
@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_what_would_never_end_is_refused(source: str) -> None:
    bad = refusal(source, DATA)
    assert (bad.reason, bad.path) == (Reason.TEMPLATE_ERROR, "$.template")
    assert "t/body.txt.j2" in bad.detail
    assert not bad.detail.endswith("TypeError"), "it isn't refused for another fault"


@pytest.mark.row(94)
@pytest.mark.parametrize("source", MUCH.values(), ids=MUCH)
def test_what_would_take_gigabytes_is_refused_before_it_does(source: str) -> None:
    tracemalloc.start()
    try:
        bad = refusal(source, DATA)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    assert (bad.reason, bad.path) == (Reason.TEMPLATE_ERROR, "$.template")
    assert "t/body.txt.j2" in bad.detail


@pytest.mark.row(94)
@pytest.mark.parametrize("rows", ["batch", "slice"])
def test_no_list_fills_up_a_list(rows: str) -> None:
    """Each step would have the last one's list in it many times, at the price of one."""
    assert text(f"{{{{ list|{rows}(2, 0)|list }}}}", DATA) == "[[1, 2], [3, 0]]"
    assert refusal(f"{{{{ list|{rows}(2, list)|list }}}}", DATA).detail.endswith("TypeError")


@pytest.mark.row(94)
def test_an_output_of_more_than_a_mebibyte_is_refused() -> None:
    assert len(text("{{ x }}" * 4, {"x": "x" * (256 * 1024)})) == 1024 * 1024
    assert "more than 1024 KiB" in refusal("{{ x }}" * 4 + "y", {"x": "x" * (256 * 1024)}).detail
    assert "more than 1024 KiB" in refusal("é{{ x }}" * 4, {"x": "x" * (256 * 1024 - 1)}).detail


@pytest.mark.row(94)
def test_the_bound_of_the_output_is_for_all_parts_together() -> None:
    half = "x" * (513 * 1024)
    files = Texts({"t/body.txt.j2": "{{ x }}", "t/body.html.j2": "{{ x }}"})
    with pytest.raises(BadInput, match="more than 1024 KiB"):
        Renderer(files).render("t", {"x": half})


def test_an_order_of_two_thousand_lines_is_rendered() -> None:
    rows = (
        "<table>{% for line in order.lines|sort(attribute='name') %}"
        "<tr class=\"{{ loop.cycle('odd', 'even') }}\"><td>{{ loop.index }}"
        "<td>{{ line.name|upper }}"
        "<td>{% if line.count > 1 %}{{ line.count }} x {% endif %}{{ '%.2f' % line.price }}"
        "<td>{{ '{:,.2f}'.format(line.count * line.price) }}</tr>{% endfor %}</table>"
        "{{ order.lines|sum(attribute='price') }}"
    )
    lines = [{"name": f"tea {n}", "count": n, "price": n / 7} for n in range(2000)]
    assert html(rows, {"order": {"lines": lines}}).count("</tr>") == 2000


def test_the_same_rendering_costs_the_same_however_often_it_was_rendered() -> None:
    """Nothing is calculated while compiling, which happens once."""
    source = (
        "{{ 'x'|upper ~ 2 * 3 }}{{ '%d' % 3 }}{% if 'a' in 'abc' %}{{ [1, 2]|join }}{% endif %}"
    )
    sandbox = Sandbox(DictLoader({"t": source}), autoescape=True)
    left = []
    for _ in range(3):
        with limited_by(Budget(1000)) as budget:
            template = sandbox.get_template("t")
            assert "".join(template.root_render_func(template.new_context({}))) == "X6312"
        left.append(budget.left)
    assert len(set(left)) == 1


# any context

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
USES = (
    "{{ x }}{% for i in x %}{{ i }}{% endfor %}{{ x|join(',') }}",
    "{{ x.items }}{{ x.y }}{{ x[0] }}{{ x['y'] }}",
    "{% for k, v in x|dictsort %}{{ k }}={{ v|tojson }}{% endfor %}",
    "{{ x|length }}{{ x|upper }}{{ x|sum }}{{ x|sort|reverse|list }}{{ x|tojson(2) }}",
    "{{ '%s %d' % (x, 3) }}{{ '{} {!r}'.format(x, x) }}{{ x ~ x }}{{ x + x }}{{ x * 3 }}",
    "{{ x in x }}{{ x == x }}{{ x < x }}{{ x|wordwrap(3) }}{{ x|int }}{{ x|round(2) }}",
    "{{ x|e|safe|striptags|title|truncate(5)|center(9)|indent|replace('a', x) }}",
    "{{ x|groupby('a')|list }}{{ x|map('upper')|unique|batch(2)|list }}{{ x|xmlattr }}",
)


def fate(renderer: Renderer, context: dict[str, Any]) -> Rendering | str:
    """What is rendered, or all that is said of why it isn't."""
    try:
        return renderer.render("t", context)
    except BadInput as bad:
        return f"{bad} {bad.reason} {bad.path} {bad.detail}"


@given(x=JSON, use=st.sampled_from(USES), part=st.sampled_from(["subject.txt", "body.html"]))
@settings(max_examples=300)
def test_any_context_is_rendered_or_refused(x: Any, use: str, part: str) -> None:  # noqa: ANN401
    renderer = Renderer(Texts({"t/body.txt.j2": "-", f"t/{part}.j2": use}))
    first, second = (fate(renderer, one) for one in ({"x": x}, json.loads(json.dumps({"x": x}))))
    assert first == second


@given(x=JSON, use=st.sampled_from(USES))
def test_what_is_wrong_says_nothing_of_the_data(x: Any, use: str) -> None:  # noqa: ANN401
    canary = {"canary-name": x, "x": {"canary-name": [x, "canary-value"]}}
    made = fate(Renderer(Texts({"t/body.txt.j2": use})), canary)
    assert not isinstance(made, str) or "canary" not in made
