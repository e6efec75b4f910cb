"""SSM and Secrets Manager: the text of config-secrets.cfg, by ARN."""

from typing import TYPE_CHECKING

from ion.aws.errors import AWS_ERRORS, code_of
from ion.settings import SettingsError

if TYPE_CHECKING:
    import boto3


def read_secret(session: "boto3.Session", arn: str) -> str:
    """The secret's text.

    Args:
        session: makes the one client that the ARN asks for.
        arn: of an SSM parameter (`arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`) or a Secrets
            Manager secret.

    Raises:
        SettingsError: no such secret, not allowed, or not a secret's ARN.
    """
    _, _, service, region, *_ = (*arn.split(":"), "", "", "", "")
    try:
        if service == "ssm":
            parameter = session.client("ssm", region_name=region).get_parameter(
                Name=arn, WithDecryption=True
            )
            return parameter["Parameter"]["Value"]
        if service == "secretsmanager":
            secret = session.client("secretsmanager", region_name=region).get_secret_value(
                SecretId=arn
            )
            return secret.get("SecretString") or secret["SecretBinary"].decode()
    except (*AWS_ERRORS, ValueError) as error:  # no region in the ARN; octets that are no text
        raise SettingsError(f"{arn}: can't be read: {code_of(error)}") from error
    raise SettingsError(
        "environment ION_AWS_SECRET_ARN: must be the ARN of an SSM parameter or a Secrets Manager "
        "secret"
    )
