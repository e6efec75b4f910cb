"""The secret by its ARN, and what is said where there is none to be had."""

from typing import Literal

import pytest

from emulated import REGION, Account
from ion.aws.secrets import SecretStore, read_secret
from ion.settings import SettingsError

TEXT = "[smtp]\npassword = canary ü\n"


def parameter(account: Account, kind: Literal["String", "SecureString"]) -> str:
    ssm = account.session.client("ssm")
    ssm.put_parameter(Name="/ion/secret", Value=TEXT, Type=kind)
    return ssm.get_parameter(Name="/ion/secret")["Parameter"]["ARN"]


@pytest.mark.parametrize("kind", ["SecureString", "String"])
def test_a_parameter_is_read_and_decrypted(
    account: Account, kind: Literal["String", "SecureString"]
) -> None:
    assert read_secret(account.session, parameter(account, kind)) == TEXT


def test_a_secret_is_read(account: Account) -> None:
    client = account.session.client("secretsmanager")
    arn = client.create_secret(Name="ion", SecretString=TEXT)["ARN"]
    assert read_secret(account.session, arn) == TEXT


def test_a_binary_secret_is_its_text(account: Account) -> None:
    client = account.session.client("secretsmanager")
    arn = client.create_secret(Name="ion", SecretBinary=TEXT.encode())["ARN"]
    assert read_secret(account.session, arn) == TEXT


def test_a_changed_secret_is_read_anew(account: Account) -> None:
    client = account.session.client("secretsmanager")
    arn = client.create_secret(Name="ion", SecretString="old")["ARN"]
    assert read_secret(account.session, arn) == "old"
    client.put_secret_value(SecretId=arn, SecretString="new")
    assert read_secret(account.session, arn) == "new"


def test_a_secret_may_live_in_another_region(account: Account) -> None:
    client = account.session.client("secretsmanager", region_name="us-east-1")
    arn = client.create_secret(Name="ion", SecretString=TEXT)["ARN"]
    assert REGION not in arn
    assert read_secret(account.session, arn) == TEXT


@pytest.mark.row(32)
@pytest.mark.parametrize(
    ("arn", "why"),
    [
        (f"arn:aws:ssm:{REGION}:123456789012:parameter/none", "ParameterNotFound"),
        (f"arn:aws:secretsmanager:{REGION}:123456789012:secret:none", "ResourceNotFound"),
        ("arn:aws:ssm:no_region:123456789012:parameter/x", "InvalidRegion"),
        ("arn:aws:ssm:::parameter/x", "ValueError"),
        ("arn:aws:ssm", "ValueError"),
    ],
)
def test_a_secret_that_can_not_be_read_says_which_and_why(
    account: Account, arn: str, why: str
) -> None:
    with pytest.raises(SettingsError, match=f"can't be read: {why}") as caught:
        read_secret(account.session, arn)
    assert str(caught.value).startswith(f"{arn}: ")


@pytest.mark.row(32)
@pytest.mark.parametrize("arn", ["x", "", ":::::", "arn:aws:s3:::bucket", "/ion/secret"])
def test_what_is_no_secrets_arn_names_the_variable(account: Account, arn: str) -> None:
    with pytest.raises(SettingsError, match="ION_AWS_SECRET_ARN"):
        read_secret(account.session, arn)


@pytest.mark.row(32)
def test_a_secret_that_is_no_text_is_an_error_that_does_not_repeat_it(account: Account) -> None:
    client = account.session.client("secretsmanager")
    arn = client.create_secret(Name="ion", SecretBinary=b"canary\xff")["ARN"]
    with pytest.raises(SettingsError) as caught:
        read_secret(account.session, arn)
    assert "canary" not in f"{caught.value}{caught.value.__cause__}"


# versions


class Rotated:
    """A secret that has been changed, as often as there are texts."""

    def __init__(self, account: Account, service: str, *texts: str) -> None:
        self._account = account
        self._service = service
        self.arn = ""
        for text in texts:
            self.change(text)

    def change(self, text: str) -> None:
        if self._service == "ssm":
            ssm = self._account.session.client("ssm")
            ssm.put_parameter(Name="/ion/x", Value=text, Type="SecureString", Overwrite=True)
            self.arn = ssm.get_parameter(Name="/ion/x")["Parameter"]["ARN"]
            return
        client = self._account.session.client("secretsmanager")
        if self.arn:
            client.put_secret_value(SecretId=self.arn, SecretString=text)
        else:
            self.arn = client.create_secret(Name="ion", SecretString=text)["ARN"]


BOTH = pytest.mark.parametrize("service", ["ssm", "secretsmanager"])


@BOTH
def test_another_text_has_another_version_and_the_same_has_the_same(
    account: Account, service: str
) -> None:
    rotated = Rotated(account, service, "one")
    store = SecretStore(account.session, rotated.arn)
    first, again = store.current(), store.current()
    rotated.change("two")
    second = store.current()
    assert (first.text, second.text) == ("one", "two")
    assert (first.version == again.version, first.version == second.version) == (True, False)


@pytest.mark.row(91)
@BOTH
def test_the_secret_before_this_one_can_be_had(account: Account, service: str) -> None:
    rotated = Rotated(account, service, "one", "two", "three")
    before = SecretStore(account.session, rotated.arn).previous()
    assert before is not None
    assert before.text == "two"


@BOTH
def test_the_first_secret_has_none_before_it(account: Account, service: str) -> None:
    rotated = Rotated(account, service, "one")
    assert SecretStore(account.session, rotated.arn).previous() is None


@pytest.mark.parametrize(
    "arn", [f"arn:aws:ssm:{REGION}:123456789012:parameter/none", "arn:aws:ssm"]
)
def test_without_a_secret_there_is_an_error_and_not_none_before(account: Account, arn: str) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        SecretStore(account.session, arn).previous()


def test_a_secret_does_not_print_its_text(account: Account) -> None:
    assert "canary" not in repr(
        SecretStore(account.session, parameter(account, "String")).current()
    )
