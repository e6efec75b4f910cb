"""Amazon SES's published examples of what it notifies of, and forms around them."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("ses")
NAMES = sorted(path.stem for path in _FOLDER.glob("*.json"))
FEEDBACK_TOPIC = "arn:aws:sns:eu-west-1:123456789012:ion-feedback-topic"


def example(name: str) -> dict[str, Any]:
    """One of the files."""
    content: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return content


def body(name: str) -> str:
    """As raw delivery puts it into the queue."""
    return json.dumps(example(name))


def wrapped(text: str) -> str:
    """As SNS puts it into a queue without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": FEEDBACK_TOPIC,
            "Subject": "Amazon SES Email Event Notification",
            "Message": text,
            "Timestamp": "2016-01-27T14:59:39.000Z",
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem",
            "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
        }
    )
