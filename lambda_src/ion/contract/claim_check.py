"""A message that only says where the message is: its claim check."""

from typing import Literal

import msgspec

from ion.contract.attachment import Bucket, Key, S3Object, is_ip_address
from ion.contract.send import EmailId

NO_BUCKET_POINTED_TO = "points to an IP address"
_LONGEST = 8192
"""Characters: a key of 1,024 that is escaped throughout, and blanks."""
_POINTERS = Literal[
    "software.amazon.payloadoffloading.PayloadS3Pointer",
    "com.amazon.sqs.javamessaging.MessageS3Pointer",
]
"""The classes of AWS's extended clients: the present one, and the Java client's older one."""


class OutboxClaim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields are an item of the outbox table."""

    email_id: EmailId
    action: Literal["send"] = "send"


class Pointer(msgspec.Struct, frozen=True, rename={"bucket": "s3BucketName", "key": "s3Key"}):
    """What the extended clients say of an object in S3."""

    bucket: Bucket
    key: Key

    def __post_init__(self) -> None:
        if is_ip_address(self.bucket):
            raise ValueError(NO_BUCKET_POINTED_TO)


NamedPointer = tuple[_POINTERS, Pointer]
"""The body of a message whose text is in S3."""


def claim_check(body: str) -> OutboxClaim | S3Object | None:
    """Where the message is; None: it is the body itself, or nothing that ion knows."""
    if len(body) > _LONGEST:
        return None
    try:
        if body.lstrip().startswith("["):
            _, pointer = msgspec.json.decode(body, type=NamedPointer)
            return S3Object(bucket=pointer.bucket, key=pointer.key)
        return msgspec.json.decode(body, type=OutboxClaim)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None
