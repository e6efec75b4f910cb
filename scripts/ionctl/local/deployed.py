"""What a deployed function has been told: its environment, found by the address of a queue."""

import re
from collections.abc import Mapping
from typing import Any

import boto3

from ion.aws.errors import AWS_ERRORS, code_of
from ionctl.problem import Problem

_QUEUE_NAME = re.compile(r"(.+)-(?:input|bulk|later)-queue")
"""Begins with the module's `name`, which is the function's name, too."""


class Session(boto3.Session):
    """A session of which each client goes to one address; None: to AWS."""

    endpoint_url: str | None = None

    def client(self, service_name: Any, **options: Any) -> Any:  # type: ignore[override]  # noqa: ANN401 - as in boto3
        """Give a client."""
        return super().client(service_name, endpoint_url=self.endpoint_url, **options)


def environment(session: Session, queue_url: str) -> Mapping[str, str]:
    """Give the environment variables of the function that drains a queue.

    Args:
        session: of the account.
        queue_url: of its input, bulk or later queue.

    Raises:
        Problem: there is no such function, or it can't be looked at.
    """
    queue = queue_url.rpartition("/")[2]
    named = _QUEUE_NAME.fullmatch(queue)
    if named is None:
        raise Problem(
            f"{queue} isn't called NAME-input-queue, NAME-bulk-queue or NAME-later-queue, so its "
            "function isn't known"
        )
    function = named[1]
    try:
        configuration = session.client("lambda").get_function_configuration(FunctionName=function)
    except AWS_ERRORS as error:
        raise Problem(f"the function {function} can't be looked at: {code_of(error)}") from error
    variables: dict[str, str] = configuration.get("Environment", {}).get("Variables", {})
    return variables
