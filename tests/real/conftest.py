"""Where a mail server keeps its files."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder that any user may enter: most servers don't stay root. Not tmp_path."""
    with tempfile.TemporaryDirectory(prefix="ion-real-") as name:
        Path(name).chmod(0o711)
        yield Path(name)
