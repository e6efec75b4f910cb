"""Which topics an application publishes to."""

import os
from dataclasses import dataclass
from typing import Self

TOPIC_ARN = "ION_TOPIC_ARN"
BULK_TOPIC_ARN = "ION_BULK_TOPIC_ARN"
"""The environment variables with the topics' ARNs."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The ARNs of ion's topics.

    Args:
        input: for all that isn't bulk.
        bulk: for bulk; the same where there is no other: the relay moves bulk itself then.
        region: of both.
    """

    input: str
    bulk: str
    region: str

    @classmethod
    def of(cls, topic_arn: str | None, bulk_topic_arn: str | None) -> Self:
        """Those given; without any, those of the environment.

        Of the environment both are taken or none: bulk would go to another ion otherwise.

        Raises:
            ValueError: there is no ARN, or it isn't a topic's, or the two regions differ.
        """
        if not topic_arn:
            topic_arn = os.environ.get(TOPIC_ARN) or ""
            bulk_topic_arn = bulk_topic_arn or os.environ.get(BULK_TOPIC_ARN)
        region = _region(topic_arn)
        if not region:
            raise ValueError(f"topic_arn or {TOPIC_ARN} must be the ARN of ion's input topic")
        if bulk_topic_arn and _region(bulk_topic_arn) != region:
            raise ValueError(
                f"bulk_topic_arn or {BULK_TOPIC_ARN} must be the ARN of ion's topic for bulk, "
                f"in {region} as the other"
            )
        return cls(topic_arn, bulk_topic_arn or topic_arn, region)


def _region(topic_arn: str) -> str:
    """Empty: it is no topic's ARN."""
    parts = topic_arn.split(":")  # arn:aws:sns:REGION:ACCOUNT:NAME
    is_topic = len(parts) == 6 and parts[0] == "arn" and parts[2] == "sns"  # as above
    return parts[3] if is_topic else ""
