"""Texts that libraries make from the HTML of real newsletters, beside ion's.

scripts/bench/html_texts [FOLDER] gets the newsletters from npm, pinned by their hashes, prints a
table, and with a folder writes each text there: figures don't tell how a text reads.
"""

import hashlib
import importlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

from ion.mail.plain_text import plain_text

_GHOST = "package/core/server/services"
_BOOTSTRAP = "package/examples/output"
_PACKAGES = {
    "ghost@5.130.6": (
        "CAWqPKt+7ws+/1NrVmvuiWiDZDEtutiu7niVMTku9uM29MjfNFFUVKM3giQBpZGZrUORXkWiXSlqbry4QGVrBw==",
        [
            f"{_GHOST}/mail/templates/newsletter.html",
            f"{_GHOST}/mail/templates/welcome.html",
            f"{_GHOST}/mail/templates/invite-user.html",
            f"{_GHOST}/email-service/email-templates/template.hbs",
            f"{_GHOST}/staff/email-templates/new-paid-started.hbs",
            f"{_GHOST}/staff/email-templates/new-milestone-received.hbs",
            f"{_GHOST}/comments/email-templates/new-comment.hbs",
        ],
    ),
    "bootstrap-email@1.2.9": (
        "fxpfaMrHmG8SNz/zjN34PBNyeu7pARzuDvWLWR28eeJwXtON5qNE+DuuL4JXKIxuk6pfSVtUAzFM/xzdJggNPw==",
        [f"{_BOOTSTRAP}/{name}.html" for name in ("lyft", "product-hunt", "integration", "table")],
    ),
    "responsive-html-email-template@1.0.0": (
        "b2MOCx+1BtZmxDiYSej5dWBtV8tWnMAv4dg/xvsln6EXVVqI3R23+kBzxOTdYHIN2Nk0/5mBoViyyoiVLuIXQg==",
        ["package/email-inlined.html"],
    ),
}
"""Packages, the SHA-512 of their archives, and the newsletters in them. All are under MIT."""
_UNSEEN = (
    "script, style, title, template, noscript, [hidden],"
    " [style*='display:none'], [style*='display: none']"
)


def newsletters() -> Iterator[tuple[str, str]]:
    """Names and HTML."""
    for package, (digest, paths) in _PACKAGES.items():
        with tempfile.TemporaryDirectory(prefix="ion-newsletters-") as folder:
            command = ["npm", "pack", "--silent", "--ignore-scripts", package]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            archive = next(Path(folder).iterdir()).read_bytes()
        if b64encode(hashlib.sha512(archive).digest()).decode() != digest:
            raise RuntimeError(f"{package} isn't what it was")
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            for path in paths:
                file = files.extractfile(path)
                assert file is not None
                yield f"{package.partition('@')[0]}-{Path(path).stem}", file.read().decode()


def contenders() -> dict[str, Callable[[str], str]]:
    """Each library by its defaults for text."""
    html2text = importlib.import_module("html2text")
    lexbor = importlib.import_module("selectolax.lexbor").LexborHTMLParser
    return {
        "ion": lambda html: plain_text(html) or "",
        "html2text": lambda html: str(html2text.HTML2Text(bodywidth=0).handle(html)),
        "inscriptis": importlib.import_module("inscriptis").get_text,
        "html-text": importlib.import_module("html_text").extract_text,
        "markdownify": importlib.import_module("markdownify").markdownify,
        "selectolax": lambda html: str(lexbor(html).body.text(separator="\n", strip=True)),
    }


def seen_and_hidden(html: str) -> tuple[set[str], set[str]]:
    """The words that Lexbor finds, as they are shown or aren't."""
    tree = importlib.import_module("selectolax.lexbor").LexborHTMLParser(html)
    hidden: set[str] = set()
    for node in tree.css(_UNSEEN):
        hidden |= _words(node.text(separator=" "))
        node.decompose()
    seen = _words(tree.text(separator=" "))
    return seen, hidden - seen


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w{2,}", text))


def main(folder: Path | None) -> None:
    """Prints the table."""
    letters = dict(newsletters())
    print("| | words left out | hidden words shown | addresses left out | lines | ms |")
    print("|---|---|---|---|---|---|")
    for name, make in contenders().items():
        lost = shown = away = lines = 0
        began = time.process_time()
        texts = {letter: make(html) for letter, html in letters.items()}
        spent = time.process_time() - began
        for letter, html in letters.items():
            text, (seen, hidden) = texts[letter], seen_and_hidden(html)
            found = _words(text)
            lost += len(seen - found)
            shown += len(hidden & found)
            links = set(re.findall(r'<a\b[^>]*?\bhref="((?:https?|mailto):[^"]+)"', html))
            away += sum(link.removeprefix("mailto:") not in text for link in links)
            lines += len(text.splitlines())
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{letter}.{name}.txt").write_text(text, encoding="utf-8")
        print(f"| {name} | {lost} | {shown} | {away} | {lines} | {spent * 1000:.0f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
