"""Tests that a person runs before a release, and CI doesn't: minutes, for what others show."""

import os

import pytest

only_at_length = pytest.mark.skipif(
    os.environ.get("ION_TESTS") != "long", reason="minutes: ION_TESTS=long"
)
