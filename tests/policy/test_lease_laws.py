"""What holds for every ledger row there can be, and over the whole life of an email."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion.delivery import Delivery, InDoubt, Status, scheduled
from ion.limits import SKEW_SECONDS
from ion.outcome import Kind, Outcome, Reason, Scope, Stage
from ion.policy.lease import (
    CLAIMED,
    DEAD,
    DOUBTED,
    PENDING,
    SENT,
    Claim,
    Judgement,
    Row,
    RowStatus,
    Verdict,
    conclude,
    judge,
    may_resend,
    queued,
)
from ion.policy.timeline import MOST
from policy.rows import BURIED, CLAIM, CRASHED, DOUBTFUL, LEASE, NOW, REDRIVE, delivery

# every ledger there can be


@st.composite
def situations(draw: st.DrawFn) -> tuple[Row, Claim]:
    """A row as some run may have left it, and a claim on it."""
    recipients = draw(st.integers(1, 5))
    left = draw(st.sets(st.integers(0, recipients - 1)))
    claim = replace(
        CLAIM,
        message_id=draw(st.sampled_from(["message-1", "message-2"])),
        recipients=recipients,
        left=tuple(sorted(left)),
        in_doubt=draw(st.sampled_from(InDoubt)),
    )
    status = draw(st.sampled_from(RowStatus))
    ours = status is RowStatus.SENDING and draw(st.booleans())
    alike = ours or draw(st.booleans())
    fates = [PENDING, SENT, DEAD, *([CLAIMED] if status is RowStatus.SENDING else [])]
    row = Row(
        status=status,
        token="mine" if ours else "other",
        lease_until=draw(st.floats(NOW - 1000, NOW + 1000)) if status is RowStatus.SENDING else 0,
        content_hash="hash" if alike else draw(st.sampled_from(["hash", "another"])),
        fates="".join(
            draw(
                st.lists(
                    st.sampled_from(fates),
                    min_size=recipients if alike else 1,
                    max_size=recipients if alike else 6,
                )
            )
        ),
        doubts="".join(draw(st.lists(st.sampled_from("01259"), min_size=6, max_size=6))),
        attempts=draw(st.integers(0, 200)),
        crashes=draw(st.integers(0, 5)) if status is RowStatus.SENDING else 0,
        used_ids=frozenset(draw(st.sets(st.sampled_from(["message-1", "message-3"])))),
        claimed_redrives=draw(
            st.just(()) | st.lists(st.integers(0, 12), min_size=6, max_size=6).map(tuple)
        ),
        expires_at=draw(st.sampled_from([NOW - 1, NOW, NOW + 1e6])),
    )
    return row, claim


LEASING = {Verdict.SEND, Verdict.PARKED, Verdict.CRASH_LOOP}


@given(situations())
def test_every_claim_is_judged(situation: tuple[Row, Claim]) -> None:
    row, claim = situation
    judged = judge(row, claim, NOW)
    assert (judged.row is not None) == (judged.verdict in LEASING)
    assert (judged.wait_seconds > 0) == (judged.verdict is Verdict.WAIT)
    assert set(judged.targets) <= set(claim.scope)
    if judged.row is not None:
        assert (judged.row.status, judged.row.token) == (RowStatus.SENDING, "mine")


@pytest.mark.row(16)
@given(situations())
def test_nobody_sends_while_another_holds_the_lease(situation: tuple[Row, Claim]) -> None:
    row, claim = situation
    sending_elsewhere = row.status is RowStatus.SENDING and row.token != claim.token
    if sending_elsewhere and row.lease_until + SKEW_SECONDS > NOW:
        assert judge(row, claim, NOW).verdict is Verdict.WAIT


@pytest.mark.row(17)
@given(situations())
def test_nobody_is_sent_what_they_have(situation: tuple[Row, Claim]) -> None:
    row, claim = situation
    if row.expires_at > NOW:
        assert all(row.fates[index] != SENT for index in judge(row, claim, NOW).targets)


@pytest.mark.row(65)
@given(situations())
def test_a_claim_whose_answer_was_lost_gets_the_same_answer_again(
    situation: tuple[Row, Claim],
) -> None:
    """boto3 sends it again, and the second finds what the first has written."""
    row, claim = situation
    first = judge(row, claim, NOW)
    if first.row is not None:
        assert judge(first.row, claim, NOW) == first


@pytest.mark.row(65)
@given(situations())
def test_parked_means_that_nothing_is_sent_to_whom_a_dead_process_had_claimed(
    situation: tuple[Row, Claim],
) -> None:
    row, claim = situation
    judged = judge(row, replace(claim, in_doubt=InDoubt.PARK), NOW)
    died = row.status is RowStatus.SENDING and row.token != claim.token and row.expires_at > NOW
    sent_to = judged.targets if judged.verdict is Verdict.SEND else ()
    assert not (died and CLAIMED in [row.fates[i] for i in sent_to])


# the life of an email


@dataclass
class Life:
    """One email, one recipient, and runs that end in any way; counts copies that may be out."""

    policy: InDoubt
    row: Row | None = None
    now: float = NOW
    message: int = 0
    runs: int = 0
    copies: list[int] = field(default_factory=lambda: [0])
    """In each life, the next of which begins with a redrive."""

    def run(self, end: str) -> None:
        self.runs += 1
        claim = replace(
            CLAIM,
            message_id=f"message-{self.message}",
            recipients=1,
            in_doubt=self.policy,
            token=f"run-{self.runs}",
            lease_until=self.now + 960,
            redrives=self.message,
        )
        row, self.now = self.row, self.now + 960 + SKEW_SECONDS
        judged = judge(row, claim, claim.lease_until - 960)
        if judged.row is None:
            return
        self.row = judged.row
        if judged.verdict is not Verdict.SEND:
            if end != "dies":
                dead = delivery(Status.DEAD, Kind.IN_DOUBT, 0, reason=Reason.IN_DOUBT)
                self.row = conclude(judged.row, claim.message_id, [dead], NOW)
            return
        if end == "is refused":
            later = delivery(Status.DEFERRED, Kind.TRANSIENT, 0)
            self.row = conclude(judged.row, claim.message_id, [later], NOW)
            return
        self.copies[-1] += 1  # it may have died after the dot
        if end == "is in doubt":
            again = may_resend(self.policy, int(judged.row.doubts) + 1)
            status = Status.DEFERRED if again else Status.DEAD
            doubt = delivery(status, Kind.IN_DOUBT, 0, reason=Reason.IN_DOUBT)
            self.row = conclude(judged.row, claim.message_id, [doubt], NOW)
        if end == "is accepted":
            sent = delivery(Status.SENT, Kind.ACCEPTED, 0)
            self.row = conclude(judged.row, claim.message_id, [sent], NOW)

    def wait(self) -> None:
        """It is received and isn't due: it gets a row, unless it has one."""
        waits = queued("hash", 1, "", scheduled(7200), f"waits-{self.runs}", self.now)
        self.row = self.row or waits

    def live(self, ends: list[str]) -> None:
        for end in ends:
            if end == "is redriven":
                self.redrive()
            elif end == "waits":
                self.wait()
            else:
                self.run(end)

    def redrive(self) -> None:
        if self.row is not None and self.row.fates in (DEAD, DOUBTED):
            self.message += 1
            self.copies.append(0)


