"""docs/reasons.md has each code once, with what it means."""

import re

from ion.outcome import Reason
from ionctl.build.schema import ROOT

ROWS = re.findall(
    r"^\| `([A-Z0-9_]+)` \| (.+?) \| ?(.*?) ?\|$",
    (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_each_reason_is_explained_once() -> None:
    assert sorted(code for code, _, _ in ROWS) == sorted(Reason)


def test_whoever_must_change_what_the_role_may_read_is_told_where() -> None:
    to_do = {code: what for code, _, what in ROWS}
    for code in ("CLAIM_FORBIDDEN", "ATTACHMENT_FORBIDDEN"):
        assert "`attachment_buckets`" in to_do[code]
