"""Before the queue forgets: mail that waits while mail can't be sent."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

from at_length import few, only_at_length
from clock import Clock
from conftest import Log
from emulated import Account, Between, Request, at_once, failing, only_for
from ion.aws.schedule import Schedule
from ion.deadline import Deadline
from ion.drain.retention import Retention
from ion.drain.settle import Settler
from ion.limits import RETENTION_SECONDS, SKEW_SECONDS
from ion.policy.rescue import LONGEST_SECONDS
from ion.report.telemetry import Telemetry
from machine.queues import Backlog, on_clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.row(24)

MINUTE, HOUR, DAY = 60, 3600, 86_400
WAKE_MINUTES = int(os.environ.get("ION_RETENTION_WAKE_MINUTES", "60"))
"""Between two wake-ups of the long story. One a minute, as an alarm has it, takes ten minutes."""
NEARLY_FORGOTTEN = RETENTION_SECONDS - HOUR


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_800_000_000.0 // DAY * DAY + 12 * HOUR)
    on_clock(monkeypatch, clock)
    return clock


def email(key: str) -> str:
    return json.dumps(
        {"action": "send", "email_id": key, "recipient": "a@example.org", "body_text": "x"}
    )


def environment(account: Account, clock: Clock, dynamodb: Between | None = None) -> Retention:
    """What a new process has: nothing, but for the table."""
    client = cast("DynamoDBClient", dynamodb or account.dynamodb())
    return Retention(Schedule(client, account.table), Telemetry(), clock)


async def wake(
    account: Account, retention: Retention, sqs: Between | None = None, seconds: float = 900
) -> int:
    """One run that could send nothing, and has so many seconds left."""
    sqs = sqs or account.sqs()
    queues = account.queues(sqs)
    settler = Settler(queues, account.ledger(), Telemetry())
    return await retention.run(queues, settler, Deadline.after(seconds))


def run(account: Account, clock: Clock, sqs: Between | None = None, seconds: float = 900) -> int:
    return asyncio.run(wake(account, environment(account, clock), sqs, seconds))


def keys(account: Account) -> set[str]:
    return {json.loads(held.attributes["ion"][1])["email_id"] for held in account.dead()}


def reasons(account: Account) -> set[str | bytes]:
    return {held.attributes["reason"][1] for held in account.dead()}


# a look


def test_what_is_about_to_be_forgotten_is_dead_lettered_with_its_reason(
    account: Account, clock: Clock, log: Log
) -> None:
    for number in range(23):
        account.publish(email(f"old-{number}"))
    clock.passes(NEARLY_FORGOTTEN)
    account.publish(email("young"))
    assert run(account, clock) == 23
    clock.passes(1)
    assert reasons(account) == {"EXPIRED"}
    assert keys(account) == {f"old-{number}" for number in range(23)}
    assert [(held.body, held.visible) for held in account.waiting()] == [(email("young"), True)]
    told = [event["email_id"] for event in log.events if event["message"] == "dead_lettered"]
    assert set(told) == keys(account), "who asks for an email finds it in the log"


def test_an_old_message_behind_any_number_of_young_ones_is_found(
    account: Account, clock: Clock
) -> None:
    """SQS promises no order."""
    account.publish(email("old"))
    (old,) = account.waiting()
    backlog = Backlog("ion-input")
    message = backlog.find(old.id)
    backlog.take(old.id)
    clock.passes(NEARLY_FORGOTTEN)
    for number in range(35):
        account.publish(email(f"young-{number}"))
    backlog.put(message)
    assert run(account, clock) == 1
    clock.passes(1)
    assert keys(account) == {"old"}
    assert [(held.receives, held.visible) for held in account.waiting()] == [(1, True)] * 35


def test_what_is_no_email_is_moved_as_it_is(account: Account, clock: Clock) -> None:
    account.publish("{broken")
    clock.passes(NEARLY_FORGOTTEN)
    assert run(account, clock) == 1
    assert [held.body for held in account.dead()] == ["{broken"]


# when to look


def looks(account: Account, clock: Clock, hours: int, **parts: Any) -> list[int]:  # noqa: ANN401
    """The hours in which there was one, of so many with a wake-up each in a new process."""
    found = []
    for hour in range(hours):
        sqs = account.sqs(**parts)
        run(account, clock, sqs)
        if sqs.asked("receive_message"):
            found.append(hour)
        clock.passes(HOUR)
    return found


def test_a_look_leaves_mail_alone_until_the_oldest_is_twelve_days_old(
    account: Account, clock: Clock
) -> None:
    account.publish(email("first"))
    clock.passes(3 * DAY)
    account.publish(email("second"))
    assert looks(account, clock, 9 * 24 + 2) == [0, 9 * 24 + 1]
    assert keys(account) == {"first"}
    assert [held.receives for held in account.waiting()] == [2]


def test_an_empty_queue_is_looked_at_when_what_comes_next_is_twelve_days_old(
    account: Account, clock: Clock
) -> None:
    run(account, clock)
    account.publish(email("next"))
    assert looks(account, clock, 12 * 24 + 2) == [12 * 24 + 1]
    assert keys(account) == {"next"}


def test_where_mail_grows_old_every_hour_looks_are_36_hours_apart(
    account: Account, clock: Clock
) -> None:
    for number in range(12 * 24):
        account.publish(email(str(number)))
        clock.passes(HOUR)
    assert looks(account, clock, 80) == [0, 36, 72]


def hide(account: Account, seconds: int, queue: str = "input") -> None:
    """Another consumer has received one message."""
    url = getattr(account, f"{queue}_url")
    sqs = account.sqs()
    assert sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=seconds)[
        "Messages"
    ]


@pytest.mark.parametrize("queue", ["input", "bulk", "later"])
def test_what_is_hidden_while_the_others_are_looked_at_is_looked_at_once_it_is_visible(
    account: Account, clock: Clock, queue: str
) -> None:
    """SQS hides nothing for longer than 12 hours."""
    account.publish(email("hidden"), url=getattr(account, f"{queue}_url"))
    clock.passes(NEARLY_FORGOTTEN - 15 * HOUR)
    hide(account, 12 * HOUR, queue)
    account.publish(email("young"))
    assert looks(account, clock, 14) == [0, 13]
    assert keys(account) == {"hidden"}


def test_what_is_hidden_again_and_again_is_not_looked_for_each_hour(
    account: Account, clock: Clock
) -> None:
    account.publish(email("hidden"))
    hide(account, 12 * HOUR)
    found = []
    for hour in range(48):
        if looks(account, clock, 1):
            found.append(hour)
        if account.waiting()[0].visible:
            hide(account, 12 * HOUR)
    assert found == [0, 13, 26, 39]


def test_what_comes_while_it_looks_is_no_reason_to_look_again(
    account: Account, clock: Clock
) -> None:
    """A queue in which something arrives with each poll would never be got through."""
    account.publish(email("first"))
    number = 0

    def busy(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        nonlocal number
        number += 1
        clock.passes(1)
        account.publish(email(str(number)))
        return at_once(real, request)

    clock.passes(1)
    assert looks(account, clock, 11 * 24, receive_message=busy) == [0]


def test_what_comes_while_it_looks_is_not_taken_for_the_oldest(
    account: Account, clock: Clock
) -> None:
    """SQS may have kept back what came before it, or in the same second."""
    began = clock()

    def busy(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        clock.passes(60)
        account.publish(email(str(clock())))
        return at_once(real, request)

    run(account, clock, account.sqs(receive_message=busy))
    (row,) = account.rows()
    assert int(row["known"]) == began


def test_a_queue_that_gives_less_than_it_counts_was_not_seen(
    account: Account, clock: Clock
) -> None:
    """SQS may answer any number of polls with nothing."""
    account.publish(email("kept back"))

    def nothing(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        return {}

    assert looks(account, clock, 14, receive_message=nothing) == [0, 13]


def test_a_queue_that_fails_again_and_again_is_looked_at_six_times_a_day(
    account: Account, clock: Clock
) -> None:
    assert looks(account, clock, 24, receive_message=failing()) == [0, 4, 8, 12, 16, 20]


def test_one_that_fails_while_nothing_can_be_old_is_left_alone_for_longer(
    account: Account, clock: Clock
) -> None:
    run(account, clock)
    clock.passes(DAY)
    asyncio.run(due_now(account, clock))
    assert looks(account, clock, 80, receive_message=failing()) == [0, 36, 72]


async def due_now(account: Account, clock: Clock) -> None:
    """The next look is due, though nothing is old."""
    client = cast("DynamoDBClient", account.dynamodb())
    schedule = Schedule(client, account.table)
    await schedule.put_off(clock(), clock(), clock() - DAY)


def test_a_look_that_could_not_write_its_dead_letters_is_repeated_every_four_hours(
    account: Account, clock: Clock
) -> None:
    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN - 12 * HOUR)
    assert looks(account, clock, 12, send_message_batch=failing()) == [0, 4, 8]
    assert (len(account.waiting()), account.dead()) == (1, [])
    assert run(account, clock) == 1


def test_a_queue_that_can_not_be_read_is_read_four_hours_later(
    account: Account, clock: Clock, log: Log
) -> None:
    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN - 4 * HOUR)
    input_only = only_for(account.input_url, failing("AccessDenied"), at_once)
    assert run(account, clock, account.sqs(receive_message=input_only)) == 0
    assert run(account, clock) == 0
    clock.passes(4 * HOUR - MINUTE)
    assert run(account, clock) == 0
    clock.passes(MINUTE)
    assert run(account, clock) == 1
    assert [event["code"] for event in log.events if "code" in event] == ["receive: AccessDenied"]


@pytest.mark.row(28)
def test_a_look_whose_process_died_is_repeated_within_four_hours(
    account: Account, clock: Clock
) -> None:
    class KilledError(BaseException):
        """The process dies here."""

    def killed(_real: Callable[..., Any], _request: Request) -> Any:  # noqa: ANN401
        raise KilledError

    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN - 4 * HOUR)
    with pytest.raises(KilledError):
        run(account, clock, account.sqs(delete_message_batch=killed))
    clock.passes(4 * HOUR)
    assert run(account, clock) == 1
    assert account.waiting() == []


@pytest.mark.row(27)
def test_without_time_nothing_is_looked_at(account: Account, clock: Clock) -> None:
    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN)
    assert run(account, clock, seconds=9) == 0
    assert run(account, clock, seconds=50) == 1


@pytest.mark.row(27)
def test_a_look_that_did_not_get_through_the_queue_goes_on_within_the_hour(
    account: Account, clock: Clock
) -> None:
    for number in range(30):
        account.publish(email(str(number)))
    clock.passes(NEARLY_FORGOTTEN - 2 * HOUR)
    seconds = Clock()

    def slowly(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        seconds.passes(400)
        return at_once(real, request)

    async def main() -> list[int]:
        found = []
        for _ in range(3):
            sqs = account.sqs(receive_message=slowly)
            queues = account.queues(sqs)
            settler = Settler(queues, account.ledger(), Telemetry())
            retention = environment(account, clock)
            found.append(await retention.run(queues, settler, Deadline.after(900, seconds)))
            clock.passes(HOUR)
        return found

    assert asyncio.run(main()) == [10, 10, 10]


@pytest.mark.row(27)
@pytest.mark.parametrize(("ends", "seen"), [("out of time", 10), ("the queue can't be read", 20)])
async def test_what_a_look_has_seen_is_shown_again_however_it_ends(
    account: Account, clock: Clock, ends: str, seen: int
) -> None:
    """By a look that got no further, too: what is hidden is not sent. A third of the time each."""
    for number in range(30):
        account.publish(email(str(number)))
    seconds = Clock()
    looks = iter([at_once, at_once])

    def broken(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if ends == "out of time":
            seconds.passes(400)
        return next(looks, failing())(real, request)

    sqs = account.sqs(receive_message=broken)
    queues = account.queues(sqs)

    settler = Settler(queues, account.ledger(), Telemetry())
    await environment(account, clock).run(queues, settler, Deadline.after(900, seconds))
    clock.passes(1)
    assert Counter((held.receives, held.visible) for held in account.waiting()) == {
        (1, True): seen,
        (0, True): 30 - seen,
    }


@pytest.mark.parametrize(("seconds", "visibility"), [(900, [260, 360, 660]), (100, [90, 105, 150])])
async def test_what_a_look_has_seen_stays_hidden_longer_than_the_look_can_take(
    account: Account, clock: Clock, seconds: float, visibility: list[int]
) -> None:
    sqs = account.sqs()
    queues = account.queues(sqs)

    settler = Settler(queues, account.ledger(), Telemetry())
    await environment(account, clock).run(queues, settler, Deadline.after(seconds, Clock()))
    asked = [one["VisibilityTimeout"] for one in sqs.asked("receive_message")]
    assert asked[::2] == asked[1::2] == visibility, "of three queues that share the time"


def test_of_two_functions_one_looks(account: Account, clock: Clock) -> None:
    async def main() -> list[int]:
        sqs = [account.sqs() for _ in range(4)]
        both = (wake(account, environment(account, clock), one) for one in sqs)
        await asyncio.gather(*both)
        return [len(one.asked("receive_message")) for one in sqs]

    account.publish(email("young"))
    for _ in range(2):  # there is no row at first, and one that is due later
        clock.passes(1)
        assert sorted(asyncio.run(main()))[:3] == [0, 0, 0]
        clock.passes(LONGEST_SECONDS)
    assert (len(account.dead()), account.waiting()) == (1, [])


@pytest.mark.parametrize("ahead", [400 * DAY, 11 * DAY, HOUR])
def test_a_time_that_a_wrong_clock_wrote_stops_nothing(
    account: Account, clock: Clock, ahead: int
) -> None:
    run(account, Clock(clock() + ahead))
    assert looks(account, clock, 1) == [0]
    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN)
    assert run(account, clock) == 1


def test_what_is_known_of_the_next_look_outlives_its_due_time(
    account: Account, clock: Clock
) -> None:
    """DynamoDB removes the row some time after it expires."""
    run(account, clock)
    (row,) = account.rows()
    assert int(row["expires_at"]) >= int(row["due"]) + DAY


def test_a_clock_that_is_fast_by_seconds_makes_no_look_due(account: Account, clock: Clock) -> None:
    run(account, Clock(clock() + SKEW_SECONDS))
    assert looks(account, clock, 1) == []


# without the table


@pytest.mark.row(64)
@pytest.mark.parametrize("method", ["batch_get_item", "batch_execute_statement"])
def test_without_the_table_each_process_looks_once_in_an_hour_of_the_day(
    account: Account, clock: Clock, log: Log, method: str
) -> None:
    account.publish(email("old"))
    clock.passes(NEARLY_FORGOTTEN // DAY * DAY + 11 * HOUR)  # 23 o'clock
    dynamodb = account.dynamodb(**{method: failing("AccessDenied")})

    async def main() -> list[tuple[int, int]]:
        found = []
        for _ in range(2):
            retention, sqs = environment(account, clock, dynamodb), account.sqs()
            for _ in range(3):
                await wake(account, retention, sqs)
            found.append((len(sqs.asked("receive_message")), len(account.dead())))
            clock.passes(HOUR)
        return found

    assert asyncio.run(main()) == [(0, 0), (7, 1)], "two empty polls end the look at a queue"
    assert {event["code"] for event in log.events if "code" in event} == {"AccessDenied"}


# two weeks


@pytest.mark.timeout(900)
@pytest.mark.parametrize("table", few(["there", "not there"], ["not there"]))
async def test_an_outage_of_months_loses_nothing_though_no_process_lives_for_more_than_a_minute(
    account: Account, clock: Clock, table: str
) -> None:
    """Each day brings messages, each wake-up is a new process, and SQS forgets after 14 days."""
    answers = {} if table == "there" else {"batch_get_item": failing()}
    dynamodb, sqs = account.dynamodb(**answers), account.sqs()
    backlog = Backlog("ion-input")
    backlog.begin()
    published: dict[str, float] = {}
    thrice: dict[str, float] = {}
    gone: set[str] = set()
    began, days = clock(), 30

    while clock() < began + days * DAY:
        day, second = divmod(clock() - began, DAY)
        if second < WAKE_MINUTES * MINUTE or second % (7 * HOUR) < WAKE_MINUTES * MINUTE:
            key = f"{day:.0f}-{second:.0f}"
            published[key] = clock()
            account.publish(email(key))
        await wake(account, environment(account, clock, dynamodb), sqs)
        for held in account.waiting():
            key = json.loads(held.body)["email_id"]
            if held.receives >= 3:
                thrice.setdefault(key, clock() - published[key])
            if clock() - published[key] > RETENTION_SECONDS:
                backlog.take(held.id)
                gone.add(key)
        clock.passes(WAKE_MINUTES * MINUTE)
    waiting = {json.loads(held.body)["email_id"] for held in account.waiting()}
    assert len(published) == 4 * days
    assert gone == set()
    assert keys(account) | waiting == published.keys()
    assert len(account.dead()) + len(account.waiting()) == len(published), (
        "and nothing is there twice"
    )
    assert reasons(account) == {"EXPIRED"}
    if table == "there":
        assert min(thrice.values()) >= 3 * DAY
    assert max(held.receives for held in account.waiting()) < 1000, "or SQS would bury it"


@only_at_length
async def test_where_an_email_comes_every_hour_none_is_lost_and_none_is_seen_too_often(
    account: Account, clock: Clock
) -> None:
    """CloudWatch's age of the oldest message leaves out what was received three times."""
    backlog = Backlog("ion-input")
    backlog.begin()
    published: dict[str, float] = {}
    thrice: dict[str, float] = {}
    for hour in range(20 * 24):
        published[str(hour)] = clock()
        account.publish(email(str(hour)))
        await wake(account, environment(account, clock))
        for held in account.waiting():
            key = json.loads(held.body)["email_id"]
            assert clock() - published[key] < RETENTION_SECONDS
            if held.receives >= 3:
                thrice.setdefault(key, clock() - published[key])
        if hour == 13 * 24:
            assert not thrice
        clock.passes(HOUR)
    waiting = {json.loads(held.body)["email_id"] for held in account.waiting()}
    assert keys(account) | waiting == published.keys()
    assert len(account.dead()) + len(waiting) == len(published)
    assert min(thrice.values()) >= 3 * DAY
