"""Which relay a command is about: options that each command has, before its name or after it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Annotated, Any

import typer

from ionctl import program
from ionctl.cli.completion import profiles
from ionctl.ops import local_stack
from ionctl.ops.account import Account, account, local_account
from ionctl.ops.deployment import Deployment, find

_USUAL_NAME = "ion"


@dataclass(frozen=True, slots=True)
class Target:
    """What the options said.

    Args:
        name: the relay's; None: the usual one.
        as_json: print the result as JSON.
    """

    name: str | None = None
    profile: str | None = None
    region: str | None = None
    local: bool = False
    as_json: bool = False

    def account(self) -> Account:
        """The AWS account. Raises Problem: it can't be told which."""
        if self.local:
            return local_account(local_stack.read())
        return account(self.profile, self.region)

    def deployment(self) -> Deployment:
        """The relay. Raises Problem: there is none of that name."""
        if self.local:
            stack = local_stack.read()
            return find(local_account(stack), self.name or stack.name)
        return find(self.account(), self.name or _USUAL_NAME)


_OPTIONS: dict[str, Any] = {
    "name": Annotated[
        str | None,
        typer.Option(
            envvar="ION_NAME",
            metavar="NAME",
            help="The relay's name, as the module has it (default: ion).",
            show_default=False,
        ),
    ],
    "profile": Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE", help="Profile of the AWS configuration.", autocompletion=profiles
        ),
    ],
    "region": Annotated[
        str | None,
        typer.Option(
            envvar="AWS_REGION",  # as AWS's other tools have it; boto3 knows AWS_DEFAULT_REGION
            metavar="REGION",
            help="AWS region that the relay is in.",
        ),
    ],
    "local": Annotated[bool, typer.Option("--local", help="The relay of a running ./run.sh.")],
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print JSON, as docs/schema/ionctl.json has it.")
    ],
}


def on_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it gets a `Target` as its first argument, in their place.

    Typer reads a function's signature, so the signature gets longer; the annotations of the
    command's own arguments have to be importable when the program runs.
    """
    signature = inspect.signature(command, eval_str=True)
    _, *own = signature.parameters.values()
    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=getattr(Target(), name),
        )
        for name, annotation in _OPTIONS.items()
    ]

    @wraps(command)
    def with_target(ctx: typer.Context, **given: Any) -> None:  # noqa: ANN401
        said = {name: value for name in _OPTIONS if (value := given.pop(name))}
        if ctx.obj is not None:  # the environment was asked before the command's name already
            said = {name: value for name, value in said.items() if _is_typed(ctx, name)}
        for name, value in said.items():
            if name != "as_json" and _is_typed(ctx, name):
                program.chose(f"--{name}", "" if value is True else value)
        ctx.obj = replace(ctx.obj or Target(), **said)
        command(ctx.obj, **given)

    changed: Any = with_target
    changed.__signature__ = signature.replace(
        parameters=[
            context,
            *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own),
            *options,
        ]
    )
    return with_target


def _is_typed(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
