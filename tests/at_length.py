"""Tests that a person runs before a release, and CI doesn't: minutes, for what others show."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

AT_LENGTH = "long" in (os.environ.get("ION_TESTS"), os.environ.get("ION_REAL"))
"""ION_REAL=long asks for the long trials of the real mail servers, hence for every server."""

only_at_length = pytest.mark.skipif(not AT_LENGTH, reason="minutes: ION_TESTS=long")


def few(
    values: Iterable[Any],
    always: Sequence[str],
    name: Callable[[Any], str] = str,
) -> list[Any]:
    """Parameters of a test, of which only those whose name is in `always` are run always."""
    found = [(name(value), value) for value in values]
    assert set(always) <= {called for called, _ in found}
    return [
        pytest.param(value, id=called, marks=[] if called in always else [only_at_length])
        for called, value in found
    ]
