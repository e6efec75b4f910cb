"""A little of what scripts/fuzz does, and proof that it would tell."""

import asyncio
import json
from typing import Any

import pytest

from fuzz.campaign import Fuzzer, Report, run
from fuzz.contract import Contract
from fuzz.replies import Replies
from ion.contract import Action, Send, parse
from ion.envelope import Email
from ion.outcome import Reply
from ion.smtp.stream import MAX_REPLY_BYTES, OutOfStepError, Stream, reply_of

SEED = 20_250_309
EXECUTIONS = range(2_000)


def found(fuzzer: Fuzzer[Any], executions: range = EXECUTIONS) -> str:
    """What the findings say, all together."""
    report: Report[Any] = run(fuzzer, SEED, executions)
    return "\n".join(finding.what for finding in report.findings)


@pytest.mark.row(55)
def test_no_reply_is_too_odd() -> None:
    assert found(Replies()) == ""


@pytest.mark.row(2)
def test_no_message_is_too_odd() -> None:
    assert found(Contract()) == ""


def test_a_quoted_pair_too_many_is_no_other_address() -> None:
    r"""What a million executions stumbled over: the standard library reads `"\d d"` as `"d d"`."""
    message = {"action": "send", "recipient": r'"\d d"@example.org', "body_text": "x"}
    asyncio.run(Contract().check(json.dumps(message)))


@pytest.mark.parametrize("fuzzer", [Replies(), Contract()], ids=["replies", "contract"])
def test_an_execution_can_be_run_again_alone(fuzzer: Fuzzer[Any]) -> None:
    class Failing:
        def draw(self, random: Any) -> Any:  # noqa: ANN401 - whatever the fuzzer draws
            return fuzzer.draw(random)

        async def check(self, case: Any) -> None:  # noqa: ANN401 - the same
            raise AssertionError

    (first, *_, last) = run(Failing(), SEED, EXECUTIONS).findings
    (again,) = run(Failing(), SEED, range(last.execution, last.execution + 1)).findings
    assert again.case == last.case != first.case


# parsers as somebody might have written them


class Hasty(Stream):
    """Takes what is there for a reply, however it came."""

    def _take_reply(self) -> Reply | None:
        text = bytes(self._unread)
        if len(text) < 6 or not text[:3].isdigit():
            return None
        self._unread.clear()
        return reply_of(int(text[:3]), text[4:].decode(errors="replace").strip())


class Lenient(Stream):
    """Believes any three digits."""

    def _take_reply(self) -> Reply | None:
        line, newline, _ = bytes(self._unread).partition(b"\n")
        if not newline:
            return None
        if not line[:3].isdigit():
            raise OutOfStepError("malformed reply")
        del self._unread[: len(line) + 1]
        return reply_of(int(line[:3]), line[4:].decode(errors="replace").strip())


class Strict(Stream):
    """Knows only ASCII."""

    def _take_reply(self) -> Reply | None:
        self._unread.decode("ascii")
        return super()._take_reply()


class Endless(Stream):
    """Never has enough."""

    def buffer_updated(self, nbytes: int) -> None:
        self._unread += self._buffer[:nbytes]
        self._waiting.wake()

    def _take_reply(self) -> Reply | None:
        return super()._take_reply() if len(self._unread) <= MAX_REPLY_BYTES else None


@pytest.mark.parametrize(
    ("stream", "says"),
    [
        (Hasty, "chunk borders matter"),
        (Lenient, "by the grammar"),
        (Strict, "UnicodeDecodeError"),
        (Endless, "octets held"),
    ],
)
def test_a_broken_parser_is_found_out(stream: type[Stream], says: str) -> None:
    assert says in found(Replies(stream, far_too_long=0.02))


# and contracts


class Trusting(Contract):
    """Reads JSON as Python does, and hopes for the best."""

    def parse(self, text: str) -> Action:
        decoded = json.loads(text)
        return Send(**{name: value for name, value in decoded.items() if name != "action"})


class Chatty(Contract):
    """Writes the subject into the header as it came."""

    def compose(self, send: Send) -> Email:
        email = super().compose(send)
        content = b"X-Subject: " + (send.subject or "").encode() + b"\r\n" + email.content
        return Email(email.envelope, (content,))


class Forgetful(Contract):
    """Loses a recipient now and then."""

    def compose(self, send: Send) -> Email:
        return super().compose(parse_again(send, cc=[]))


class Careless(Contract):
    """Thinks that a long subject is no subject."""

    def compose(self, send: Send) -> Email:
        return super().compose(parse_again(send, subject=(send.subject or "")[:60]))


def parse_again(send: Send, **changes: object) -> Send:
    """The same message but for some fields."""
    fields = {name: getattr(send, name) for name in send.__struct_fields__}
    return Send(**(fields | changes))


@pytest.mark.parametrize(
    ("contract", "says"),
    [
        (Trusting, "JSONDecodeError"),
        (Chatty, "assert_clean_on_the_wire"),
        (Forgetful, "Cc"),
        (Careless, 'told["Subject"] == (send.subject'),
    ],
)
def test_a_broken_contract_is_found_out(contract: type[Contract], says: str) -> None:
    assert says in found(contract())


def test_what_is_sound_is_what_the_others_were_made_of() -> None:
    assert parse('{"action": "redrive"}') == Contract().parse('{"action": "redrive"}')
