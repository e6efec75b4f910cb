"""Certificates of a CA made for the occasion: a right one, and three wrong ones."""

import ssl
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache
from typing import Final

import trustme

NAMES: Final = ("127.0.0.1", "localhost")


class Certificate(Enum):
    VALID = auto()
    WRONG_NAME = auto()
    EXPIRED = auto()
    UNTRUSTED = auto()  # of another CA than the one shown to the client


@cache
def trusted_ca_pem() -> bytes:
    """The CA the client is told to trust."""
    return _ca().cert_pem.bytes()


def server_pem() -> bytes:
    """A right one and its key, for a server that isn't of Python."""
    return _leaf(Certificate.VALID).private_key_and_cert_chain_pem.bytes()


@cache
def server_context(certificate: Certificate) -> ssl.SSLContext:
    """A context for the server's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _leaf(certificate).configure_cert(context)
    return context


def _leaf(certificate: Certificate) -> trustme.LeafCert:
    match certificate:
        case Certificate.VALID:
            return _ca().issue_cert(*NAMES)
        case Certificate.WRONG_NAME:
            return _ca().issue_cert("other.example")
        case Certificate.EXPIRED:
            return _ca().issue_cert(*NAMES, not_after=datetime(2001, 1, 1, tzinfo=UTC))
        case Certificate.UNTRUSTED:
            return trustme.CA().issue_cert(*NAMES)


@cache
def _ca() -> trustme.CA:
    return trustme.CA()
