"""What is written on a dead letter."""

import json


def written(**ion: object) -> str:
    """The attribute `ion` of a letter, of an email that is called order-17 unless it is said."""
    record = {
        "email_id": "order-17",
        "stage": "rcpt",
        "path": "",
        "attempts": 1,
        "first_queued_at": "2026-11-22T08:30:15.250000Z",
        "failed_at": "2026-11-22T09:00:00Z",
        "original_message_id": "m-1",
        "redrives": 0,
    }
    return json.dumps(record | ion)
