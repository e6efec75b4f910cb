# Outcome events, off by default: what became of each email, on a topic of its own. From the ledger's
# stream and not from the drain: what is recorded is told, and sending doesn't wait for it. A third function
# of the same package turns records of the stream into messages (docs/events.md).

variable "events" {
  description = <<-EOT
    Outcome events on a topic <name>-outcome-topic, one for what became of each email (docs/events.md):
    `attempts`, whether attempts are told, too, that others follow; `role_arn`, of a role of yours for the
    function <name>-events, null for one that is made here. {} is all defaults; null: no events, no stream.
  EOT
  type = object({
    attempts = optional(bool, false)
    role_arn = optional(string)
  })
  default = null

  validation {
    condition     = var.events == null || var.role_arn == null || try(var.events.role_arn, null) != null
    error_message = "With role_arn the module makes no role: name one for the events function, too, by events.role_arn."
  }

  validation {
    condition     = try(var.events.role_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.events.role_arn))
    error_message = "events.role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<path and name>)."
  }
}

locals {
  events_name          = "${local.name}-events"
  events_log_group_arn = "arn:${local.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.events_name}"
  events_makes_role    = var.events != null && try(var.events.role_arn, null) == null
  events_late_minutes  = 15

  # Rows in which something has happened, and those that are there to be told of alone. First claims and
  # what ion knows beside emails start no run (lambda_src/ion/events/change.py leaves out the rest).
  events_filters = [
    { dynamodb = { NewImage = { timeline = { S = [{ anything-but = [""] }] } } } },
    { eventName = ["INSERT"], dynamodb = { NewImage = { told = { S = [{ exists = true }] } } } },
  ]
}

resource "aws_sns_topic" "outcome" {
  count = var.events == null ? 0 : 1

  name              = local.topic_names.outcome
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

# As for the topics that publishers use, with statements of the deployer's (publishers.tf).
resource "aws_sns_topic_policy" "outcome" {
  count = var.events == null ? 0 : 1

  arn    = aws_sns_topic.outcome[0].arn
  policy = data.aws_iam_policy_document.topic["outcome"].json
}

resource "aws_lambda_function" "events" {
  #checkov:skip=CKV_AWS_115:Its shards bound how many of it run: one at a time for each. A reservation would be taken from the account's other functions.
  #checkov:skip=CKV_AWS_116:A stream invokes it, whose failures go to a queue by the event source mapping below.
  #checkov:skip=CKV_AWS_117:It calls SNS and SQS and nothing else; in a VPC it would need endpoints for them.
  count = var.events == null ? 0 : 1

  function_name = local.events_name
  description   = "ion: tells on ${local.topic_names.outcome} what became of each email"
  role          = local.events_makes_role ? aws_iam_role.events[0].arn : var.events.role_arn
  tags          = var.tags

  # The relay's package, wherever it is. Not read from that function: what isn't set is "" there.
  filename                = var.package_s3 == null ? local.package : null
  s3_bucket               = try(var.package_s3.bucket, null)
  s3_key                  = try(var.package_s3.key, null)
  s3_object_version       = try(var.package_s3.object_version, null)
  source_code_hash        = local.package_hash
  code_signing_config_arn = var.code_signing_config_arn

  handler       = "ion.events.handler.run"
  runtime       = "python3.13"
  architectures = [var.architecture]
  memory_size   = 256
  timeout       = 60

  kms_key_arn = var.environment_kms_key_arn

  tracing_config {
    mode = "PassThrough"
  }

  environment {
    variables = {
      EVENTS_TOPIC_ARN         = local.topic_arns.outcome
      EVENTS_FAILURE_QUEUE_URL = aws_sqs_queue.events[0].url
      EVENTS_SOURCE            = local.function_arn
      EVENTS_ATTEMPTS          = var.events.attempts ? "on" : "off"
    }
  }

  depends_on = [aws_cloudwatch_log_group.events, aws_iam_role_policy.events]
}

resource "aws_lambda_event_source_mapping" "events" {
  count = var.events == null ? 0 : 1

  event_source_arn = aws_dynamodb_table.ledger.stream_arn
  function_name    = aws_lambda_function.events[0].function_name
  tags             = var.tags

  # A mapping that is made anew tells the last day again, by the same ids, and misses nothing.
  starting_position = "TRIM_HORIZON"

  batch_size                         = 100
  maximum_batching_window_in_seconds = 1

  dynamic "filter_criteria" {
    for_each = [local.events_filters]
    content {
      dynamic "filter" {
        for_each = filter_criteria.value
        content {
          pattern = jsonencode(filter.value)
        }
      }
    }
  }

  # While the topic can't be used the stream waits, for as long as it keeps its records: a number of tries
  # would be over in minutes. The function itself sets aside what it can't tell, so that nothing blocks a
  # shard; a batch that kills it is halved until one record is left.
  function_response_types        = ["ReportBatchItemFailures"]
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = -1
  maximum_record_age_in_seconds  = 22 * 60 * 60
  parallelization_factor         = 1

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.events[0].arn
    }
  }

  depends_on = [aws_iam_role_policy.events]
}

# What could not be told: each message is a request that the function takes again, with whole records. Where
# even that failed, Lambda says here which of the stream's sequence numbers it has given up.
resource "aws_sqs_queue" "events" {
  count = var.events == null ? 0 : 1

  name                       = local.queue_names.events
  message_retention_seconds  = local.retention_seconds
  max_message_size           = local.max_message_bytes
  visibility_timeout_seconds = 30 # hidden for so long from the next look
  tags                       = var.tags

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn
}

# Without a policy a queue takes from whom IAM lets in, which is the function.
resource "aws_sqs_queue_policy" "events" {
  count = var.events != null && var.require_tls ? 1 : 0

  queue_url = aws_sqs_queue.events[0].id
  policy    = data.aws_iam_policy_document.queue["events"].json
}

resource "aws_cloudwatch_log_group" "events" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set. It logs nothing but what it couldn't tell.
  count = var.events == null ? 0 : 1

  name              = "/aws/lambda/${local.events_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "events" {
  count = local.events_makes_role ? 1 : 0

  name                 = "${local.events_name}-role"
  path                 = var.role_path
  description          = "ion: what the events function may do"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "events" {
  count = var.events == null ? 0 : 1

  statement {
    sid = "ReadStream" # for Lambda, which reads it with the function's role
    actions = [
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
    ]
    resources = ["${local.table_arns.ledger}/stream/*"] # its label is the moment at which it was made
  }

  statement {
    sid       = "Tell"
    actions   = ["sns:Publish"]
    resources = [local.topic_arns.outcome]
  }

  statement {
    sid       = "SetAside"
    actions   = ["sqs:SendMessage"]
    resources = [local.queue_arns.events]
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.events_log_group_arn}:*"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      sid       = "UseKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.environment_kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment" # as for the relay (iam.tf)
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "events" {
  count = local.events_makes_role ? 1 : 0

  name   = "events"
  role   = aws_iam_role.events[0].id
  policy = data.aws_iam_policy_document.events[0].json
}

output "outcome_topic_arn" {
  description = "ARN of the topic that has the outcome events: subscribe to it. null without events."
  value       = one(aws_sns_topic.outcome[*].arn)
}

output "events_role_policy_json" {
  description = "What the events function's role may do: for the owner of events.role_arn to attach. null without events."
  value       = one(data.aws_iam_policy_document.events[*].json)
}
