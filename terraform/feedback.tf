# Feedback, off by default: what a provider tells after it took an email (bounces, complaints, deliveries)
# comes by a topic and a queue of its own to a second function of the same package, which puts addresses
# on the suppression list and writes into the ledger what became of the email.

variable "feedback" {
  description = <<-EOT
    Whether there is a topic, <name>-feedback-topic, for what a provider tells after it took an email, and
    a function that reads it: `ses_sources`, ARNs of the Amazon SES identities and configuration sets that
    may publish on it, of any account ([]: all of this account's); `role_arn`, of a role of yours for the
    function, null for one that is made here. SES publishes in its own region alone. With kms_key_arn the
    key's policy must let ses.amazonaws.com use it as well (kms:GenerateDataKey* and kms:Decrypt). What else
    publishes needs feedback_publish_policy_json. The ledger gets an index: an apply adds it to a table in
    use without a stop. null: none of it. {}: for the SES of this account.
  EOT
  type = object({
    ses_sources = optional(list(string), [])
    role_arn    = optional(string)
  })
  default = null

  validation {
    condition = var.feedback == null || try(
      length(var.feedback.ses_sources) <= 20 && alltrue([
        for arn in var.feedback.ses_sources :
        can(regex("^arn:aws[a-z-]*:ses:[a-z0-9-]+:[0-9]{12}:(identity|configuration-set)/[A-Za-z0-9._@+-]+$", arn))
      ]),
      false
    )
    error_message = "feedback.ses_sources must be at most 20 ARNs of SES identities or configuration sets (arn:aws:ses:<region>:<account>:identity/<domain or address>, …:configuration-set/<name>)."
  }

  validation {
    condition     = var.feedback == null || var.role_arn == null || try(var.feedback.role_arn, null) != null
    error_message = "With role_arn the module makes no role: name one for the feedback function, too, by feedback.role_arn."
  }

  validation {
    condition     = try(var.feedback.role_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.feedback.role_arn))
    error_message = "feedback.role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<path and name>)."
  }
}

locals {
  feedback_name                  = "${local.name}-feedback"
  feedback_topic_arn             = "arn:${local.partition}:sns:${local.in_account}:${local.feedback_name}-topic"
  feedback_queue_arn             = "arn:${local.partition}:sqs:${local.in_account}:${local.feedback_name}-queue"
  feedback_dead_letter_queue_arn = "arn:${local.partition}:sqs:${local.in_account}:${local.feedback_name}-deadletter-queue"
  feedback_log_group_arn         = "arn:${local.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.feedback_name}"
  feedback_makes_role            = var.feedback != null && try(var.feedback.role_arn, null) == null
  feedback_index                 = "header-message-id" # on the ledger, by which an email is found

  feedback_timeout_seconds = 30

  # An email that a run is just sending has its notice wait, longer than any lease: 15 minutes and a half.
  feedback_visibility_seconds = 6 * local.feedback_timeout_seconds # what Lambda asks for
  feedback_max_receive_count  = 8

  feedback_ses_accounts = distinct([for arn in try(var.feedback.ses_sources, []) : split(":", arn)[4]])
}

# The way in

