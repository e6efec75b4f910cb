"""Imports run one way, downwards, and importing does nothing."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "lambda_src"
LAYERS = [
    ["handler", "load", "events", "feedback"],
    ["relay"],
    ["drain"],
    ["deadletter", "unsubscribe"],
    ["aws", "report"],
    ["policy"],
    ["mail", "smtp", "template"],
    ["history"],
    ["contract"],
    ["settings"],
    ["delivery", "message", "envelope", "deadline", "guard_rules"],
    ["outcome"],
    ["config_file"],
    ["limits", "nearest", "address_hash", "identity", "rsa_key"],
]
RANK = {room: rank for rank, layer in enumerate(LAYERS) for room in layer}
ADAPTERS = {"mail", "smtp", "aws"}
LIBRARIES = {
    "boto3": {"events", "feedback", "load", "relay", "unsubscribe"},
    "botocore": {"aws", "events", "feedback", "relay", "unsubscribe"},
    "aiosmtplib": {"smtp"},
    "aws_lambda_powertools": {"report"},
    "idna": {"mail"},
    "jinja2": {"template"},
    "markupsafe": {"template"},
    "msgspec": {
        *("aws", "contract", "deadletter", "drain", "events", "feedback", "history", "policy"),
        "report",
    },
}
"""Who may know which library: what it raises is translated where it is called."""


def parsed() -> dict[str, ast.Module]:
    """Module names ("ion.smtp.stream") to their syntax trees."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): (
            ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        )
        for path in sorted(SOURCE.joinpath("ion").rglob("*.py"))
    }


MODULES = parsed()


def imported(tree: ast.AST) -> Iterator[str]:
    """What is imported where the program runs; type checkers' imports don't count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            assert node.module is not None
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [member for member in members if member in MODULES]
            yield from modules or [node.module]
        elif not _is_for_type_checkers(node):
            yield from imported(node)


def room(module: str) -> str:
    """What is below the package: "smtp" of ion.smtp.stream, "drain" of ion.drain.run."""
    return (*module.split("."), "")[1]


def inside(module: str) -> list[str]:
    return [name for name in imported(MODULES[module]) if name.partition(".")[0] == "ion"]


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_every_room_has_its_place() -> None:
    assert {room(module) for module in MODULES} - {""} <= RANK.keys()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_imports_what_is_above_it(module: str) -> None:
    for other in inside(module):
        if room(other) != room(module):
            assert RANK[room(other)] >= RANK[room(module)], other


@pytest.mark.parametrize("module", sorted(MODULES))
def test_mail_smtp_and_aws_do_not_know_one_another(module: str) -> None:
    if room(module) in ADAPTERS:
        assert {room(other) for other in inside(module)} & ADAPTERS <= {room(module)}


def test_smtp_takes_an_envelope_and_bytes() -> None:
    known = {
        room(other) for module in MODULES if room(module) == "smtp" for other in inside(module)
    }
    assert known <= {"smtp", "outcome", "envelope", "deadline", "limits", "settings"}


def test_there_is_no_circle() -> None:
    left = {module: set(inside(module)) for module in MODULES}
    while ready := [module for module, needs in left.items() if not needs & left.keys()]:
        for module in ready:
            del left[module]
    assert not left


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_library_is_known_in_one_place(module: str) -> None:
    for other in imported(MODULES[module]):
        library = other.partition(".")[0]
        if library != "ion" and library not in sys.stdlib_module_names:
            assert room(module) in LIBRARIES.get(library, set()), f"{module} imports {other}"


# nothing happens at import

PURE_CALLS = {
    "re.compile",
    "frozenset",
    "set",
    "range",
    "tuple",
    "bytes",
    "bytes.fromhex",
    "chr",
    "len",
    "ord",
    "field",
    "ContextVar",
    "TypeVar",
    "dataclass",
    "lru_cache",
    "auto",
    "dict.fromkeys",
    "str.maketrans",
    "msgspec.Meta",
    "json.JSONDecoder",
    "_Rule",
    "_codes",
}
IMPURE_NAMES = {"os.environ", "os.getenv", "sys.argv", "open", "print"}


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """What runs at import: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if child in ast.walk(node.args) or child in getattr(node, "decorator_list", []):
                yield child
                yield from executed(child)
        elif not _is_for_type_checkers(child):
            yield child
            yield from executed(child)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_importing_a_module_does_nothing(module: str) -> None:
    for node in executed(MODULES[module]):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) in PURE_CALLS, f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Name | ast.Attribute):
            assert ast.unparse(node) not in IMPURE_NAMES, f"line {node.lineno}"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_statement_at_import_only_names_things(module: str) -> None:
    for node in MODULES[module].body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = (
            ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.ClassDef
            | ast.FunctionDef | ast.AsyncFunctionDef
        )  # fmt: skip
        assert is_docstring or isinstance(node, names) or _is_for_type_checkers(node), node.lineno


def test_the_relay_does_not_know_the_operators_tools() -> None:
    tops = {name.partition(".")[0] for module in MODULES for name in imported(MODULES[module])}
    scripts = {path.stem for path in SOURCE.parent.joinpath("scripts").iterdir()}
    assert "ionctl" in scripts
    assert not tops & (scripts | {"scripts", "tests"})
