"""Nothing of an email and nothing of a login is written anywhere but in the email itself.

Canaries are put wherever a publisher, a mail server or AWS has a say; a real run follows, to every
fate that there is; then they are looked for in what the function printed (log and metrics), what
other loggers said, what it returned, every row of the ledger, and ion's own attributes on each dead
letter.

Shown on purpose, and so no canaries: `email_id`, the publisher's own name for an email; its
Message-ID, in which the sender's domain is (`report.world.MESSAGE_ID`); the body of
a dead letter and the publisher's own attributes beside it, which go where the publisher's messages
went anyway; and, in `path`, the name of a field or header that is wrong, if it looks like a name
(letters, digits, `_` or `-`, 40 at most) and not like data.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError

from at_length import few
from canaries import COMMON_SPELLINGS, SPELLINGS, WORDS, hits
from emulated import Answer, Request, error
from ion.address_hash import address_hash
from ion.aws.objects import Objects
from ion.aws.server_state import ServerStates
from ion.contract import content_hash
from ion.outcome import Reason
from ion.relay.relay import Relay
from report.world import ADDRESS, USERNAME, World, email
from smtp_server import NORMAL, Action, Moment, Step, drop, reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TOLD = (
    WORDS["password"],
    f"\0{USERNAME}\0{WORDS['password']}",  # as AUTH PLAIN has it
    USERNAME,
    ADDRESS,
    WORDS["subject"],
    WORDS["line"],
    f"{WORDS['cc']}@{WORDS['idn']}.example",
    f"{WORDS['local']}@post.example",
    f"{WORDS['name']} <{WORDS['bcc']}@b.example>",
    f"{WORDS['sender']}@{WORDS['domain']}.example",
    WORDS["value"],
)
"""What the server has been told, and may repeat."""


def repeating(code: int, text: str, spelling: str, first: int = 0) -> Action:
    """A reply that gives back all that the server was told; of a long one, not all is kept."""
    told = [SPELLINGS[spelling](one) for one in (*TOLD[first:], *TOLD[:first])]
    printable = (re.sub(r"[\0\r\n]", " ", one) for one in told)
    return reply(code, f"{text} {' '.join(printable)}")


# what a server repeats


REPLIES: Sequence[tuple[Step, int, str]] = [
    (Step.MAIL, 550, "5.1.8 sender rejected:"),
    (Step.MAIL, 450, "4.1.8 sender not known now:"),
    (Step.RCPT, 550, "5.1.1 no such user:"),
    (Step.RCPT, 450, "4.2.1 mailbox busy:"),
    (Step.RCPT, 451, "4.7.1 greylisted:"),
    (Step.RCPT, 503, "5.5.1 bad sequence:"),
    (Step.DATA, 554, "5.5.1 no:"),
    (Step.DATA, 451, "4.3.0 later:"),
    (Step.DOT, 250, "2.0.0 Ok: queued as"),
    (Step.DOT, 554, "5.7.1 message rejected, it says:"),
    (Step.DOT, 451, "4.7.0 throttled:"),
    (Step.DOT, 503, "5.5.1 bad sequence:"),  # after the dot: in doubt
]


"""One for each email of a run."""


def to_each_its_own(spelling: str) -> Callable[[Moment], Action]:
    """The email's number, which is in its sender, decides where it is answered and how."""
    number_of: dict[int, int] = {}

    def script(moment: Moment) -> Action:
        if moment.step is Step.MAIL and (found := re.search(r"\.(\d+)@", moment.argument)):
            number_of[moment.session] = int(found[1])
        if moment.session in number_of:
            number = number_of[moment.session]
            step, code, text = REPLIES[number]
            if moment.step is step:
                return repeating(code, text, spelling, number % len(TOLD))
        return NORMAL

    return script


@pytest.mark.parametrize("spelling", few(SPELLINGS, COMMON_SPELLINGS))
def test_what_a_server_repeats_of_an_email_is_not_written(world: World, spelling: str) -> None:
    world.monkeypatch.setenv("ION_RETRY_IN_DOUBT", "park")
    for number in range(len(REPLIES)):
        world.publish(email(number))
    summary = world.run(to_each_its_own(spelling))
    fates = (summary.sent, summary.dead_lettered, summary.deferred)
    assert fates == (1, 5, 6), "each fate that a server can bring about"
    assert world.leaks() == {}


