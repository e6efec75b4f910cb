"""A topic in front of a queue, as ion's module wires them; in moto's or in ministack's account."""

import json
from typing import Any


def topic_before(queue_url: str, sqs: Any, sns: Any, name: str) -> str:  # noqa: ANN401 - boto3's
    """Make a topic whose messages come into a queue as they were published; gives its ARN."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    queue_arn = attributes["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    topic_arn: str = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=queue_arn,
        Attributes={"RawMessageDelivery": "true"},
    )
    return topic_arn
