"""Each alarm's description leads to a section of docs/operations.md."""

import re

import pytest

from alarms.planned import Planned
from ionctl.local.stack import ROOT

OPERATIONS = ROOT / "docs" / "operations.md"

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def anchors(text: str) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.skipif(not OPERATIONS.exists(), reason="docs/operations.md isn't written yet")
def test_each_alarm_has_a_runbook(planned: Planned) -> None:
    where = {alarm.description.rpartition(" What to do: ")[2] for alarm in planned.alarms}
    files, sections = zip(*(one.split("#") for one in sorted(where)), strict=True)
    assert set(files) == {"docs/operations.md"}
    assert set(sections) - anchors(OPERATIONS.read_text(encoding="utf-8")) == set()
