"""The distribution has the relay's checks in it, under its own name, and needs little else."""

import re
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from clients.building import PROJECT, ROOT, run, wheel_of

CHECK = """
import sys
for name in ("aiosmtplib", "jinja2", "django", "pytest", "moto"):
    sys.modules[name] = None  # importing it fails
from ion_publisher import AsyncPublisher, InvalidMessage, Mailbox, Publisher
from ion_publisher.message import letter
publisher = Publisher("arn:aws:sns:eu-west-1:123456789012:ion-input-topic")
one = letter({"to": Mailbox("ann@b\\u00fccher.example"), "html": "<p>hi"})
assert "b\\u00fccher" in one.body
try:
    letter({"to": "nobody", "text": "x"})
except InvalidMessage as invalid:
    print(invalid.path)
others = [name for name in sys.modules if name == "ion" or name.startswith("ion.")]
assert not others, others
assert "ion_publisher._ion.contract" in sys.modules
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel_of(PROJECT, tmp_path_factory.mktemp("wheel"))


def test_a_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{CHECK}"
    assert run("-P", "-c", code, cwd=tmp_path) == "$.recipient\n"


def test_a_wheel_takes_one_name_and_is_typed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ion_publisher"}
    assert "ion_publisher/py.typed" in names
    assert "ion_publisher/_ion/contract/parse.py" in names
    assert len(names) == len(set(names))


def test_a_wheel_has_nothing_of_the_relays_that_it_does_not_need(wheel: Path) -> None:
    rooms = {name.split("/")[2] for name in zipfile.ZipFile(wheel).namelist() if "/_ion/" in name}
    assert rooms == {
        *("__init__.py", "contract", "delivery.py", "envelope.py", "limits.py", "mail"),
        *("nearest.py", "outcome.py"),
    }


def test_a_wheel_knows_the_relay_by_no_other_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                text = archive.read(name).decode()
                assert not re.search(r"^\s*(from|import) ion[. ]", text, re.MULTILINE), name


def test_a_wheel_needs_three_libraries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        metadata = message_from_bytes(archive.read(name))
    needed = [one for one in metadata.get_all("Requires-Dist", []) if "extra" not in one]
    assert {re.split(r"[<>=]", one)[0] for one in needed} == {"boto3", "idna", "msgspec"}


def test_a_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    run("-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path))
    (source,) = tmp_path.glob("*.tar.gz")
    again = wheel_of(source, tmp_path)
    assert again.read_bytes() == wheel.read_bytes()


def test_an_editable_installation_reads_the_relays_own_sources(tmp_path: Path) -> None:
    run("-c", f"from hatchling.build import build_editable as b; b({str(tmp_path)!r})")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".pth")]
        paths = archive.read(name).decode().split()
    assert [Path(path).resolve() for path in paths] == [PROJECT / "src", ROOT / "lambda_src"]


def test_library_and_relay_are_one_version() -> None:
    versions = {
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
        for folder in (PROJECT, ROOT)
    }
    assert len(versions) == 1
