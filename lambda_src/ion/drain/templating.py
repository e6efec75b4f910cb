"""A message's template, rendered to be checked, and again when the email is sent.

What is rendered first is thrown away, but for the subject: while it waits for its worker, an email
takes no more memory than its message.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec

from ion.contract import BadInput, Send
from ion.deadline import Deadline
from ion.limits import BEGIN_BUDGET_SECONDS, SETTLE_SECONDS
from ion.mail import Checked
from ion.mail.characters import check_header_text
from ion.report.telemetry import Telemetry
from ion.template import FilesUnavailableError, Part, Renderer, Rendering

_FRESH_SECONDS = 60
"""An edited template is used after so long at the latest."""


class TooLateError(Exception):
    """The run is about to end."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of an email that are yet to be rendered.

    Args:
        templates: renders them.
        template, locale, parts: as `Renderer.render` takes them.
        context: as JSON, which takes less memory than what is in it.
        work_bytes: memory that they take while the email is sent.
    """

    templates: "Templates"
    template: str
    locale: str | None
    parts: frozenset[Part]
    context: str = field(repr=False)
    work_bytes: int

    async def of(self, email: Checked) -> Checked:
        """The email with its bodies, those that the publisher wrote first of all."""
        made = await self.templates.render(self)
        return replace(email, text=email.text or made.text, html=email.html or made.html)


class Templates:
    """Renders in a thread, one email at a time: rendering takes the processor.

    Args:
        renderer: outlives a run.
        telemetry: told when a list of templates can't be had.
        deadline: of the run.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        renderer: Renderer,
        telemetry: Telemetry,
        deadline: Deadline,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._renderer = renderer
        self._telemetry = telemetry
        self._deadline = deadline.earlier_by(SETTLE_SECONDS)
        self._now = now
        self._turn = asyncio.Lock()

    async def check(self, send: Send) -> tuple[Send, "Bodies"]:
        """The message with its subject, and what it takes to render its bodies.

        Raises:
            BadInput: the template isn't there, or can't be rendered with this context.
            FilesUnavailableError: that can't be known now.
            TooLateError: in this run there is no time left to send it.
        """
        async with self._turn:
            if self._deadline.remaining() < BEGIN_BUDGET_SECONDS:
                raise TooLateError
            made = await asyncio.to_thread(self._by_the_latest, send)
        return _with_subject(send, made), Bodies(
            self,
            send.template or "",
            send.locale,
            wanted(send),
            json.dumps(send.context or {}, ensure_ascii=False, separators=(",", ":")),
            _work_bytes(made),
        )

    async def render(self, bodies: Bodies) -> Rendering:
        """The bodies, when the email is sent."""
        async with self._turn:
            return await asyncio.to_thread(
                self._renderer.render,
                bodies.template,
                json.loads(bodies.context),
                bodies.locale,
                bodies.parts - {Part.SUBJECT},
            )

    def _by_the_latest(self, send: Send) -> Rendering:
        """Rendered by files of lately; a failure is believed only of files of now."""
        began, files = self._now(), self._renderer.files
        try:
            files.refresh(began - _FRESH_SECONDS)
        except FilesUnavailableError as error:  # those that are known go on to be used
            self._telemetry.trouble("the templates can't be listed", code=str(error))
        try:
            return rendering(send, self._renderer)
        except BadInput:
            if not files.refresh(began):
                raise
        return rendering(send, self._renderer)


def wanted(send: Send) -> frozenset[Part]:
    """The parts that the message leaves to its template: what a publisher writes itself wins."""
    written = {Part.SUBJECT: send.subject, Part.TEXT: send.body_text, Part.HTML: send.body_html}
    return frozenset(part for part, text in written.items() if not text)


def rendering(send: Send, renderer: Renderer) -> Rendering:
    """What the template of a message gives.

    Raises:
        BadInput: there is none, or it can't be rendered with this context.
        FilesUnavailableError: that can't be known now.
    """
    if send.template is None:
        return Rendering()
    made = renderer.render(send.template, send.context or {}, send.locale, wanted(send))
    check_header_text(made.subject, "$.context")
    return made


def filled(send: Send, renderer: Renderer) -> Send:
    """The message as its publisher could have written it without a template.

    Raises:
        BadInput: there is no such template, or it can't be rendered with this context.
        FilesUnavailableError: that can't be known now.
    """
    if send.template is None:
        return send
    made = rendering(send, renderer)
    return msgspec.structs.replace(
        _with_subject(send, made),
        body_text=send.body_text or made.text,
        body_html=send.body_html or made.html,
    )


def _with_subject(send: Send, made: Rendering) -> Send:
    return msgspec.structs.replace(send, subject=send.subject or made.subject, context=None)


def _work_bytes(made: Rendering) -> int:
    """The texts, in pieces and in one; their content, and a copy of that."""
    texts = sys.getsizeof(made.text) + sys.getsizeof(made.html)
    octets = len(made.text.encode()) + len(made.html.encode())
    return 2 * texts + 2 * octets * 11 // 8
