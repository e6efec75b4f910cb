"""The status file of a stack, as ionctl --local and scripts read it."""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ionctl.local.announcement import announced
from ionctl.local.stack import Stack
from ionctl.ops import deployment, local_stack
from ionctl.ops.account import local_account
from ionctl.problem import Problem

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def stack(package_of_nothing: Path) -> Iterator[Stack]:
    with Stack(package=package_of_nothing) as running:
        yield running


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stack.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(path))
    return path


def test_it_leads_to_the_relay_and_is_gone_with_the_stack(stack: Stack, file: Path) -> None:
    with announced(stack, "http://127.0.0.1:8466/?token=T") as told:
        assert local_stack.read() == told
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        found = deployment.find(local_account(told), told.name)
        assert found.topic_arn == told.topic_arn == stack.names.topic_arn
        assert found.bulk_topic_arn == told.bulk_topic_arn
        assert found.queue_url == stack.names.queue_url
        assert Path(told.mail_server.ca_file).is_file()
    with pytest.raises(Problem, match=r"start one with \./run\.sh"):
        local_stack.read()
    assert not list(file.parent.iterdir())


def test_of_several_stacks_the_last_one_has_it(stack: Stack, file: Path) -> None:
    with announced(stack, "first"):
        other = local_stack.read()
        local_stack.write(later := msgspec.structs.replace(other, pid=1, console_url="second"))
        assert local_stack.read() == later
    assert local_stack.read() == later  # the end of the first leaves it there
    file.unlink()


def test_a_file_that_cannot_be_written_says_what_to_do(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(tmp_path / "nowhere" / "stack.json"))
    with pytest.raises(Problem, match="name another one in ION_LOCAL_FILE"), announced(stack):
        pass


def test_no_link_is_followed(stack: Stack, tmp_path: Path, file: Path) -> None:
    """The usual folder is everybody's."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    file.symlink_to(victim)
    with announced(stack):
        assert not file.is_symlink()
    assert victim.read_text() == "mine"
