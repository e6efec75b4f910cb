"""What may be published, for the page's form: the schema, words for it, and examples."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from ion.contract.hints import ALLOWED
from ionctl.files import ROOT

_DOCS = ROOT / "docs"
_SCHEMA = _DOCS / "schema" / "message.schema.json"
_EXAMPLES = _DOCS / "examples"


@cache
def contract() -> dict[str, Any]:
    """Schema, hints by path, and examples, each with the text that would be published.

    Raises:
        OSError: this isn't a whole copy of the repository.
    """
    return {
        "schema": json.loads(_SCHEMA.read_text(encoding="utf-8")),
        "hints": ALLOWED,
        "examples": [
            {
                "name": path.stem,
                "title": path.stem.replace("-", ": ", 1).replace("-", "."),
                "body": path.read_text(encoding="utf-8").strip(),
            }
            for path in sorted(_EXAMPLES.glob("*.json"))
        ],
    }
