"""ionctl render: what a template makes of some data."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Any

import typer

from ion.contract.parse import without_mark
from ionctl.cli.output import show
from ionctl.cli.reading import text_of
from ionctl.cli.target import Target, on_target
from ionctl.files import ROOT
from ionctl.ops.rendering import render as rendered
from ionctl.problem import Problem, UsageProblem

_TEMPLATES = ROOT / "templates"


class Part(StrEnum):
    """One of an email's."""

    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


@on_target
def render(
    target: Target,
    template: Annotated[
        str, typer.Argument(metavar="TEMPLATE", help="Its folder's name, such as welcome.")
    ],
    context: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The data, a JSON object; -: standard input."),
    ] = None,
    locale: Annotated[str, typer.Option(metavar="TAG", help="Such as de-AT.")] = "",
    templates: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Default: templates/ of the repository, as release.sh packs it.",
            show_default=False,
        ),
    ] = None,
    part: Annotated[
        Part | None, typer.Option(metavar="PART", help="Only subject, text or html.")
    ] = None,
) -> None:
    """Subject, text and HTML as ion would send them. Nothing is asked of AWS."""
    made = rendered(_folder(templates), template, _data(context) if context else None, locale)
    parts = {Part.SUBJECT: made.subject, Part.TEXT: made.text, Part.HTML: made.html}
    if target.as_json:
        show(target, made, "")
    elif part is not None:
        typer.echo(parts[part])
    else:
        for name, text in parts.items():
            typer.echo(f"--- {name}{'' if text else ': none'}")
            if text:
                typer.echo(text)


def _folder(named: Path | None) -> Path:
    """Where the templates are. Raises UsageProblem: there is no such folder."""
    folder = named or _TEMPLATES
    if folder.is_dir():
        return folder
    if named is None:
        raise UsageProblem(
            "--templates FOLDER is needed: this ionctl isn't run from a clone, which has templates/"
        )
    raise UsageProblem(f"--templates {named}: there is no such folder")


def _data(file: str) -> Any:  # noqa: ANN401 - any JSON
    """What is in it. Raises Problem: it can't be read, or is no JSON."""
    try:
        return json.loads(without_mark(text_of(file)))
    except ValueError as error:
        raise Problem(f"{file}: is no JSON: {error}") from error
