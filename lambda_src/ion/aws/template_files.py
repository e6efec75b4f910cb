"""S3: templates under a prefix, listed now and then, fetched when they have changed."""

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from ion.aws.errors import AWS_ERRORS, code_of
from ion.template.files import MOST_FILE_BYTES, SUFFIX, FilesUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST_FILES = 10_000
"""Ten pages of a list; each look costs a call a page."""
_TRY_AGAIN_SECONDS = 30
"""After a failure: each message with a template would wait for boto3's tries, one by one."""
_GONE = frozenset({"NoSuchKey", "404"})


class TemplateFiles:
    """Templates by their names below a prefix; see `ion.template.Files`.

    What is compiled is kept by ETag, so a file is fetched once for each content that it has.

    Args:
        client: gives boto3's client, which is made when it is first needed.
        bucket: its name.
        prefix: ends in "/", or is empty.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        client: "Callable[[], S3Client]",
        bucket: str,
        prefix: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._now = now
        self._versions: dict[str, str] | None = None
        self._listed_at = float("-inf")
        self._failed_at = float("-inf")
        self._failure = ""

    def refresh(self, not_before: float) -> bool:
        """Have the list as it was at `not_before` or later; true if it is another than before.

        Raises:
            FilesUnavailableError: S3 can't be asked, or couldn't be a moment ago.
        """
        if self._listed_at >= not_before:
            return False
        if self._now() < self._failed_at + _TRY_AGAIN_SECONDS:
            raise FilesUnavailableError(self._failure)
        began = self._now()
        try:
            versions = self._list()
        except AWS_ERRORS as error:
            raise self._failed(error) from error
        is_another = versions != self._versions
        self._versions, self._listed_at = versions, began
        return is_another

    def names(self) -> Collection[str]:
        """All files.

        Raises:
            FilesUnavailableError: they have never been listed.
        """
        if self._versions is None:
            raise FilesUnavailableError(self._failure)
        return self._versions

    def version(self, name: str) -> str:
        """The ETag; empty: there is no such file."""
        return (self._versions or {}).get(name, "")

    def read(self, name: str) -> bytes | None:
        """The content; None: there is no such file. Of one that is too large, its beginning.

        Raises:
            FilesUnavailableError: it can't be read.
        """
        if not self.version(name):
            return None
        try:
            answer = self._client().get_object(Bucket=self._bucket, Key=self._prefix + name)
            content: bytes = answer["Body"].read(MOST_FILE_BYTES + 1)
        except AWS_ERRORS as error:
            if code_of(error) in _GONE:  # since it was listed
                return None
            raise self._failed(error) from error
        return content

    def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        more: dict[str, Any] | None = {}
        while more is not None:
            page = self._client().list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, **more)
            for one in page.get("Contents", []):
                if one["Key"].endswith(SUFFIX):
                    found[one["Key"].removeprefix(self._prefix)] = one["ETag"]
            if len(found) > MOST_FILES:
                self._failed_at, self._failure = self._now(), "TooManyFiles"
                raise FilesUnavailableError(self._failure)
            token = page.get("NextContinuationToken")
            more = {"ContinuationToken": token} if token else None
        return found

    def _failed(self, error: Exception) -> FilesUnavailableError:
        self._failed_at, self._failure = self._now(), code_of(error)
        return FilesUnavailableError(self._failure)
