"""Subject, text and HTML that a template makes of some data, as ion would send them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from ion.contract import BadInput, parse
from ion.drain.templating import filled
from ion.mail.plain_text import plain_text
from ion.template import Folder, Renderer
from ionctl.ops.result import Rendered
from ionctl.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from ion.contract import Send


def render(templates: Path, template: str, context: Any = None, locale: str = "") -> Rendered:  # noqa: ANN401 - any JSON
    """The parts of an email.

    Args:
        templates: the folder that the templates are in.
        template: its folder's name in there.
        context: the data.
        locale: a language tag; empty: none.

    Raises:
        Problem: it can't be filled in; in the words of its dead letter.
    """
    fields = {"template": template, "context": {} if context is None else context}
    if locale:
        fields["locale"] = locale
    body = json.dumps({"action": "send", "recipient": "ann@example.org", **fields})
    try:
        made = filled(cast("Send", parse(body)), Renderer(Folder(templates)))
    except BadInput as bad:
        raise Problem(str(bad)) from bad
    html = made.body_html or ""
    return Rendered(
        subject=made.subject or "",
        text=made.body_text or (html and plain_text(html)) or "",
        html=html,
    )
