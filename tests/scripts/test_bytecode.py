"""Byte code: an import takes it unread, and nothing in it says who made it where."""

import importlib.util
import marshal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from at_length import only_at_length
from ionctl.build.bytecode import CompilationError, bytecode
from ionctl.build.compilers import Compiler, lambdas_python, this_python

ROOT = Path(__file__).parents[2]
THIS = this_python()
UNCHECKED_HASH = 0b01  # PEP 552
FILES = {
    "ion/__init__.py": b"",
    "ion/deep/er.py": b'''
"""With what marshal writes in more ways than one: sets, shared constants, code within code."""

KINDS = ("sent", "deferred", "a constant that is no name", 1 << 70, 1.5)

class Outcome:
    def known(self, kind):
        return kind in {"sent", "deferred", "bounced", "in doubt", "a constant that is no name"}

    def fail(self):
        return [lambda: 1 / 0 for _ in KINDS][0]()
''',
    "six.py": b"ANSWER = 42\n",
    "jinja2/py.typed": b"",
}


def test_one_for_each_source_where_an_import_looks_for_it() -> None:
    sources = {name for name in FILES if name.endswith(".py")}
    assert set(bytecode(FILES, THIS)) == set(map(importlib.util.cache_from_source, sources))


def test_marked_as_made_from_this_source_and_not_to_be_compared_with_it() -> None:
    compiled = bytecode(FILES, THIS)
    for name in ("ion/deep/er.py", "six.py"):
        head = compiled[importlib.util.cache_from_source(name)][:16]
        assert head[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(head[4:8], "little") == UNCHECKED_HASH
        assert head[8:] == importlib.util.source_hash(FILES[name])


@pytest.fixture(params=["this", "lambda's"])
def compiler(request: pytest.FixtureRequest) -> Compiler:
    return THIS if request.param == "this" else lambdas_python(ROOT / ".venv" / "pyodide")


@only_at_length
def test_same_bytes_whoever_makes_it_wherever(
    compiler: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bytecode(FILES, compiler)
    for seed in ("1", "2", "random"):
        folder = tmp_path / f"with space {seed}"
        folder.mkdir()
        (folder / "compileall.py").write_text("raise SystemExit('not me')", encoding="utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        monkeypatch.setenv("PYTHONOPTIMIZE", "2")
        monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(folder / "caches"))
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
        assert bytecode(dict(reversed(FILES.items())), compiler) == first


def test_every_function_says_that_it_is_in_lambdas_folder() -> None:
    compiled = bytecode(FILES, THIS)
    for name in ("ion/deep/er.py", "six.py"):
        code = marshal.loads(compiled[importlib.util.cache_from_source(name)][16:])
        assert {each.co_filename for each in _within(code)} == {f"/var/task/{name}"}


def test_import_takes_it_and_tracebacks_show_where_the_source_is(tmp_path: Path) -> None:
    for name, content in (FILES | bytecode(FILES, THIS)).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "six.py").write_text("ANSWER = 'read'\n", encoding="utf-8")
    use = "import six; print(six.ANSWER); from ion.deep.er import Outcome; Outcome().fail()"
    used = subprocess.run(
        [sys.executable, "-c", use], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert used.stdout == "42\n"
    assert f'File "{tmp_path}/ion/deep/er.py", line 11, in fail\n' in used.stderr
    assert "return [lambda: 1 / 0 for _ in KINDS][0]()" in used.stderr


def test_source_that_can_not_be_compiled_is_named(compiler: Compiler) -> None:
    with pytest.raises(CompilationError, match=r"(?s)can't compile.*ion/bad\.py.*SyntaxError"):
        bytecode({**FILES, "ion/bad.py": b"lambda = 1\n"}, compiler)


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _within(constant)
