"""What the tests of the feedback function ask for by name."""

import pytest

from emulated import Account
from feedback.receiving import Feedback


@pytest.fixture
def feedback(account: Account, monkeypatch: pytest.MonkeyPatch) -> Feedback:
    """The function's parts, and a ledger with the index on Message-IDs."""
    return Feedback(account, monkeypatch)
