"""Where the server dies in the middle nobody is lost, and a second copy was in doubt."""

import pytest

from at_length import only_at_length
from real.catalogue import SERVERS
from real.conftest import Begin, Note
from real.modes import LONG, MODES
from real.server import Server
from real.servers.haraka import Haraka
from real.servers.postfix import Postfix

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

KILLED = tuple(server for server in SERVERS if not server.forgets) if LONG else (Postfix, Haraka)


@only_at_length
@pytest.mark.row(52)
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("sort", KILLED, ids=lambda sort: sort.__name__)
def test_a_server_killed_in_the_middle_of_bursts_costs_nobody_an_email(
    sort: type[Server], mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(sort, mode) as trial:
        books = trial.carry(kills=True)

    note(trial, "killed in the middle", books)
    assert not books.faults
