# Two reasons to tell a person. Both go to the caller's topics; what each message or run died of is
# written on the dead letters and in the log.

# Mail that could not be sent: refused, expired, malformed, or never let into a queue by SNS (its
# queue policy, its key, its size), which is in the dead-letter queue without our attributes.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${var.name}-deadletter-alarm"
  alarm_description = "Mail could not be sent: it is in ${aws_sqs_queue.dead_letter.name}, each message says why. Redrive it once that is mended."
  tags              = var.tags

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.dead_letter.name }
  statistic   = "Maximum"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # SQS falls silent for an idle queue

  alarm_actions = var.alarm_topic_arns
}

# Mail that could go and doesn't. Deferred and scheduled mail waits in the later queue, and a large
# mailing in the bulk queue may rightly take hours: neither is seen here. SQS leaves out of this age
# what was received three times or more: what is left is old because runs don't get at it.
resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name        = "${var.name}-input-queue-age-alarm"
  alarm_description = "Mail that could go has been in ${aws_sqs_queue.input.name} for more than 6 hours: the mail server or its login needs a person. The log of ${aws_lambda_function.relay.function_name} says which."
  tags              = var.tags

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = aws_sqs_queue.input.name }
  statistic   = "Maximum"

  comparison_operator = "GreaterThanThreshold"
  threshold           = 6 * 60 * 60 # a burst may take hours at a provider's rate, and servers come back
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = var.alarm_topic_arns
}
