"""The email that a newcomer sees first."""

import json
from base64 import b64decode

from ionctl.local import first_email
from ionctl.ops import publishing


def test_the_relay_takes_it() -> None:
    checked = publishing.check(first_email.message(), default_sender=None)
    assert (checked.ok, checked.faults, checked.warnings) == (True, [], [])


def test_what_it_says_to_try_is_taken_by_the_relay_too() -> None:
    (attachment,) = (
        one
        for one in json.loads(first_email.message())["attachments"]
        if one["filename"] == "try-this.json"
    )
    checked = publishing.check(b64decode(attachment["content"]).decode())
    assert (checked.ok, checked.faults) == (True, [])


def test_text_and_html_say_the_same_in_three_sentences() -> None:
    message = json.loads(first_email.message())
    for words in ("SNS topic", "SQS queue", "Lambda function", "SMTP", "./ionctl --local status"):
        assert words in message["body_text"]
        assert words in message["body_html"]
