"""The package as release.sh builds it, from a copy of the sources and with real wheels."""

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from at_length import only_at_length
from interpreter import Interpreter, interpreter
from ionctl.build.compilers import lambdas_python
from ionctl.build.contents import VERSION_FILE
from ionctl.build.wheels import LAMBDA_PYTHON
from ionctl.files import version

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
pytestmark = pytest.mark.timeout(300)  # pip, several times
AARCH64 = 183  # e_machine of an ELF file
MAGIC_3_13 = (3571).to_bytes(2, "little") + b"\r\n"  # the same in all of 3.13
UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552

USE_IT = """
import sys
sys.path.insert(0, sys.argv[1])
import aiosmtplib, idna, ion, jinja2, msgspec
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

logger, metrics = Logger(service="ion"), Metrics(namespace="ion", service="ion")

class Context:
    function_name = "ion"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion"
    aws_request_id = "1"

@logger.inject_lambda_context(correlation_id_path="id", log_event=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    metrics.add_metric(name="sent", unit=MetricUnit.Count, value=1)
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("with a traceback", extra={"size": 1})

handler({"id": "7"}, Context())
for module in (aiosmtplib, idna, ion, jinja2, msgspec):
    assert module.__file__.startswith(sys.argv[1]), module.__file__
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return _copy(tmp_path / "sources")


@pytest.fixture(scope="module")
def arm64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = _copy(tmp_path_factory.mktemp("arm64"))
    assert _build(sources).returncode == 0
    return sources / "dist" / "ion-arm64.zip"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = _copy(tmp_path_factory.mktemp("host"))
    assert _build(sources, "--architecture", "host").returncode == 0
    return sources / "dist" / "ion-host.zip"


@pytest.fixture(scope="module")
def lambda_python() -> Interpreter:
    return interpreter(LAMBDA_PYTHON) or pytest.skip(f"no Python {LAMBDA_PYTHON} here")


@only_at_length
def test_same_bytes_whoever_builds_it_wherever_and_whenever(arm64: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    shutil.copytree(arm64.parents[1], elsewhere, ignore=shutil.ignore_patterns("dist", ".venv"))
    for path in elsewhere.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    ion = elsewhere / "lambda_src" / "ion"
    (ion / "__pycache__").mkdir(exist_ok=True)
    (ion / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"left by Python")
    (ion / ".handler.py.swp").write_bytes(b"left by an editor")
    built = _build(
        elsewhere,
        "--output",
        "here.zip",
        cwd=tmp_path,
        umask=0o077,
        TZ="Pacific/Kiritimati",
        LC_ALL="C",
        PYTHONHASHSEED="1",
        TMPDIR=str(tmp_path),
        SOURCE_DATE_EPOCH="1",
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "here.zip").read_bytes() == arm64.read_bytes()


def test_arm64_package_is_for_arm64_and_the_lambdas_python(arm64: Path) -> None:
    with zipfile.ZipFile(arm64) as package:
        compiled = [name for name in package.namelist() if name.endswith(".so")]
        machines = {int.from_bytes(package.read(name)[18:20], "little") for name in compiled}
    assert any(name.startswith("msgspec/") for name in compiled)
    assert all("cpython-313-aarch64-linux-gnu" in name for name in compiled)
    assert machines == {AARCH64}


@only_at_length
def test_x86_64_package_is_for_x86_64(sources: Path) -> None:
    assert _build(sources, "--architecture", "x86_64").returncode == 0
    with zipfile.ZipFile(sources / "dist" / "ion-x86_64.zip") as package:
        compiled = [name for name in package.namelist() if name.endswith(".so")]
    assert compiled
    assert all("cpython-313-x86_64-linux-gnu" in name for name in compiled)


def test_small_enough_to_start_fast(arm64: Path) -> None:
    assert arm64.stat().st_size <= 3 * MEGABYTE


def test_holds_the_deployers_templates_and_nothing_that_lies_beside_them(arm64: Path) -> None:
    with zipfile.ZipFile(arm64) as package:
        names = {name for name in package.namelist() if name.startswith("templates/")}
        layout = package.read("templates/layout.html.j2")
    assert "templates/welcome/subject.de.txt.j2" in names
    assert all(name.endswith(".j2") for name in names)
    assert layout == (ROOT / "templates" / "layout.html.j2").read_bytes()


@only_at_length
def test_needs_no_templates_and_tells_of_one_with_an_odd_name(sources: Path) -> None:
    shutil.rmtree(sources / "templates")
    assert _build(sources, "--architecture", "host").returncode == 0
    folder = sources / "templates" / "größe"
    folder.mkdir(parents=True)
    (folder / "body.txt.j2").write_text("x")
    built = _build(sources, "--architecture", "host")
    assert built.returncode == 2
    assert "must be ASCII" in built.stderr


def test_holds_ion_its_configuration_and_every_licence_but_nothing_useless(arm64: Path) -> None:
    with zipfile.ZipFile(arm64) as package:
        names = package.namelist()
        config, its_version = package.read("config.cfg"), package.read(VERSION_FILE).decode()
    assert config == (ROOT / "config.cfg").read_bytes()
    assert its_version.strip() == version()
    assert "ion/__init__.py" in names
    for metadata in [name for name in names if name.endswith(".dist-info/METADATA")]:
        folder = metadata.removesuffix("METADATA")
        assert any(n.startswith(folder) and "LICENSE" in n.upper() for n in names), folder
    for useless in ("RECORD", "bin/", "boto", "event_handler", ".."):
        assert not [name for name in names if useless in name]


def test_what_was_left_out_is_not_missed(host: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(host) as package:
        package.extractall(tmp_path)
    # -I -S: with no other packages than these in reach
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", USE_IT, str(tmp_path)]
    used = subprocess.run(command, capture_output=True, text=True, check=False)
    assert used.returncode == 0, used.stderr
    assert '"Metrics":[{"Name":"sent","Unit":"Count"}]' in used.stdout.replace(" ", "")


def test_every_source_is_compiled_for_the_lambdas_python(arm64: Path) -> None:
    with zipfile.ZipFile(arm64) as package:
        names = package.namelist()
        compiled = {name: package.read(name)[:8] for name in names if name.endswith(".pyc")}
    sources = {Path(name) for name in names if name.endswith(".py")}
    assert Path("ion/handler.py") in sources
    assert set(map(Path, compiled)) == {
        source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc" for source in sources
    }
    assert set(compiled.values()) == {MAGIC_3_13 + UNCHECKED_HASH}


def test_lambdas_python_reads_no_source(
    arm64: Path, lambda_python: Interpreter, tmp_path: Path
) -> None:
    imports = "import aiosmtplib, idna, ion.deadline, jinja2"
    ran = _run_without_sources(arm64, tmp_path, lambda_python.path, imports)
    assert ran.returncode == 0, ran.stderr


def test_other_versions_leave_it_alone(arm64: Path, tmp_path: Path) -> None:
    if importlib.util.MAGIC_NUMBER == MAGIC_3_13:
        pytest.skip("this is the Lambda's version")
    ran = _run_without_sources(arm64, tmp_path, sys.executable, "import idna")
    assert ran.stderr.rstrip().endswith("RuntimeError: read")


def test_this_machines_python_reads_no_source(host: Path, tmp_path: Path) -> None:
    ran = _run_without_sources(host, tmp_path, sys.executable, USE_IT)
    assert ran.returncode == 0, ran.stderr


@only_at_length
def test_bytes_hang_on_no_python_of_this_machine(
    arm64: Path, sources: Path, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("python3.13", "node", "npm"):
        (commands / name).write_text(f"#!/bin/sh\ntouch '{asked}'\n", encoding="utf-8")
        (commands / name).chmod(0o755)
    for path in ("/nowhere", f"{commands}:{os.environ['PATH']}"):
        assert _build(sources, PATH=path).returncode == 0
        assert (sources / "dist" / "ion-arm64.zip").read_bytes() == arm64.read_bytes()
    assert not asked.exists()


@only_at_length
def test_without_a_compiler_nothing_is_built_rather_than_something_else(sources: Path) -> None:
    (sources / ".venv" / "pyodide").unlink()
    (sources / "scripts" / "pyodide" / ".npmrc").write_text("registry=http://localhost:9/\n")
    built = _build(sources, npm_config_fetch_retries="0", npm_config_cache=str(sources / "npm"))
    assert built.returncode == 1
    assert "npm can't fetch Pyodide, the Python that makes the byte code: check" in built.stderr
    assert not (sources / "dist").exists()


def test_secrets_stay_out_unless_asked_for(sources: Path) -> None:
    (sources / "config-secrets.cfg").write_text("[smtp]\npassword = hush\n", encoding="utf-8")
    output = sources / "dist" / "ion-host.zip"
    assert _build(sources, "--architecture", "host").returncode == 0
    with zipfile.ZipFile(output) as package:
        assert "config-secrets.cfg" not in package.namelist()

    assert _build(sources, "--architecture", "host", "--with-secrets").returncode == 0
    with zipfile.ZipFile(output) as package:
        assert package.read("config-secrets.cfg") == b"[smtp]\npassword = hush\n"
    assert output.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("missing", "advice"),
    [
        ("config-secrets.cfg", "copy config-secrets-example.cfg"),
        ("config.cfg", "git restore config.cfg"),
    ],
)
def test_missing_file_is_named_with_what_to_do(sources: Path, missing: str, advice: str) -> None:
    (sources / missing).unlink(missing_ok=True)
    built = _build(sources, "--with-secrets")
    assert built.returncode == 2
    assert f"there is no {missing}; " in built.stderr
    assert advice in built.stderr
    assert not (sources / "dist").exists()


def test_manifest_says_what_terraform_checks_it_by(arm64: Path) -> None:
    digest = hashlib.sha256(arm64.read_bytes())
    assert json.loads(arm64.with_name("ion-arm64.zip.json").read_text(encoding="utf-8")) == {
        "version": version(),
        "architecture": "arm64",
        "python": "3.13",
        "sha256": digest.hexdigest(),
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
    }


@only_at_length
def test_package_for_this_machine_has_no_manifest_nor_keeps_another_ones(sources: Path) -> None:
    output = sources / "dist" / "ion.zip"
    manifest = sources / "dist" / "ion.zip.json"
    assert _build(sources, "--output", str(output)).returncode == 0
    assert manifest.is_file()
    assert _build(sources, "--architecture", "host", "--output", str(output)).returncode == 0
    assert not manifest.exists()


@only_at_length
def test_says_what_is_in_it(sources: Path) -> None:
    output = sources / "ion.zip"
    built = _build(sources, "--architecture", "host", "--output", str(output))
    assert "msgspec 0." in built.stdout
    assert "ion 0." in built.stdout
    assert f"byte code by Python {sys.version.split()[0]} " in built.stdout
    assert f"{output}: " in built.stdout
    assert "sha256 " in built.stdout
    assert built.stdout.rstrip().endswith("=")


def _copy(folder: Path) -> Path:
    for name in ("lambda_src", "scripts", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("config.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    # Fetched once for all, as on a person's machine.
    kept = ROOT / ".venv" / "pyodide"
    lambdas_python(kept)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "pyodide").symlink_to(kept)
    return folder


def _run_without_sources(
    package: Path, folder: Path, python: str, program: str
) -> subprocess.CompletedProcess[str]:
    """Run `program` with a package that fails as soon as a source of it is read."""
    with zipfile.ZipFile(package) as content:
        content.extractall(folder)
    for source in folder.rglob("*.py"):
        source.write_text("raise RuntimeError('read')\n", encoding="utf-8")
    # -I -S: with no other packages than these in reach
    program = f"import sys; sys.path.insert(0, sys.argv[1])\n{program}"
    command = [python, "-I", "-S", "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _build(
    sources: Path, *arguments: str, cwd: Path | None = None, umask: int = -1, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ionctl.build.package", *arguments],
        cwd=cwd,
        umask=umask,
        env={**os.environ, **environment, "PYTHONPATH": str(sources / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
