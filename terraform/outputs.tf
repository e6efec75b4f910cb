locals {
  sender = try(var.settings.mail.sender, "")
}

# For publishers

output "topic_arn" {
  description = "ARN of the input topic: publishers of normal mail need sns:Publish on it."
  value       = aws_sns_topic.input.arn
}

output "topic_name" {
  description = "Name of the input topic."
  value       = aws_sns_topic.input.name
}

output "bulk_topic_arn" {
  description = "ARN of the bulk topic: publishers of bulk need sns:Publish on it. Who may use this topic alone can't overtake normal mail."
  value       = aws_sns_topic.bulk.arn
}

output "bulk_topic_name" {
  description = "Name of the bulk topic."
  value       = aws_sns_topic.bulk.name
}

output "publish_command" {
  description = "A first email, ready for the shell: put your own address in as the recipient, and as the sender one that the mail server lets you use, unless settings.mail.sender has named it already."
  value = format("aws sns publish --topic-arn %s --message '%s'", aws_sns_topic.input.arn, replace(jsonencode({
    action    = "send"
    sender    = local.sender == "" ? "sender@example.org" : local.sender
    recipient = "you@example.org"
    subject   = "Hello from ion"
    body_text = "It works."
  }), "'", "'\\''"))
}

# For operators

output "queue_name" {
  description = "Name of the input queue: what its metrics go by."
  value       = aws_sqs_queue.input.name
}

output "queue_url" {
  description = "URL of the input queue."
  value       = aws_sqs_queue.input.url
}

output "queue_arn" {
  description = "ARN of the input queue."
  value       = aws_sqs_queue.input.arn
}

output "bulk_queue_name" {
  description = "Name of the bulk queue: what its metrics go by."
  value       = aws_sqs_queue.bulk.name
}

output "bulk_queue_url" {
  description = "URL of the bulk queue."
  value       = aws_sqs_queue.bulk.url
}

output "bulk_queue_arn" {
  description = "ARN of the bulk queue."
  value       = aws_sqs_queue.bulk.arn
}

output "later_queue_name" {
  description = "Name of the later queue, of mail that waits, deferred or scheduled: what its metrics go by."
  value       = aws_sqs_queue.later.name
}

output "later_queue_url" {
  description = "URL of the later queue."
  value       = aws_sqs_queue.later.url
}

output "later_queue_arn" {
  description = "ARN of the later queue."
  value       = aws_sqs_queue.later.arn
}

output "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.name
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.url
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.dead_letter.arn
}

output "function_name" {
  description = "Name of the function."
  value       = aws_lambda_function.relay.function_name
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.relay.arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.relay.name
}

output "alarm_name" {
  description = "Name of the alarm that wakes the function when emails are waiting in the input queue."
  value       = aws_cloudwatch_metric_alarm.queue_size["input"].alarm_name
}

output "alarm_arn" {
  description = "ARN of the alarm that wakes the function when emails are waiting in the input queue."
  value       = aws_cloudwatch_metric_alarm.queue_size["input"].arn
}

output "alarm_topic_arn" {
  description = "ARN of the topic between the three alarms that wake the function (input, bulk, later) and the function."
  value       = aws_sns_topic.queue_size_alarm.arn
}

output "dead_letter_alarm_name" {
  description = "Name of the alarm on new dead letters."
  value       = aws_cloudwatch_metric_alarm.operators["dead-letters"].alarm_name
}

output "dead_letter_alarm_arn" {
  description = "ARN of the alarm on new dead letters."
  value       = aws_cloudwatch_metric_alarm.operators["dead-letters"].arn
}

output "queue_age_alarm_name" {
  description = "Name of the alarm on mail that could go and has been in the input queue for hours."
  value       = aws_cloudwatch_metric_alarm.operators["old-mail"].alarm_name
}

output "queue_age_alarm_arn" {
  description = "ARN of the alarm on mail that could go and has been in the input queue for hours."
  value       = aws_cloudwatch_metric_alarm.operators["old-mail"].arn
}

output "alarm_names" {
  description = "Names of the alarms that tell a person, by key (held, misconfigured, dead-letters …), which is also where docs/operations.md says what to do."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.operators : key => alarm.alarm_name }
}

output "ledger_table_name" {
  description = "Name of the ledger table."
  value       = aws_dynamodb_table.ledger.name
}

output "ledger_table_arn" {
  description = "ARN of the ledger table."
  value       = aws_dynamodb_table.ledger.arn
}

output "outbox_table_arn" {
  description = "ARN of the outbox, for publishers: dynamodb:PutItem on it. null without one."
  value       = one(aws_dynamodb_table.outbox[*].arn)
}

output "outbox_table_name" {
  description = "Name of the outbox. null without one."
  value       = one(aws_dynamodb_table.outbox[*].name)
}
