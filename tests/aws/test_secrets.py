"""The secret by its ARN, and what is said where there is none to be had."""

from typing import Literal

import pytest

from emulated import REGION, Account
from ion.aws.secrets import read_secret
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
