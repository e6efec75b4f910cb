"""A certificate for the mail server, by an authority that is no older than the stack."""

import ssl
from pathlib import Path

import trustme

from ionctl import loopback

NAME = "localhost"


class Authority:
    """A private CA with one certificate for this machine.

    Args:
        folder: where the CA's certificate is put, for clients to trust.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self._certificate = authority.issue_cert(NAME, loopback.HOST)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))

    def server_context(self) -> ssl.SSLContext:
        """Give the server's side of TLS."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(context)
        return context
