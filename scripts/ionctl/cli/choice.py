"""Options that choose dead letters, the same for each command that is about them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ionctl.cli.completion import reasons
from ionctl.cli.conditions import age, asked, given, named, tags
from ionctl.problem import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ion.contract import Redrive, Where

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "message_ids": (
        Annotated[
            list[str] | None,
            typer.Argument(metavar="MESSAGE-ID", help="Only these, as `dead list` has them."),
        ],
        None,
    ),
    "reason": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--reason",
                metavar="CODE",
                help="Of docs/reasons.md; several: any.",
                autocompletion=reasons,
            ),
        ],
        None,
    ),
    "path": (
        Annotated[
            str | None,
            typer.Option(metavar="PATH", help="Of what is wrong in the message: '$.recipient[0]'."),
        ],
        None,
    ),
    "email_id": (
        Annotated[str | None, typer.Option("--id", metavar="KEY", help="The email_id.")],
        None,
    ),
    "domain": (
        Annotated[
            str | None, typer.Option(metavar="DOMAIN", help="Of one of the recipients left.")
        ],
        None,
    ),
    "sender": (
        Annotated[str | None, typer.Option(metavar="ADDRESS", help="In From, without a name.")],
        None,
    ),
    "tag": (
        Annotated[
            list[str] | None,
            typer.Option("--tag", metavar="NAME=VALUE", help="Several: all of them."),
        ],
        None,
    ),
    "older_than": (
        Annotated[
            str | None, typer.Option(metavar="AGE", help="Since it died: 90s, 30m, 12h, 7d.")
        ],
        None,
    ),
    "younger_than": (
        Annotated[str | None, typer.Option(metavar="AGE", help="The same.")],
        None,
    ),
}
_BY_PATH = {
    "$.where.reason": "--reason",
    "$.where.path": "--path",
    "$.where.email_id": "--id",
    "$.where.recipient_domain": "--domain",
    "$.where.sender": "--sender",
    "$.where.tag": "--tag",
    "$.max": "--max",
    "$.rate": "--rate",
}
_AGES = (("older_than", "--older-than"), ("younger_than", "--younger-than"))


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters.

    Args:
        where: None: all.
        ids: of SQS messages; empty: all.
    """

    where: Where | None
    ids: tuple[str, ...]


def redrive_of(where: Where | None, maximum: int | None, rate: float | None) -> Redrive:
    """Check the further options of a redrive. Raises UsageProblem."""
    fields = given(max=maximum, rate=rate)
    action = cast("Redrive", asked("redrive", fields, _BY_PATH))
    return type(action)(where=where, max=action.max, rate=action.rate)


def on_choice(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it gets a `Choice` as its second argument, in their place."""
    signature = inspect.signature(command, eval_str=True)
    target, _, *own = signature.parameters.values()
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
        )
        for name, (annotation, default) in _OPTIONS.items()
    ]

    @wraps(command)
    def with_choice(target: object, **values: Any) -> None:  # noqa: ANN401
        of_choice = {name: values.pop(name) for name in _OPTIONS}
        command(target, _choice(**of_choice), **values)

    changed: Any = with_choice
    changed.__signature__ = signature.replace(
        parameters=[
            target,
            *options,
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own),
        ]
    )
    return with_choice


def _choice(
    *,
    message_ids: list[str] | None,
    email_id: str | None,
    domain: str | None,
    tag: list[str] | None,
    **others: object,
) -> Choice:
    where = given(email_id=email_id, recipient_domain=domain, tag=tags(tag or ()), **others)
    ages = {name: age(str(others[name]), option) for name, option in _AGES if others[name]}
    if len(ages) == len(_AGES) and ages["older_than"] >= ages["younger_than"]:
        raise UsageProblem(
            f"--older-than {others['older_than']} and --younger-than {others['younger_than']}: no "
            "letter is both"
        )
    action = cast("Redrive", asked("redrive", {"where": where}, _BY_PATH))
    return Choice(action.where, tuple(named(one, "MESSAGE-ID") for one in message_ids or ()))
