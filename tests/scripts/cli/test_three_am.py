"""Each case of "At three in the morning" (docs/operations.md), solved by the commands it gives.

On the local stack: the relay in ministack, its mail server over sockets.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from at_length import AT_LENGTH
from ionctl.local.announcement import announced
from ionctl.local.mode import Mode
from ionctl.local.stack import Stack, config_secrets
from ionctl.ops import local_stack
from ionctl.ops.result import Letters, Status, Verdict
from night import cases
from terminal import Ionctl, Ran

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

CASES = cases()
DAY = 86_400


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch, Stack() as running:
        file = tmp_path_factory.mktemp("local") / "stack.json"
        patch.setenv(local_stack.FILE_VARIABLE, str(file))
        with announced(running):
            yield running


class Night:
    """A person who follows the page, one case after the other."""

    def __init__(self, stack: Stack, ionctl: Ionctl, folder: Path) -> None:
        self.stack = stack
        self._ionctl = ionctl
        self._secrets = folder / "config-secrets.cfg"
        self._folder = folder

    def begins_anew(self) -> None:
        """Nothing is left of a case that has failed: no order, no letter, nothing that waits."""
        stack = self.stack
        stack.mail_server.mode = Mode.WELL
        stack.put_secret(config_secrets(stack.mail_server.login))
        Asleep(stack).__exit__()
        assert self._ionctl("--local", "resume").status == 0
        names = stack.names
        for url in (
            names.queue_url,
            names.bulk_queue_url,
            names.later_queue_url,
            names.dead_letter_queue_url,
        ):
            stack.aws.sqs.purge_queue(QueueUrl=url)
        assert not stack.dead_letters()

    def follows(self, title: str, number: int, **names: str) -> Ran:
        """Give the command of that number of a case."""
        return self.runs(CASES[title][number], **names)

    def runs(self, words: list[str], **names: str) -> Ran:
        words = [names.get(word.replace("-", "_"), word) for word in words]
        words = [str(self._secrets) if word == "config-secrets.cfg" else word for word in words]
        if words[0] == "aws":
            return self._store(words)
        assert words[0] == "./ionctl", words
        return self._ionctl("--local", *words[1:])

    def _store(self, words: list[str]) -> Ran:
        """The page's `aws ssm put-parameter`: boto3 in the CLI's place."""
        assert words[1:3] == ["ssm", "put-parameter"]
        self.stack.put_secret(self._secrets.read_text(encoding="utf-8"))
        return Ran(0, "", "")

    def has_password(self, password: str) -> None:
        """The login with it lies in config-secrets.cfg on the person's desk."""
        login = replace(self.stack.mail_server.login, password=password)
        self._secrets.write_text(config_secrets(login), encoding="utf-8")

    def status(self) -> Status:
        ran = self._ionctl("--local", "--json", "status")
        return msgspec.json.decode(ran.out, type=Status)

    def letters(self, *options: str) -> Letters:
        ran = self._ionctl("--local", "--json", "dead", "list", *options)
        assert ran.status == 0, ran.err
        return msgspec.json.decode(ran.out, type=Letters)