HOLDS: Sequence[tuple[Step, int, str, str]] = [
    (Step.CONNECT, 554, "no service:", "greeting"),
    (Step.EHLO, 554, "no:", "ehlo"),
    (Step.STARTTLS, 454, "4.7.0 no TLS:", "tls_required"),
    (Step.AUTH, 454, "4.7.0 later:", "auth_later"),
    (Step.DOT, 454, "Throttling failure: Daily message quota exceeded", "quota"),
]


@pytest.mark.parametrize("spelling", few(["plain", "base64", "percent-encoded"], ["base64"]))
@pytest.mark.parametrize(("step", "code", "text", "stopped"), HOLDS)
def test_what_a_server_repeats_when_it_turns_us_away_is_not_written(
    world: World, step: Step, code: int, text: str, stopped: str, spelling: str
) -> None:
    world.publish(email())
    assert world.run({step: repeating(code, text, spelling)}).stopped == stopped
    assert world.leaks() == {}
    assert "delivery suspended" in world.events()


@pytest.mark.parametrize("spelling", few(["plain", "base64", "percent-encoded"], ["base64"]))
@pytest.mark.parametrize(
    ("step", "code", "text"),
    [
        (Step.MAIL, 530, "5.7.0 log in first:"),
        (Step.RCPT, 550, "5.7.1 relaying denied:"),
        (Step.DOT, 554, "Message rejected: Email address is not verified."),
        (Step.DOT, 554, "Access denied:"),
    ],
)
def test_what_a_server_repeats_when_it_minds_the_account_is_not_written(
    world: World, step: Step, code: int, text: str, spelling: str
) -> None:
    for number in range(4):
        world.publish(email(number))
    world.run({step: repeating(code, text, spelling)})
    assert world.leaks() == {}
    assert len(world.events()) > 1


@pytest.mark.parametrize("spelling", few(SPELLINGS, COMMON_SPELLINGS))
def test_a_login_that_the_server_repeats_is_not_written(world: World, spelling: str) -> None:
    """Some do: Postfix says in base64 what it was sent. The hold's row outlives the run."""
    world.publish(email())
    script = {Step.AUTH: repeating(535, "5.7.8 Error: authentication failed:", spelling)}
    assert world.run(script, times=2).stopped == "auth"
    assert " hold smtp" in [one["email_id"] for one in world.account.rows()]
    assert world.leaks() == {}
    assert "delivery still suspended" in world.events()


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.AUTH, Step.MAIL, Step.DOT])
def test_what_is_no_reply_at_all_is_not_written(world: World, step: Step) -> None:
    world.publish(email())
    raw = "".join(f"{one}\r\n" for one in TOLD).encode()
    world.run({step: Action(raw=raw)})
    assert world.leaks() == {}


# what a publisher writes


DATA_LIKE = f"{WORDS['field']} of a@{WORDS['field']}.example"

