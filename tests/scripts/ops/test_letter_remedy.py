"""What to do about a dead letter is said for every reason."""

import re

import pytest

from ion.outcome import Reason
from ionctl.files import ROOT
from ionctl.ops.letter_remedy import remedy

UNKNOWN = remedy("of another version")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_that_ion_knows_has_words_of_its_own(reason: Reason) -> None:
    assert remedy(reason) not in ("", UNKNOWN)


def test_of_another_reason_it_says_where_to_look() -> None:
    assert "docs/reasons.md" in UNKNOWN


def reasons_in(section: str) -> list[str]:
    """Those of a section of docs/reasons.md."""
    text = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")
    (part,) = [one for one in text.split("\n## ") if one.startswith(f"{section}\n")]
    return re.findall(r"^\| `([A-Z_]+)`", part, re.MULTILINE)


def test_of_the_site_it_is_said_to_mend_it_and_of_what_waits_to_redrive() -> None:
    site, waiting = reasons_in("The site"), reasons_in("Waiting")
    assert site
    assert {remedy(one) for one in site} == {"mend what ionctl doctor finds, then redrive"}
    assert [one for one in waiting if "ionctl doctor" in remedy(one)] == []


def test_what_has_had_its_fate_is_not_redriven() -> None:
    """A redrive of it would do nothing, or send it to somebody who is not to have it."""
    for reason in (Reason.ACCEPTED, Reason.DUPLICATE, Reason.CANCELLED, Reason.ERASED):
        assert remedy(reason) == "nothing: discard it"
    assert "redrive sends it once more" in remedy(Reason.IN_DOUBT)
