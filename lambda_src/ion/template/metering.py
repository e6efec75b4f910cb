"""A template's syntax tree, rewritten so that whatever may repeat itself pays for its steps.

Jinja's sandbox intercepts calls and arithmetic, but no loop, no comparison, no `~` and no literal.
"""

from collections.abc import Iterable, Iterator

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer

# No template can write these names: they have a blank.
SPEND = "ion spend"
COMPARE = "ion compare"
PRINT = "ion print"
BUILD = "ion build"
SLICE = "ion slice"

_BODIES = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)


def metered(template: nodes.Template, environment: Environment) -> nodes.Template:
    """The tree, with payments in it."""
    template.body.insert(0, _payment(template, template.body))
    _Metering().visit(template)
    template.set_environment(environment)
    return template


def written(template: nodes.Template) -> Iterator[str]:
    """Every name and string that the template itself has: these are the deployer's words."""
    for node in template.find_all((nodes.Name, nodes.Getattr, nodes.Const)):
        if isinstance(node, nodes.Name):
            yield node.name
        elif isinstance(node, nodes.Getattr):
            yield node.attr
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield node.value
            yield from node.value.split(".")  # map(attribute="customer.name")


class _Metering(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's names
        payment = _payment(node, node.body)
        if node.test is not None:
            each = _filter(nodes.Const(_weight([node.test])), SPEND, node)
            node.test = nodes.And(each, node.test, lineno=node.lineno)
        return self._paying(node, payment)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._paying(node, _payment(node, node.body))

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802
        return self._paying(node, _payment(node, node.body))

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802
        return self._paying(node, _payment(node, node.body))

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        rest: list[nodes.Expr] = []
        for operand in node.ops:
            rest += [nodes.Const(operand.op), operand.expr]
        return _filter(node.expr, COMPARE, node, rest)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_filter(part, PRINT, node) for part in node.nodes]
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):  # a copy, made without a call
            node.node = _filter(node.node, SLICE, node)
        return node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802
        return self._built(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802
        return self._built(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802
        if node.ctx != "load":  # the names that an assignment is to
            return node
        return self._built(node)

    def _built(self, node: nodes.Expr) -> nodes.Node:
        """A literal: elements that occur twice in it would double with each turn of a loop."""
        self.generic_visit(node)
        return _filter(node, BUILD, node)

    def _paying(self, node: nodes.Node, payment: nodes.Node) -> nodes.Node:
        self.generic_visit(node)
        node.body.insert(0, payment)  # type: ignore[attr-defined]
        return node


def _payment(node: nodes.Node, body: Iterable[nodes.Node]) -> nodes.Node:
    """A statement that pays for one time through a body."""
    price = _filter(nodes.Const(_weight(body)), SPEND, node)
    return nodes.ExprStmt(price, lineno=node.lineno)


def _weight(body: Iterable[nodes.Node]) -> int:
    """The steps of a body; the bodies inside it pay for themselves."""
    weight, left = 1, list(body)
    while left:
        node = left.pop()
        weight += 1
        if isinstance(node, nodes.TemplateData):
            weight += len(node.data) // 4
        own = ("body",) if isinstance(node, _BODIES) else ()
        left += node.iter_child_nodes(exclude=own)
    return weight


def _filter(
    value: nodes.Expr, name: str, at: nodes.Node, arguments: list[nodes.Expr] | None = None
) -> nodes.Filter:
    """A filter is Jinja's one call that goes through nothing else."""
    return nodes.Filter(value, name, arguments or [], [], None, None, lineno=at.lineno)
