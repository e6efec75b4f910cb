"""The worker that docs/events.md shows: each event once, whatever comes twice or fails."""

import importlib.util
from types import ModuleType

import pytest

from events.telling import Ear, Json, run
from ionctl.files import ROOT


@pytest.fixture
def worker() -> ModuleType:
    path = ROOT / "docs" / "examples" / "outcome_worker.py"
    spec = importlib.util.spec_from_file_location("outcome_worker", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.row(82)
def test_what_is_told_twice_is_handled_once(ear: Ear, worker: ModuleType) -> None:
    handled: list[Json] = []
    for _ in range(2):
        run("sent", "some_bounced", "cancelled")
    worker.work(ear.heard_url, handled.append, forever=False)
    ids = [one["id"] for one in handled]
    # some_bounced begins with the same sending as sent: another row in truth
    assert len(ids) == len(set(ids)) == 4
    assert ear.heard() == []


def test_what_cannot_be_handled_comes_again(ear: Ear, worker: ModuleType) -> None:
    run("sent")

    def fails(_: Json) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        worker.work(ear.heard_url, fails, forever=False)
    ear.sqs.set_queue_attributes(QueueUrl=ear.heard_url, Attributes={"VisibilityTimeout": "0"})
    about = ear.sqs.get_queue_attributes(QueueUrl=ear.heard_url, AttributeNames=["All"])
    assert about["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_it_shows_an_event_in_a_line(
    ear: Ear, worker: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    run("bounced")
    worker.work(ear.heard_url, worker.show, forever=False)
    assert capsys.readouterr().out == (
        "2026-11-29T10:01:05Z ion.email.bounced order-17 RCPT_REJECTED 550 5.1.1 no such user\n"
    )
