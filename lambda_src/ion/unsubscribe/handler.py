"""The function's entry: a call of its URL by a mail program, or by a person's browser."""

import asyncio
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from ion.aws.address_key import AddressKey
from ion.aws.addresses import Addresses
from ion.report.unsubscribing import UnsubscribeLog
from ion.unsubscribe import page
from ion.unsubscribe.answer import Unsubscriber
from ion.unsubscribe.request import Request


@cache
def _unsubscriber() -> Unsubscriber:
    """Made at the first invocation of an environment, and then kept."""
    # Somebody waits: an answer that doesn't come is asked for again within the function's time.
    retries = {"mode": "standard", "max_attempts": 2}
    config = Config(retries=retries, connect_timeout=2, read_timeout=3, user_agent="ion")  # type: ignore[arg-type]
    dynamodb = boto3.client("dynamodb", config=config)
    table = os.environ["ION_AWS_LEDGER_TABLE"]
    return Unsubscriber(AddressKey(dynamodb, table), Addresses(dynamodb, table), UnsubscribeLog())


def run(event: Mapping[str, Any], context: object) -> dict[str, object]:  # noqa: ARG001 - unread
    """Answer one request.

    Args:
        event: of a function URL (payload format 2.0).
        context: Lambda's.

    Returns:
        The answer, as a function URL takes it.
    """
    request = Request.of(event)
    answer = asyncio.run(_unsubscriber().answer(request))
    return {
        "statusCode": answer.status,
        "headers": {**page.headers(), **answer.headers},
        "body": "" if request.method == "HEAD" else page.page(answer.words),
    }
