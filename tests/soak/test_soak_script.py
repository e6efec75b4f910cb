"""What the soak's mail server notes of its client: what is in doubt, and what is wrong."""

from collections.abc import Sequence

import pytest

from ion.settings import Pipelining
from smtp_server import (
    Habit,
    Moment,
    Offer,
    Reply,
    Step,
    Submission,
    drop,
    garbage,
    glue,
    in_body,
    reply,
)
from soak.manner import MIXED, Manner, manner
from soak.script import MailScript
from soak.smtp_chaos import OUT_OF_STEP, Fault, SmtpChaos
from soak.witness import Witness

A, B = "m0000001", "m0000002"
ENVELOPE, DEEP, OFF = Manner(Pipelining.ENVELOPE), Manner(Pipelining.DEEP), Manner(Pipelining.OFF)
WAYS = pytest.mark.parametrize("way", [ENVELOPE, DEEP, OFF], ids=[*Pipelining])


class Scripted(SmtpChaos):
    """Draws what it is told to."""

    def __init__(self, faults: dict[str, Fault]) -> None:
        super().__init__(1)
        self._faults = faults

    def of_transaction(self, name: str, manner: Manner) -> Fault | None:
        return self._faults.pop(name, None)

    def of_connection(self, number: str) -> Fault | None:
        return self._faults.pop("connection", None)

    def of_probe(self, number: str) -> Fault | None:
        return self._faults.pop("probe", None)


class Server:
    """What a scripted server would ask its script, on one connection."""

    def __init__(self, way: Manner, faults: dict[str, Fault]) -> None:
        self.witness = Witness()
        self.submissions: list[Submission] = []
        chaos = Scripted(faults)
        self._script = MailScript(
            1, chaos, self.witness, lambda: self.submissions, lambda: None, way
        )

    def claimed(self, *names: str) -> None:
        for name in names:
            self.witness.held[name] = 1
            self.witness.claimed(1, name, "token", heard=True)

    def hears(self, step: Step, argument: str = "") -> Reply | None:
        return self._script(Moment(step, 1, 1, 1, argument)).reply

    def takes(self, name: str) -> None:
        """As if it all came."""
        address = f"{name}.0@example.org"
        self.hears(Step.MAIL, address)
        self.hears(Step.RCPT, address)
        self.hears(Step.DATA)
        content = f"Date: now\r\n\r\nThis is {name}.\r\n".encode()
        self.submissions.append(Submission(1, name, (address,), (), content))
        self.hears(Step.BODY)
        self.hears(Step.DOT)

    @property
    def doubtful(self) -> list[str]:
        return [one.name for one in self.witness.copies if one.doubt]


def served(way: Manner, faults: dict[str, Fault], names: Sequence[str] = (A, B)) -> Server:
    """All of them claimed, and sent in order, whatever happens to the first."""
    server = Server(way, faults)
    server.claimed(*names)
    for name in names:
        server.takes(name)
    return server


LOST_AT_DOT = Fault("drop", Step.DOT, drop(), told=False)
GARBAGE = Fault("garbage", Step.MAIL, garbage(b"?\r\n"))
GLUED = Fault("glued", Step.DOT, glue(b"250 x\r\n"), told=False)
OUT_OF_STEP_AT_DATA = Fault("out of step", Step.DATA, OUT_OF_STEP, reason="PROTOCOL")


def astray(fault: str) -> str:
    return f"out of step: {B} went to a server that had lost the thread over {fault}"


@WAYS
def test_a_dot_without_an_answer_is_in_doubt_in_any_manner(way: Manner) -> None:
    server = served(way, {A: LOST_AT_DOT}, [A])
    assert server.doubtful == [A]
    assert server.witness.doubts == {A: 1}
    assert server.witness.faults == []


@WAYS
@pytest.mark.parametrize("fault", [GARBAGE, GLUED, OUT_OF_STEP_AT_DATA])
def test_nothing_is_sent_to_a_server_that_has_lost_the_thread(way: Manner, fault: Fault) -> None:
    """Whoever comes then has believed what was no answer."""
    told = f"{fault.step.value} {fault.name} of {A}"
    assert served(way, {A: fault}).witness.faults[-1] == astray(told)


@WAYS
def test_a_data_without_recipients_is_refused_in_step(way: Manner) -> None:
    server = Server(way, {A: OUT_OF_STEP_AT_DATA})
    server.claimed(A, B)
    server.hears(Step.MAIL, A)
    server.hears(Step.RCPT, f"{A}.0.bounced@example.org")
    assert server.hears(Step.DATA) == OUT_OF_STEP.reply
    server.takes(B)
    assert server.witness.faults == []


