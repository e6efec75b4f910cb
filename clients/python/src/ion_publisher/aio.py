"""The publisher for programs that await."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from ion.outcome import Reason
from ion_publisher.message import Email
from ion_publisher.publisher import Publisher, Receipt, Result

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class AsyncPublisher:
    """A `Publisher` whose calls run in a thread, so that the event loop goes on.

    Args:
        topic_arn, bulk_topic_arn, sns: as of `Publisher`.
    """

    def __init__(
        self,
        topic_arn: str | None = None,
        bulk_topic_arn: str | None = None,
        *,
        sns: "SNSClient | None" = None,
    ) -> None:
        self._publisher = Publisher(topic_arn, bulk_topic_arn, sns=sns)

    async def send(self, **email: Unpack[Email]) -> Receipt:
        """See `Publisher.send`."""
        return await asyncio.to_thread(lambda: self._publisher.send(**email))

    async def send_many(self, emails: Iterable[Email]) -> list[Result]:
        """See `Publisher.send_many`."""
        return await asyncio.to_thread(self._publisher.send_many, emails)

    async def cancel(self, email_id: str) -> str:
        """See `Publisher.cancel`."""
        return await asyncio.to_thread(self._publisher.cancel, email_id)

    async def redrive(  # noqa: PLR0913 - the contract's fields
        self,
        *,
        reason: Reason | str | Sequence[Reason | str] | None = None,
        path: str | None = None,
        recipient_domain: str | None = None,
        older_than: timedelta | str | None = None,
        younger_than: timedelta | str | None = None,
        tag: Mapping[str, str] | None = None,
        sender: str | None = None,
        email_id: str | None = None,
        max: int | None = None,  # noqa: A002 - the contract's name
        rate: float | None = None,
        dry_run: bool | None = None,
    ) -> str:
        """See `Publisher.redrive`."""
        return await asyncio.to_thread(
            self._publisher.redrive,
            reason=reason,
            path=path,
            recipient_domain=recipient_domain,
            older_than=older_than,
            younger_than=younger_than,
            tag=tag,
            sender=sender,
            email_id=email_id,
            max=max,
            rate=rate,
            dry_run=dry_run,
        )
