"""The secret, read as the function reads it, with the operator's credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from ion.aws.errors import AWS_ERRORS, code_of
from ion.aws.secrets import read_secret
from ion.settings import SettingsError
from ionctl.ops.deployment import said
from ionctl.ops.doctor.check import NotKnownError

if TYPE_CHECKING:
    from ionctl.ops.account import Account

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "ExpiredTokenException"})


class _Session(boto3.Session):
    """The operator's, of which ion makes its own clients: of an emulated AWS as well."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def client(self, service_name: Any, **options: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 - as in boto3
        """Give a client."""
        endpoint_url = self._account.endpoint_url
        return self._account.session.client(service_name, endpoint_url=endpoint_url, **options)


def text(account: Account, arn: str) -> str:
    """The secret's text.

    Raises:
        NotKnownError: these credentials may not read it; the function may.
        SettingsError: there is none.
    """
    try:
        return read_secret(_Session(account), arn)
    except SettingsError as error:
        cause = error.__cause__
        if isinstance(cause, AWS_ERRORS) and code_of(cause) in _DENIED:
            raise NotKnownError(f"the secret can't be read: {said(cause)}") from error
        raise
