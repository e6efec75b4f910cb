"""The private key of DKIM: in which forms it is read, and that nothing of it is told."""

import subprocess
from pathlib import Path

import pytest

import dkim_keys
from at_length import few
from ion.rsa_key import KeyFormatError, rsa_key


@pytest.mark.parametrize("traditional", [True, False])
@pytest.mark.parametrize("bits", few([1024, 2048, 4096], ["1024", "2048"]))
def test_it_signs_as_openssl_does(tmp_path: Path, bits: int, traditional: bool) -> None:
    pem = dkim_keys.pem(bits, traditional=traditional)
    for text in (pem, dkim_keys.one_line(pem), pem.replace("\n", ""), pem.replace("\n", " ")):
        assert rsa_key(text) == rsa_key(pem)
    (tmp_path / "key.pem").write_text(pem)
    for octets in (b"", b"x", bytes(range(256)) * 50):
        command = ["openssl", "dgst", "-sha256", "-sign", str(tmp_path / "key.pem")]
        theirs = subprocess.run(command, input=octets, capture_output=True, check=True).stdout
        assert rsa_key(pem).sign(octets) == theirs


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be an RSA private key"),
        ("canary", "must be an RSA private key"),
        ("Y2FuYXJ5", "must be an RSA private key"),
        ("MAA=", "must be an RSA private key"),
        (dkim_keys.pem(512), "has 512 bits"),
        (dkim_keys.ed25519(), "is an Ed25519 key"),
        (dkim_keys.elliptic(), "must be an RSA private key"),
        (dkim_keys.encrypted(dkim_keys.pem()), "is encrypted"),
        (dkim_keys.one_line(dkim_keys.pem())[:-400], "must be an RSA private key"),
        (dkim_keys.record(dkim_keys.pem()).decode().rpartition("=")[2], "must be an RSA private"),
    ],
)
def test_what_is_no_key_to_sign_with_is_refused_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        rsa_key(text)
    assert str(caught.value).startswith(said)
    assert "canary" not in str(caught.value)
    assert dkim_keys.one_line(text)[:8] not in str(caught.value) or len(text) < 8


def test_one_changed_octet_is_noticed() -> None:
    line = dkim_keys.one_line(dkim_keys.pem())
    for place in range(40, len(line) - 4, 7):
        other = "A" if line[place] != "A" else "B"
        changed = line[:place] + other + line[place + 1 :]
        try:
            key = rsa_key(changed)
        except KeyFormatError:
            continue
        assert key == dkim_keys.key(), "only what isn't used to sign may differ"


def test_its_secret_numbers_are_in_no_repr() -> None:
    key = dkim_keys.key()
    assert str(key.p) not in repr(key)
    assert str(key.dq) not in repr(key)
