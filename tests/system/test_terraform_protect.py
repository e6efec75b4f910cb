"""A destroy, a new name and a name used twice lose no mail."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from at_length import only_at_length
from ionctl.local import clients
from ionctl.local.inventory import Inventory, inventory
from ionctl.local.names import Names, names_of
from ionctl.local.peek import peek
from ionctl.local.stack import ROOT, ministack_python
from ionctl.ops.account import Account
from ionctl.problem import Problem
from system.terraform_root import Emulator, Root

pytestmark = [
    only_at_length,
    pytest.mark.system,
    pytest.mark.timeout(900),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]

MAIL = '{"action": "send", "recipient": "ann@example.org", "body_text": "Hello"}'


@dataclass(frozen=True)
class Relay:
    """One that is applied, with an email in its queue."""

    root: Root
    names: Names
    aws: Account
    package: str
    folder: Path

    def now(self) -> tuple[Inventory, list[str]]:
        """Give everything in the account, and the emails in the queue."""
        queued = peek(self.names.endpoint, self.names.queue_url)
        return inventory(self.aws, self.names), [one.body for one in queued]


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    folder = tmp_path_factory.mktemp("protect")
    package = shutil.make_archive(str(folder / "package"), "zip", ROOT / "lambda_src" / "ion")
    with Emulator(ministack_python(), folder) as emulator:
        names = names_of(emulator.endpoint)
        root = Root(ROOT / "terraform", folder / "root", names)
        root.apply(package=package, outbox=True)
        aws = clients.connect(names)
        aws.sqs.send_message(QueueUrl=names.queue_url, MessageBody=MAIL)
        yield Relay(root, names, aws, package, folder)


def test_a_destroy_is_refused_before_anything_is_gone(relay: Relay) -> None:
    before = relay.now()
    assert before[1] == [MAIL]
    with pytest.raises(Problem, match="protected"):
        relay.root.destroy()
    assert relay.now() == before
    assert relay.root.plan() == {}


def test_a_new_name_is_refused_before_anything_is_gone(relay: Relay) -> None:
    before = relay.now()
    with pytest.raises(Problem, match="protected"):
        relay.root.apply(name="post")
    assert relay.now() == before
    assert relay.root.plan(name="ion") == {}


@pytest.mark.parametrize(
    ("variables", "refused"),
    [
        ({}, "EntityAlreadyExists"),  # the role, which all regions share
        pytest.param(
            {"role_arn": "arn:aws:iam::123456789012:role/mail"},
            "ResourceAlreadyExists",
            marks=only_at_length,
        ),
    ],
    ids=["role", "log group"],
)
def test_a_second_relay_of_the_same_name_takes_over_nothing(
    relay: Relay, variables: dict[str, str], refused: str
) -> None:
    before = relay.now()
    second = Root(ROOT / "terraform", relay.folder / f"second {refused}", relay.names)
    with pytest.raises(Problem, match=refused):
        second.apply(
            package=relay.package, tags={"team": "another"}, protect_mail=False, **variables
        )
    assert relay.now() == before
    second.destroy()
    assert relay.now() == before


def test_what_is_no_longer_protected_can_be_destroyed(relay: Relay) -> None:
    relay.root.apply(protect_mail=False)
    relay.root.destroy()
    assert not relay.aws.sqs.list_queues().get("QueueUrls")
    assert not relay.aws.dynamodb.list_tables()["TableNames"]
