"""A connection that was idle is asked first, and nothing else is said on it meanwhile."""

import pytest

from real.catalogue import SERVERS
from real.conftest import Begin, Note
from real.modes import EMAILS, LONG, MODES
from real.server import Server
from real.servers.postfix import StrictPostfix

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_bursts_after_idle_gaps_keep_in_step_with_a_server_that_minds_pipelining(
    mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(StrictPostfix, mode) as trial:
        books = trial.carry(EMAILS * 2, bursts=(8,))

    note(trial, "eight at a time after idle gaps", books)
    trial.assert_undisturbed(books)


@pytest.mark.skipif(not LONG, reason="half a minute of idle gaps a server: ION_REAL=long")
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("sort", SERVERS, ids=lambda sort: sort.__name__)
def test_idle_gaps_as_long_as_in_production_cost_nobody_an_email(
    sort: type[Server], mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(sort, mode) as trial:
        books = trial.carry(40, idle_seconds=None, bursts=(8,))

    note(trial, "eight at a time after 7 s each", books)
    trial.assert_undisturbed(books)
