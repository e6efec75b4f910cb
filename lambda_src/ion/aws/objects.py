"""S3: the octets of an object, read as there is room for them."""

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    ParamValidationError,
    UnsupportedS3AccesspointConfigurationError,
    UnsupportedS3ArnError,
)

from ion.aws.errors import AWS_ERRORS, code_of
from ion.contract import S3Object

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_MISSING = frozenset(
    {
        *("NoSuchKey", "NoSuchBucket", "NoSuchVersion", "404"),
        *("InvalidBucketName", "InvalidArgument", "KeyTooLongError"),
        *("MethodNotAllowed", "405"),  # the version is a delete marker
        "InvalidObjectState",  # archived: a person has to restore it first
    }
)
_FORBIDDEN = frozenset(
    {
        *("AccessDenied", "AllAccessDisabled", "403", "AccountProblem"),
        *("InvalidRequest", "400"),  # encrypted with a key that only its owner has
        "KMS.DisabledException",
    }
)


_NEVER_ASKED = (
    ParamValidationError,
    UnsupportedS3AccesspointConfigurationError,
    UnsupportedS3ArnError,
)
"""No object can have such a name; boto3 says so itself, every time."""


class Fault(StrEnum):
    """Ways in which an object can't be had."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    """Or missing: S3 says so, too, if the role may not list the bucket."""
    MISMATCH = "mismatch"
    """It isn't what it should be."""
    UNAVAILABLE = "unavailable"
    """Not just now: S3 is down or throttles, or the connection broke."""


class ObjectError(Exception):
    """An object can't be had. The text is AWS's code, or our words; never the object's name."""

    def __init__(self, fault: Fault, code: str, about: S3Object) -> None:
        super().__init__(code)
        self.fault = fault
        self.about = about


class OpenObject:
    """An object about to be read.

    Args:
        name: its own.
        body: boto3's.
        size: its octets.
    """

    def __init__(self, name: S3Object, body: "StreamingBody", size: int) -> None:
        self._name = name
        self._body = body
        self.size = size

    async def read(self, most: int) -> bytes:
        """The next octets, at most so many; none at its end.

        Raises:
            ObjectError: UNAVAILABLE, if the connection breaks.
        """
        try:
            return await asyncio.to_thread(self._body.read, most)
        except AWS_ERRORS as error:
            raise ObjectError(Fault.UNAVAILABLE, code_of(error), self._name) from error

    def close(self) -> None:
        """Let go of it, read or not."""
        self._body.close()


class Objects:
    """Reads objects.

    Args:
        client: gives boto3's client, which is made when it is first needed.
    """

    def __init__(self, client: "Callable[[], S3Client]") -> None:
        self._client = client

    async def size(self, one: S3Object) -> int:
        """How many octets an object has.

        Raises:
            ObjectError: it can't be had.
        """
        return int((await self._ask("head_object", one))["ContentLength"])

    async def open(self, one: S3Object) -> OpenObject:
        """Ask for an object; nothing of it is read yet.

        Raises:
            ObjectError: it can't be had.
        """
        answer = await self._ask("get_object", one)
        return OpenObject(one, answer["Body"], answer["ContentLength"])

    async def _ask(self, method: str, one: S3Object) -> Any:  # noqa: ANN401 - boto3's
        request = {"Bucket": one.bucket, "Key": one.key}
        if one.version is not None:
            request["VersionId"] = one.version
        try:
            return await asyncio.to_thread(self._call, method, request)
        except AWS_ERRORS as error:
            code = code_of(error)
            fault = Fault.MISSING if isinstance(error, _NEVER_ASKED) else _fault(code)
            raise ObjectError(fault, code, one) from error

    def _call(self, method: str, request: dict[str, str]) -> Any:  # noqa: ANN401 - boto3's
        return getattr(self._client(), method)(**request)


def _fault(code: str) -> Fault:
    if code in _MISSING:
        return Fault.MISSING
    return Fault.FORBIDDEN if code in _FORBIDDEN else Fault.UNAVAILABLE
