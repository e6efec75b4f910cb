"""A page's commands, run against a relay that they find."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docs.blocks import commands
from docs.following import run_page
from events.telling import record
from ionctl.files import ROOT
from ionctl.local.announcement import announced
from ionctl.local.ministack import CREDENTIALS, ISOLATION
from ionctl.local.peek import peek
from ionctl.local.stack import Stack, config_secrets
from ionctl.ops import local_stack

_needs_aws = re.compile(r"\b(aws|terraform|ionctl)\b")
_SHOWN_LINES = 40


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a person has clones; what ion has installed in its own stays for the next page."""
    return tmp_path_factory.mktemp("projects")


@pytest.fixture
def follow(
    tmp_path: Path, projects: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Runs all commands of a page, and fails with the one that fails."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # where the page's commands look for it, by their TMPDIR
    usual = temporary / f"ion-{os.getuid()}.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(usual))

    def follow(page: str) -> None:
        with _aws_for(page, tmp_path) as environment:
            status, output = run_page(
                page, projects, tmp_path, {**environment, "TMPDIR": str(temporary)}
            )
        *before, last = output.splitlines() or [""]
        assert status == 0, "\n".join([last, *before[-_SHOWN_LINES:]])

    return follow


@contextmanager
def _aws_for(page: str, folder: Path) -> Iterator[dict[str, str]]:
    """What leads to an emulated AWS, if `page` needs one.

    A relay there has sent order-17, and has a dead letter. `ionctl --local` finds it, too.
    """
    asked = "\n".join(commands((ROOT / page).read_text(encoding="utf-8"), page).values())
    if not _needs_aws.search(asked):
        yield {}
        return
    tells = "events-failure-queue" in asked
    bounces = "feedback" in asked
    with Stack(events=tells, feedback=bounces) as stack, announced(stack):
        stack.publish({"action": "send", "recipient": "ann at example.org", "body_text": "Hello"})
        stack.publish(
            {"action": "send", "email_id": "order-17", "recipient": "ann@example.org"}
            | {"subject": "Order 17", "body_text": "Thank you."}
        )
        stack.wait_for_emails(1)
        stack.wait_until_settled()
        (dead_letter,) = stack.dead_letters()
        if tells:
            aside = {"Records": [record("sent")], "again": True}
            stack.aws.sqs.send_message(
                QueueUrl=stack.names.events_queue_url, MessageBody=json.dumps(aside)
            )
        secrets = folder / "secrets.cfg"
        secrets.write_text(config_secrets(stack.mail_server.login), encoding="utf-8")
        yield {
            **CREDENTIALS,
            **ISOLATION,
            "AWS_ENDPOINT_URL": stack.ministack.endpoint,
            "DEAD_LETTER": dead_letter.message_id,
            "SECRETS": str(secrets),
        }
        if tells:  # what lay there is told after all, and gone
            assert not peek(stack.ministack.endpoint, stack.names.events_queue_url)
