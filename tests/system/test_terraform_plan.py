"""What a change of one variable changes in the account: what it is about, and nothing else."""

import shutil
from collections.abc import Iterator

import pytest

from ionctl.local.names import names_of
from ionctl.local.stack import ROOT, ministack_python
from system.terraform_root import UNKNOWN, Emulator, Root

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(600),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]

QUEUES = ("bulk", "input", "later")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    folder = tmp_path_factory.mktemp("plan")
    shutil.make_archive(str(folder / "package"), "zip", ROOT / "lambda_src" / "ion")
    with Emulator(ministack_python(), folder) as ministack:
        root = Root(ROOT / "terraform", folder / "root", names_of(ministack.endpoint))
        root.apply(package=str(folder / "package.zip"), outbox=True, tags={"team": "post"})
        yield root


def test_a_second_and_a_third_plan_are_empty(applied: Root) -> None:
    assert applied.plan() == {}
    assert applied.plan() == {}


def test_a_tag_changes_tags_alone(applied: Root) -> None:
    changes = applied.plan(tags={"team": "mail"})
    applied.give({"tags": {"team": "post"}})
    assert len(changes) > len(QUEUES)
    assert {attribute for changed in changes.values() for attribute in changed} == {
        "tags",
        "tags_all",
    }
    assert UNKNOWN not in [value for changed in changes.values() for value in changed.values()]


def test_a_timeout_changes_the_function_and_the_queues_that_wait_for_it(applied: Root) -> None:
    changes = applied.plan(timeout_seconds=600)
    applied.give({"timeout_seconds": 900})
    assert changes.pop("aws_lambda_function.relay")["timeout"] == 600
    assert changes == {
        f"aws_sqs_queue.{queue}": {"visibility_timeout_seconds": 660} for queue in QUEUES
    }