resource "aws_sns_topic" "feedback" {
  count = var.feedback == null ? 0 : 1

  name              = "${local.feedback_name}-topic"
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# SES alone, for what is named. Of this account may publish whom a policy of their own lets (an output).
data "aws_iam_policy_document" "feedback_topic" {
  count = var.feedback == null ? 0 : 1

  statement {
    sid       = "AllowSES"
    actions   = ["sns:Publish"]
    resources = [local.feedback_topic_arn]

    principals {
      type        = "Service"
      identifiers = ["ses.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = length(local.feedback_ses_accounts) > 0 ? local.feedback_ses_accounts : [local.account_id]
    }

    dynamic "condition" {
      for_each = length(var.feedback.ses_sources) > 0 ? [var.feedback.ses_sources] : []
      content {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = condition.value
      }
    }
  }

  dynamic "statement" {
    for_each = var.require_tls ? ["DenyWithoutTLS"] : []

    content {
      sid       = statement.value
      effect    = "Deny"
      actions   = ["sns:Publish"]
      resources = [local.feedback_topic_arn]

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

resource "aws_sns_topic_policy" "feedback" {
  count = var.feedback == null ? 0 : 1

  arn    = aws_sns_topic.feedback[0].arn
  policy = data.aws_iam_policy_document.feedback_topic[0].json
}

resource "aws_sqs_queue" "feedback" {
  count = var.feedback == null ? 0 : 1

  name                       = "${local.feedback_name}-queue"
  message_retention_seconds  = local.retention_seconds
  max_message_size           = local.max_message_bytes
  visibility_timeout_seconds = local.feedback_visibility_seconds
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.feedback_dead_letter[0].arn
    maxReceiveCount     = local.feedback_max_receive_count
  })
}

# What can't be read, and what couldn't be written for hours; and what SNS can't deliver.
resource "aws_sqs_queue" "feedback_dead_letter" {
  count = var.feedback == null ? 0 : 1

  name                       = "${local.feedback_name}-deadletter-queue"
  message_retention_seconds  = local.retention_seconds
  max_message_size           = local.max_message_bytes
  visibility_timeout_seconds = 30
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "feedback_dead_letter" {
  count = var.feedback == null ? 0 : 1

  queue_url = aws_sqs_queue.feedback_dead_letter[0].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.feedback_queue_arn]
  })
}

# From this topic and from no other, whoever it belongs to.
data "aws_iam_policy_document" "feedback_queue" {
  for_each = var.feedback == null ? {} : {
    feedback    = local.feedback_queue_arn
    dead_letter = local.feedback_dead_letter_queue_arn
  }

  statement {
    sid       = "AllowTopics"
    actions   = ["sqs:SendMessage"]
    resources = [each.value]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [local.feedback_topic_arn]
    }
  }

  dynamic "statement" {
    for_each = var.require_tls ? ["DenyWithoutTLS"] : []

    content {
      sid       = statement.value
      effect    = "Deny"
      actions   = ["sqs:*"]
      resources = [each.value]

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

resource "aws_sqs_queue_policy" "feedback" {
  count = var.feedback == null ? 0 : 1

  queue_url = aws_sqs_queue.feedback[0].id
  policy    = data.aws_iam_policy_document.feedback_queue["feedback"].json
}

resource "aws_sqs_queue_policy" "feedback_dead_letter" {
  count = var.feedback == null ? 0 : 1

  queue_url = aws_sqs_queue.feedback_dead_letter[0].id
  policy    = data.aws_iam_policy_document.feedback_queue["dead_letter"].json
}

resource "aws_sns_topic_subscription" "feedback" {
  count = var.feedback == null ? 0 : 1

  topic_arn = aws_sns_topic.feedback[0].arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.feedback[0].arn

  raw_message_delivery = true
  redrive_policy       = jsonencode({ deadLetterTargetArn = aws_sqs_queue.feedback_dead_letter[0].arn })

  depends_on = [aws_sqs_queue_policy.feedback, aws_sqs_queue_policy.feedback_dead_letter]
}

# The function

resource "aws_lambda_function" "feedback" {
  #checkov:skip=CKV_AWS_115:Its queue starts it, two at a time at most; a reservation would be taken from the account's other functions.
  #checkov:skip=CKV_AWS_116:What it fails at stays in its queue, which has a dead-letter queue.
  #checkov:skip=CKV_AWS_117:It calls DynamoDB and nothing else; in a VPC it would need an endpoint for that.
  count = var.feedback == null ? 0 : 1

  function_name = local.feedback_name
  description   = "ion: reads what providers tell of emails that they took"
  role          = local.feedback_makes_role ? aws_iam_role.feedback[0].arn : var.feedback.role_arn
  tags          = var.tags

  # The relay's package, wherever it is, as for the load publisher (load.tf).
  filename                = var.package_s3 == null ? local.package : null
  s3_bucket               = try(var.package_s3.bucket, null)
  s3_key                  = try(var.package_s3.key, null)
  s3_object_version       = try(var.package_s3.object_version, null)
  source_code_hash        = local.package_hash
  code_signing_config_arn = var.code_signing_config_arn

  handler       = "ion.feedback.handler.run"
  runtime       = "python3.13"
  architectures = [var.architecture]
  memory_size   = 256
  timeout       = local.feedback_timeout_seconds

  kms_key_arn = var.environment_kms_key_arn

  tracing_config {
    mode = "PassThrough"
  }

  environment {
    variables = {
      ION_AWS_LEDGER_TABLE    = local.table_names.ledger
      POWERTOOLS_SERVICE_NAME = local.name # its metrics are the relay's
    }
  }

  depends_on = [aws_cloudwatch_log_group.feedback, aws_iam_role_policy.feedback]
}

resource "aws_lambda_event_source_mapping" "feedback" {
  count = var.feedback == null ? 0 : 1

  event_source_arn        = aws_sqs_queue.feedback[0].arn
  function_name           = aws_lambda_function.feedback[0].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
  tags                    = var.tags

  scaling_config {
    maximum_concurrency = 2 # Lambda's least; there is no hurry, and other functions share the account's
  }
}

resource "aws_cloudwatch_log_group" "feedback" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set. What became of an email is in the ledger.
  count = var.feedback == null ? 0 : 1

  name              = "/aws/lambda/${local.feedback_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "feedback" {
  count = local.feedback_makes_role ? 1 : 0

  name                 = local.feedback_name # with "-role" behind it the longest would be too long
  path                 = var.role_path
  description          = "ion: what the feedback function may do"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "feedback" {
  count = var.feedback == null ? 0 : 1

  statement {
    sid       = "ReadQueue" # Lambda does, by the function's role
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [local.feedback_queue_arn]
  }

  statement {
    sid = "WriteAddressesAndTimelines"
    actions = [
      "dynamodb:BatchGetItem",
      "dynamodb:PartiQLInsert", # as for the relay (iam.tf)
      "dynamodb:PartiQLUpdate",
    ]
    resources = [local.table_arns.ledger]
  }

  statement {
    sid       = "FindByMessageId"
    actions   = ["dynamodb:Query"]
    resources = ["${local.table_arns.ledger}/index/${local.feedback_index}"]
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.feedback_log_group_arn}:*"]
  }

  dynamic "statement" {
    for_each = var.environment_kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment" # as for the relay (iam.tf)
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      sid       = "UseKey" # receive, and use the ledger
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "feedback" {
  count = local.feedback_makes_role ? 1 : 0

  name   = "feedback"
  role   = aws_iam_role.feedback[0].id
  policy = data.aws_iam_policy_document.feedback[0].json
}

# Who is told: alarms.tf makes the alarm of it.

locals {
  feedback_alarms = var.feedback == null ? {} : {
    feedback-dead-letters = {
      name = "feedback-deadletter"
      says = "Notices of bounces and complaints could not be read, or not be written down: they are in ${one(aws_sqs_queue.feedback_dead_letter[*].name)}, and those addresses are still written to. The log of ${local.feedback_name} says why."
      on   = { namespace = "AWS/SQS", dimensions = { QueueName = one(aws_sqs_queue.feedback_dead_letter[*].name) } }
      # of a message that SQS moves there by itself no other metric tells
      metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", least = 1
    }
  }
}

# For publishers, and for operators

data "aws_iam_policy_document" "feedback_publisher" {
  count = var.feedback == null ? 0 : 1

  statement {
    sid       = "Publish"
    actions   = ["sns:Publish"]
    resources = [local.feedback_topic_arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseKeyOfTopic"
      actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

output "feedback_topic_arn" {
  description = "ARN of the feedback topic, for the notifications of SES identities and for event destinations. null without feedback."
  value       = one(aws_sns_topic.feedback[*].arn)
}

output "feedback_publish_policy_json" {
  description = "What a role of this account needs to publish other providers' notices on the feedback topic. null without feedback."
  value       = one(data.aws_iam_policy_document.feedback_publisher[*].json)
}

output "feedback_role_policy_json" {
  description = "What the feedback function may do: for the owner of feedback.role_arn to attach. null without feedback."
  value       = one(data.aws_iam_policy_document.feedback[*].json)
}

output "feedback_queue_url" {
  description = "URL of the feedback queue. null without feedback."
  value       = one(aws_sqs_queue.feedback[*].url)
}

output "feedback_dead_letter_queue_url" {
  description = "URL of the dead-letter queue of feedback. null without feedback."
  value       = one(aws_sqs_queue.feedback_dead_letter[*].url)
}