@pytest.fixture
def night(stack: Stack, ionctl: Ionctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.chdir(tmp_path)
    night = Night(stack, ionctl, tmp_path)
    night.begins_anew()
    return night


def until(is_so: Callable[[], object]) -> None:
    """Wait for it as long as a test may take."""
    while not is_so():
        time.sleep(0.1)


def publish(stack: Stack, name: str, **fields: object) -> None:
    message = {"recipient": f"{name}@example.org", "subject": name, "body_text": "…"}
    stack.publish({"action": "send", "email_id": name, **message, **fields})


def arrived(stack: Stack, name: str) -> bool:
    return any(f"{name}@example.org" in email.recipients for email in stack.mailbag.emails)


class Asleep:
    """No run begins inside the `with`: what is published piles up."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __enter__(self) -> None:
        self._stack.invoke()  # a run that lingers would take what is published next
        self._limit(0)

    def __exit__(self, *_: object) -> None:
        self._limit(1)

    def _limit(self, runs: int) -> None:
        self._stack.aws.functions.put_function_concurrency(
            FunctionName=self._stack.names.function, ReservedConcurrentExecutions=runs
        )


def bury(
    stack: Stack, count: int, reason: str, *, path: str = "", days: int = 0, **fields: object
) -> None:
    """Dead letters as the relay writes them."""
    died = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * DAY))
    for number in range(0, count, 10):
        entries: list[SendMessageBatchRequestEntryTypeDef] = []
        for one in range(number, min(number + 10, count)):
            key = f"{reason.lower()}-{one}"
            body: dict[str, object] = {
                "action": "send",
                "email_id": key,
                "subject": key,
                "body_text": "…",
            }
            body |= {"recipient": f"{key}@example.org", **fields}
            about = {"email_id": key, "first_queued_at": died, "failed_at": died}
            about |= {"original_message_id": key, "stage": "rcpt", "path": path}
            written = {"reason": reason, "ion": json.dumps(about), "reply": "550 no"}
            entries.append(
                {
                    "Id": str(one),
                    "MessageBody": json.dumps(body),
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in written.items()
                    },
                }
            )
        answer = stack.aws.sqs.send_message_batch(
            QueueUrl=stack.names.dead_letter_queue_url, Entries=entries
        )
        assert not answer.get("Failed")


def test_every_case_is_tested() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert CASES.keys() == set(re.findall(r'^    case = "(.+)"$', source, re.MULTILINE))


def test_refused_login(night: Night) -> None:
    case = "Refused login"
    stack = night.stack
    login = stack.mail_server.login
    stack.mail_server.login = replace(login, password="changed at the provider")
    publish(stack, "refused")
    until(lambda: night.status().verdict is Verdict.HELD)
    status = night.status()
    assert (status.ok, [held.reason for held in status.held]) == (False, ["AUTH"])
    assert status.held[0].reply.startswith("535")
    assert status.held[0].next_try is not None

    night.has_password("wrong once more")
    tried = night.follows(case, 0)
    assert tried.status == 1
    assert "535" in tried.out
    night.has_password("changed at the provider")
    assert "✗" not in "".join(
        line for line in night.follows(case, 0).out.splitlines() if "login" in line
    )
    night.follows(case, 1)
    assert night.follows(case, 2).status == 0
    until(lambda: arrived(stack, "refused"))
    until(lambda: night.follows(case, 3).status == 0)
    assert not stack.dead_letters()


def test_poison(night: Night) -> None:
    case = "Poison"
    bury(night.stack, 1, "CRASH_LOOP")
    bury(night.stack, 1, "POISON")
    listed = night.follows(case, 0)
    assert "CRASH_LOOP" in listed.out
    assert "POISON" in listed.out
    (poison,) = night.letters("--reason", "POISON").letters
    assert "poison-0@example.org" in night.follows(case, 1, MESSAGE_ID=poison.message_id).out
    asked = night.follows(case, 2)  # nobody is there to be asked
    assert asked.status == 1
    assert "--yes" in asked.err
    assert night.runs([*CASES[case][2], "--yes"]).status == 0
    assert not night.stack.dead_letters()


def test_a_newsletter_blocks_password_resets(night: Night) -> None:
    case = "A newsletter blocks password resets"
    stack = night.stack
    with Asleep(stack):
        for number in range(10):
            publish(stack, f"spring-{number}", tags={"campaign": "spring"})
        publish(stack, "reset")
        assert night.follows(case, 0).status == 0
        assert "campaign=spring" in night.follows(case, 1).out
    stack.wake()
    until(lambda: arrived(stack, "reset"))
    until(lambda: len(stack.dead_letters()) == 10)
    assert not any(arrived(stack, f"spring-{number}") for number in range(10))
    assert {letter.reason for letter in night.letters().letters} == {"STOPPED"}
    assert night.follows(case, 2).status == 0
    moved = night.follows(case, 3)
    assert moved.out.startswith("10 of 10")
    until(lambda: all(arrived(stack, f"spring-{number}") for number in range(10)))


def test_did_it_arrive(night: Night) -> None:
    case = "Did it arrive?"
    stack = night.stack
    assert "Never seen" in night.follows(case, 0).out
    publish(stack, "order-17", recipient="ann@example.org")
    until(lambda: arrived(stack, "ann"))
    until(lambda: "● Sent" in night.follows(case, 0).out)
    until(lambda: re.search(r"sent +order-17$", night.follows(case, 1).out, re.MULTILINE))
    scanned = night.follows(case, 2)
    assert re.search(r"sent +order-17$", scanned.out, re.MULTILINE)
    assert "rows of the ledger" in scanned.out
    life = json.loads(night.runs(["./ionctl", "--json", "show", "order-17"]).out)
    for other in (life["header_message_id"], life["provider_id"], life["events"][0]["message_id"]):
        if other:
            assert "● Sent" in night.runs(["./ionctl", "show", other]).out, other
    assert life["header_message_id"]
    unknown = night.runs(["./ionctl", "show", "34d9b400-c6dd-5444-820d-fbeb0f1f54cf"])
    assert "Terraform's log_publishes turns it on" in " ".join(unknown.out.split())


def test_unsubscribe_me_or_erase_me(night: Night) -> None:
    case = "Unsubscribe me, or erase me"
    bury(night.stack, 1, "RCPT_REJECTED", recipient="ann@example.org")
    assert night.follows(case, 0).status == 0
    assert "tag:list=news" in night.follows(case, 1).out
    assert night.follows(case, 2).status == 0
    assert len(night.stack.dead_letters()) == 1, "a dry run changes nothing"
    asked = night.follows(case, 3)  # nobody is there to be asked
    assert asked.status == 1
    assert "--yes" in asked.err
    assert night.runs([*CASES[case][3], "--yes"]).status == 0
    assert not night.stack.dead_letters()


def test_bounces_rise(night: Night) -> None:
    case = "Bounces rise"
    bury(night.stack, 12, "RCPT_REJECTED", tags={"campaign": "spring"})
    assert re.search(r"\b12 +RCPT_REJECTED", night.follows(case, 0).out)
    assert night.follows(case, 1).status == 0
    assert night.follows(case, 2).status == 0
    assert "campaign=spring" in night.follows(case, 3).out
    assert night.runs(["./ionctl", "resume"]).status == 0
    assert (
        night.runs(["./ionctl", "dead", "discard", "--reason", "RCPT_REJECTED", "--yes"]).status
        == 0
    )


def test_5000_wrong_emails(night: Night) -> None:
    case = "5,000 wrong emails"
    stack = night.stack
    wrong = [f"wrong-{number}" for number in range(100)]
    with Asleep(stack):
        for name in wrong:
            publish(stack, name, tags={"campaign": "spring"})
        assert night.follows(case, 0).status == 0
    stack.wake()
    publish(stack, "another")
    until(lambda: len(stack.dead_letters()) == len(wrong))
    until(lambda: arrived(stack, "another"))
    assert re.search(r"\b100 +STOPPED", night.follows(case, 1).out)
    assert night.runs([*CASES[case][2], "--yes"]).status == 0
    assert night.follows(case, 3).status == 0
    assert not any(arrived(stack, name) for name in wrong)
    assert not stack.dead_letters()
    (file,) = Path.cwd().glob("*.jsonl")
    assert len(file.read_text(encoding="utf-8").splitlines()) == len(wrong)


def test_800_dead_letters(night: Night) -> None:
    """Where it isn't at length, 80."""
    case = "800 dead letters"
    stack = night.stack
    rejected, late, misspelt = (300, 299, 200) if AT_LENGTH else (30, 29, 20)
    bury(stack, rejected, "DATA_REJECTED")
    bury(stack, 1, "RCPT_REJECTED", path="$.recipient")
    bury(stack, late, "EXPIRED", days=8)
    bury(stack, misspelt, "INVALID_SCHEMA", path="$.subjekt", subjekt="x")
    listed = night.follows(case, 0)
    groups = re.findall(r"^ *(\d+) +([A-Z_]+)\b", listed.out, re.MULTILINE)
    assert groups[:4] == [
        (str(rejected), "DATA_REJECTED"),
        (str(late), "EXPIRED"),
        (str(misspelt), "INVALID_SCHEMA"),
        ("1", "RCPT_REJECTED"),
    ]
    assert night.follows(case, 1).out.startswith(f"{rejected} dead letters would be moved")
    assert len(stack.dead_letters()) == rejected + 1 + late + misspelt
    assert night.follows(case, 2).out.startswith(f"{rejected} of {rejected}")
    until(lambda: all(arrived(stack, f"data_rejected-{number}") for number in range(rejected)))

    (letter,) = night.letters("--reason", "RCPT_REJECTED").letters
    edited = night.runs([*CASES[case][3], "--yes"], MESSAGE_ID=letter.message_id)
    assert edited.status == 0, edited.err
    until(lambda: arrived(stack, "ann"))

    assert night.runs([*CASES[case][4], "--yes"]).status == 0
    left = night.letters()
    assert [(group.reason, group.count) for group in left.groups] == [("INVALID_SCHEMA", misspelt)]
    night.runs(["./ionctl", "dead", "discard", "--reason", "INVALID_SCHEMA", "--yes"])


def test_rotate_the_secret(night: Night) -> None:
    case = "Rotate the secret"
    stack = night.stack
    night.has_password(stack.mail_server.login.password)
    assert CASES[case][0][1:3] == ["ssm", "put-parameter"]
    assert night.runs(["./ionctl", "doctor", "--secrets", "config-secrets.cfg"]).status in (0, 1)
    night.follows(case, 0)
    publish(stack, "rotated")
    until(lambda: arrived(stack, "rotated"))


def test_pause_for_an_hour(night: Night) -> None:
    case = "Pause for an hour"
    stack = night.stack
    assert night.follows(case, 0).status == 0
    stack.invoke()  # a run that is under way obeys within ten seconds
    publish(stack, "paused")
    until(lambda: any(event.get("stopped") == "paused" for event in stack.events()))
    status = night.status()
    assert status.verdict is Verdict.PAUSED
    assert [pause.why for pause in status.pauses] == ["provider maintenance"]
    assert not arrived(stack, "paused")
    assert night.runs(["./ionctl", "resume"]).status == 0
    stack.wake()
    until(lambda: arrived(stack, "paused"))


def test_costs_jumped(night: Night) -> None:
    case = "Costs jumped"
    shown = night.follows(case, 0)
    assert shown.status == 0, shown.err
    assert "$" in shown.out


# The last: the pace that it leaves behind would slow down the others.
def test_mail_backs_up(night: Night) -> None:
    case = "Mail backs up"
    stack = night.stack
    stack.mail_server.mode = Mode.THROTTLE
    for number in range(6):
        publish(stack, f"slow-{number}")
    until(lambda: any(pace.learned for pace in night.status().pace))
    shown = night.follows(case, 0)
    assert re.search(r"[\d.]+ recipients a second", shown.out)
    stack.mail_server.mode = Mode.WELL
    until(lambda: all(arrived(stack, f"slow-{number}") for number in range(6)))


def test_a_case_that_has_failed_leaves_nothing_to_the_next(night: Night) -> None:
    stack = night.stack
    bury(stack, 12, "POISON")
    assert night.runs(["./ionctl", "pause", "--for", "1h"]).status == 0
    with Asleep(stack):
        publish(stack, "left-behind")
        night.begins_anew()
        publish(stack, "next")
    stack.wake()
    until(lambda: arrived(stack, "next"))
    assert not night.letters().letters
    assert not arrived(stack, "left-behind")
