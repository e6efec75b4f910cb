# Beside the input queue: bulk, which normal mail overtakes, and later, where mail waits for its time.
# Both queues are set as the input queue is (queue.tf).

# Bulk: a topic and a queue of its own. No filter sorts the messages of one topic: what an SNS filter
# drops is in no dead-letter queue.

resource "aws_sns_topic" "bulk" {
  name              = local.topic_names.bulk
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags

  sqs_success_feedback_role_arn    = local.publishes_role_arn
  sqs_success_feedback_sample_rate = local.publishes_percent
  sqs_failure_feedback_role_arn    = local.publishes_role_arn
}

resource "aws_sqs_queue" "bulk" {
  name                       = local.queue_names.bulk
  message_retention_seconds  = local.retention_seconds
  max_message_size           = local.max_message_bytes
  visibility_timeout_seconds = var.timeout_seconds + 60
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = local.max_receive_count
  })
}

resource "aws_sqs_queue_policy" "bulk" {
  queue_url = aws_sqs_queue.bulk.id
  policy    = data.aws_iam_policy_document.queue["bulk"].json
}

resource "aws_sns_topic_subscription" "bulk_queue" {
  topic_arn = aws_sns_topic.bulk.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.bulk.arn

  raw_message_delivery = true # as for the input queue (topic.tf), and so the dead-letter queue
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letter.arn })

  depends_on = [aws_sqs_queue_policy.bulk, aws_sqs_queue_policy.dead_letter]
}

resource "aws_sns_topic_subscription" "wake_on_bulk" {
  topic_arn = aws_sns_topic.bulk.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.relay.arn

  depends_on = [aws_lambda_permission.bulk_topic]
}

resource "aws_lambda_permission" "bulk_topic" {
  statement_id  = "wake-on-bulk"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.bulk.arn
}

# Later: deferred, scheduled and held-over mail, moved here by the function alone. A message that waits
# by a visibility timeout is in flight, and SQS allows 120,000 of those in a queue: beyond them a long
# poll finds nothing, whatever is there. So no waiting is done in the queues of what may go now.

resource "aws_sqs_queue" "later" {
  name                       = local.queue_names.later
  message_retention_seconds  = local.retention_seconds
  max_message_size           = local.max_message_bytes
  visibility_timeout_seconds = var.timeout_seconds + 60
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = local.max_receive_count
  })
}

# No topic reaches it. Without a policy a queue takes from whom IAM lets in, which is the function.
resource "aws_sqs_queue_policy" "later" {
  count = var.require_tls ? 1 : 0

  queue_url = aws_sqs_queue.later.id
  policy    = data.aws_iam_policy_document.queue["later"].json
}
