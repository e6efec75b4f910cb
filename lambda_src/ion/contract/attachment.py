"""The types of an attachment: what it is called, and where its octets are."""

import re
from typing import Annotated

import msgspec

NO_BUCKET = "is an IP address"
NO_CONTENT = "needs content or s3"
TWO_CONTENTS = "has content and s3"


Bucket = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9](-*([.]-+)*[.]?[a-z0-9])*\Z",  # no two dots side by side
        min_length=3,
        max_length=63,
        description="A bucket's name by S3's rules, or an access point's alias",
    ),
]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
"""Of an object; S3 counts its octets of UTF-8."""
is_ip_address = re.compile(r"[0-9]+(?:[.][0-9]+){3}").fullmatch
"""No bucket may be called so, which no pattern of all languages can say."""


class S3Object(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object in S3.

    Args:
        bucket: its name, or an access point's alias.
        key: 1-1024 octets of UTF-8 (S3).
        version: of a bucket with versions; None: the latest.
        sha256: of its octets, in hexadecimal; another one is refused.
    """

    bucket: Bucket
    key: Key
    version: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,1024}\Z")] | None = None
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}\Z")] | None = None

    def __post_init__(self) -> None:
        if is_ip_address(self.bucket):
            raise ValueError(NO_BUCKET)


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
