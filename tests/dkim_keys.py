"""Keys for DKIM, made by openssl, and what DNS says of them."""

import base64
import functools
import subprocess

from ion.rsa_key import RsaKey, rsa_key


def pem(bits: int = 2048, *, traditional: bool = False) -> str:
    """The private key of that length, in PKCS #8 or PKCS #1."""
    if traditional:
        return _openssl("rsa", "-traditional", text=_made(bits))
    return _made(bits)


@functools.cache
def _made(bits: int) -> str:
    return _openssl("genrsa", str(bits))


def one_line(text: str) -> str:
    """As the secret has it."""
    return "".join(line for line in text.splitlines() if not line.startswith("-----"))


def key(bits: int = 2048) -> RsaKey:
    return rsa_key(pem(bits))


def record(text: str) -> bytes:
    """The TXT record of its public half (RFC 6376 section 3.6.1)."""
    der = base64.b64encode(_openssl_octets("rsa", "-pubout", "-outform", "DER", text=text))
    return b"v=DKIM1; k=rsa; p=" + der


def ed25519() -> str:
    return _openssl("genpkey", "-algorithm", "ed25519")


def encrypted(text: str) -> str:
    return _openssl("rsa", "-aes256", "-passout", "pass:canary", text=text)


def elliptic() -> str:
    return _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def _openssl(*arguments: str, text: str = "") -> str:
    return _openssl_octets(*arguments, text=text).decode()


def _openssl_octets(*arguments: str, text: str = "") -> bytes:
    return subprocess.run(
        ["openssl", *arguments], input=text.encode(), capture_output=True, check=True
    ).stdout
