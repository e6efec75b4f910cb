"""What a publisher calls an email, for `stop` and `redrive` to ask for: names with values."""

from typing import Annotated

import msgspec

TagName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9_.-]{1,64}\Z",
        description="1-64 letters, digits, _, . and -",
    ),
]
TagValue = Annotated[
    str,
    msgspec.Meta(pattern=r"^[ -~]{1,256}\Z", description="1-256 printable ASCII characters"),
]
Tags = Annotated[dict[TagName, TagValue | None], msgspec.Meta(max_length=10)]
"""A value that is null is a tag that isn't there."""


AskedTags = Annotated[dict[TagName, TagValue | None], msgspec.Meta(min_length=1, max_length=10)]
"""Tags that a query asks for: one at least that isn't null, or a program's mistake asks for all."""

NO_TAG = "no tag is asked for"
"""The words for a query with tags of which each is null."""


def given_tags(tags: Tags | None) -> dict[str, str]:
    """Those that are there."""
    return {name: value for name, value in (tags or {}).items() if value is not None}
