"""What to do about a dead letter is said for every reason."""

import pytest

from ion.outcome import Reason
from ionctl.ops.letter_remedy import remedy

UNKNOWN = remedy("of another version")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_that_ion_knows_has_words_of_its_own(reason: Reason) -> None:
    assert remedy(reason) not in ("", UNKNOWN)


def test_of_another_reason_it_says_where_to_look() -> None:
    assert "docs/reasons.md" in UNKNOWN
