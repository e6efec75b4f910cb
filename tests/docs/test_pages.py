"""Each command in README and docs does what its page says, or at least ends well."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from at_length import only_at_length
from docs.blocks import PAGES, commands
from docs.following import run_text
from docs.rules import ANSWERS, LEFT_OUT, RULES, without_comment
from ionctl.files import ROOT

WITH_COMMANDS = [
    page for page in PAGES if commands((ROOT / page).read_text(encoding="utf-8"), page)
]
APART = {"README.md", "docs/operations.md"}
"""With a `terraform apply`, of minutes: each in a file, and so in a process, of its own."""
LONG = {"docs/from-the-first-ion.md", "terraform/README.md"}
"""The same. What README.md applies is run always."""


def lines(page: str) -> list[str]:
    return list(commands((ROOT / page).read_text(encoding="utf-8"), page).values())


@pytest.mark.system
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[only_at_length] if page in LONG else [])
        for page in WITH_COMMANDS
        if page not in APART
    ],
)
def test_commands_of(page: str, follow: Callable[[str], None]) -> None:
    follow(page)


def test_no_rule_is_there_for_nothing() -> None:
    said = [line for page in WITH_COMMANDS for line in lines(page)]
    unused = [rule.pattern for rule in RULES if not any(re.search(rule.pattern, x) for x in said)]
    assert unused == []
    assert LEFT_OUT.keys() - {without_comment(line) for line in said} == set()
    assert [begun for begun in ANSWERS if not any(re.match(begun, line) for line in said)] == []


PAGE = """# Title
```json
{"no": "command"}
```
1. First:
   ```sh
   cd terraform
   echo "in $PWD"   # a comment
   ```
2. ```sh
   for one in 1 2; do
     false \\
       and more
   done
   echo never
   ```
"""


def test_a_failure_is_told_with_its_place(tmp_path: Path) -> None:
    """And each block begins in the clone."""
    (tmp_path / "terraform").mkdir()
    status, output = run_text(PAGE, "PAGE.md", tmp_path, {"PATH": "/usr/bin:/bin"})
    assert status == 1
    assert output.splitlines() == [
        f"in {tmp_path}/terraform",
        "PAGE.md:12: `false and more` exited 1",
    ]


def test_a_block_for_a_shell_is_called_sh() -> None:
    with pytest.raises(AssertionError, match=r"PAGE\.md:1: a block for a shell is sh"):
        commands("```bash\nls\n```\n", "PAGE.md")
