"""A deployment to take apart."""

import shutil
from pathlib import Path

import pytest

from ionctl.local.stack import ROOT
from wired import Wired


@pytest.fixture(scope="module")
def wired(dynamodb_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Wired:
    """Its package has ion's modules in the wrong place, and says no version."""
    folder = tmp_path_factory.mktemp("wired")
    package = shutil.make_archive(str(folder / "ion"), "zip", ROOT / "lambda_src" / "ion")
    return Wired(dynamodb_endpoint, Path(package))
