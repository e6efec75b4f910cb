"""The file that says where ./run.sh is."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ionctl.ops import local_stack
from ionctl.ops.account import local_account
from ionctl.ops.local_stack import LocalStack, MailServerAddress
from ionctl.problem import Problem


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ion.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(path))
    return path


def _stack(pid: int) -> LocalStack:
    return LocalStack(
        pid=pid,
        name="ion",
        console_url="http://127.0.0.1:8025/?token=t",
        endpoint_url="http://127.0.0.1:4566",
        region="us-east-1",
        access_key_id="k",
        secret_access_key="s",
        topic_arn="arn:aws:sns:us-east-1:000000000000:ion-input-topic",
        bulk_topic_arn="arn:aws:sns:us-east-1:000000000000:ion-bulk-topic",
        mail_server=MailServerAddress(
            host="127.0.0.1",
            port=2525,
            username="u",
            password="p",
            ca_file="/tmp/ca.pem",
        ),
    )


def _gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_was_written_is_read_and_its_owners_alone(file: Path) -> None:
    local_stack.write(_stack(os.getpid()))
    assert local_stack.read() == _stack(os.getpid())
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_its_account_is_the_emulated_one() -> None:
    account = local_account(_stack(1))
    assert account.sqs.meta.endpoint_url == "http://127.0.0.1:4566"
    assert account.region == "us-east-1"


def test_without_a_running_stack_the_way_to_one_is_told() -> None:
    with pytest.raises(Problem, match=r"no local relay runs: start one with \./run.sh"):
        local_stack.read()
    local_stack.write(_stack(_gone()))  # killed, so that it took nothing away
    with pytest.raises(Problem, match=r"no local relay runs: start one with \./run.sh"):
        local_stack.read()


def test_a_pid_that_is_another_processs_by_now_is_no_running_stack(file: Path) -> None:
    """The stack was killed, and its number is that of a program which has nothing to do with it."""
    local_stack.write(_stack(os.getpid()))
    written = file.read_bytes()
    local_stack.remove(os.getpid())
    file.write_bytes(written)
    with pytest.raises(Problem, match=r"no local relay runs: start one with \./run.sh"):
        local_stack.read()


def test_a_file_of_another_kind_is_told(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(Problem, match=r"ion.json can't be read \(.*\): start \./run.sh anew"):
        local_stack.read()


def test_a_file_of_another_users_is_not_believed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_stack.write(_stack(os.getpid()))
    mine = os.getuid()
    monkeypatch.setattr("os.getuid", lambda: mine + 1)
    with pytest.raises(Problem, match=f"{file} is another user's"):
        local_stack.read()


def test_what_lies_in_the_place_of_the_new_file_is_not_written_to(file: Path) -> None:
    theirs = file.with_name("theirs")
    theirs.write_text("")
    file.with_name(f"{file.name}.{os.getpid()}").symlink_to(theirs)
    local_stack.write(_stack(os.getpid()))
    assert theirs.read_text() == ""
    assert local_stack.read().pid == os.getpid()


def test_the_file_is_taken_away_by_the_stack_that_wrote_it(file: Path) -> None:
    local_stack.write(_stack(os.getpid()))
    local_stack.remove(os.getpid() + 1)
    assert file.exists()
    local_stack.remove(os.getpid())
    assert not file.exists()
    local_stack.remove(os.getpid())


def test_the_usual_file_is_one_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(local_stack.FILE_VARIABLE)
    assert local_stack.local_file().name == f"ion-{os.getuid()}.json"


def test_a_file_that_no_stack_has_written_is_told(file: Path) -> None:
    for odd in (
        msgspec.structs.replace(_stack(os.getpid()), pid=10**18),
        msgspec.structs.replace(_stack(os.getpid()), endpoint_url="file:///etc/passwd"),
    ):
        local_stack.write(odd)
        with pytest.raises(Problem, match=r"start \./run\.sh anew"):
            local_stack.read()


def test_what_is_no_file_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)
    with pytest.raises(Problem, match="is no file"):
        local_stack.read()
