"""The email that a new local stack sends: HTML and text, an inline image, a file to try next.

`path.png` is `path.svg` at twice its size.
"""

import json
from base64 import b64encode
from pathlib import Path

_FOLDER = Path(__file__).parent


def message() -> str:
    """Give it as it is published."""
    fields = json.loads((_FOLDER / "message.json").read_text(encoding="utf-8"))
    return json.dumps(
        {
            **fields,
            "body_text": (_FOLDER / "body.txt").read_text(encoding="utf-8"),
            "body_html": (_FOLDER / "body.html").read_text(encoding="utf-8"),
            "attachments": [
                {
                    "filename": "path.png",
                    "content": _base64("path.png"),
                    "content_type": "image/png",
                    "content_id": "path",
                },
                {
                    "filename": "try-this.json",
                    "content": _base64("try-this.json"),
                    "content_type": "application/json",
                },
            ],
        }
    )


def _base64(name: str) -> str:
    return b64encode((_FOLDER / name).read_bytes()).decode()
