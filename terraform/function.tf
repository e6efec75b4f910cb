# The drain: one function, woken from three sides (wakeup.tf), that empties the queues over SMTP.

locals {
  # Wiring: what only this module knows.
  resource_environment = {
    ION_AWS_QUEUE_URL             = aws_sqs_queue.input.url
    ION_AWS_BULK_QUEUE_URL        = aws_sqs_queue.bulk.url
    ION_AWS_LATER_QUEUE_URL       = aws_sqs_queue.later.url
    ION_AWS_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letter.url
    ION_AWS_LEDGER_TABLE          = local.table_names.ledger
    ION_AWS_ALARM_NAME            = local.queue_size_alarm_names.input
    ION_AWS_BULK_ALARM_NAME       = local.queue_size_alarm_names.bulk
    ION_AWS_LATER_ALARM_NAME      = local.queue_size_alarm_names.later
    ION_AWS_CONCURRENCY           = tostring(max(1, var.concurrency)) # -1: nobody knows; then each keeps to the whole rate
    POWERTOOLS_SERVICE_NAME       = local.name
    MODULE_VERSION                = local.module_version # for ionctl doctor; ion refuses a name that begins with ION_ and is no setting
  }

  outbox_environment = var.outbox ? { ION_AWS_OUTBOX_TABLE = local.table_names.outbox } : {}

  # Bad input then gets a row, by whose way it is told (events.tf).
  events_environment = var.events == null ? {} : { ION_AWS_EVENTS = "on" }

  # Last, so that no setting takes it back.
  guard_environment = var.environment == "production" ? {} : { ION_GUARD_REQUIRED = "true" }

  # The ARN only. The secret itself is read at run time, and never comes near the state.
  secret_environment = var.secret_arn == null ? {} : { ION_AWS_SECRET_ARN = var.secret_arn }
}

resource "aws_lambda_function" "relay" {
  #checkov:skip=CKV_AWS_116:An event is only a wake-up, and the next one does its work; mail has dead-letter queues of its own.

  function_name = local.name
  description   = "ion: drains ${aws_sqs_queue.input.name}, ${aws_sqs_queue.bulk.name} and ${aws_sqs_queue.later.name} over SMTP"
  role          = local.role_arn
  tags          = var.tags

  filename                = var.package_s3 == null ? local.package : null
  s3_bucket               = try(var.package_s3.bucket, null)
  s3_key                  = try(var.package_s3.key, null)
  s3_object_version       = try(var.package_s3.object_version, null)
  source_code_hash        = local.package_hash
  code_signing_config_arn = var.code_signing_config_arn

  handler       = "ion.handler.run"
  runtime       = "python3.13"
  architectures = [var.architecture]
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds

  # None at all: Lambda refuses every wake-up, and no metric, alarm or person can start a run.
  reserved_concurrent_executions = var.enabled ? var.concurrency : 0

  kms_key_arn = var.environment_kms_key_arn
  layers      = var.layers

  # PassThrough is Lambda's default, but must be said: what is left out, Lambda leaves as it was.
  tracing_config {
    mode = var.tracing == "off" ? "PassThrough" : "Active"
  }

  dynamic "vpc_config" {
    for_each = var.vpc[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  environment {
    variables = merge(
      var.extra_environment,
      local.settings_environment,
      local.resource_environment,
      local.outbox_environment,
      local.events_environment,
      local.unsubscribe_environment,
      local.secret_environment,
      local.guard_environment,
    )
  }

  lifecycle {
    precondition {
      condition     = length(local.settings_faults) == 0
      error_message = join("\n", local.settings_faults)
    }

    precondition {
      condition     = local.package_fault == null
      error_message = coalesce(local.package_fault, "The package is right.")
    }
  }

  # A run needs its permissions from the first second, and Lambda must find the log group: the
  # role may not create one, and one that Lambda creates would keep its logs forever.
  depends_on = [aws_cloudwatch_log_group.relay, aws_iam_role_policy.relay]
}

check "mail_is_being_sent" {
  assert {
    condition     = var.enabled
    error_message = "enabled is false: the queues take mail, and nothing is sent. SQS deletes what is 14 days old, counted from its publish."
  }
}

# config.cfg in the package may have the guard, so this is no refusal.
check "staging_has_a_guard" {
  assert {
    condition     = var.environment == "production" || anytrue([for key in ["only", "redirect_to"] : try(length(var.settings.guard[key]) > 0, false)])
    error_message = "environment is ${var.environment}, and settings.guard says neither only nor redirect_to: unless config.cfg in the package does, the function receives nothing."
  }
}

# Lambda's format stays "Text", its default: ion writes whole JSON lines by itself, metrics
# (embedded metric format) among them, and Lambda's JSON format would wrap those.
resource "aws_cloudwatch_log_group" "relay" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set. An email's fate is in the ledger and on its dead letter.

  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags

  # Roles are the account's, log groups a region's: a name that another region has taken fails here,
  # before anything else is made.
  depends_on = [aws_iam_role.relay]
}
