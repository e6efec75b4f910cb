"""ionctl render: subject, text and HTML that a template makes of some data."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ion.contract import BadInput, parse
from ion.drain.templating import filled
from ion.mail.plain_text import plain_text
from ion.template import Folder, Renderer

if TYPE_CHECKING:
    import argparse

    from ion.contract import Send

_ROOT = Path(__file__).resolve().parents[2]
_TEMPLATES = _ROOT / "templates"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its options."""
    parser = commands.add_parser(
        "render",
        help="what a template makes of some data",
        description="Shows subject, text and HTML as ion would send them.",
    )
    parser.add_argument("template", help="its folder's name, such as welcome")
    parser.add_argument(
        "--context", type=Path, metavar="FILE", help="the data, a JSON object; -: standard input"
    )
    parser.add_argument("--locale", help="such as de-AT")
    parser.add_argument(
        "--templates",
        type=Path,
        default=_TEMPLATES,
        metavar="FOLDER",
        help="default: templates/ of this repository, as release.sh packs it",
    )
    parser.add_argument(
        "--part", choices=["subject", "text", "html"], help="only this one, and nothing around it"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is rendered; 1: it can't be."""
    try:
        send = _message(options)
        made = filled(send, Renderer(Folder(options.templates)))
    except BadInput as bad:
        print(f"ionctl: {bad}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"ionctl: {options.context}: {_why(error)}", file=sys.stderr)
        return 1
    html = made.body_html or ""
    parts = {
        "subject": made.subject,
        "text": made.body_text or (html and plain_text(html)) or "",
        "html": html,
    }
    if options.part:
        print(parts[options.part])
        return 0
    for name, text in parts.items():
        print(f"--- {name}{'' if text else ': none'}")
        if text:
            print(text)
    return 0


def _message(options: argparse.Namespace) -> Send:
    """The message that would be published, checked as it would be."""
    context: Any = {}
    if options.context:
        source = sys.stdin if str(options.context) == "-" else None
        text = source.read() if source else options.context.read_text(encoding="utf-8-sig")
        context = json.loads(text)
    fields = {"template": options.template, "context": context}
    if options.locale:
        fields["locale"] = options.locale
    body = json.dumps({"action": "send", "recipient": "ann@example.org", **fields})
    return cast("Send", parse(body))


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"is no JSON: {error}"
    return getattr(error, "strerror", None) or str(error)
