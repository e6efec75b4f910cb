"""The body of a dashboard, read."""

import re
from collections.abc import Iterator
from typing import Any

from alarms.cloudwatch import Series

Json = dict[str, Any]
_NAME = re.compile(r"\b[a-z][a-zA-Z0-9_]*\b")


def lines(widget: Json) -> Iterator[tuple[Series | None, Json]]:
    """Each line of a metric widget: what it draws (None: an expression), and its options."""
    for line in widget["properties"].get("metrics", []):
        options: Json = line[-1] if isinstance(line[-1], dict) else {}
        names = [part for part in line if isinstance(part, str)]
        if not names:
            yield None, options
            continue
        namespace, metric, *rest = names
        yield (namespace, metric, frozenset(zip(rest[::2], rest[1::2], strict=True))), options


def names_in(expression: str) -> set[str]:
    """Ids that an expression of metric math refers to."""
    return set(_NAME.findall(expression))


def metrics(dashboard: Json) -> set[Series]:
    """All that it draws."""
    return {
        of for widget in dashboard["widgets"] for of, _options in lines(widget) if of is not None
    }
