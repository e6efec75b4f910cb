"""What a change of one variable changes in the account: what it is about, and nothing else."""

import shutil
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from at_length import only_at_length
from ionctl.local import clients
from ionctl.local.names import Names, names_of
from ionctl.local.peek import peek
from ionctl.local.stack import ROOT, ministack_python
from ionctl.ops.account import Account
from system.terraform_root import UNKNOWN, Emulator, Root

pytestmark = [
    only_at_length,
    pytest.mark.system,
    pytest.mark.timeout(600),  # the provider waits for each queue to settle
    pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform isn't installed"),
]

ALARM = "aws_cloudwatch_metric_alarm"
QUEUES = ("bulk", "input", "later")


OTHER_ACCOUNT = "1" * 12


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    with Emulator(ministack_python(), tmp_path_factory.mktemp("emulator")) as emulator:
        yield names_of(emulator.endpoint)


@pytest.fixture(scope="module")
def aws(names: Names) -> Account:
    return clients.connect(names)


@pytest.fixture(scope="module")
def applied(names: Names, tmp_path_factory: pytest.TempPathFactory) -> Root:
    folder = tmp_path_factory.mktemp("plan")
    package = shutil.make_archive(str(folder / "package"), "zip", ROOT / "lambda_src" / "ion")
    root = Root(ROOT / "terraform", folder / "root", names)
    root.apply(package=package, outbox=True, tags={"team": "post"})
    return root


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


def test_a_timeout_changes_the_function_and_what_waits_for_it(applied: Root) -> None:
    changes = applied.plan(timeout_seconds=600)
    applied.give({"timeout_seconds": 900})
    assert changes.pop("aws_lambda_function.relay") == {"timeout": 600}
    for queue in QUEUES:
        assert changes.pop(f"aws_sqs_queue.{queue}") == {"visibility_timeout_seconds": 660}
    # alarms reckon with the longest run
    assert {address.partition("[")[0] for address in changes} == {f"{ALARM}.operators"}
    assert UNKNOWN not in [value for changed in changes.values() for value in changed.values()]


def test_the_pause_of_last_resort_changes_the_concurrency_alone(applied: Root) -> None:
    """And the alarm that would ring because nothing runs."""
    changes = applied.plan(enabled=False)
    applied.give({"enabled": True})
    assert changes == {
        "aws_lambda_function.relay": {"reserved_concurrent_executions": 0},
        f'{ALARM}.operators["no-run"]': {"actions_enabled": False},
    }


def test_while_it_is_not_enabled_no_run_begins_and_mail_is_queued(
    applied: Root, aws: Account, names: Names
) -> None:
    said = applied.apply(enabled=False)
    assert "enabled is false" in said  # each plan says so, until it is on again
    with pytest.raises(aws.functions.exceptions.TooManyRequestsException):
        aws.functions.invoke(FunctionName=names.function, Payload=b"{}")
    aws.sns.publish(TopicArn=names.topic_arn, Message="{}")
    assert [one.body for one in peek(names.endpoint, names.queue_url)] == ["{}"]
    applied.apply(enabled=True)


def test_a_publisher_of_another_account_may_publish_on_the_topic_that_is_named(
    applied: Root, names: Names
) -> None:
    other = clients.connect(names_of(names.endpoint, OTHER_ACCOUNT)).sns
    with pytest.raises(ClientError, match="not authorized"):
        other.publish(TopicArn=names.topic_arn, Message="{}")
    assert set(applied.plan(publishers={"input": [OTHER_ACCOUNT]})) == {
        "aws_sns_topic_policy.input"
    }
    applied.apply()
    assert applied.plan() == {}
    assert other.publish(TopicArn=names.topic_arn, Message="{}")
    with pytest.raises(ClientError, match="not authorized"):
        other.publish(TopicArn=names.bulk_topic_arn, Message="{}")
