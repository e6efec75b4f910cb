"""What comes out of the outcome topic, heard by a queue that is subscribed to it."""

import json
from typing import Any

from ionctl.local import policies
from ionctl.local.names import Names
from ionctl.local.peek import peek
from ionctl.ops.account import Account

Event = dict[str, Any]


class Outcomes:
    """Hears all events from now on.

    Args:
        name: of the queue.
        filter_policy: hears only what passes it; None: all.
    """

    def __init__(
        self,
        clients: Account,
        names: Names,
        name: str = "outcomes",
        filter_policy: dict[str, Any] | None = None,
    ) -> None:
        self._names = names
        self.queue_url = clients.sqs.create_queue(QueueName=name)["QueueUrl"]
        about = clients.sqs.get_queue_attributes(
            QueueUrl=self.queue_url, AttributeNames=["QueueArn"]
        )
        arn = about["Attributes"]["QueueArn"]
        clients.sqs.set_queue_attributes(
            QueueUrl=self.queue_url,
            Attributes={"Policy": policies.queue(arn, names.outcome_topic_arn)},
        )
        attributes = {"RawMessageDelivery": "true"}
        if filter_policy is not None:
            attributes["FilterPolicy"] = json.dumps(filter_policy)
        clients.sns.subscribe(
            TopicArn=names.outcome_topic_arn,
            Protocol="sqs",
            Endpoint=arn,
            Attributes=attributes,
        )

    def heard(self) -> list[Event]:
        """Give the events up to now, each once, in the order in which they happened."""
        events = [json.loads(one.body) for one in peek(self._names.endpoint, self.queue_url)]
        once = {event["id"]: event for event in events}
        return sorted(once.values(), key=lambda event: str(event["time"]))
