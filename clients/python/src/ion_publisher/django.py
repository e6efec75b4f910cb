"""Django's mail through ion: EMAIL_BACKEND = "ion_publisher.django.EmailBackend"."""

from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from ion_publisher.django_email import email_of
from ion_publisher.failures import InvalidMessage, PublishFailed
from ion_publisher.message import Letter, letter
from ion_publisher.publisher import Publisher, Receipt
from ion_publisher.topics import BULK_TOPIC_ARN, TOPIC_ARN, Topics


class EmailBackend(BaseEmailBackend):
    """Publishes each message to ion's topic.

    All are checked before the first is published. An email that is published has its receipt in
    `message.ion_receipt`.

    Args:
        fail_silently: leave out what can't be published; the number sent tells.
        topic_arn: of ion's input topic; None: the setting ION_TOPIC_ARN, else the environment's.
        bulk_topic_arn: of the topic for bulk; None: the setting ION_BULK_TOPIC_ARN, else the
            environment's, if the other is taken from there as well.
        options: those of other back ends, which have no meaning here.

    Raises:
        ImproperlyConfigured: there is no ARN, or a wrong one; however silently it should fail.
    """

    def __init__(
        self,
        fail_silently: bool = False,
        *,
        topic_arn: str | None = None,
        bulk_topic_arn: str | None = None,
        **options: object,  # noqa: ARG002 - as it says
    ) -> None:
        super().__init__(fail_silently=fail_silently)
        try:
            topics = Topics.of(
                topic_arn or getattr(settings, TOPIC_ARN, None),
                bulk_topic_arn or getattr(settings, BULK_TOPIC_ARN, None),
            )
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from error
        self._publisher = shared_publisher(topics.input, topics.bulk)

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """Publish those that have recipients.

        Returns:
            How many SNS has.

        Raises:
            InvalidMessage: one would be dead-lettered by the relay; none was published.
            PublishFailed: SNS didn't confirm one; others may have been published.
        """
        letters: list[tuple[EmailMessage, Letter]] = []
        for message in email_messages:
            if not message.recipients():
                continue
            try:
                letters.append((message, letter(email_of(message))))
            except InvalidMessage:
                if not self.fail_silently:
                    raise
        results = self._publisher.publish([one for _, one in letters])
        sent = 0
        for (message, _), result in zip(letters, results, strict=True):
            if isinstance(result, Receipt):
                sent += 1
                message.ion_receipt = result  # type: ignore[attr-defined] # Django has no field for it
        failed = [one for one in results if isinstance(one, PublishFailed)]
        if failed and not self.fail_silently:
            raise failed[0]
        return sent


@lru_cache(maxsize=8)
def shared_publisher(topic_arn: str, bulk_topic_arn: str) -> Publisher:
    """One for all back ends: Django makes a back end for each `send_mail`, and a client is slow."""
    return Publisher(topic_arn, bulk_topic_arn)
