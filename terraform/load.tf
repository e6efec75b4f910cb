# The load publisher, off by default: a second function of the same package, which publishes so many
# test emails a minute. For tuning rate and concurrency before going live; not for afterwards.

variable "load" {
  description = <<-EOT
    Test emails that a function <name>-load publishes, to tune rate and concurrency by before going live:
    `messages_per_minute`, 1-6000; `recipients`, 1-20 addresses that take turns; `domains`, those besides
    Amazon SES's mailbox simulator that recipients may be of, as a list of your own; `sender`, null for the
    relay's; `lane`, normal or bulk; `role_arn`, of a role of yours, null for one that is made here. The simulator's addresses can be reached through SES alone, and count
    toward its sending rate, not its daily quota. Each email has the tag `load` = `<name>`, by which a stop
    ends them all. null: no such function.
  EOT
  type = object({
    messages_per_minute = number
    recipients          = optional(list(string), ["success@simulator.amazonses.com"])
    domains             = optional(list(string), [])
    sender              = optional(string)
    lane                = optional(string, "normal")
    role_arn            = optional(string)
  })
  default = null

  validation {
    condition = var.load == null || try(
      var.load.messages_per_minute >= 1 && var.load.messages_per_minute <= 6000 &&
      floor(var.load.messages_per_minute) == var.load.messages_per_minute,
      false
    )
    error_message = "load.messages_per_minute must be a whole number from 1 to 6000."
  }

  validation {
    # A list of customers that gets in here by mistake would be sent to all day long.
    condition = var.load == null || try(
      length(var.load.recipients) >= 1 && length(var.load.recipients) <= 20 && alltrue([
        for address in var.load.recipients :
        can(regex("^[A-Za-z0-9._+-]{1,64}@[a-z0-9.-]+$", address)) &&
        contains(concat(["simulator.amazonses.com"], var.load.domains), split("@", address)[1])
      ]),
      false
    )
    error_message = "load.recipients must be 1-20 addresses at simulator.amazonses.com, or at a domain that load.domains names: real people are not test recipients."
  }

  validation {
    condition     = var.load == null || try(contains(["normal", "bulk"], var.load.lane), false)
    error_message = "load.lane must be normal or bulk."
  }

  validation {
    condition     = var.load == null || var.role_arn == null || try(var.load.role_arn, null) != null
    error_message = "With role_arn the module makes no role: name one for the load publisher, too, by load.role_arn."
  }

  validation {
    condition     = try(var.load.role_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.load.role_arn))
    error_message = "load.role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<path and name>)."
  }
}

locals {
  load_name          = "${local.name}-load"
  load_log_group_arn = "arn:${local.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.load_name}"
  load_lane          = try(var.load.lane, "normal") == "bulk" ? "bulk" : "input"
  load_makes_role    = var.load != null && try(var.load.role_arn, null) == null
}

resource "aws_lambda_function" "load" {
  #checkov:skip=CKV_AWS_115:One schedule starts it, once a minute; a reservation would be taken from the account's other functions.
  #checkov:skip=CKV_AWS_116:A minute that was missed is not made up for: it would be twice the load.
  #checkov:skip=CKV_AWS_117:It calls SNS and nothing else; in a VPC it would need one more endpoint for that.
  count = var.load == null ? 0 : 1

  function_name = local.load_name
  description   = "ion: publishes ${var.load.messages_per_minute} test emails a minute"
  role          = local.load_makes_role ? aws_iam_role.load[0].arn : var.load.role_arn
  tags          = var.tags

  # The relay's package, wherever it is. Not read from that function: what isn't set is "" there.
  filename                = var.package_s3 == null ? local.package : null
  s3_bucket               = try(var.package_s3.bucket, null)
  s3_key                  = try(var.package_s3.key, null)
  s3_object_version       = try(var.package_s3.object_version, null)
  source_code_hash        = local.package_hash
  code_signing_config_arn = var.code_signing_config_arn

  handler       = "ion.load.run"
  runtime       = "python3.13"
  architectures = [var.architecture]
  memory_size   = 256
  timeout       = 120 # a minute's emails are spread over that minute

  kms_key_arn = var.environment_kms_key_arn

  tracing_config {
    mode = "PassThrough"
  }

  environment {
    variables = merge(
      {
        LOAD_TOPIC_ARN           = local.topic_arns[local.load_lane]
        LOAD_MESSAGES_PER_MINUTE = tostring(var.load.messages_per_minute)
        LOAD_RECIPIENTS          = join(",", var.load.recipients)
        LOAD_TAG                 = local.name
      },
      var.load.sender == null ? {} : { LOAD_SENDER = var.load.sender },
    )
  }

  depends_on = [aws_cloudwatch_log_group.load, aws_iam_role_policy.load]
}

resource "aws_lambda_function_event_invoke_config" "load" {
  count = var.load == null ? 0 : 1

  function_name = aws_lambda_function.load[0].function_name

  # A minute that was missed is not made up for: it would be twice the load.
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

resource "aws_cloudwatch_log_group" "load" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set. It logs nothing but the end of each run.
  count = var.load == null ? 0 : 1

  name              = "/aws/lambda/${local.load_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "load" {
  count = local.load_makes_role ? 1 : 0

  name                 = "${local.load_name}-role"
  path                 = var.role_path
  description          = "ion: what the load publisher may do"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "load" {
  count = var.load == null ? 0 : 1

  source_policy_documents = [data.aws_iam_policy_document.publisher[local.load_lane].json]

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.load_log_group_arn}:*"]
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

resource "aws_iam_role_policy" "load" {
  count = local.load_makes_role ? 1 : 0

  name   = "load"
  role   = aws_iam_role.load[0].id
  policy = data.aws_iam_policy_document.load[0].json
}

resource "aws_cloudwatch_event_rule" "load" {
  count = var.load == null ? 0 : 1

  name                = local.load_name
  description         = "Has ${var.load.messages_per_minute} test emails published each minute"
  schedule_expression = "rate(1 minute)"
  state               = var.enabled ? "ENABLED" : "DISABLED"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "load" {
  count = var.load == null ? 0 : 1

  rule = aws_cloudwatch_event_rule.load[0].name
  arn  = aws_lambda_function.load[0].arn

  depends_on = [aws_lambda_permission.load]
}

resource "aws_lambda_permission" "load" {
  count = var.load == null ? 0 : 1

  statement_id  = "publish-on-schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.load[0].function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.load[0].arn
}
