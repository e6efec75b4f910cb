"""What changes is told to each page that listens, and looked for only while one does."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from botocore.exceptions import ClientError

from consoles import Opened, email
from ionctl.console import changes, server
from ionctl.console.outcomes import Outcomes
from ionctl.ops.result import Depth, Queues, Status, Verdict
from ionctl.problem import Problem

EMPTY = Depth(visible=0, in_flight=0, delayed=0)


class Relay:
    """A relay whose state the test says; it knows how often it was looked at."""

    def __init__(self) -> None:
        self.dead = 0
        self.problem = ""
        self.refusal: ClientError | None = None
        self.broken = False
        self.looks = 0
        self.looked = threading.Condition()

    def status(self, _deployment: object, *, letters: bool) -> Status:
        assert not letters, "a look at letters receives them"
        with self.looked:
            self.looks += 1
            self.looked.notify_all()
        if self.broken:
            raise ZeroDivisionError
        if self.refusal:
            raise self.refusal
        if self.problem:
            raise Problem(self.problem)
        return msgspec.convert(
            {
                "name": "ion",
                "region": "eu-west-1",
                "at": datetime.now(UTC),
                "verdict": Verdict.IDLE,
                "words": "Idle.",
                "ok": True,
                "queues": Queues(
                    input=EMPTY,
                    bulk=EMPTY,
                    later=EMPTY,
                    dead_letter=msgspec.structs.replace(EMPTY, visible=self.dead),
                ),
                "dead_letters": None,
                "dead_letters_seen": 0,
                "deferred": 0,
                "next_retry": None,
                "backlog_ends": None,
            }
            | {name: [] for name in ("held", "pauses", "stops", "pace", "runs", "alarms")}
            | {"unknown": []},
            Status,
        )

    def wait_for_looks(self, count: int) -> None:
        with self.looked:
            assert self.looked.wait_for(lambda: self.looks >= count, timeout=60)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    relay = Relay()
    monkeypatch.setattr("ionctl.console.operations.status", relay.status)
    monkeypatch.setattr(server, "_LOCAL_LOOK_SECONDS", 0.05)
    return relay


@pytest.fixture
def opened(relay: Relay) -> Iterator[Opened]:
    with Opened() as opened:
        yield opened


Event = tuple[str, dict[str, Any]]


class Listening:
    """A page that listens."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()
        self.comments = 0

    def event(self) -> Event:
        """The next one."""
        name = ""
        for line in self._lines:
            field, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        raise EOFError

    def until(self, is_it: Callable[[Event], bool]) -> list[Event]:
        """All up to that one."""
        seen = [self.event()]
        while not is_it(seen[-1]):
            seen.append(self.event())
        return seen


@contextmanager
def listening(opened: Opened) -> Iterator[Listening]:
    with opened.client.stream("GET", "/api/changes") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Listening(answer)


def test_the_present_state_comes_first(opened: Opened) -> None:
    kept = opened.arrives(email().as_bytes())
    with listening(opened) as page:
        events = dict(page.event() for _ in range(4))
    assert events["inbox"] == {"count": 1, "newest_id": kept}
    assert events["switches"] == {"mode": "well"}
    assert events["dead"] == {"visible": 0}
    assert events["status"]["verdict"] == "idle"


def test_a_page_that_comes_later_gets_the_present_state_too(opened: Opened) -> None:
    with listening(opened) as first:
        [first.event() for _ in range(4)]
        with listening(opened) as second:
            assert {second.event()[0] for _ in range(4)} == {"inbox", "switches", "dead", "status"}


def test_an_email_a_dead_letter_and_a_switch_are_told(opened: Opened, relay: Relay) -> None:
    with listening(opened) as page:
        [page.event() for _ in range(4)]
        kept = opened.arrives(email().as_bytes())
        assert page.event() == ("inbox", {"count": 1, "newest_id": kept})
        relay.dead = 3
        events = [page.event(), page.event()]
        assert events[0][1]["queues"]["dead_letter"]["visible"] == 3
        assert events[1] == ("dead", {"visible": 3})
        assert opened.client.post("/api/switches", json={"mode": "down"}).json()["mode"] == "down"
        assert page.event() == ("switches", {"mode": "down"})
        opened.inbox.clear()
        assert page.event() == ("inbox", {"count": 0, "newest_id": None})


