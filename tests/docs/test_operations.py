"""The commands of docs/operations.md, apart from the other pages': see test_pages.py."""

import shutil
from collections.abc import Callable

import pytest

from at_length import only_at_length

pytestmark = [
    only_at_length,
    pytest.mark.system,
    pytest.mark.timeout(900),  # Terraform's provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]


def test_its_commands(follow: Callable[[str], None]) -> None:
    follow("docs/operations.md")
