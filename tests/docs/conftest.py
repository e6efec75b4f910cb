"""A page's commands, run against a relay that they find."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docs.following import run_page
from ionctl.files import ROOT
from ionctl.local.announcement import announced
from ionctl.local.ministack import CREDENTIALS, ISOLATION
from ionctl.local.stack import Stack
from ionctl.ops import local_stack

_needs_aws = re.compile(r"^\s*(aws|terraform|\./(ionctl|control\.sh))\b", re.MULTILINE)
_SHOWN_LINES = 40


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Runs all commands of a page, and fails with the one that fails."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # where the page's commands look for it, by their TMPDIR
    usual = temporary / f"ion-{os.getuid()}.json"
    monkeypatch.setenv(local_stack.FILE_VARIABLE, str(usual))

    def follow(page: str) -> None:
        with _aws_for(page) as environment:
            status, output = run_page(page, tmp_path, {**environment, "TMPDIR": str(temporary)})
        *before, last = output.splitlines() or [""]
        assert status == 0, "\n".join([last, *before[-_SHOWN_LINES:]])

    return follow


@contextmanager
def _aws_for(page: str) -> Iterator[dict[str, str]]:
    """What leads to an emulated AWS, in which a relay has sent order-17, if `page` needs one.

    `ionctl --local` finds it, too.
    """
    if not _needs_aws.search((ROOT / page).read_text(encoding="utf-8")):
        yield {}
        return
    with Stack() as stack, announced(stack):
        stack.publish(
            {"action": "send", "email_id": "order-17", "recipient": "ann@example.org"}
            | {"subject": "Order 17", "body_text": "Thank you."}
        )
        stack.wait_for_emails(1)
        yield {**CREDENTIALS, **ISOLATION, "AWS_ENDPOINT_URL": stack.ministack.endpoint}