def test_a_switch_that_was_turned_here_is_told_to_every_page_at_once(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_LOCAL_LOOK_SECONDS", 3600)
    with Opened() as opened, listening(opened) as page:
        page.until(lambda one: one[0] == "dead")
        opened.client.post("/api/switches", json={"mode": "down"})
        assert page.event() == ("switches", {"mode": "down"})


def test_what_has_not_changed_is_not_told_again(opened: Opened, relay: Relay) -> None:
    with listening(opened) as page:
        [page.event() for _ in range(4)]
        relay.wait_for_looks(relay.looks + 10)
        opened.arrives(email().as_bytes())
        assert page.event()[0] == "inbox"


def test_a_relay_that_can_not_be_looked_at_is_told_and_looked_at_again(
    opened: Opened, relay: Relay
) -> None:
    relay.problem = "no relay"
    with listening(opened) as page:
        assert page.until(lambda one: one[0] == "error")[-1][1] == {"error": "no relay"}
        relay.problem = ""
        page.until(lambda one: one[0] == "status")
        relay.problem = "no relay"
        assert page.until(lambda one: one[0] == "error")[-1][1] == {"error": "no relay"}
        relay.problem = ""
        page.until(lambda one: one[0] == "status")  # the same one, and the page must know


def test_aws_s_refusal_of_a_look_is_told_in_its_words(opened: Opened, relay: Relay) -> None:
    relay.refusal = ClientError({"Error": {"Code": "ExpiredToken", "Message": "…"}}, "GetItem")
    with listening(opened) as page:
        (*_, (_, told)) = page.until(lambda one: one[0] == "error")
    assert told["error"].startswith("AWS refuses: ")
    assert "ExpiredToken" in told["error"]


def test_a_fault_of_the_console_s_own_ends_no_stream(opened: Opened, relay: Relay) -> None:
    relay.broken = True
    with listening(opened) as page:
        (*_, (_, told)) = page.until(lambda one: one[0] == "error")
        assert told == {"error": "the console has failed: its terminal says how"}
        relay.broken = False
        page.until(lambda one: one[0] == "status")


def test_one_look_serves_all_who_listen(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(opened) as one, listening(opened) as two:
        [one.event() for _ in range(4)]
        [two.event() for _ in range(4)]
        watching = opened.console._changes._watching  # noqa: SLF001 - it is there once, whoever asks
        assert watching is not None
        assert opened.console._changes.listeners == 2  # noqa: SLF001


def wait_until_nobody_listens(opened: Opened) -> None:
    """The server notices in its own time that a page has gone."""
    deadline = time.monotonic() + 60
    while opened.console._changes.listeners or opened.inbox._listeners:  # noqa: SLF001
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nobody_looks_while_nobody_listens(opened: Opened, relay: Relay) -> None:
    assert relay.looks == 0
    with listening(opened) as page:
        page.event()
        relay.wait_for_looks(2)
    wait_until_nobody_listens(opened)
    assert opened.console._changes._watching is None  # noqa: SLF001
    assert opened.inbox._listeners == []  # noqa: SLF001


def test_what_was_so_before_nobody_listened_is_not_told(opened: Opened, relay: Relay) -> None:
    with listening(opened) as page:
        [page.event() for _ in range(4)]
    wait_until_nobody_listens(opened)
    relay.dead = 3
    with listening(opened) as page:
        assert page.until(lambda one: one[0] == "dead")[-1] == ("dead", {"visible": 3})


def test_what_is_done_during_a_look_is_looked_for_at_once(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done = threading.Event(), threading.Event()

    def slow(deployment: object, *, letters: bool) -> Status:
        seen = relay.status(deployment, letters=letters)
        begun.set()
        done.wait()
        return seen

    monkeypatch.setattr(server, "_LOCAL_LOOK_SECONDS", 3600)
    monkeypatch.setattr("ionctl.console.operations.status", slow)
    monkeypatch.setattr("ionctl.console.operations.wake", lambda _deployment: "the relay runs")
    with Opened() as opened, listening(opened) as page:
        begun.wait()
        relay.dead = 3
        assert opened.client.post("/api/wake").status_code == 200
        done.set()
        relay.wait_for_looks(2)
        page.until(lambda one: one == ("dead", {"visible": 3}))


def test_many_emails_are_few_events(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_LEAST_SECONDS", 1.0)
    with listening(opened) as page:
        [page.event() for _ in range(4)]
        content, begun = email().as_bytes(), time.monotonic()
        for _ in range(400):
            opened.arrives(content)
        count, newest_id = opened.inbox.count_and_newest()
        last = {"count": count, "newest_id": newest_id}
        told = page.until(lambda one: one == ("inbox", last))
    assert len(told) <= time.monotonic() - begun + 2


def test_a_silent_line_is_kept_alive(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(changes, "_LEAST_SECONDS", 0.05)
    with listening(opened) as page:
        [page.event() for _ in range(4)]
        before = page.comments
        while page.comments < before + 3:
            assert next(page._lines) in (":", "")  # noqa: SLF001 - comments have no event
            page.comments += 1


def test_the_console_ends_with_pages_that_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_LEAST_SECONDS", 3600)  # it ends the pause after a message, too
    monkeypatch.setattr(server, "_LAST_SECONDS", 3600)  # after which it breaks off what is left
    with Opened() as opened, listening(opened) as page:
        page.event()
        opened.console.__exit__()
        opened.console.wait()
        with pytest.raises(EOFError):
            page.until(lambda _event: False)


def test_it_ends_with_a_look_and_a_request_that_are_stuck(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    let_go, begun = threading.Event(), threading.Semaphore(0)

    def stuck(*_: object, **__: object) -> None:
        begun.release()
        let_go.wait()

    monkeypatch.setattr("ionctl.console.operations.status", stuck)
    monkeypatch.setattr("ionctl.console.operations.dead", stuck)
    answers = []
    try:
        with Opened() as opened, listening(opened) as page:
            page.event()
            asking = threading.Thread(
                target=lambda: answers.append(opened.client.get("/api/dead").status_code)
            )
            asking.start()
            for _ in range(2):
                begun.acquire()
            opened.console.__exit__()
            asking.join()
    finally:
        let_go.set()
    gc.collect()  # a task that nobody waited for complains now
    assert answers == [503]
    assert caplog.messages == []


def test_an_outcome_is_told_as_it_comes(relay: Relay, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    event = {
        "id": "e",
        "type": "ion.email.sent",
        "subject": "order-17",
        "time": "2026-11-28T12:00Z",
    }
    with Opened(outcomes=Outcomes(file)) as opened, listening(opened) as page:
        first = dict(page.until(lambda one: one[0] == "status"))
        assert first["outcomes"] == {"latest": []}
        file.write_text(json.dumps(event) + "\n")
        *_, (_, told) = page.until(lambda one: one[0] == "outcomes")
    assert [(one["type"], one["email_id"]) for one in told["latest"]] == [("sent", "order-17")]
