"""What the queue adapter makes of SQS's answers, the bad ones too."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from emulated import (
    AWS_SECRET_TEXT,
    Account,
    Answer,
    Request,
    at_once,
    error,
    failing,
    unreachable,
)
from ion.aws.queue import Queue, QueueError
from ion.message import Attribute, Draft, Message

BATCH_BYTES = 262_144


async def receive(queue: Queue, visibility_seconds: int = 60) -> list[Message]:
    return await queue.receive(visibility_seconds=visibility_seconds, wait_seconds=0)


def refusing(
    refused: Callable[[dict[str, Any]], bool], *, times: int = 99, sender_fault: bool = False
) -> Answer:
    """A batch call that answers 200, and refuses some entries the first so many times."""
    left = [times]

    def answer(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        left[0] -= 1
        bad = [entry for entry in request["Entries"] if left[0] >= 0 and refused(entry)]
        good = [entry for entry in request["Entries"] if entry not in bad]
        reply = real(**request | {"Entries": good}) if good else {"Successful": []}
        failed = [
            {
                "Id": entry["Id"],
                "SenderFault": sender_fault,
                "Code": "InternalError",
                "Message": AWS_SECRET_TEXT,
            }
            for entry in bad
        ]
        return {**reply, "Failed": failed}

    return answer


def ids(requests: Sequence[Request]) -> list[list[str]]:
    return [[entry["Id"] for entry in request["Entries"]] for request in requests]


async def test_a_message_arrives_with_all_that_it_carries(account: Account) -> None:
    attributes: dict[str, tuple[str, str | bytes]] = {
        "text": ("String", "Grüße"),
        "custom": ("String.mine", "x"),
        "number": ("Number", "12.50"),
        "octets": ("Binary", b"\x00\xff"),
        "picture": ("Binary.png", b"\x89PNG"),
    }
    id_ = account.publish(' {"a": "ü"}\n', attributes)
    (message,) = await receive(account.input_queue())
    assert (message.id, message.body, message.receives) == (id_, ' {"a": "ü"}\n', 1)
    assert message.attributes == {name: Attribute(*value) for name, value in attributes.items()}


async def test_when_a_message_was_sent_and_how_often_received_are_known(account: Account) -> None:
    account.publish("x")
    queue = account.input_queue()
    first = (await receive(queue, visibility_seconds=0))[0]
    second = (await receive(queue))[0]
    assert (first.receives, second.receives) == (1, 2)
    assert first.sent_at == second.sent_at
    assert first.sent_at > 1_700_000_000, "seconds, not milliseconds"


async def test_a_receive_takes_ten_at_most_and_hides_them(account: Account) -> None:
    for number in range(12):
        account.publish(str(number))
    queue = account.input_queue()
    assert [len(await receive(queue)) for _ in range(3)] == [10, 2, 0]


async def test_a_receive_asks_for_what_it_was_told_within_what_sqs_takes(account: Account) -> None:
    sqs = account.sqs(receive_message=at_once)
    queue = account.input_queue(sqs)
    await queue.receive(visibility_seconds=960, wait_seconds=7)
    await queue.receive(visibility_seconds=99_999, wait_seconds=20)
    asked = sqs.asked("receive_message")
    assert [(one["VisibilityTimeout"], one["WaitTimeSeconds"]) for one in asked] == [
        (960, 7),
        (43_200, 20),
    ]


@pytest.mark.row(23)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (failing("AWS.SimpleQueueService.OverLimit"), "receive: AWS.SimpleQueueService.OverLimit"),
        (failing("AccessDenied"), "receive: AccessDenied"),
        (unreachable, "receive: EndpointConnectionError"),
    ],
)
async def test_a_receive_that_fails_has_one_kind_of_error_without_awss_text(
    account: Account, answer: Answer, said: str
) -> None:
    with pytest.raises(QueueError) as caught:
        await receive(account.input_queue(account.sqs(receive_message=answer)))
    assert str(caught.value) == said


@pytest.mark.row(22)
async def test_a_receive_whose_answer_was_lost_comes_back_with_its_count_alone(
    account: Account,
) -> None:
    account.publish("x")

    def lose(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        return unreachable(real, real(**request))

    lost = account.sqs(receive_message=lose)
    with pytest.raises(QueueError):
        await receive(account.input_queue(lost))
    account.time_passes()
    (message,) = await receive(account.input_queue())
    assert (message.body, message.attributes) == ("x", {})


async def test_deletes_and_postponements_travel_ten_a_call(account: Account) -> None:
    for number in range(25):
        account.publish(str(number))
    sqs = account.sqs()
    queue = account.input_queue(sqs)
    messages = [message for _ in range(3) for message in await receive(queue)]
    assert await queue.postpone([(message, 0) for message in messages]) == []
    assert all(held.visible for held in account.waiting())
    assert await queue.delete(messages) == []
    assert account.waiting() == []
    for call in ("delete_message_batch", "change_message_visibility_batch"):
        assert [len(request["Entries"]) for request in sqs.asked(call)] == [10, 10, 5]


async def test_each_message_is_hidden_as_long_as_it_was_told(account: Account) -> None:
    for number in range(3):
        account.publish(str(number))
    queue = account.input_queue()
    first, second, third = await receive(queue)
    await queue.postpone([(first, 0), (second, 600), (third, 0)])
    assert [held.visible for held in account.waiting()] == [True, False, True]


VERBS: dict[str, Callable[[Queue, list[Message]], Coroutine[Any, Any, list[Message]]]] = {
    "delete_message_batch": lambda queue, messages: queue.delete(messages),
    "change_message_visibility_batch": lambda queue, messages: queue.postpone(
        [(message, 0) for message in messages]
    ),
}


@pytest.mark.row(20)
@pytest.mark.parametrize("verb", VERBS)
async def test_only_what_was_refused_is_asked_for_again(account: Account, verb: str) -> None:
    for number in range(5):
        account.publish(str(number))
    sqs = account.sqs(**{verb: refusing(lambda entry: entry["Id"] in "13", times=2)})
    queue = account.input_queue(sqs)
    assert await VERBS[verb](queue, await receive(queue)) == []
    assert ids(sqs.asked(verb)) == [["0", "1", "2", "3", "4"], ["1", "3"], ["1", "3"]]


@pytest.mark.row(20)
@pytest.mark.parametrize("verb", VERBS)
async def test_what_is_refused_three_times_is_given_back(account: Account, verb: str) -> None:
    for number in range(12):
        account.publish(str(number))
    sqs = account.sqs(**{verb: refusing(lambda entry: entry["Id"] in ("1", "11"))})
    queue = account.input_queue(sqs)
    messages = await receive(queue) + await receive(queue)
    assert await VERBS[verb](queue, messages) == [messages[1], messages[11]]
    assert [len(one) for one in ids(sqs.asked(verb))] == [10, 1, 1, 2, 1, 1]


@pytest.mark.row(20)
@pytest.mark.parametrize("verb", VERBS)
async def test_what_is_our_own_fault_is_not_asked_for_again(account: Account, verb: str) -> None:
    account.publish("x")
    sqs = account.sqs(**{verb: refusing(lambda _: True, sender_fault=True)})
    queue = account.input_queue(sqs)
    messages = await receive(queue)
    assert await VERBS[verb](queue, messages) == messages
    assert len(sqs.asked(verb)) == 1


@pytest.mark.parametrize("answer", [failing("Throttling"), unreachable])
@pytest.mark.parametrize("verb", VERBS)
async def test_a_batch_that_failed_as_a_whole_is_given_back_and_the_next_is_tried(
    account: Account, verb: str, answer: Answer
) -> None:
    """boto3 has repeated it already."""
    for number in range(12):
        account.publish(str(number))

    def first_fails(real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
        if request["Entries"][0]["Id"] == "0":
            return answer(real, request)
        return real(**request)

    sqs = account.sqs(**{verb: first_fails})
    queue = account.input_queue(sqs)
    messages = await receive(queue) + await receive(queue)
    assert await VERBS[verb](queue, messages) == messages[:10]
    assert len(sqs.asked(verb)) == 2


@pytest.mark.row(18)
async def test_a_receipt_handle_that_has_run_out_is_no_error(account: Account) -> None:
    """SQS may delete by an old handle, or refuse it; moto does the first, this does the second."""
    account.publish("x")
    queue = account.input_queue()
    (old,) = await receive(queue)
    account.time_passes()
    (new,) = await receive(queue)
    refuse = refusing(lambda _: True, sender_fault=True)
    strict = account.input_queue(account.sqs(delete_message_batch=refuse))
    assert await strict.delete([old]) == [old]
    assert new.receives == 2
    assert await queue.delete([new]) == []


@pytest.mark.row(21)
async def test_a_delete_whose_answer_was_lost_can_be_repeated(account: Account) -> None:
    account.publish("x")
    queue = account.input_queue()
    messages = await receive(queue)
    assert await queue.delete(messages) == []
    assert await queue.delete(messages) == []
    assert account.waiting() == []


async def test_nothing_to_do_is_no_call(account: Account) -> None:
    sqs = account.sqs()
    queue = account.input_queue(sqs)
    assert await queue.delete([]) == []
    assert await queue.postpone([]) == []
    assert await queue.send([]) == []
    assert sqs.calls == []


async def test_what_is_sent_arrives_whole(account: Account) -> None:
    attributes = {
        "a": Attribute.text("ü"),
        "b": Attribute("Binary.x", b"\x00"),
        "c": Attribute("Number.int", "5"),
    }
    body = " \r\n\t{broken 🎉"
    assert await account.dead_letters().send([Draft(body, attributes)]) == [True]
    (held,) = account.dead()
    assert held.body == body
    assert held.attributes == {name: (a.type, a.value) for name, a in attributes.items()}


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (600, 600), (900, 900), (3600, 900)])
async def test_a_delay_is_at_most_what_sqs_allows(account: Account, asked: int, given: int) -> None:
    sqs = account.sqs()
    assert await account.input_queue(sqs).send([Draft("x", {}, delay_seconds=asked)])
    assert sqs.asked("send_message_batch")[0]["Entries"][0]["DelaySeconds"] == given
    assert account.waiting()[0].delayed is (given > 0)


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([100] * 25, [10, 10, 5]),
        ([BATCH_BYTES // 2] * 4, [2, 2]),
        ([BATCH_BYTES // 2, BATCH_BYTES // 2 + 1, 1], [1, 2]),
        ([BATCH_BYTES, 1], [1, 1]),
        ([1, BATCH_BYTES * 4 - 10, 1], [1, 1, 1]),
        ([1] * 9 + [BATCH_BYTES], [9, 1]),
    ],
)
async def test_a_call_is_never_larger_than_sqs_takes(
    account: Account, sizes: list[int], groups: list[int]
) -> None:
    """Attributes count, and so do octets and not characters."""
    attribute = {"n": Attribute("String", "v" * 3)}  # 10 octets
    drafts = [
        Draft("x" * (size - 10), attribute) if size > 10 else Draft("x" * size, {})
        for size in sizes
    ]
    sqs = account.sqs()
    assert await account.input_queue(sqs).send(drafts) == [True] * len(sizes)
    assert [len(one["Entries"]) for one in sqs.asked("send_message_batch")] == groups


def test_a_drafts_size_is_in_octets(account: Account) -> None:
    draft = Draft("ü", {"a": Attribute("String", "€"), "b": Attribute("Binary", b"\xff\xff")})
    assert draft.size == 2 + (1 + 6 + 3) + (1 + 6 + 2)


async def test_what_was_not_sent_is_told_apart_from_what_was(account: Account) -> None:
    sqs = account.sqs(send_message_batch=refusing(lambda entry: entry["MessageBody"] == "b"))
    sent = await account.input_queue(sqs).send([Draft(body, {}) for body in "abc"])
    assert sent == [True, False, True]
    assert [held.body for held in account.waiting()] == ["a", "c"]
    assert ids(sqs.asked("send_message_batch")) == [["0", "1", "2"], ["1"], ["1"]]


@pytest.mark.parametrize("answer", [failing("Throttling"), unreachable])
async def test_a_send_that_fails_says_so_and_raises_nothing(
    account: Account, answer: Answer
) -> None:
    queue = account.input_queue(account.sqs(send_message_batch=answer))
    assert await queue.send([Draft("a", {}), Draft("b", {})]) == [False, False]


async def test_a_message_does_not_print_what_is_in_it(account: Account) -> None:
    account.publish("canary-body", {"a": ("String", "canary-value")})
    (message,) = await receive(account.input_queue())
    assert "canary" not in repr(message) + repr(Draft(message.body, message.attributes))


def test_awss_text_is_kept_out_of_what_we_raise(account: Account) -> None:
    assert AWS_SECRET_TEXT in str(error("X")), "the canary works"


# how much there is


async def test_what_is_hidden_counts(account: Account) -> None:
    for body in "abc":
        account.publish(body)
    await account.input_queue().receive(visibility_seconds=60, wait_seconds=0, most=1)
    assert await account.input_queue().count() == 3


@pytest.mark.row(23)
@pytest.mark.parametrize(
    ("answer", "why"),
    [(failing("AccessDenied"), "AccessDenied"), (unreachable, "EndpointConnectionError")],
)
async def test_a_queue_that_can_not_be_counted_is_an_error(
    account: Account, answer: Answer, why: str
) -> None:
    queue = account.input_queue(account.sqs(get_queue_attributes=answer))
    with pytest.raises(QueueError, match=f"^count: {why}$"):
        await queue.count()