BAD: Sequence[tuple[Reason, str]] = [
    (Reason.BAD_JSON, f'{{"recipient": "{ADDRESS}", "{WORDS["subject"]}'),
    (Reason.BAD_JSON, f"{WORDS['line']} " * 50),
    (Reason.INVALID_SCHEMA, f'{{"{DATA_LIKE}": NaN}}'),
    (Reason.INVALID_SCHEMA, f'{{"{DATA_LIKE}": 1, "{DATA_LIKE}": 2}}'),
    (Reason.INVALID_SCHEMA, json.dumps(json.loads(email()) | {DATA_LIKE: WORDS["value"]})),
    (Reason.INVALID_SCHEMA, email(recipient={"email": ADDRESS, DATA_LIKE: "x"})),
    (Reason.INVALID_SCHEMA, email(recipient=[ADDRESS, {"name": WORDS["name"]}])),
    (Reason.INVALID_SCHEMA, email(subject=[WORDS["subject"]])),
    (Reason.INVALID_SCHEMA, email(action=WORDS["field"])),
    (Reason.INVALID_SCHEMA, email(in_doubt=WORDS["field"])),
    (Reason.INVALID_SCHEMA, email(email_id=f"{WORDS['field']} \n")),
    (Reason.INVALID_SCHEMA, email(headers={DATA_LIKE: 7})),
    (Reason.INVALID_UNICODE, f'{{"{WORDS["field"]}": "\\ud800{WORDS["line"]}"}}'),
    (Reason.INVALID_ADDRESS, email(recipient=f"{ADDRESS}>\r\nRCPT TO:<{ADDRESS}")),
    (Reason.INVALID_ADDRESS, email(cc=WORDS["cc"])),
    (Reason.INVALID_ADDRESS, email(bcc=f"{ADDRESS}, {ADDRESS}")),
    (Reason.INVALID_ADDRESS, email(return_path=f"{ADDRESS}, {ADDRESS}")),
    (Reason.INVALID_ADDRESS, email(reply_to=["", f"{ADDRESS} {WORDS['name']}"])),
    (Reason.HEADER_NAME, email(headers={f"X: {WORDS['header']}\r\n": WORDS["value"]})),
    (Reason.HEADER_NAME, email(headers={f"Content-{WORDS['header']}!": WORDS["value"]})),
    (Reason.HEADER_VALUE, email(headers={"References": f"<{WORDS['value']}ö@b.example>"})),
    (Reason.HEADER_VALUE, email(headers={"Errors-To": f"{WORDS['value']}ö"})),
    (Reason.HEADER_INJECTION, email(headers={f"X.{WORDS['header']}": f"{WORDS['value']}\r\n"})),
    (Reason.HEADER_INJECTION, email(subject=f"{WORDS['subject']}\nBcc: {ADDRESS}")),
    (Reason.HEADER_INJECTION, email(reply_to={"email": ADDRESS, "name": f"{WORDS['name']}\0"})),
    (Reason.TOO_LARGE, email(recipient=[f"{n}{ADDRESS}" for n in range(1001)])),
]


def test_bad_input_is_told_by_reason_and_path_alone(world: World) -> None:
    for _, body in BAD:
        world.publish(body)
    assert world.run().dead_lettered == len(BAD)
    assert sorted(world.reasons) == sorted(reason for reason, _ in BAD)
    assert world.leaks() == {}


def row(world: World, **columns: str | int) -> None:
    """The ledger remembers the email."""
    texts = {"email_id": "order-0", "token": "t", "fates": "....", "doubts": "0000"}
    texts |= {"first_queued_at": "2026-11-22T08:30:15.000+00:00", "used_ids": ""}
    numbers = {"lease_until": 0, "attempts": 2, "crashes": 0, "expires_at": 2**40}
    known = {**texts, **numbers, "content_hash": content_hash(email()), **columns}
    item = {k: {"N" if isinstance(v, int) else "S": str(v)} for k, v in known.items()}
    world.account.dynamodb().put_item(TableName=world.account.table, Item=item)


def as_ever(world: World) -> None:
    world.publish(email())


def reused(world: World) -> None:
    world.publish(email(subject=f"other {WORDS['subject']}"))
    world.run()
    world.publish(email())


def deadly(world: World) -> None:
    world.monkeypatch.setenv("ION_RETRY_IN_DOUBT", "resend")
    row(world, status="sending", crashes=2)
    world.publish(email())


def misunderstood(world: World) -> None:
    row(world, status="deferred")
    world.publish(email())


def parked(world: World) -> None:
    world.monkeypatch.setenv("ION_RETRY_IN_DOUBT", "park")
    world.publish(email())


def old(world: World) -> None:
    world.monkeypatch.setenv("ION_RETRY_GIVE_UP_AFTER_HOURS", "1")
    world.publish(email())
    world.account.time_passes()


def without_sender(world: World) -> None:
    world.username = WORDS["username"]  # no address
    world.publish(email(sender=None))


def outside(world: World) -> None:
    world.monkeypatch.setenv("ION_GUARD_ONLY", f"*@{WORDS['replyto']}.example")
    world.publish(email())


def in_the_name_of_another(world: World) -> None:
    world.monkeypatch.setenv("ION_GUARD_SENDERS", f"{WORDS['replyto']}.example")
    world.publish(email())


def stopped(world: World) -> None:
    world.publish('{"action": "stop"}')
    world.run()
    world.publish(email())


def with_a_file(world: World, **name: str) -> None:
    stored = world.account.store(f"{WORDS['field']}/{WORDS['value']}", b"x")
    world.publish(email(attachments=[{"filename": f"{WORDS['name']}.pdf", "s3": stored | name}]))


def with_a_file_that_is_gone(world: World) -> None:
    with_a_file(world, key=f"{WORDS['line']}/gone")
    world.account.time_passes(1000)


