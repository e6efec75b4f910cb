"""An email's HTML as a document of its own, harmless in a frame.

The browser does the guarding: a sandbox without scripts, forms and navigation, and a policy under
which nothing is fetched. So the HTML stays as it is, but for what neither of them has a word for.
What is put in another's place here is found as the browser finds it, without a parser: a tag
begins with its literal name, and hostile HTML keeps a parser busy for minutes.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ionctl.console.mime import Attachment

_SANDBOX = "sandbox allow-popups allow-popups-to-escape-sandbox"
_REMOTE = "https: http:"
_MOST_INLINED_BYTES = 32 * 1024 * 1024
"""Of images put into a document, each as often as it is shown."""

_doctype = re.compile(r"\s{0,99}<!doctype[^>]{0,1000}>", re.IGNORECASE)
_link = re.compile(r"<link(?=[\s/>])", re.IGNORECASE)
_target = re.compile(
    r"(\starget\s{0,9}=\s{0,9}[\"']?)_(?:self|parent|top)(?=[\"'\s>])", re.IGNORECASE
)
_content_id = re.compile(r"(?<=[\"'(=\s])cid:([^\"'()<>\s]{1,255})", re.IGNORECASE)
_image = re.compile(r"image/[a-z0-9.+-]{1,50}\Z")
_blanks = r"\s{0,9}"  # bounded, as all here: no text takes longer than its length
_remote = re.compile(
    rf"(?:\b(?:src|srcset|background|poster|data){_blanks}={_blanks}[\"']?"
    rf"|url\({_blanks}[\"']?|@import{_blanks}[\"']"
    rf"|<(?:link|image|use)\s[^<>]{{0,300}}?href{_blanks}={_blanks}[\"']?)"
    rf"{_blanks}((?:https?:)?//[^\"'()<>\s]{{1,2000}})",
    re.IGNORECASE,
)


def policy(*, remote: bool) -> str:
    """The document's Content-Security-Policy.

    Args:
        remote: images, styles and fonts may be fetched from anywhere: their servers learn that the
            email was read.
    """
    more = f" {_REMOTE}" if remote else ""
    return (
        f"default-src 'none'; img-src data:{more}; style-src 'unsafe-inline'{more}; "
        f"font-src data:{more}; media-src data:{more}; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors 'self'; {_SANDBOX}"
    )


def remote_references(html: str) -> int:
    """How many addresses elsewhere the HTML would fetch something from."""
    return len({found[1] for found in _remote.finditer(html)})


def document(html: str, attachments: Sequence[Attachment], *, remote: bool) -> str:
    """The HTML to be shown: images of the email in it, each link in a window of its own."""
    start = _doctype.match(html)
    head = start[0] if start else ""
    body = _target.sub(r"\1_blank", html[len(head) :])
    if not remote:
        # preconnect and dns-prefetch ask a server, whatever the policy says
        body = _link.sub("<x-link", body)
    return f'{head}<base target="_blank">{_with_images(body, attachments)}'


def _with_images(html: str, attachments: Sequence[Attachment]) -> str:
    images = {one.content_id: one for one in attachments if one.content_id}
    left = _MOST_INLINED_BYTES

    def inlined(found: re.Match[str]) -> str:
        nonlocal left
        image = images.get(unquote(found[1])) or images.get(found[1])
        if image is None or not _image.match(image.content_type):
            return found[0]
        left -= len(image.content)
        if left < 0:
            return found[0]
        return f"data:{image.content_type};base64,{base64.b64encode(image.content).decode()}"

    return _content_id.sub(inlined, html)
