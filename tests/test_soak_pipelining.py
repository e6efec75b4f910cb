"""The soak's checker, where several emails are under way: it excuses as many as may be in doubt."""

from collections import Counter

import pytest

from smtp_server import Moment, Reply, Step, Submission, drop, garbage, glue, reply
from soak.books import PARK, RESEND_ONCE, Balance, Excuses, Letter, balance
from soak.mail import Mail
from soak.manner import Manner, manner
from soak.script import MailScript
from soak.shares import Shares
from soak.smtp_chaos import Fault, SmtpChaos
from soak.witness import Break, Copy, Witness

NAMES = [f"m000000{number}" for number in range(1, 8)]
MAILS = {name: Mail(name, f"body of {name}", (f"{name}.0@example.org",)) for name in NAMES}
A, B, C, D, E, F, _ = NAMES

ONE_BY_ONE, PIPELINING, WINDOW = Manner(), Manner(pipelining=True), Manner(True, 4)


# -- what a connection with a window that broke may excuse -----------------------------------


def copy(name: str, doubt: str = "", unread: Break | None = None) -> Copy:
    return Copy(name, MAILS[name].recipients, b"1", b"Date", doubt, unread)


def counted(
    copies: list[Copy],
    doubted: list[str],
    excuses: Excuses,
    policy: str = RESEND_ONCE,
) -> Balance:
    """Of whom each but those is sent, once or as often as there are copies."""
    copies += [
        copy(name) for name in NAMES if name not in {one.name for one in copies} | {*doubted}
    ]
    letters = [Letter(MAILS[name].body, name, "IN_DOUBT") for name in doubted]
    return balance(MAILS, copies, letters, (), excuses, policy)


def broken(room: int, *claimed: str) -> Break:
    return Break(room, set(claimed))


def test_a_break_leaves_so_many_in_doubt_whom_nobody_saw() -> None:
    excuses = Excuses(breaks=[broken(4, *NAMES)])
    assert counted([], [A, B, C, D], excuses, PARK).faults == ()
    assert counted([], [A, B, C, D, E], excuses, PARK).faults == (f"undue letter: {E} IN_DOUBT",)


def test_who_was_not_claimed_cannot_have_been_there() -> None:
    excuses = Excuses(breaks=[broken(4, A, B)])
    assert counted([], [C], excuses, PARK).faults == (f"undue letter: {C} IN_DOUBT",)


@pytest.mark.parametrize(
    ("doubts", "breaks", "is_due"),
    [
        ({}, [broken(4, A)], False),
        ({}, [broken(4, A), broken(4, A)], True),
        ({A: 1}, [broken(4, A)], True),
        ({A: 1}, [broken(0, A)], False),
        ({A: 1}, [broken(4, B)], False),
    ],
)
def test_a_break_is_one_event_for_each_of_its_emails(
    doubts: dict[str, int], breaks: list[Break], *, is_due: bool
) -> None:
    books = counted([], [A], Excuses(doubts, breaks=breaks))
    assert (books.faults == ()) is is_due


def test_breaks_are_shared_out_so_that_as_many_as_can_be_are_excused() -> None:
    breaks = [broken(1, A, B), broken(1, A)]
    assert Shares(breaks).explain(Counter({A: 1, B: 1})) == {A, B}
    assert len(Shares(breaks).explain(Counter({A: 1, B: 1, C: 1}))) == 2
    assert Shares([broken(1, A, B), broken(1, B)]).explain(Counter({A: 1, B: 1})) == {A, B}


def test_a_break_is_no_excuse_for_any_other_letter() -> None:
    excuses = Excuses(breaks=[broken(4, *NAMES)] * 3)
    letters = [Letter(MAILS[A].body, A, reason) for reason in ("CRASH_LOOP", "RCPT_REJECTED")]
    copies = [copy(name) for name in NAMES[1:]]
    faults = balance(MAILS, copies, letters, (), excuses, PARK).faults
    assert {f"undue letter: {A} CRASH_LOOP", f"undue letter: {A} RCPT_REJECTED"} <= {*faults}