@pytest.mark.parametrize("step", [Step.NOOP, Step.RSET])
def test_nor_after_a_reply_between_emails_that_was_none(step: Step) -> None:
    fault = Fault("garbage", step, garbage(b"?\r\n"))
    server = Server(ENVELOPE, {"probe" if step is Step.NOOP else "connection": fault})
    server.claimed(B)
    server.hears(step)
    server.takes(B)
    assert server.witness.faults == [astray(f"{step.value} garbage of nobody")]


@WAYS
def test_the_dot_of_a_body_that_was_interrupted_may_have_been_on_its_way(way: Manner) -> None:
    fault = Fault("garbage", Step.BODY, in_body(1, garbage(b"?\r\n")), told=False)
    server = served(way, {A: fault}, [A])
    assert (server.doubtful, server.witness.faults) == ([A], [])
    assert served(way, {A: fault}).witness.faults == [astray(f"body garbage of {A}")]


@WAYS
def test_an_envelope_behind_a_dot_that_is_not_answered_leaves_no_second_doubt(way: Manner) -> None:
    server = served(way, {A: LOST_AT_DOT}, [A])
    server.claimed(B)
    server.hears(Step.MAIL, B)
    server.hears(Step.RCPT, B)
    server.hears(Step.DATA)
    assert server.witness.doubts == {A: 1}
    assert server.witness.faults == []


@WAYS
def test_a_refusal_says_nothing_about_the_thread(way: Manner) -> None:
    server = served(way, {A: Fault("5xx", Step.MAIL, reply(550, "5.3.0 no"))})
    assert server.doubtful == []
    assert server.witness.faults == []


def test_a_refusal_of_one_recipient_is_nobody_elses() -> None:
    refusal = Fault("501", Step.RCPT, reply(501, "5.1.3 no"), reason="RCPT_REJECTED")
    server = served(ENVELOPE, {A: refusal}, [A])
    assert dict(server.witness.refused) == {f"{A}.0@example.org": {"RCPT_REJECTED"}}


@pytest.mark.parametrize(("kind", "code"), [("bounced", 550), ("malformed", 501)])
def test_some_recipients_are_always_refused(kind: str, code: int) -> None:
    server = Server(ENVELOPE, {A: GARBAGE})
    server.hears(Step.MAIL, A)
    said = server.hears(Step.RCPT, f"{A}.1.{kind}@example.org")
    assert said is not None
    assert said.code == code


@pytest.mark.parametrize(
    ("fault", "loses"),
    [
        (LOST_AT_DOT, True),
        (GARBAGE, True),
        (GLUED, True),
        (Fault("421", Step.RCPT, reply(421, "4.3.2 closing", close=True)), True),
        (Fault("4xx", Step.RCPT, reply(451, "4.3.0 later")), False),
    ],
)
def test_what_loses_the_thread(fault: Fault, *, loses: bool) -> None:
    assert fault.loses_the_thread is loses


@WAYS
def test_every_fault_of_the_soak_is_certain_or_loses_the_thread(way: Manner) -> None:
    drawn: dict[tuple[str, Step], Fault] = {}
    chaos = SmtpChaos(7)
    for number in range(40_000):
        if (fault := chaos.of_transaction(f"m{number:07}", way)) is not None:
            drawn[fault.name, fault.step] = fault
    assert len(drawn) > 40
    assert all(fault.told or fault.loses_the_thread for fault in drawn.values())
    out_of_step = [one for (name, _), one in drawn.items() if name == "out of step"]
    assert all(fault.action == OUT_OF_STEP for fault in out_of_step)
    assert all(fault.loses_the_thread for fault in out_of_step)


def test_every_mode_meets_every_habit() -> None:
    for seed in (1, 2):
        ways = [manner(life, seed, MIXED) for life in range(1, 16)]
        assert len({(one.mode, one.habit) for one in ways}) == len(Pipelining) * len(Habit)
        assert {one.mode for one in ways[:3]} == {*Pipelining}
        assert {one.connections for one in ways} == {1, 2, 4}
        assert {one.mode for one in (manner(life, seed, "deep") for life in range(9))} == {"deep"}
        offers = [one.on(Offer()) for one in ways]
        assert {offer.max_emails is None for offer in offers} == {True, False}
        assert [offer.pipelining for offer in offers] == [one.offers for one in ways]
        assert all(one.offers for one in ways if one.mode is not Pipelining.OFF)
        assert len({one.offers for one in ways if one.mode is Pipelining.OFF}) == 2
