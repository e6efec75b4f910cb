"""When the content of a dead-lettered email may change under its key."""

from dataclasses import replace

import pytest

from ion.policy.amendment import Amending, Amendment, Content, amended
from ion.policy.lease import DEAD, DOUBTED, PENDING, SENT, Row, RowStatus, Verdict, judge
from policy.rows import BURIED, CRASHED, DOUBTFUL, NOW, REDRIVE, ROW

ANN, BOB, CID = "ann@example.org", "bob@example.org", "cid@example.org"
OLD = Content("hash", (ANN, BOB))
NEW = replace(REDRIVE, content_hash="corrected", token="edit")
AGREED = replace(BURIED, content_hash="corrected", token="edit")


def answer(
    row: Row | None,
    recipients: tuple[str, ...] = (ANN, CID),
    left: tuple[int, ...] = (),
    old: Content = OLD,
    *former: str,
) -> Amendment:
    claim = replace(NEW, recipients=len(recipients), left=left)
    return amended(row, claim, old, recipients, NOW, former)


@pytest.mark.parametrize(
    ("row", "how"),
    [
        (None, Amending.UNKNOWN),
        (replace(ROW, expires_at=NOW), Amending.UNKNOWN),
        (ROW, Amending.UNDER_WAY),
        (CRASHED, Amending.UNDER_WAY),
        (replace(BURIED, status=RowStatus.DEFERRED, fates=DEAD + PENDING), Amending.WAITING),
        (replace(BURIED, status=RowStatus.SENT, fates=SENT * 2), Amending.SENT),
        (replace(BURIED, status=RowStatus.CANCELLED), Amending.CANCELLED),
        (replace(BURIED, content_hash="of another email"), Amending.ANOTHER),
        (replace(BURIED, claimed_redrives=(1, 1)), Amending.OVERTAKEN),
        (BURIED, Amending.AGREED),
        (replace(BURIED, status=RowStatus.EXPIRED), Amending.AGREED),
        (DOUBTFUL, Amending.AGREED),
    ],
)
def test_a_row_agrees_once_all_of_its_email_is_dead(row: Row | None, how: Amending) -> None:
    found = answer(row)
    assert found.how is how
    assert (found.row is not None) == (how is Amending.AGREED)


def test_the_row_has_the_new_content_and_another_token_and_is_as_it_was_beside_that() -> None:
    assert answer(BURIED).row == AGREED
    assert judge(AGREED, NEW, NOW).verdict is Verdict.SEND
    assert judge(AGREED, REDRIVE, NOW).verdict is Verdict.REUSED, "the old content isn't sent"


def test_what_has_agreed_has_nothing_more_to_write() -> None:
    assert answer(AGREED) == Amendment(Amending.AGREED)


def test_a_correction_that_was_not_sent_may_be_corrected_again() -> None:
    other = replace(BURIED, content_hash="first correction")
    assert answer(other).how is Amending.ANOTHER
    assert answer(other, (ANN, CID), (), OLD, "first correction").row == AGREED


@pytest.mark.parametrize(
    ("fates", "left", "recipients", "how"),
    [
        ("sd", (1,), (ANN, CID), Amending.AGREED),
        ("sd", (), (ANN, CID), Amending.AGREED),
        ("sd", (1,), (CID, BOB), Amending.SERVED),
        ("sd", (1,), (BOB, ANN), Amending.SERVED),
        ("sd", (1,), (ANN,), Amending.SERVED),
        ("sd", (1,), (ANN, BOB, CID), Amending.SERVED),
        ("s?", (1,), (ANN, CID), Amending.AGREED),
        # the other one is dead too, by a letter of its own
        ("dd", (0,), (CID, BOB), Amending.AGREED),
        ("dd", (0,), (ANN, CID), Amending.SERVED),
        ("dd", (0,), (ANN,), Amending.SERVED),
    ],
)
def test_whom_the_letter_is_not_about_stays_the_same(
    fates: str, left: tuple[int, ...], recipients: tuple[str, ...], how: Amending
) -> None:
    found = answer(replace(BURIED, fates=fates), recipients, left)
    assert found.how is how
    if found.row:
        claim = replace(NEW, left=left)
        judged = judge(found.row, claim, NOW)
        served = {i for i in range(2) if fates[i] == SENT}
        assert judged.verdict is Verdict.SEND
        assert not served & set(judged.targets), "nobody is served twice"


def test_the_letter_of_a_key_without_a_row_keeps_those_it_is_not_about_as_well() -> None:
    assert answer(None, (CID, BOB), (1,)).how is Amending.SERVED
    assert answer(None, (ANN, CID), (1,)).how is Amending.UNKNOWN


def test_served_recipients_of_a_letter_that_can_not_be_read_are_not_known() -> None:
    partly = replace(BURIED, fates="sd")
    unread = Content("hash", ())
    assert answer(partly, (ANN, CID), (1,), unread).how is Amending.SERVED


def test_who_was_served_by_a_correction_for_other_recipients_is_not_forgotten() -> None:
    """The letter as it was lies there still, and is about two where the row is about three."""
    first = replace(BURIED, content_hash="first correction", fates="sdd", doubts="000")
    assert answer(first, (ANN, CID), (), OLD, "first correction").how is Amending.SERVED


@pytest.mark.parametrize("recipients", [(CID,), (ANN, BOB, CID)])
def test_an_email_that_is_dead_for_all_may_go_to_any_number(recipients: tuple[str, ...]) -> None:
    found = answer(replace(BURIED, claimed_redrives=(0, 0)), recipients)
    assert found.row
    assert found.row.fates == DEAD * len(recipients)
    claim = replace(NEW, recipients=len(recipients))
    assert judge(found.row, claim, NOW).targets == tuple(range(len(recipients)))


def test_doubts_and_redrives_outlast_another_number_of_recipients() -> None:
    found = answer(replace(DOUBTFUL, fates=DEAD + DOUBTED, doubts="21"), (CID,))
    assert found.row
    assert (found.row.fates, found.row.doubts) == (DOUBTED, "2")
    again = replace(BURIED, claimed_redrives=(1, 0))
    assert answer(again, (CID,)).how is Amending.OVERTAKEN