@pytest.mark.parametrize(
    ("room", "again", "undue"),
    [(3, [A, B, C], 0), (2, [A, B, C], 1), (0, [A], 1), (3, [A, B, C, D], 1)],
)
def test_a_reset_excuses_copies_whose_answer_was_not_read_and_no_more(
    room: int, again: list[str], undue: int
) -> None:
    reset = broken(room, *NAMES)
    copies = [copy(name, unread=reset if name in (A, B, C) else None) for name in again]
    books = counted([*copies, *(copy(name) for name in again)], [], Excuses(breaks=[reset]))
    assert len(books.faults) == undue
    assert all(fault.startswith("undue copy: ") for fault in books.faults)


def test_a_copy_and_a_letter_have_the_same_room() -> None:
    reset = broken(1, *NAMES)
    copies = [copy(A, unread=reset), copy(A)]
    assert counted(copies, [], Excuses(breaks=[reset])).faults == ()
    assert counted(copies, [B], Excuses({B: 1}, breaks=[reset])).faults == (
        f"undue letter: {B} IN_DOUBT",
    )


def test_with_park_no_break_excuses_a_copy() -> None:
    reset = broken(4, *NAMES)
    books = counted([copy(A, unread=reset), copy(A)], [], Excuses(breaks=[reset]), PARK)
    assert books.faults


# -- what the script notes -------------------------------------------------------------------


class Scripted(SmtpChaos):
    """Draws what it is told to."""

    def __init__(self, faults: dict[str, Fault]) -> None:
        super().__init__(1)
        self._faults = faults

    def of_transaction(self, name: str, manner: Manner) -> Fault | None:
        return self._faults.pop(name, None)

    def of_connection(self, number: str) -> Fault | None:
        return None


class Server:
    """What a scripted server would ask its script, on one connection."""

    def __init__(self, way: Manner, faults: dict[str, Fault]) -> None:
        self.witness = Witness()
        self.way = way
        self.submissions: list[Submission] = []
        chaos = Scripted(faults)
        self._script = MailScript(
            1, chaos, self.witness, lambda: self.submissions, lambda: None, way
        )

    def claimed(self, *names: str) -> None:
        for name in names:
            self.witness.held[name] = 1
            self.witness.claimed(1, name, "token", heard=True)

    def hears(self, step: Step, name: str) -> None:
        self._script(Moment(step, 1, 1, 1, f"{name}.0@example.org" if name else ""))

    def takes(self, name: str) -> None:
        """As if it all came."""
        self.hears(Step.MAIL, name)
        self.hears(Step.RCPT, name)
        if not self.way.chunking:
            self.hears(Step.DATA, "")
        content = f"Date: now\r\n\r\nThis is {name}.\r\n".encode()
        self.submissions.append(Submission(1, name, MAILS[name].recipients, (), content))
        if not self.way.chunking:
            self.hears(Step.BODY, "")
        self.hears(Step.DOT, "")

    @property
    def doubtful(self) -> list[str]:
        return [one.name for one in self.witness.copies if one.doubt]


def served(way: Manner, fault: Fault, names: list[str]) -> Server:
    """All of them claimed, and sent in order, whatever happens to the first."""
    server = Server(way, {names[0]: fault})
    server.claimed(*names)
    for name in names:
        server.takes(name)
    return server


LOST_AT_DOT = Fault("drop", Step.DOT, drop(), told=False)
GARBAGE = Fault("garbage", Step.MAIL, garbage(b"?\r\n"))
GLUED = Fault("glued", Step.DOT, glue(b"250 x\r\n"), told=False)
CONFUSED = Fault("out of step", Step.MAIL, reply(503, "5.5.1 what?"), reason="PROTOCOL")


