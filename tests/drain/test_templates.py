"""Messages with templates: rendered, sent, or dead-lettered before anything is claimed or sent."""

import json
import threading
from typing import Any

import pytest

from conftest import Log
from draining import delays, email, ion_of, reasons, recipients, run, wide
from emulated import Account
from ion.contract import content_hash
from ion.deadline import Deadline
from ion.delivery import Delivery
from ion.drain.allowance import MB, Allowance
from ion.drain.deliver import Deliverer
from ion.drain.memory import Memory
from ion.drain.work_item import Job
from ion.message import Message
from ion.template import FilesUnavailableError
from smtp_server import ScriptedServer
from template.rendering import Texts

FILES: dict[str, str | bytes] = {
    "welcome/subject.txt.j2": "Welcome, {{ name }}",
    "welcome/body.html.j2": "<p>Hello <b>{{ name }}</b>",
    "welcome/body.de.html.j2": "<p>Hallo <b>{{ name }}</b>",
    "broken/body.txt.j2": "{{ oops",
    "endless/body.txt.j2": "{% macro f() %}{{ f() ~ f() }}{% endmacro %}{{ f() }}",
    "large/body.txt.j2": "{{ text }}" * 1000,
}


def templated(number: int = 0, template: str = "welcome", **fields: Any) -> str:  # noqa: ANN401
    content = {"name": f"Ann {number}"}
    fields = {"template": template, "context": content} | fields
    return json.dumps(json.loads(email(number, **fields)) | {"body_text": None})


class Noting(Memory):
    """Notes what room is asked for while a message is worked on, and given back."""

    def __init__(self) -> None:
        super().__init__(Allowance(100 * MB, 10))
        self.grown: list[int] = []

    async def grow(self, octets: int) -> None:
        self.grown.append(octets)
        await super().grow(octets)

    def shrink(self, octets: int) -> None:
        self.grown.append(-octets)
        super().shrink(octets)


def arrived(server: ScriptedServer) -> str:
    (one,) = server.accepted
    return one.content.decode()


def test_a_template_becomes_an_email_with_a_text_part(account: Account) -> None:
    account.publish(templated(1, locale="de-AT"))
    server = ScriptedServer()
    run(account, server, templates=Texts(FILES))
    content = arrived(server)
    assert "Subject: Welcome, Ann 1\r\n" in content
    assert "<p>Hallo <b>Ann 1</b>" in content
    assert "Hallo Ann 1" in content


@pytest.mark.parametrize(
    ("fields", "there", "not_there"),
    [
        ({"subject": "Mine"}, "Subject: Mine\r\n", "Welcome"),
        ({"body_html": "<p>Mine"}, "<p>Mine", "Hello"),
        ({"body_text": "Mine"}, "<p>Hello <b>Ann 1</b>", "Hello Ann 1"),
        ({"subject": "", "body_html": ""}, "Welcome, Ann 1", "Mine"),
    ],
)
def test_what_the_publisher_writes_itself_goes_before_the_template(
    account: Account, fields: dict[str, str], there: str, not_there: str
) -> None:
    account.publish(json.dumps(json.loads(templated(1)) | fields))
    server = ScriptedServer()
    run(account, server, templates=Texts(FILES))
    assert there in arrived(server)
    assert not_there not in arrived(server)


BAD = {
    templated(1, "nowhere"): ("TEMPLATE_MISSING", "$.template", ""),
    templated(2, context={}): (
        "TEMPLATE_ERROR",
        "$.context.name",
        "welcome/subject.txt.j2, line 1",
    ),
    templated(3, "broken"): ("TEMPLATE_ERROR", "$.template", "broken/body.txt.j2: line 1: "),
    templated(4, "endless"): ("TEMPLATE_ERROR", "$.template", "endless/body.txt.j2, line 1: "),
    templated(5, "large", context={"text": "canary" * 1000}): (
        "TEMPLATE_ERROR",
        "$.template",
        "large/body.txt.j2: makes more than 1024 KiB",
    ),
    templated(6, context={"name": "canary\x1b[2J"}): ("HEADER_INJECTION", "$.context", ""),
}


@pytest.mark.row(14)
@pytest.mark.row(94)
@pytest.mark.parametrize("connections", [1, 4])
def test_what_cant_be_rendered_dies_as_it_is_and_harms_no_other(
    account: Account, log: Log, connections: int
) -> None:
    for bad in BAD:
        account.publish(bad)
    account.publish(templated(99))
    server = ScriptedServer()
    run(account, server, templates=Texts(FILES), smtp=wide(connections))
    told = {
        held.body: (
            held.attributes["reason"][1],
            ion_of(held)["path"],
            str(held.attributes.get("reply", ("", ""))[1]),
        )
        for held in account.dead()
    }
    assert told.keys() == BAD.keys()
    for body, (reason, path, reply) in BAD.items():
        assert told[body][:2] == (reason, path)
        assert told[body][2].startswith(reply)
    assert recipients(server) == {"to99@example.org": 1}
    assert len(account.rows()) == 1, "the ledger never hears of the others"
    assert "canary" not in log.text


def test_without_any_templates_a_template_is_missing(account: Account) -> None:
    account.publish(templated(1))
    run(account)
    assert reasons(account) == ["TEMPLATE_MISSING"]


