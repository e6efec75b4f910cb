"""Jinja as it renders email: sandboxed, strict, and paid for step by step."""

from functools import partial
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Template, UndefinedError, nodes
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import (
    ImmutableSandboxedEnvironment,
    SandboxedEscapeFormatter,
    SandboxedFormatter,
)
from jinja2.utils import missing
from markupsafe import Markup

from ion.template import metering, operations
from ion.template.bounds import check_format
from ion.template.budget import LOOKUP, Budget, limited_by, size, spend, spend_on


class NotDefinedError(UndefinedError):
    """A template needs what isn't there.

    Args:
        of: the object that lacks it; None: it is a variable.
        name: of the variable, or of the member.
        message: Jinja's.
        is_data: false for what Jinja misses elsewhere, such as a macro's parameter.
    """

    def __init__(self, of: object, name: object, message: str = "", *, is_data: bool) -> None:
        super().__init__(message)
        self.of = None if of is missing else of
        self.name = name
        self.is_data = is_data


class _Strict(StrictUndefined):
    """Remembers what it isn't."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,  # noqa: ANN401 - as in Jinja
        name: str | None = None,
        exc: object = None,  # noqa: ARG002 - what is unsafe is not defined, like all that isn't there
    ) -> None:
        error = partial(NotDefinedError, obj, name, is_data=hint is None)
        super().__init__(hint, obj, name, error)  # type: ignore[arg-type]


class _Template(Template):
    """One that begins anew each time it is imported.

    Jinja keeps the variables of an imported template: a namespace in it would carry what one email
    says into the next.
    """

    def _get_default_module(self, ctx: Context | None = None) -> Any:  # noqa: ANN401 - as in Jinja
        self._module = None
        return super()._get_default_module(ctx)


class _Formatter(SandboxedFormatter):
    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - any data
        return _formatted(super().format_field, value, format_spec)


class _EscapingFormatter(SandboxedEscapeFormatter):
    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401 - any data
        return _formatted(super().format_field, value, format_spec)


class Sandbox(ImmutableSandboxedEnvironment):
    """Compiles and keeps templates for one kind of part.

    Args:
        loader: finds them.
        autoescape: true for HTML. It counts for everything that goes into the part, so that a
            text that an HTML template includes is escaped like the rest.
    """

    template_class = _Template
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "**", "%"))

    def __init__(self, loader: BaseLoader, *, autoescape: bool) -> None:
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            undefined=_Strict,
            finalize=operations.printed,
            optimized=False,  # constants are calculated by the rendering, which pays for it
            auto_reload=True,
        )
        self.filters = dict[str, Any](operations.filters()) | {
            metering.SPEND: spend,
            metering.COMPARE: operations.compared,
            metering.PRINT: operations.printed,
            metering.BUILD: operations.built,
            metering.SLICE: operations.kept,
        }
        self.tests = dict[str, Any](operations.tests())
        self.globals["range"] = operations.bounded_range
        self.globals["dict"] = operations.new_dict
        del self.globals["lipsum"]
        self.written: set[str] = set()
        """The deployer's own words: what may be said of what went wrong."""

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        self.written.update(metering.written(source))
        with limited_by(Budget(-1)):  # constants are for the rendering to calculate
            return super()._generate(metering.metered(source, self), name, filename, defer_init)

    def _load_template(self, name: str, globals: Any) -> Template:  # noqa: A002, ANN401 - as in Jinja
        spend(LOOKUP)
        return super()._load_template(name, globals)

    # -- data ----------------------------------------------------------------------------

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 - any data
        """`order.items` is what the publisher calls so, rather than Python's method."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401 - any data
        """Of data only what is listed; of Jinja's own objects, what its sandbox allows."""
        for kind, names in operations.METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:  # noqa: ANN401 - any data
        """Data has no such member."""
        return self.undefined(obj=obj, name=attribute)

    # -- calls ---------------------------------------------------------------------------

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401, ARG002
        """Arithmetic."""
        return operations.calculated(operator, left, right)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """A function, a macro or a method."""
        arguments = operations.paid_call(obj, args, kwargs)
        return operations.kept(super().call(context, obj, *arguments, **kwargs))

    def wrap_str_format(self, value: Any) -> Any:  # noqa: ANN401 - as in Jinja
        """`"{:.2f}".format(price)`, with each field paid for; None: it isn't that."""
        text = getattr(value, "__self__", None)
        if not isinstance(text, str) or getattr(value, "__name__", "") != "format":
            return None
        formatter = (
            _EscapingFormatter(self, escape=text.escape)
            if isinstance(text, Markup)
            else _Formatter(self)
        )

        def formatted(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - any data
            return type(text)(formatter.vformat(text, args, kwargs))

        return formatted


def _formatted(really: Any, value: object, spec: str) -> str:  # noqa: ANN401 - a method of Formatter
    check_format(spec)
    spend_on(value, printing=True)
    made: str = really(value, spec)
    spend(size(made))
    return made
