"""The entry: a batch of SQS, of which only what isn't done with comes again."""

import json
import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from emulated import REGION, Account
from feedback.receiving import ANN, BOB, Feedback, bounce, delivery, records, transient
from function import Context
from kill.proxy import Call, Phase, Proxy

LAMBDA_SRC = Path(__file__).parents[2] / "lambda_src"
_PATIENCE_SECONDS = 60


@pytest.mark.row(83)
def test_only_what_is_malformed_comes_again(feedback: Feedback) -> None:
    feedback.sent(ANN)
    assert feedback.batch("junk", bounce(), "[]", delivery()) == ["0", "2"]
    assert feedback.statuses() == ["sent", "bounced", "delivered"]


def test_a_batch_that_is_done_with_is_deleted_whole(feedback: Feedback) -> None:
    assert feedback.batch(bounce(), bounce(BOB)) == []


def test_what_is_not_begun_in_time_comes_again(feedback: Feedback) -> None:
    assert feedback.batch(bounce(), context=Context(seconds=14)) == ["0"]
    assert feedback.state().suppressions == ()


@pytest.mark.row(83)
def test_a_table_that_is_not_there_fails_each_and_raises_nothing(
    feedback: Feedback, monkeypatch: pytest.MonkeyPatch, account: Account
) -> None:
    monkeypatch.setitem(account.__dict__, "table", "another")
    assert feedback.batch(bounce(), delivery()) == ["0", "1"]


def killed_at(feedback: Feedback, proxy: Proxy, body: str, nth: int, phase: Phase) -> bool:
    """An invocation that dies (SIGKILL) at its nth call to AWS; False: it made fewer."""
    calls = count()
    died = False

    def watch(_call: Call, at: Phase) -> bool:
        nonlocal died
        if at is phase and next(calls) == nth:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(_PATIENCE_SECONDS)
            died = True
            return False
        return True

    proxy.watch = watch
    process = subprocess.Popen(
        [sys.executable, "-c", _INVOCATION],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ
        | {
            "PYTHONPATH": str(LAMBDA_SRC),
            "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "ION_AWS_LEDGER_TABLE": feedback.account.table,
        },
    )
    said, _ = process.communicate(json.dumps({"Records": records([body])}), _PATIENCE_SECONDS)
    proxy.wait_quiet()
    if not died:
        assert json.loads(said.splitlines()[-1]) == {"batchItemFailures": []}
    return died


_INVOCATION = """
import json, sys
from ion.feedback.handler import run
class Context:
    def get_remaining_time_in_millis(self):
        return 30_000
print(json.dumps(run(json.load(sys.stdin), Context())))
"""


@pytest.mark.row(83)
@pytest.mark.parametrize("phase", Phase)
def test_killed_at_any_call_it_comes_again_and_is_counted_once(
    feedback: Feedback, dynamodb_endpoint: str, phase: Phase
) -> None:
    with Proxy(dynamodb_endpoint.removeprefix("http://")) as proxy:
        for nth in count():
            email_id, address = f"order-{nth}", f"to{nth}@example.org"
            message_id = f"<{nth}@example.org>"
            feedback.sent(address, email_id=email_id, message_id=message_id)
            body = transient(address, message_id=message_id)
            died = killed_at(feedback, proxy, body, nth, phase)
            assert feedback.batch(body) == []  # as SQS shows it again
            assert len(feedback.state(address).soft_bounces) == 1
            assert feedback.statuses(email_id) == ["sent", "bounced"]
            assert feedback.timeline(email_id)[-1].times == 1
            if not died:
                assert nth == 6  # the key, address read and written, index, row read and written
                break
