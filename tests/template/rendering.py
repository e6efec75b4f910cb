"""Templates in a dict, and what they give."""

from collections.abc import Collection
from typing import Any

import pytest

from ion.contract import BadInput
from ion.template import Renderer, Rendering


class Texts:
    """Files whose version is their text."""

    def __init__(self, texts: dict[str, str | bytes]) -> None:
        self.texts = texts
        self.reads: list[str] = []

    def refresh(self, not_before: float) -> bool:
        return False

    def names(self) -> Collection[str]:
        return self.texts

    def version(self, name: str) -> str:
        return str(self.texts.get(name, ""))

    def read(self, name: str) -> bytes | None:
        self.reads.append(name)
        text = self.texts.get(name)
        return text.encode() if isinstance(text, str) else text


def rendered(
    source: str,
    context: dict[str, Any] | None = None,
    part: str = "body.txt",
    **others: str,
) -> Rendering:
    """What the template `t` gives, of which one part is `source`; `_` in other names is a dot."""
    more = {f"{name.replace('_', '.')}.j2": text for name, text in others.items()}
    renderer = Renderer(Texts({"t/body.txt.j2": "-", f"t/{part}.j2": source, **more}))
    return renderer.render("t", context or {})


def text(source: str, context: dict[str, Any] | None = None, **others: str) -> str:
    return rendered(source, context, **others).text


def html(source: str, context: dict[str, Any] | None = None, **others: str) -> str:
    return rendered(source, context, "body.html", **others).html


def refusal(source: str, context: dict[str, Any] | None = None, **others: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        text(source, context, **others)
    return caught.value
