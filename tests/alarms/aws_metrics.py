"""Metrics that AWS publishes, with their dimensions: those that alarms and dashboard may name.

From "Available CloudWatch metrics for Amazon SQS", "Monitoring Amazon SNS topics using CloudWatch",
"Types of metrics for Lambda functions", "DynamoDB metrics and dimensions", and "CloudWatch Logs
metrics", in the guides of the services.
"""

AWS_METRICS: dict[str, tuple[str, frozenset[str]]] = {
    "AWS/SQS": (
        "QueueName",
        frozenset(
            {
                "ApproximateAgeOfOldestMessage",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesVisible",
                "NumberOfEmptyReceives",
                "NumberOfMessagesDeleted",
                "NumberOfMessagesReceived",
                "NumberOfMessagesSent",
                "SentMessageSize",
            }
        ),
    ),
    "AWS/SNS": (
        "TopicName",
        frozenset(
            {
                "NumberOfMessagesPublished",
                "NumberOfNotificationsDelivered",
                "NumberOfNotificationsFailed",
                "NumberOfNotificationsFilteredOut",
                "NumberOfNotificationsRedrivenToDlq",
                "NumberOfNotificationsFailedToRedriveToDlq",
                "PublishSize",
            }
        ),
    ),
    "AWS/Lambda": (
        "FunctionName",
        frozenset(
            {
                "Invocations",
                "Errors",
                "Throttles",
                "Duration",
                "ConcurrentExecutions",
                "DeadLetterErrors",
                "AsyncEventsReceived",
                "AsyncEventAge",
                "AsyncEventsDropped",
                "IteratorAge",
            }
        ),
    ),
    "AWS/DynamoDB": (
        "TableName",
        frozenset(
            {
                "ConsumedReadCapacityUnits",
                "ConsumedWriteCapacityUnits",
                "TimeToLiveDeletedItemCount",
            }
        ),
    ),
    "AWS/Logs": ("LogGroupName", frozenset({"IncomingBytes", "IncomingLogEvents"})),
}
"""Namespace -> its one dimension, and names."""
