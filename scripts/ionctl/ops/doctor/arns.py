"""ARNs of a relay's resources, made of what its function has been told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ionctl.ops.deployment import Deployment


class Arns:
    """All of them are in the function's account and region.

    Args:
        deployment: the relay.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.function: str = deployment.configuration["FunctionArn"]
        # arn:aws:lambda:eu-west-1:123456789012:function:ion
        _, self.partition, _, self._region, self._account, *_ = self.function.split(":")
        drained = (deployment.queue_url, deployment.bulk_queue_url, deployment.later_queue_url)
        self.input, self.bulk, self.later = map(self.queue, drained)
        self.dead_letter = self.queue(deployment.dead_letter_queue_url)
        self.table = self._of("dynamodb", f"table/{deployment.table}")
        self.log_group = self._of("logs", f"log-group:{deployment.log_group}")

    @property
    def drained(self) -> tuple[str, str, str]:
        """Those of the queues that the function receives from."""
        return self.input, self.bulk, self.later

    def queue(self, url: str) -> str:
        """Of a queue, by its address."""
        return self._of("sqs", url.rsplit("/", 1)[-1])

    def alarm(self, name: str) -> str:
        """Of an alarm."""
        return self._of("cloudwatch", f"alarm:{name}")

    def other_table(self, name: str) -> str:
        """Of another table."""
        return self._of("dynamodb", f"table/{name}")

    def _of(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self._region}:{self._account}:{resource}"