@pytest.mark.parametrize("way", [ONE_BY_ONE, PIPELINING, WINDOW])
def test_a_dot_without_an_answer_is_in_doubt_in_any_manner(way: Manner) -> None:
    server = served(way, LOST_AT_DOT, [A])
    assert server.doubtful == [A]
    assert server.witness.doubts == {A: 1}
    assert [one.room for one in server.witness.breaks] == [3] * way.chunking


@pytest.mark.parametrize("way", [ONE_BY_ONE, PIPELINING])
@pytest.mark.parametrize("fault", [GARBAGE, GLUED])
def test_nothing_is_sent_to_a_server_that_has_lost_the_thread(way: Manner, fault: Fault) -> None:
    """With one content at a time, whoever comes then has believed what was no answer."""
    server = served(way, fault, [A, B])
    last = f"out of step: {B} went to a server that had lost the thread"
    assert server.witness.faults[-1] == last


def test_in_a_window_those_behind_are_in_doubt_and_no_more_of_them_than_it_holds() -> None:
    server = served(WINDOW, GARBAGE, [A, B, C, D])
    assert server.doubtful == [A, B, C, D]
    assert server.witness.faults == []
    assert [one.room for one in server.witness.breaks] == [0]
    server.claimed(E)
    server.takes(E)
    assert server.witness.faults == [f"out of step: {E} went to a server that had lost the thread"]


def test_in_a_window_those_ahead_are_certain() -> None:
    server = Server(WINDOW, {C: LOST_AT_DOT})
    server.claimed(A, B, C)
    for name in (A, B, C):
        server.takes(name)
    assert server.doubtful == [C]
    assert all(one.unread is None for one in server.witness.copies)


def test_unless_a_reset_may_have_kept_their_answers_from_being_read() -> None:
    reset = Fault("reset", Step.DOT, drop(reset=True), told=False)
    names = [A, B, C, D, E, F]
    server = Server(WINDOW, {F: reset})
    server.claimed(*names)
    for name in names[:-1]:
        server.takes(name)
    server.witness.recorded(1, E, done=True)
    server.takes(F)
    (one,) = server.witness.breaks
    assert [one.name for one in server.witness.copies if one.unread] == [C, D]
    assert one.room == 3


def test_a_break_may_be_noticed_late_but_not_after_the_invocation() -> None:
    server = served(WINDOW, LOST_AT_DOT, [A])
    server.claimed(B)
    server.witness.recorded(1, B, done=True)
    server.witness.ended(1, next(iter(server.witness.sorts)))
    server.claimed(C)
    (one,) = server.witness.breaks
    assert one.claimed == {A, B}


@pytest.mark.parametrize("way", [ONE_BY_ONE, PIPELINING, WINDOW])
def test_a_refusal_says_nothing_about_the_thread(way: Manner) -> None:
    server = served(way, Fault("5xx", Step.MAIL, reply(550, "5.3.0 no")), [A, B])
    assert server.doubtful == []
    assert server.witness.breaks == []
    assert server.witness.faults == []


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


def test_every_fault_of_the_soak_is_certain_or_loses_the_thread() -> None:
    drawn: dict[tuple[str, Step], Fault] = {}
    for way in (ONE_BY_ONE, WINDOW):
        chaos = SmtpChaos(7)
        for number in range(20_000):
            if (fault := chaos.of_transaction(f"m{number:07}", way)) is not None:
                drawn[fault.name, fault.step] = fault
    assert len(drawn) > 40
    assert all(fault.told or fault.loses_the_thread for fault in drawn.values())
    out_of_step = [one for (name, _), one in drawn.items() if name == "out of step"]
    assert all(fault.action.reply == Reply(503, ("5.5.1 what?",)) for fault in out_of_step)
    assert all(fault.loses_the_thread for fault in out_of_step)


def test_lives_take_turns() -> None:
    for seed in (1, 2):
        assert {manner(life, seed, 1) for life in (1, 2)} == {ONE_BY_ONE, PIPELINING}
        ways = [manner(life, seed, 4) for life in range(1, 5)]
        assert ways.count(WINDOW) == 2
        assert {ONE_BY_ONE, PIPELINING} < {*ways}