def test_a_redrive_after_the_template_was_mended_sends(account: Account) -> None:
    files = Texts(dict(FILES))
    account.publish(templated(1, "broken"))
    run(account, templates=files)
    server = ScriptedServer()
    files.texts["broken/body.txt.j2"] = "mended"
    account.publish('{"action": "redrive"}')
    run(account, server, templates=files)
    assert "mended" in arrived(server)
    assert account.dead() == []


def test_a_second_publish_after_the_template_changed_is_the_same_email(account: Account) -> None:
    files = Texts(dict(FILES))
    servers = [ScriptedServer(), ScriptedServer()]
    for server in servers:
        account.publish(templated(1, email_id="welcome-1"))
        run(account, server, templates=files)
        files.texts["welcome/body.html.j2"] = "Good morning"
    assert [recipients(server) for server in servers] == [{"to1@example.org": 1}, {}]
    assert account.dead() == []
    assert content_hash(templated(1)) != content_hash(templated(1, context={"name": "Bea"}))


class Down(Texts):
    """Can't be listed, or can't be read."""

    def __init__(self, texts: dict[str, str | bytes], *, listed: bool) -> None:
        super().__init__(texts)
        self._listed = listed

    def refresh(self, not_before: float) -> bool:
        if not self._listed:
            raise FilesUnavailableError("SlowDown")
        return False

    def read(self, name: str) -> bytes | None:
        raise FilesUnavailableError("SlowDown")


@pytest.mark.parametrize("listed", [True, False])
def test_while_templates_cant_be_read_messages_wait_and_the_others_go(
    account: Account, log: Log, *, listed: bool
) -> None:
    account.publish(templated(1))
    account.publish(templated(2, "nowhere" if not listed else "welcome"))
    account.publish(email(3))
    server = ScriptedServer()
    sqs = account.sqs()
    summary = run(account, server, templates=Down(FILES, listed=listed), sqs=sqs)
    assert (summary.sent, summary.deferred, summary.dead_lettered) == (1, 2, 0)
    assert all(40 < delay < 80 for delay in delays(sqs)), "a minute, longer with each receive"
    deferred = [event for event in log.events if event["message"] == "deferred"]
    assert {(one["reason"], one["reply"]) for one in deferred} == {
        ("TEMPLATE_UNAVAILABLE", "SlowDown")
    }
    tried = [row for row in account.rows() if row["status"] != "queued"]
    assert len(tried) == 1, "of the others, those that wait for more than a minute are known"
    assert recipients(server) == {"to3@example.org": 1}
    account.time_passes(60)
    server = ScriptedServer()
    run(account, server, templates=Texts(FILES | {"nowhere/body.txt.j2": "x"}))
    assert recipients(server) == {f"to{n}@example.org": 1 for n in (1, 2)}


class Late(Texts):
    """Is only known to have changed when it is asked for the latest."""

    def refresh(self, not_before: float) -> bool:
        if "late" in self.texts:
            return False
        self.texts |= {"late": "", "late/body.txt.j2": "here"}
        return True


def test_a_failure_is_believed_only_of_the_latest_files(account: Account) -> None:
    account.publish(templated(1, "late"))
    server = ScriptedServer()
    run(account, server, templates=Late(dict(FILES)))
    assert "here" in arrived(server)


def test_what_templates_make_counts_as_memory(account: Account) -> None:
    for number in range(8):
        account.publish(templated(number, "large", context={"text": "x" * 900}))
    under_way, most = 0, 0

    class Sending(Deliverer):
        async def deliver(self, job: Job, message: Message, deadline: Deadline) -> list[Delivery]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                return await super().deliver(job, message, deadline)
            finally:
                under_way -= 1

    server = ScriptedServer()
    summary = run(
        account,
        server,
        templates=Texts(FILES),
        smtp=wide(4),
        memory=Memory(Allowance(budget=1_000_000, unseen=20)),
        relay=lambda pool: Sending(pool, 345_600),
    )
    assert summary.sent == 8
    assert all(len(one.content) > 900_000 for one in server.accepted)
    assert most == 1, "there is no room for two"


def test_rendering_leaves_the_event_loop_alone(account: Account) -> None:
    threads = set()

    class Watched(Texts):
        def read(self, name: str) -> bytes | None:
            threads.add(threading.current_thread())
            return super().read(name)

    account.publish(templated(1))
    run(account, templates=Watched(FILES))
    assert threads
    assert threading.main_thread() not in threads


def test_near_the_end_of_a_run_nothing_is_rendered(account: Account) -> None:
    account.publish(templated(1, "broken"))
    run(account, templates=Texts(FILES), deadline=Deadline.after(54))
    assert account.dead() == []
    assert [held.body for held in account.waiting()] == [templated(1, "broken")]


def test_a_message_in_s3_has_room_for_what_its_template_makes(account: Account) -> None:
    """How much that is, is known when it has been fetched."""
    stored = account.store("k", templated(1, template="long").encode())
    place = {"s3BucketName": stored["bucket"], "s3Key": stored["key"]}
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", place]
    account.publish(json.dumps(pointer))
    memory, server = Noting(), ScriptedServer()
    run(account, server, templates=Texts({"long/body.txt.j2": "x" * 100_000}), memory=memory)
    assert recipients(server) == {"to1@example.org": 1}
    grown, shrunk = memory.grown
    assert grown == -shrunk > 400_000
