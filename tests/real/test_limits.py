"""What a server limits on a connection or in a transaction costs time and no email."""

import pytest

from at_length import only_at_length
from real.catalogue import LIMITED
from real.conftest import Begin, Note
from real.modes import EMAILS, LONG, MODES
from real.server import Server
from real.servers.exim import EximThatRefusesAtData
from real.servers.opensmtpd import OpenSmtpd

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

TRIED = LIMITED if LONG else (OpenSmtpd, EximThatRefusesAtData)


@only_at_length
@pytest.mark.row(49)
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("sort", TRIED, ids=lambda sort: sort.__name__)
def test_a_limit_on_connections_and_transactions_delays_no_email(
    sort: type[Server], mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(sort, mode, limited=True) as trial:
        books = trial.carry(connections=2)

    note(trial, sort.limit, books)
    trial.assert_undisturbed(books)


@pytest.mark.skipif(not LONG, reason="a few hundred emails: ION_REAL=long")
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_hundred_emails_a_connection_which_is_opensmtpds_default(
    mode: str | None, begin: Begin, note: Note
) -> None:
    with begin(OpenSmtpd, mode) as trial:
        books = trial.carry(EMAILS, connections=1)

    note(trial, "one connection", books)
    trial.assert_undisturbed(books)
