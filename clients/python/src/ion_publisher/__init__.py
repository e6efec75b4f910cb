"""Publishes email to ion's topic, after all the checks that the relay would make."""

from ion.contract import Lane, Mailbox
from ion.delivery import InDoubt
from ion.outcome import Reason
from ion_publisher.aio import AsyncPublisher
from ion_publisher.attachment import Attachment
from ion_publisher.failures import InvalidMessage, PublishFailed
from ion_publisher.message import Address, Addresses, Email
from ion_publisher.publisher import Publisher, Receipt, Result

__all__ = [
    "Address",
    "Addresses",
    "AsyncPublisher",
    "Attachment",
    "Email",
    "InDoubt",
    "InvalidMessage",
    "Lane",
    "Mailbox",
    "PublishFailed",
    "Publisher",
    "Reason",
    "Receipt",
    "Result",
]
