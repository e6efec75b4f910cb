"""The byte code of the package's sources: a function can't keep any, and would compile each start.

It depends on the version of Python and on no machine, which is what AWS's advice against
__pycache__ is about. That of any 3.13 is good for every 3.13; but each has its own ways to write
it, and so may this one from one build to the next, hence a compiler that is locked (compilers.py).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ionctl.build.compilers import Compiler

# Where Lambda unpacks the package. Elsewhere an import puts the right path in its place.
_TASK_ROOT = "/var/task"


class CompilationError(Exception):
    """A source isn't valid for the Python that will run it; the text says which, and why."""


def bytecode(files: Mapping[str, bytes], compiler: Compiler) -> dict[str, bytes]:
    """What `compiler` makes of the sources among `files`, by the name that it will look for.

    Raises:
        CompilationError: one can't be compiled.
    """
    sources = sorted(name for name in files if name.endswith(".py"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in sources:
            source = folder / name
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_bytes(files[name])
        _compile(sources, folder, compiler)
        compiled = folder.rglob("*.pyc")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in compiled}


def _compile(sources: list[str], folder: Path, compiler: Compiler) -> None:
    """One process for all, in one order: what Python marshals hangs on what it did before.

    Unchecked: checking needs either the time of each file, and a zip of ours has none, or reading
    each source at each start.
    """
    options = ["-q", "--invalidation-mode", "unchecked-hash", "-p", _TASK_ROOT, "-i", "-"]
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "NODE_"))
    }
    done = subprocess.run(
        [*compiler.command, *options],
        cwd=folder,
        env={**own, "PYTHONHASHSEED": "0"},
        input="\n".join(sources),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise CompilationError(f"{compiler.name} can't compile the package:\n{said}")
