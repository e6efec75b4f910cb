# The publishers' door. They need sns:Publish on this topic, in a policy of their own; bulk has a
# topic of its own (lanes.tf), so that IAM can say who may send what.

resource "aws_sns_topic" "input" {
  name              = local.topic_names.input
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# Takes the place of SNS's default policy, if asked for. Nobody is allowed here: within the account
# a publisher's own policy is enough, and whatever it says, not without TLS.
data "aws_iam_policy_document" "topic" {
  for_each = toset(["input", "bulk"])

  statement {
    sid       = "DenyWithoutTLS"
    effect    = "Deny"
    actions   = ["sns:Publish"]
    resources = [local.topic_arns[each.key]]

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

resource "aws_sns_topic_policy" "input" {
  count = var.require_tls ? 1 : 0

  arn    = aws_sns_topic.input.arn
  policy = data.aws_iam_policy_document.topic["input"].json
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
