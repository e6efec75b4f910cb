"""When a stub takes a record's place in the failure queue: only if the whole never will."""

import pytest

from ion.events.stub import is_too_large
from ion.limits import MOST_MESSAGE_BYTES


@pytest.mark.row(81)
@pytest.mark.parametrize(
    ("size", "code", "too_large"),
    [
        (MOST_MESSAGE_BYTES, "InvalidParameterValue", True),
        (4 * MOST_MESSAGE_BYTES, "BatchRequestTooLong", True),
        (1000, "InvalidParameterValue", False),
        (MOST_MESSAGE_BYTES, "RequestThrottled", False),
        (MOST_MESSAGE_BYTES, "AWS.SimpleQueueService.NonExistentQueue", False),
        (MOST_MESSAGE_BYTES, "EndpointConnectionError", False),
    ],
)
def test_only_a_large_message_that_is_refused_for_its_size_is_too_large(
    size: int, code: str, *, too_large: bool
) -> None:
    assert is_too_large("x" * size, code) is too_large
