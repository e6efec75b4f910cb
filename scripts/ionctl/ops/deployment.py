"""A deployed relay: everything that is known of it follows from its function's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ionctl.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ionctl.ops.account import Account

_HANDLER = "ion.handler.run"
_NO_SUCH_FUNCTION = "ResourceNotFoundException"
_NEEDED = (
    *("ION_AWS_QUEUE_URL", "ION_AWS_BULK_QUEUE_URL", "ION_AWS_LATER_QUEUE_URL"),
    *("ION_AWS_DEAD_LETTER_QUEUE_URL", "ION_AWS_LEDGER_TABLE"),
)
"""Variables of the function that the properties below are made of."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Names and addresses of one relay.

    Args:
        account: in which it is.
        name: the module's `name`, and the function's.
        configuration: of the function, as Lambda gives it.
    """

    account: Account
    name: str
    configuration: Mapping[str, Any] = field(repr=False)

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's environment variables, its settings among them."""
        variables: dict[str, str] = self.configuration.get("Environment", {}).get("Variables", {})
        return variables

    @property
    def queue_url(self) -> str:
        """The input queue's, for normal mail."""
        return self.environment["ION_AWS_QUEUE_URL"]

    @property
    def bulk_queue_url(self) -> str:
        """The bulk queue's."""
        return self.environment["ION_AWS_BULK_QUEUE_URL"]

    @property
    def later_queue_url(self) -> str:
        """That of the queue of what waits: deferred and scheduled mail."""
        return self.environment["ION_AWS_LATER_QUEUE_URL"]

    @property
    def dead_letter_queue_url(self) -> str:
        """The dead-letter queue's."""
        return self.environment["ION_AWS_DEAD_LETTER_QUEUE_URL"]

    @property
    def table(self) -> str:
        """Name of the ledger's table."""
        return self.environment["ION_AWS_LEDGER_TABLE"]

    @property
    def default_sender(self) -> str | None:
        """From, of emails that name none; None: it isn't in the function's environment."""
        return self.environment.get("ION_MAIL_SENDER")

    @property
    def topic_arn(self) -> str:
        """The input topic's."""
        return self._topic("input")

    @property
    def bulk_topic_arn(self) -> str:
        """The bulk topic's."""
        return self._topic("bulk")

    @property
    def log_group(self) -> str:
        """Name of the function's log group."""
        named: str = self.configuration.get("LoggingConfig", {}).get("LogGroup", "")
        return named or f"/aws/lambda/{self.name}"

    @property
    def alarm_prefix(self) -> str:
        """Beginning of all its alarms' names; another relay's may begin so, too."""
        return f"{self.name}-"

    def _topic(self, which: str) -> str:
        # arn:aws:lambda:eu-west-1:123456789012:function:ion
        _, partition, _, region, account_id, *_ = self.configuration["FunctionArn"].split(":")
        return f"arn:{partition}:sns:{region}:{account_id}:{self.name}-{which}-topic"


def find(account: Account, name: str) -> Deployment:
    """The relay of that name.

    Raises:
        Problem: there is none in this account and region, or it can't be looked at.
    """
    try:
        configuration = account.functions.get_function_configuration(FunctionName=name)
    except AWS_ERRORS as error:
        if code_of(error) == _NO_SUCH_FUNCTION:
            raise Problem(_no_relay(account, name)) from error
        raise Problem(f"the function {name} can't be looked at: {said(error)}") from error
    if configuration.get("Handler") != _HANDLER:
        raise Problem(f"the function {name} is no relay of ion: {_relays_in_words(account)}")
    deployment = Deployment(account, name, configuration)
    if unreadable := configuration.get("Environment", {}).get("Error"):
        code = unreadable.get("ErrorCode", "")
        raise Problem(
            f"the environment of the function {name} can't be read ({code}): these credentials "
            "need kms:Decrypt on its key"
        )
    for variable in _NEEDED:
        if variable not in deployment.environment:
            raise Problem(
                f"the function {name} is of a version of ion that this ionctl doesn't know: it has "
                f"no {variable}. Use the ionctl of that version, or upgrade the relay"
            )
    return deployment


def relays(account: Account) -> list[str]:
    """Names of all relays in the account and region. Raises botocore's errors."""
    pages = account.functions.get_paginator("list_functions").paginate()
    return sorted(
        function["FunctionName"]
        for page in pages
        for function in page["Functions"]
        if function.get("Handler") == _HANDLER
    )


_HELP = {
    "NoCredentialsError": "set AWS_PROFILE (or --profile), or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together",
    "ProfileNotFound": "see aws configure list-profiles",
    **dict.fromkeys(
        (
            *("ExpiredTokenException", "ExpiredToken", "SSOTokenLoadError"),
            *("UnauthorizedSSOTokenError", "TokenRetrievalError"),
        ),
        "the credentials have expired: log in anew (aws sso login)",
    ),
    **dict.fromkeys(
        ("UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException"),
        "AWS doesn't know these credentials: see aws sts get-caller-identity",
    ),
    **dict.fromkeys(
        ("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError"),
        "AWS isn't reached: see network, --region and AWS_ENDPOINT_URL",
    ),
    **dict.fromkeys(
        ("AccessDeniedException", "AccessDenied", "AuthorizationError"),
        "these credentials may not do that: docs/ionctl.md has the policy that ionctl needs",
    ),
}
"""By error: what helps."""


def said(error: Exception) -> str:
    """AWS's code for an error, with what helps."""
    return helped(code_of(error))


def helped(code: str) -> str:
    """A code of AWS's, with what helps."""
    return f"{code}: {_HELP[code]}" if code in _HELP else code


def _no_relay(account: Account, name: str) -> str:
    return f"there is no relay called {name} in {account.region}: {_relays_in_words(account)}"


def _relays_in_words(account: Account) -> str:
    try:
        names = relays(account)
    except AWS_ERRORS:
        return "say which one with --name, and where with --region and --profile"
    if not names:
        return "there is none at all there; see --region and --profile, or --local for ./run.sh's"
    return "there " + ("is " if len(names) == 1 else "are ") + ", ".join(names) + "; see --name"
