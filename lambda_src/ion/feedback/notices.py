"""From the body of a message of the feedback queue to what it says."""

from typing import Any

import msgspec

from ion.feedback import generic, ses
from ion.feedback.notice import MalformedError, Reading


def notices(body: str) -> Reading:
    """What a message says: SES's or of the generic form, as it is or wrapped by SNS.

    Raises:
        MalformedError: it can't be read.
    """
    if body.strip() == ses.VALIDATION:
        return Reading(ignored="validation")
    message = _object(body)
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        return notices(message["Message"]) if "TopicArn" in message else _not_known()
    if ses.is_from_ses(message):
        return ses.read(message)
    if generic.is_generic(message):
        return generic.read(message)
    return _not_known()


def _object(body: str) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(body.encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"no JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise MalformedError("Expected `object`")
    return message


def _not_known() -> Reading:
    raise MalformedError("neither SES's notification nor ion's generic form: no field names one")
