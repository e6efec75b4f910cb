# What stands between a destroy and the mail. AWS protects tables from deletion, but neither queues nor
# topics. So the tables are made after everything else, and destroyed before it: where AWS refuses to
# delete the ledger (protect_mail), Terraform goes no further, and no queue, no subscription (what is
# published without one is lost) and no function is gone. A change of the name destroys everything, too,
# and in the same order. Not held back: the mapping of the ledger's stream, whose ARN only the table knows
# (an apply makes it anew, and it reads a day back); a destroy with -target, which names what else is to go, and what
# is deleted past Terraform.

# Lists what no other resource needs, and with it everything. It is nothing in AWS itself.
resource "terraform_data" "all_but_tables" {
  depends_on = [
    aws_cloudwatch_dashboard.relay,
    aws_cloudwatch_event_target.load,
    aws_cloudwatch_event_target.sweep,
    aws_cloudwatch_metric_alarm.operators,
    aws_cloudwatch_metric_alarm.queue_size,
    aws_cloudwatch_query_definition.relay,
    aws_cloudwatch_log_group.publishes,
    aws_iam_role_policy.publishes,
    aws_lambda_function.events,
    aws_lambda_event_source_mapping.feedback,
    aws_lambda_function_event_invoke_config.load,
    aws_lambda_function_event_invoke_config.relay,
    aws_lambda_function_url.unsubscribe,
    aws_lambda_permission.unsubscribe,
    aws_sns_topic_policy.bulk,
    aws_sns_topic_policy.feedback,
    aws_sns_topic_policy.input,
    aws_sns_topic_policy.outcome,
    aws_sns_topic_policy.queue_size_alarm,
    aws_sns_topic_subscription.bulk_queue,
    aws_sns_topic_subscription.feedback,
    aws_sns_topic_subscription.queue,
    aws_sns_topic_subscription.wake_on_bulk,
    aws_sns_topic_subscription.wake_on_message,
    aws_sns_topic_subscription.wake_on_queue_size,
    aws_sqs_queue_policy.events,
    aws_sqs_queue_policy.later,
    aws_sqs_queue_redrive_allow_policy.dead_letter,
    aws_sqs_queue_redrive_allow_policy.feedback_dead_letter,
  ]
}
