"""A console that runs."""

from collections.abc import Iterator

import pytest

from consoles import Opened


@pytest.fixture
def opened() -> Iterator[Opened]:
    with Opened() as opened:
        yield opened
