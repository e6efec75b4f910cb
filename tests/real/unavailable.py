"""A mail server that this machine can't have."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class UnavailableError(Exception):
    """A mail server can't be had or can't be run here; the text says why."""


@contextmanager
def skipped_unless_available() -> Iterator[None]:
    """Skip a test whose server this machine can't have; CI is a machine that can."""
    try:
        yield
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
