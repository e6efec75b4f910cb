"""SSM and Secrets Manager: the text of config-secrets.cfg, by ARN, and the one before it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from ion.aws.errors import AWS_ERRORS, code_of
from ion.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

_TIMEOUT_SECONDS = 5
"""A connection to the mail server may wait for it."""
_NONE_BEFORE = frozenset({"ParameterVersionNotFound", "ResourceNotFoundException"})


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it was read.

    Args:
        text: of config-secrets.cfg.
        version: AWS's name for it: another text has another one.
    """

    text: str = field(repr=False)
    version: str


class SecretStore:
    """One secret.

    Args:
        session: makes the one client that the ARN asks for, when it is needed first.
        arn: of an SSM parameter (`arn:aws:ssm:REGION:ACCOUNT:parameter/NAME`) or a Secrets
            Manager secret.
    """

    def __init__(self, session: "boto3.Session", arn: str) -> None:
        self._session = session
        self._arn = arn
        self._client: Any = None

    def current(self) -> Secret:
        """The secret as it is now.

        Raises:
            SettingsError: no such secret, not allowed, or not a secret's ARN.
        """
        try:
            if self._service == "ssm":
                return self._parameter(self._arn)[0]
            if self._service == "secretsmanager":
                return self._staged("AWSCURRENT")
        except (*AWS_ERRORS, ValueError) as error:  # no region in the ARN; octets that are no text
            raise self._unreadable(error) from error
        raise SettingsError(
            "environment ION_AWS_SECRET_ARN: must be the ARN of an SSM parameter or a Secrets "
            "Manager secret"
        )

    def previous(self) -> Secret | None:
        """The one before: Secrets Manager's AWSPREVIOUS, SSM's last version but one.

        Raises:
            SettingsError: it can't be read.
        """
        try:
            if self._service == "secretsmanager":
                return self._staged("AWSPREVIOUS")
            secret, name = self._parameter(self._arn)
            before = int(secret.version) - 1
            # SSM knows a version by the parameter's name only, not by its ARN.
            return self._parameter(f"{name}:{before}")[0] if before else None
        except (*AWS_ERRORS, ValueError) as error:
            if code_of(error) in _NONE_BEFORE:
                return None
            raise self._unreadable(error) from error

    @property
    def _service(self) -> str:
        return (*self._arn.split(":"), "", "", "")[2]

    def _parameter(self, name: str) -> tuple[Secret, str]:
        """The parameter, and its name."""
        answer = self._call("get_parameter", Name=name, WithDecryption=True)["Parameter"]
        return Secret(answer["Value"], str(answer["Version"])), answer["Name"]

    def _staged(self, stage: str) -> Secret:
        answer = self._call("get_secret_value", SecretId=self._arn, VersionStage=stage)
        text = answer.get("SecretString") or answer["SecretBinary"].decode()
        return Secret(text, answer["VersionId"])

    def _call(self, method: str, **request: Any) -> Any:  # noqa: ANN401 - boto3's
        if self._client is None:
            _, _, service, region, *_ = (*self._arn.split(":"), "", "")
            # The ARN says which; boto3's types know each service by name only.
            make: Callable[..., Any] = self._session.client
            config = Config(
                connect_timeout=_TIMEOUT_SECONDS,
                read_timeout=_TIMEOUT_SECONDS,
                retries={"mode": "standard", "max_attempts": 2},
            )
            self._client = make(service, region_name=region, config=config)
        return getattr(self._client, method)(**request)

    def _unreadable(self, error: Exception) -> SettingsError:
        return SettingsError(f"{self._arn}: can't be read: {code_of(error)}")


def read_secret(session: "boto3.Session", arn: str) -> str:
    """The secret's text, for who reads it once.

    Raises:
        SettingsError: as `SecretStore.current`.
    """
    return SecretStore(session, arn).current().text
