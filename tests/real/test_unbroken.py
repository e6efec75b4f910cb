"""On a line that nothing breaks every good recipient is served once, whichever the server."""

import pytest

from at_length import few
from real.catalogue import SERVERS
from real.conftest import Begin, Note
from real.modes import MODES
from real.server import Server

USUAL = ("Postfix", "Exim", "SmtpServer")

# the first run fetches the servers
pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("sort", few(SERVERS, USUAL, lambda sort: sort.__name__))
def test_every_good_recipient_is_served_once(
    sort: type[Server], mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(sort, mode) as trial:
        books = trial.carry()

    note(trial, "bursts after idle gaps", books)
    trial.assert_undisturbed(books)
