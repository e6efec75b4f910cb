"""What the local mail server tells of an email after it took it, as Amazon SES does.

Only of the recipients of the mailbox simulator that are for it.
"""

import email.parser
import email.policy
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ionctl.local.mail_session import Arrived
from ionctl.local.mailbox_simulator import BOUNCE_LATER, COMPLAINT
from ionctl.local.names import Names

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_AFTER_SECONDS = 2.0
"""A notice comes after the email is settled: while it is under way its row is the run's."""


class Provider:
    """Tells nothing but between the two ends of `telling`."""

    def __init__(self) -> None:
        self._sns: SNSClient | None = None
        self._topic_arn = ""
        self._timers: list[threading.Timer] = []

    @contextmanager
    def telling(self, sns: "SNSClient", names: Names) -> Iterator[None]:
        """Publish on the feedback topic; what is still to be told at the end isn't told."""
        self._sns, self._topic_arn = sns, names.feedback_topic_arn
        try:
            yield
        finally:
            self._sns = None
            for timer in self._timers:
                timer.cancel()
                timer.join()

    def arrived(self, arrived: Arrived) -> None:
        """Take note of an email; called from the mail server's thread."""
        if self._sns is None:
            return
        for recipient in arrived.recipients:
            if recipient.lower() in (BOUNCE_LATER, COMPLAINT):
                timer = threading.Timer(_AFTER_SECONDS, self._tell, [arrived, recipient])
                timer.daemon = True
                self._timers = [one for one in self._timers if one.is_alive()]
                self._timers.append(timer)
                timer.start()

    def _tell(self, arrived: Arrived, recipient: str) -> None:
        if self._sns is not None:
            message = json.dumps(notice(arrived, recipient))
            self._sns.publish(TopicArn=self._topic_arn, Message=message)


def notice(arrived: Arrived, recipient: str) -> dict[str, Any]:
    """Give SES's notification of what became just now of an email to that recipient."""
    parser = email.parser.BytesHeaderParser(policy=email.policy.compat32)
    message_id = parser.parsebytes(arrived.content).get("Message-ID", "")
    now, taken = (one.isoformat(timespec="milliseconds") for one in (datetime.now(UTC), arrived.at))
    told: dict[str, Any] = {"timestamp": now, "feedbackId": secrets.token_hex(16)}
    if recipient.lower() == COMPLAINT:
        complained = {
            "complainedRecipients": [{"emailAddress": recipient}],
            "complaintFeedbackType": "abuse",
        }
        what = {"notificationType": "Complaint", "complaint": told | complained}
    else:
        bounced = {
            "emailAddress": recipient,
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 user unknown",
        }
        bounce = {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [bounced],
        }
        what = {"notificationType": "Bounce", "bounce": told | bounce}
    return what | {
        "mail": {
            "timestamp": taken,
            "messageId": secrets.token_hex(16),
            "source": arrived.sender,
            "destination": list(arrived.recipients),
            "headers": [{"name": "Message-ID", "value": message_id}],
            "commonHeaders": {"messageId": message_id},
        }
    }
