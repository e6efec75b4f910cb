"""Pages with commands for a terminal, and these as a script."""

from markdown_it import MarkdownIt

from docs.rules import runnable
from ionctl.files import ROOT

PAGES = tuple(
    str(path.relative_to(ROOT))
    for pattern in ("README.md", "UPGRADE.md", "docs/*.md", "terraform/*.md", "clients/*/*.md")
    for path in sorted(ROOT.glob(pattern))
)
_SHELLS = {"bash", "console", "shell", "shell-session", "zsh"}


def commands(text: str, page: str) -> dict[int, str]:
    """The lines in a page's `sh` blocks by their numbers, each block begun in the clone."""
    found = {}
    for token in MarkdownIt().parse(text):
        if token.type == "fence" and token.map:
            language = token.info.strip()
            assert language not in _SHELLS, f"{page}:{token.map[0] + 1}: a block for a shell is sh"
            if language == "sh":
                found[token.map[0] + 1] = 'cd "$CLONE"'
                found |= _whole(token.content, token.map[0] + 2)
    return found


def _whole(block: str, first: int) -> dict[int, str]:
    """Commands by their lines; what a backslash continues is in the line where it begins."""
    found, begun, start = dict[int, str](), "", first
    for number, line in enumerate(block.splitlines(), first):
        if not begun:
            start = number
        begun += line
        if begun.endswith("\\"):
            begun = begun.removesuffix("\\")
        else:
            found[start], begun = begun, ""
    return found


def script(text: str, page: str) -> str:
    """A page's commands for bash, each in the line where the page has it."""
    found = commands(text, page)
    return "".join(
        f"{runnable(found.get(number, ''))}\n" for number in range(1, max(found, default=0) + 1)
    )
