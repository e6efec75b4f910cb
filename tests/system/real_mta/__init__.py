"""Exim, as Debian ships it, on 127.0.0.1: a mail server that knows nothing of our tests.

with Exim(packages.fetched(), folder) as mta:
    ...  # a client logs in at mta.host, mta.port with USERNAME and PASSWORD
    assert mta.stored("ann@mta.example")[0].received.startswith("from [127.0.0.1]")
"""

from system.real_mta.exim import DOMAIN, PASSWORD, USERNAME, Exim, Stored
from system.real_mta.packages import UnavailableError, fetched

__all__ = ["DOMAIN", "PASSWORD", "USERNAME", "Exim", "Stored", "UnavailableError", "fetched"]