ENDS = ["dies", "is refused", "is in doubt", "is accepted", "is redriven", "waits"]

LIVES = st.lists(st.sampled_from(ENDS), max_size=20)


@pytest.mark.row(29)
@pytest.mark.row(30)
@pytest.mark.row(52)
@pytest.mark.parametrize(("policy", "most"), [(InDoubt.RESEND_ONCE, 2), (InDoubt.PARK, 1)])
@given(ends=LIVES)
def test_no_more_copies_go_out_than_the_policy_allows(
    policy: InDoubt, most: int, ends: list[str]
) -> None:
    life = Life(policy)
    life.live(ends)
    assert max(life.copies) <= most


@given(ends=LIVES, policy=st.sampled_from(InDoubt))
def test_every_email_comes_to_an_end_once_the_runs_do_not_die(
    ends: list[str], policy: InDoubt
) -> None:
    life = Life(policy)
    life.live([*ends, "is accepted"])
    assert life.row is not None
    assert life.row.fates in (SENT, DEAD, DOUBTED)


@given(ends=LIVES, policy=st.sampled_from(InDoubt))
def test_a_row_remembers_how_it_began_and_never_more_than_it_may(
    ends: list[str], policy: InDoubt
) -> None:
    life, seen = Life(policy), list[int]()
    for end in ends:
        life.live([end])
        timeline = life.row.timeline if life.row else ()
        seen.append(timeline[-1].n if timeline else 0)
        assert len(timeline) <= MOST
        assert not timeline or timeline[0].n == timeline[0].times, "the first is still there"
    assert seen == sorted(seen), "nothing that was told is taken back"


@pytest.mark.row(31)
@pytest.mark.parametrize("policy", list(InDoubt))
def test_what_a_process_died_with_is_not_claimed_beside_others(policy: InDoubt) -> None:
    beside_others = replace(CLAIM, in_doubt=policy, alone=False)
    assert judge(CRASHED, beside_others, NOW) == Judgement(Verdict.SUSPECT)


@pytest.mark.row(12)
def test_a_twin_of_a_doubted_email_is_a_copy_and_its_redrive_is_not() -> None:
    parked = DOUBTFUL
    twin = replace(CLAIM, message_id="message-2")
    assert judge(parked, twin, NOW).verdict is Verdict.DONE
    redriven = judge(parked, replace(twin, redrives=1), NOW)
    assert (redriven.verdict, redriven.targets) == (Verdict.SEND, (0, 1))
    assert judge(parked, replace(CLAIM, redrives=1), NOW).verdict is Verdict.DONE


@pytest.mark.row(12)
@pytest.mark.row(69)
def test_a_redrive_allows_once_what_it_allows() -> None:
    """Its message had its turn and died; then a twin's turn was the one that parked the email."""
    begun = judge(DOUBTFUL, replace(REDRIVE, in_doubt=InDoubt.PARK), NOW)
    assert (begun.verdict, begun.row is not None) == (Verdict.SEND, True)
    later = LEASE + SKEW_SECONDS
    twin = replace(CLAIM, message_id="message-3", token="twin", in_doubt=InDoubt.PARK)
    parked = judge(begun.row, twin, later)
    assert (parked.verdict, parked.row is not None) == (Verdict.PARKED, True)
    outcome = Outcome(Stage.DOT, Kind.IN_DOUBT, Scope.MESSAGE, Reason.IN_DOUBT)
    dead = Delivery(Status.DEAD, outcome, recipients=(0, 1))
    assert parked.row is not None
    row = replace(conclude(parked.row, "message-3", [dead], NOW), expires_at=later + 1e6)
    again = replace(REDRIVE, token="again", in_doubt=InDoubt.PARK)
    assert judge(row, again, later).verdict is Verdict.DONE


@pytest.mark.row(12)
def test_a_refused_email_that_is_published_again_is_not_tried_again() -> None:
    """A redrive is what tries it again; a second publish of what was refused is a duplicate."""
    again = judge(BURIED, replace(CLAIM, message_id="message-2"), NOW)
    assert again.verdict is Verdict.DONE
