# The queues are the truth: an email is in one of the three that are drained, in the dead-letter
# queue, or settled. Here are the first and the last; bulk and later: lanes.tf.

locals {
  retention_seconds = 14 * 24 * 60 * 60 # the longest SQS has; a message keeps its first enqueue time in the dead-letter queue
  max_message_bytes = 256 * 1024        # never below what SNS lets in, and the most that the AWS provider takes before 6.8

  # A net for messages that kill the process before ion can count, as high as SQS lets it be.
  # Every look at a message counts here: a deferred email is received hourly for days, one that a
  # server throttles more often still, and what the net catches has no reason written on it.
  max_receive_count = 1000
}

resource "aws_sqs_queue" "input" {
  name                      = local.queue_names.input
  message_retention_seconds = local.retention_seconds
  max_message_size          = local.max_message_bytes
  tags                      = var.tags

  # Only a default, for whoever looks into the queue by hand: ion sets its own at each receive,
  # from what is left of the run.
  visibility_timeout_seconds = var.timeout_seconds + 60

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = local.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letter" {
  name                      = local.queue_names.dead_letter
  message_retention_seconds = local.retention_seconds
  max_message_size          = local.max_message_bytes
  tags                      = var.tags

  # A person who looks at dead letters hides them for so long from a redrive, and from the alarm.
  visibility_timeout_seconds = 30

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn
}

# A resource of its own, since each queue names the other.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = local.drained_queue_arns
  })
}

# SNS may put in what came through the topics named here. Who else may use a queue is said in policies
# of their own: the function in its role's (iam.tf).
data "aws_iam_policy_document" "queue" {
  for_each = {
    input       = [local.topic_arns.input]
    bulk        = [local.topic_arns.bulk]
    later       = []
    dead_letter = [local.topic_arns.input, local.topic_arns.bulk]
    events      = []
  }

  dynamic "statement" {
    for_each = length(each.value) > 0 ? ["AllowTopics"] : []

    content {
      sid       = statement.value
      actions   = ["sqs:SendMessage"]
      resources = [local.queue_arns[each.key]]

      principals {
        type        = "Service"
        identifiers = ["sns.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = each.value
      }
    }
  }

  dynamic "statement" {
    for_each = var.require_tls ? ["DenyWithoutTLS"] : []

    content {
      sid       = statement.value
      effect    = "Deny"
      actions   = ["sqs:*"]
      resources = [local.queue_arns[each.key]]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Bool"
        variable = "aws:SecureTransport"
        values   = ["false"]
      }
    }
  }
}

resource "aws_sqs_queue_policy" "input" {
  queue_url = aws_sqs_queue.input.id
  policy    = data.aws_iam_policy_document.queue["input"].json
}

resource "aws_sqs_queue_policy" "dead_letter" {
  queue_url = aws_sqs_queue.dead_letter.id
  policy    = data.aws_iam_policy_document.queue["dead_letter"].json
}
