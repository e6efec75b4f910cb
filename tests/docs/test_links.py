"""Each link between the pages leads somewhere."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^[^`\n]*```[^`\n]*$.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?:\]\(|src(?:set)?=\")([^)\s\"]+)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
_NOT_IN_AN_ANCHOR = re.compile(r"[^\w\- ]")


def pages() -> list[str]:
    """Every page that is in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return listed.stdout.split()


@cache
def anchors(page: Path) -> frozenset[str]:
    """Anchors of the headings, as GitHub makes them; a second one of the same words has -1."""
    seen: list[str] = []
    for heading in _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        seen.append(_NOT_IN_AN_ANCHOR.sub("", text.lower()).replace(" ", "-"))
    again = (f"{one}-{seen[:i].count(one)}" for i, one in enumerate(seen) if one in seen[:i])
    return frozenset((*seen, *again))


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    text = _FENCED.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}: there is no such file"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page}: {link}: there is no such heading"
