"""What tests of the local stack ask for by name."""

import shutil
from pathlib import Path

import pytest

from ionctl.local.stack import ROOT


@pytest.fixture(scope="module")
def package_of_nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package whose function can't run: messages stay where a test puts them."""
    source = ROOT / "lambda_src" / "ion" / "contract"
    return Path(shutil.make_archive(str(tmp_path_factory.mktemp("package") / "p"), "zip", source))
