# The topic of normal mail. Who may publish on it: publishers.tf. Bulk has a topic of its own (lanes.tf),
# so that IAM can say who may send what.

resource "aws_sns_topic" "input" {
  name              = local.topic_names.input
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags

  sqs_success_feedback_role_arn    = local.publishes_role_arn
  sqs_success_feedback_sample_rate = local.publishes_percent
  sqs_failure_feedback_role_arn    = local.publishes_role_arn
}

# The work itself goes this way, and only this way.
resource "aws_sns_topic_subscription" "queue" {
  topic_arn = aws_sns_topic.input.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.input.arn

  # The body is the publisher's JSON, byte for byte, and not wrapped into SNS's.
  raw_message_delivery = true

  # A client-side error (queue policy, KMS, size) is final for SNS: without this the email is gone.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letter.arn })

  # SNS must be allowed in before the first message comes.
  depends_on = [aws_sqs_queue_policy.input, aws_sqs_queue_policy.dead_letter]
}
