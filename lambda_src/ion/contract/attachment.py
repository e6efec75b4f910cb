"""The types of an attachment: what it is called, and where its octets are."""

from typing import Annotated

import msgspec

NO_CONTENT = "needs content or s3"
TWO_CONTENTS = "has content and s3"


class S3Object(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object in S3.

    Args:
        bucket: its name, or an access point's alias.
        key: 1-1024 octets of UTF-8 (S3).
        version: of a bucket with versions; None: the latest.
        sha256: of its octets, in hexadecimal; another one is refused.
    """

    bucket: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    version: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,1024}\Z")] | None = None
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}\Z")] | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of an email.

    Args:
        filename: what the reader sees, and saves it as.
        content_type: type/subtype, with parameters if it has some; None: by the file name's ending.
        content: its octets in base64.
        s3: or where they are.
        content_id: what the HTML calls it (`<img src="cid:logo">`); with one it is inline.
    """

    filename: str
    content_type: str | None = None
    content: str | None = None
    s3: S3Object | None = None
    content_id: str | None = None

    def __post_init__(self) -> None:
        if self.content is None and self.s3 is None:
            raise ValueError(NO_CONTENT)
        if self.content is not None and self.s3 is not None:
            raise ValueError(TWO_CONTENTS)
