"""A template, a locale and a context to subject, text and HTML."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ion.contract import BadInput
from ion.contract.paths import member
from ion.nearest import nearest
from ion.outcome import Problem, Reason
from ion.template.choice import chosen, templates
from ion.template.files import MOST_FILE_BYTES, Files, FilesUnavailableError

if TYPE_CHECKING:
    from types import TracebackType

    from jinja2 import BaseLoader, Template

    from ion.template.sandbox import NotDefinedError, Sandbox

MOST_OUTPUT_BYTES = 1024 * 1024
"""Of subject, text and HTML together, in UTF-8."""
MOST_SUBJECT_BYTES = 8192
_MOST_SAID = 150
"""Characters of Jinja's words about a template's syntax."""

# A subject is one line; a template's own line ends, and those in data, are blanks.
_line_ends = re.compile("[ \t]*[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]\\s*")


class Part(StrEnum):
    """A file of a template, by its name without locale and .j2."""

    SUBJECT = "subject.txt"
    TEXT = "body.txt"
    HTML = "body.html"


PARTS = frozenset(Part)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a template gave; "" for what it doesn't have, or wasn't asked for."""

    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)


class Renderer:
    """Renders templates; each is compiled once. For one thread at a time.

    Jinja is imported with the first email that has a template.

    Args:
        files: the templates.
    """

    def __init__(self, files: Files) -> None:
        self.files = files

    def render(
        self,
        template: str,
        context: Mapping[str, Any],
        locale: str | None = None,
        parts: Collection[Part] = PARTS,
    ) -> Rendering:
        """The parts of an email.

        Args:
            template: its name, which is its folder's.
            context: the data, any JSON.
            locale: a tag of BCP 47.
            parts: those that are wanted. One that the template doesn't have is empty.

        Raises:
            BadInput: TEMPLATE_MISSING, TEMPLATE_ERROR, HEADER_INJECTION.
            FilesUnavailableError: the templates can't be read.
        """
        names = self.files.names()
        files = {part: chosen(names, template, part, locale) for part in Part}
        if not any(files.values()):
            near = nearest(template, templates(names)) or ""
            raise BadInput(Reason.TEMPLATE_MISSING, "$.template", Problem.UNKNOWN, near)
        if not (files[Part.TEXT] or files[Part.HTML]) and {Part.TEXT, Part.HTML} <= set(parts):
            raise BadInput(
                Reason.TEMPLATE_MISSING,
                "$.template",
                Problem.MISSING,
                detail=f"{template} has no body.txt.j2 and no body.html.j2",
            )
        return _Attempt(self._sandboxes, context).render(
            {part: file for part, file in files.items() if file and part in parts}
        )

    @cached_property
    def _sandboxes(self) -> "Mapping[Part, Sandbox]":
        from jinja2 import FunctionLoader  # noqa: PLC0415 - 70 ms of a cold start, for templates

        from ion.template.sandbox import Sandbox  # noqa: PLC0415 - the same

        loader: BaseLoader = FunctionLoader(self._source)
        text = Sandbox(loader, autoescape=False)
        html = Sandbox(loader, autoescape=True)
        return {Part.SUBJECT: text, Part.TEXT: text, Part.HTML: html}

    def _source(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        """A template's source, its name, and whether it is still the same one."""
        version = self.files.version(name)
        content = self.files.read(name)
        if content is None:
            return None
        if len(content) > MOST_FILE_BYTES:
            raise _error(name, f"has more than {MOST_FILE_BYTES // 1024} KiB")
        try:
            source = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _error(name, "isn't UTF-8") from None
        return source, name, lambda: self.files.version(name) == version


class _Attempt:
    """One email."""

    def __init__(self, sandboxes: "Mapping[Part, Sandbox]", context: Mapping[str, Any]) -> None:
        from ion.template.budget import Budget  # noqa: PLC0415 - as with Jinja

        self._sandboxes = sandboxes
        self._context = context
        self._budget = Budget()
        self._octets = 0

    def render(self, files: Mapping[Part, str]) -> Rendering:
        text = {part: self._part(part, file) for part, file in files.items()}
        subject = _line_ends.sub(" ", text.get(Part.SUBJECT, "").strip())
        return Rendering(subject, text.get(Part.TEXT, ""), text.get(Part.HTML, ""))

    def _part(self, part: Part, file: str) -> str:
        from jinja2 import (  # noqa: PLC0415 - as with Jinja
            TemplateNotFound,
            TemplatesNotFound,
            TemplateSyntaxError,
        )

        from ion.template.budget import RefusedError, limited_by  # noqa: PLC0415 - the same
        from ion.template.sandbox import NotDefinedError  # noqa: PLC0415 - the same

        sandbox = self._sandboxes[part]
        with limited_by(self._budget):
            try:
                template = sandbox.get_template(file)
                return "".join(self._pieces(template, part))
            except (BadInput, FilesUnavailableError):
                raise
            except NotDefinedError as error:
                raise self._not_defined(error, sandbox, file) from None
            except TemplateSyntaxError as error:
                said = _printable(error.message or "")
                raise _error(error.name or file, f"line {error.lineno}: {said}") from None
            except TemplateNotFound as error:
                names = error.templates if isinstance(error, TemplatesNotFound) else [error.name]
                known = [str(one) for one in names if one in sandbox.written]
                said = f"there is no {' and no '.join(known) or 'such template'}"
                raise _error(_place(error, file), _printable(said)) from None
            except RefusedError as error:
                raise _error(_place(error, file), str(error)) from None
            except Exception as error:  # noqa: BLE001 - whatever the template does with the data
                raise _error(_place(error, file), type(error).__name__) from None

    def _pieces(self, template: "Template", part: Part) -> Iterator[str]:
        from ion.template.budget import RefusedError  # noqa: PLC0415 - as with Jinja

        octets = 0
        for piece in template.root_render_func(template.new_context(dict(self._context))):
            octets += len(piece.encode())
            if octets + self._octets > MOST_OUTPUT_BYTES:
                raise RefusedError(f"makes more than {MOST_OUTPUT_BYTES // 1024} KiB")
            if part is Part.SUBJECT and octets > MOST_SUBJECT_BYTES:
                raise RefusedError(f"makes a subject of more than {MOST_SUBJECT_BYTES} bytes")
            yield piece
        self._octets += octets

    def _not_defined(self, error: "NotDefinedError", sandbox: "Sandbox", file: str) -> BadInput:
        """Names only what the template names; what is in the data is the publisher's."""
        place = _place(error, file)
        known = error.name if error.name in sandbox.written else ""
        if not error.is_data or not isinstance(error.name, str):
            return _error(place, "not defined")
        path: str | None = "$.context"
        if error.of is not None:
            path = _path(self._context, error.of, sandbox.written)
        if path is None:  # of something that the template made
            return _error(place, f"{known or 'a member'} is not defined")
        return BadInput(
            Reason.TEMPLATE_ERROR, member(path, str(known)), Problem.MISSING, detail=place
        )


def _error(place: str, what: str) -> BadInput:
    return BadInput(Reason.TEMPLATE_ERROR, "$.template", detail=f"{place}: {what}")


def _place(error: BaseException, file: str) -> str:
    """The file and the line where it went wrong, by the innermost template."""
    place = file
    step: TracebackType | None = error.__traceback__
    while step is not None:
        template = step.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            place = f"{template.name}, line {template.get_corresponding_lineno(step.tb_lineno)}"
        step = step.tb_next
    return place


def _path(context: Mapping[str, Any], wanted: object, names: Collection[str]) -> str | None:
    """The JSONPath of an object in the context; of its names, those that the template has, too."""
    left: list[tuple[str, object]] = [("$.context", context)]
    while left:
        path, one = left.pop()
        if one is wanted:
            return path
        if isinstance(one, dict):
            left += [
                (member(path, name if name in names else ""), inner)
                for name, inner in one.items()
                if isinstance(inner, dict | list)
            ]
        elif isinstance(one, list):
            left += [
                (f"{path}[{number}]", inner)
                for number, inner in enumerate(one)
                if isinstance(inner, dict | list)
            ]
    return None


def _printable(text: str) -> str:
    said = "".join(one if one.isprintable() else "?" for one in text)
    return said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]} ..."