def with_a_file_of_others(world: World) -> None:
    def denied(*_: object) -> None:
        raise error("AccessDenied")

    world.monkeypatch.setattr(Objects, "_call", denied)
    with_a_file(world)
    world.account.time_passes(1000)


def pointing(world: World) -> None:
    at = {"s3BucketName": WORDS["field"], "s3Key": f"{WORDS['line']}/{WORDS['value']}"}
    world.publish(json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", at]))
    world.account.time_passes(1000)


def that_is_gone(world: World) -> None:
    pointing(world)


def that_is_of_others(world: World) -> None:
    def denied(*_: object) -> None:
        raise error("AccessDenied")

    world.monkeypatch.setattr(Objects, "_call", denied)
    pointing(world)


def with_another_file(world: World) -> None:
    with_a_file(world, sha256="0" * 64)


def from_a_template(world: World, template: str, context: Mapping[str, object]) -> None:
    body = email(template="hello", context=context, subject=None, body_text=None, body_html=None)
    world.publish(body)
    folder = world.root / "templates" / template
    folder.mkdir(parents=True)
    (folder / "body.txt.j2").write_text("{{ name.first }}")


def from_a_template_that_is_not_there(world: World) -> None:
    from_a_template(world, "other", {WORDS["field"]: WORDS["value"]})


def from_a_template_that_fails(world: World) -> None:
    from_a_template(world, "hello", {"other": WORDS["value"]})


def with_a_link_to_unsubscribe(world: World) -> None:
    about: dict[str, Any] = {"tags": {"list": "news"}, "unsubscribe": True, "cc": None, "bcc": None}
    world.publish(email(**about))


REFUSED = repeating(554, "5.0.0 no:", "plain")


def in_two_hours() -> str:
    return (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")


DEATHS: Sequence[tuple[Reason, Callable[[World], None], Mapping[Step, Any], Mapping[str, Any]]] = [
    (Reason.SENDER_REJECTED, as_ever, {Step.MAIL: REFUSED}, {}),
    (Reason.RCPT_REJECTED, as_ever, {Step.RCPT: REFUSED}, {}),
    (Reason.DATA_REJECTED, as_ever, {Step.DATA: REFUSED}, {}),
    (Reason.CONTENT_REJECTED, as_ever, {Step.DOT: REFUSED}, {}),
    (Reason.PROTOCOL, misunderstood, {Step.RCPT: repeating(503, "5.5.1 bad:", "plain")}, {}),
    (Reason.EXPIRED, old, {Step.RCPT: repeating(450, "4.2.1 busy:", "plain")}, {}),
    (Reason.IN_DOUBT, parked, {Step.DOT: drop()}, {}),
    (Reason.CRASH_LOOP, deadly, {}, {}),
    (Reason.ID_REUSED, reused, {}, {}),
    (Reason.SENDER_MISSING, without_sender, {}, {}),
    (Reason.UNSUBSCRIBE_MISSING, with_a_link_to_unsubscribe, {}, {}),
    (Reason.GUARDED, outside, {}, {}),
    (Reason.GUARDED, in_the_name_of_another, {}, {}),
    (Reason.STOPPED, stopped, {}, {}),
    (Reason.SMTPUTF8_UNSUPPORTED, as_ever, {}, {"smtputf8": False}),
    (Reason.TOO_LARGE, as_ever, {}, {"size_bytes": 10}),
    (Reason.ATTACHMENT_MISSING, with_a_file_that_is_gone, {}, {}),
    (Reason.ATTACHMENT_FORBIDDEN, with_a_file_of_others, {}, {}),
    (Reason.ATTACHMENT_MISMATCH, with_another_file, {}, {}),
    (Reason.CLAIM_MISSING, that_is_gone, {}, {}),
    (Reason.CLAIM_FORBIDDEN, that_is_of_others, {}, {}),
    (Reason.TEMPLATE_MISSING, from_a_template_that_is_not_there, {}, {}),
    (Reason.TEMPLATE_ERROR, from_a_template_that_fails, {}, {}),
]


@pytest.mark.parametrize(("reason", "publish", "script", "offer"), DEATHS)
def test_a_dead_letter_says_why_and_nothing_of_what(
    world: World,
    reason: Reason,
    publish: Callable[[World], None],
    script: Mapping[Step, Any],
    offer: Mapping[str, Any],
) -> None:
    publish(world)
    world.run(script, offer=offer)
    assert world.reasons == [reason]
    assert world.leaks() == {}
    (letter,) = world.account.dead()
    assert letter.attributes["customer"] == ("String", WORDS["attribute"]), "the publisher's stays"


def test_a_dead_letter_that_comes_back_tells_no_more(world: World) -> None:
    for refused in ({Step.RCPT: REFUSED}, {Step.DOT: REFUSED}):
        world.publish(email())
        world.run(refused)
        world.publish('{"action": "redrive"}')
        world.run(refused)
    assert world.reasons
    assert world.leaks() == {}


@pytest.mark.parametrize("events", ["off", "on"])
def test_what_waits_and_what_is_told_of_names_nobody(world: World, events: str) -> None:
    """Rows of what has not been tried, and of what never will be."""
    world.monkeypatch.setenv("ION_AWS_EVENTS", events)
    world.publish(email(not_before=in_two_hours()))
    for _, body in BAD:
        world.publish(body)
    world.publish(email(1))
    world.publish('{"action": "cancel", "email_id": "order-0"}')
    world.run({Step.RCPT: REFUSED})
    keys = [str(row["email_id"]) for row in world.account.rows()]
    assert {"order-0", "order-1"} <= set(keys)
    assert any(key.startswith(" event ") for key in keys) == (events == "on")
    assert world.leaks() == {}


def test_recipients_are_there_as_hashes_that_nobody_can_make_without_the_key(
    world: World,
) -> None:
    world.publish(email())
    world.run()
    (row,) = [row for row in world.account.rows() if row["email_id"] == "order-0"]
    key = asyncio.run(world.account.address_key().get())
    to = [
        ADDRESS,
        f"{WORDS['cc']}@{WORDS['idn'].encode('idna').decode()}.example",
        f"{WORDS['local']}@post.example",
        f"{WORDS['bcc']}@b.example",
    ]
    hashes = [address_hash(key, one) for one in to]
    assert str(row["recipients"]).split() == hashes
    world.events()
    (sent,) = [
        event
        for event in map(json.loads, world.printed.splitlines())
        if event.get("message") == "sent"
    ]
    assert sent["addresses"] == hashes
    told = world.printed + str(world.account.rows())
    for one in to:
        for function in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            assert function(one.encode()).hexdigest()[:16] not in told
        assert address_hash(b"", one) not in told
    assert key.hex() not in told


OTHERS = """
    ACCEPTED DUPLICATE TRY_LATER GREYLISTED THROTTLED CONNECTION_LOST ERROR DEADLINE LEDGER LEASED
    CONNECT GREETING EHLO TLS_CERT TLS_REQUIRED AUTH AUTH_MISSING AUTH_LATER QUOTA CONFIGURATION
    RELAYING_DENIED MAILBOX_FULL POISON STORAGE TEMPLATE_UNAVAILABLE CANCELLED LANE SCHEDULED
    SUPPRESSED ERASED
""".split()  # noqa: SIM905 - read more easily so
"""Reasons of what waits, and of what SQS moved. A new one belongs here, or among those above."""


def test_no_reason_for_a_dead_letter_is_left_out() -> None:
    tried = {reason for reason, *_ in [*BAD, *DEATHS]}
    untried = {reason.value for reason in Reason} - tried
    assert untried <= set(OTHERS)


# faults of ion's own, and of AWS


def wrong(*_: object, **__: object) -> None:
    """As faults come: with the text of what they are about, one out of another."""
    cause = KeyError(ADDRESS)
    cause.add_note(WORDS["line"])
    raise ValueError(email()) from cause


@pytest.mark.parametrize(
    "where",
    [
        "ion.drain.admission.check",
        "ion.drain.admission.Claimed.job",
        "ion.drain.deliver.Deliverer.deliver",
    ],
)
def test_a_fault_inside_ion_is_told_by_its_place_alone(world: World, where: str) -> None:
    """Not by its text: a KeyError's is a key, an encoder's what it couldn't encode."""
    world.monkeypatch.setattr(where, wrong)
    world.publish(email())
    assert world.run().deferred == 1
    assert "fault" in world.events()
    assert "in wrong" in world.printed, "the traceback is there"
    assert world.leaks() == {}


def test_a_fault_that_ends_the_run_has_no_text_for_lambda_to_print(world: World) -> None:
    """Lambda prints what was raised, but nothing of what a group of exceptions has inside."""
    world.monkeypatch.setattr("ion.drain.settle.dead_letter_attributes", wrong)
    world.publish("not json")
    with pytest.raises(ExceptionGroup) as raised:
        world.run()
    assert hits(str(raised.value)) == []
    assert world.leaks() == {}


def refused(_real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """AWS repeats in its error what it was asked."""
    said = f"{request} {email()} {WORDS['password']}"
    raise ClientError({"Error": {"Code": "InternalError", "Message": said}}, "Operation")


def refused_in_part(_real: Callable[..., Any], request: Request) -> Any:  # noqa: ANN401
    """The call is answered, each part of it with an error."""
    error = {"Code": "InternalError", "Message": f"{request} {email()}"}
    failed = [
        {"Id": entry["Id"], "SenderFault": True, **error} for entry in request.get("Entries", [])
    ]
    return {
        "Failed": failed,
        "Responses": [{"Error": error} for _ in request.get("Statements", [])],
    }


BODIES = (email(0), email(1), f'{{"{WORDS["line"]}', '{"action": "redrive"}')


@pytest.mark.parametrize("answer", [refused, refused_in_part])
@pytest.mark.parametrize(
    "method",
    ["send_message_batch", "delete_message_batch", "change_message_visibility_batch"],
)
def test_what_sqs_says_is_told_by_its_code(world: World, method: str, answer: Answer) -> None:
    def change(relay: Relay) -> None:
        sqs = world.account.sqs(**{method: answer})
        relay.queues = world.account.queues(sqs)

    for body in BODIES:
        world.publish(body)
    world.run({Step.RCPT: [repeating(450, "4.2.1 busy:", "plain")]}, change)
    assert world.leaks() == {}


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("batch_execute_statement", refused),
        ("batch_execute_statement", refused_in_part),
        ("batch_get_item", refused),
    ],
)
def test_what_dynamodb_says_is_told_by_its_code(world: World, method: str, answer: Answer) -> None:
    def change(relay: Relay) -> None:
        dynamodb = world.account.dynamodb(**{method: answer})
        relay.ledger = world.account.ledger(dynamodb)
        relay.server_states = ServerStates(cast("DynamoDBClient", dynamodb), world.account.table)

    for body in BODIES:
        world.publish(body)
    world.run({Step.AUTH: repeating(535, "5.7.8 no:", "plain")}, change)
    world.run({}, change)
    assert world.leaks() == {}
    assert [event for event in world.events() if event.startswith("the ")]


def test_what_aws_says_of_a_receive_or_an_alarm_is_told_by_its_code(world: World) -> None:
    def change(relay: Relay) -> None:
        relay.queues = world.account.queues(world.account.sqs(receive_message=refused))
        relay.alarm = world.account.alarm(world.account.cloudwatch(set_alarm_state=refused))

    assert world.run({}, change).stopped == "queue"
    assert world.leaks() == {}
    assert "the alarm could not be set back" in world.events()


# and these tests can fail


def leaky(text: str, _addresses: object = ()) -> str:
    return text[:200]


def test_a_redactor_that_redacts_nothing_is_found_out_everywhere(world: World) -> None:
    for module in (
        "report.telemetry",
        "drain.deliver",
        "drain.progress",
        "relay.servers",
    ):
        world.monkeypatch.setattr(f"ion.{module}.redact", leaky)
    world.publish(email(0))
    world.run({Step.RCPT: repeating(550, "5.1.1 no such user:", "plain", 3)})
    world.publish(email(1))
    world.run({Step.AUTH: repeating(535, "5.7.8 no:", "base64")})
    found = world.leaks()
    assert found.keys() == {"log", "answer", "ledger", "dead letter"}
    assert {"recipient as plain", "password as base64"} <= set(found["log"])
    assert "password as base64" in found["ledger"], "the hold is a row, too"


@pytest.mark.parametrize("place", WORDS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_canary_is_found_in_whatever_spelling(place: str, spelling: str) -> None:
    address = f"{WORDS[place]}@{WORDS[place]}.example"
    found = hits(f"550 no {SPELLINGS[spelling](address)} here")
    assert [one.partition(" as ")[0] for one in found]
    assert {one.partition(" as ")[0] for one in found} == {place}
