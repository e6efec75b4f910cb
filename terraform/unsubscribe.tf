# The unsubscribe links' function, off by default: a further function of the same package, which a mail
# program calls with one click (RFC 8058), and which shows a person one page with one button.

variable "unsubscribe" {
  description = "Whether there is a function <name>-unsubscribe that links in emails lead to (`\"unsubscribe\": true` in a message), with a URL that anybody may call: it knows by a token in the link whom it is about, and can do nothing but to note that in the ledger. The links begin with that URL, unless settings = { unsubscribe = { url = \"https://…\" } } names a domain of yours that leads to it. To take it away later breaks the links in emails that have been sent."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.unsubscribe || var.role_arn == null
    error_message = "With role_arn the module makes no role, and unsubscribe needs one of its own: leave one of them out."
  }
}

locals {
  unsubscribe_name          = "${local.name}-unsubscribe"
  unsubscribe_log_group_arn = "arn:${local.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.unsubscribe_name}"

  # What settings name goes before it: a domain of the caller's.
  unsubscribe_environment = var.unsubscribe && try(var.settings.unsubscribe.url, null) == null ? {
    ION_UNSUBSCRIBE_URL = trimsuffix(aws_lambda_function_url.unsubscribe[0].function_url, "/")
  } : {}

  unsubscribe_alarms = var.unsubscribe ? {
    unsubscribe = {
      name = "unsubscribe"
      says = "${local.unsubscribe_name} could not note that somebody unsubscribes: it failed, or the ledger can't be used. Who clicked was told to come back, or their mail program was. The log says why."
      on   = { namespace = "AWS/Lambda", dimensions = { FunctionName = aws_lambda_function.unsubscribe[0].function_name } }
      # Of the URL, so that an answer of 503 counts like a function that breaks.
      metric = "Url5xxCount", statistic = "Sum", least = 1
    }
  } : {}
}

resource "aws_lambda_function" "unsubscribe" {
  #checkov:skip=CKV_AWS_116:Its callers wait for the answer: nothing is queued that could be a dead letter.
  #checkov:skip=CKV_AWS_117:It calls DynamoDB and nothing else; in a VPC it would need one more endpoint for that.
  count = var.unsubscribe ? 1 : 0

  function_name = local.unsubscribe_name
  description   = "ion: notes in ${local.table_names.ledger} who unsubscribes"
  role          = aws_iam_role.unsubscribe[0].arn
  tags          = var.tags

  # The relay's package, wherever it is (load.tf).
  filename                = var.package_s3 == null ? local.package : null
  s3_bucket               = try(var.package_s3.bucket, null)
  s3_key                  = try(var.package_s3.key, null)
  s3_object_version       = try(var.package_s3.object_version, null)
  source_code_hash        = local.package_hash
  code_signing_config_arn = var.code_signing_config_arn

  handler       = "ion.unsubscribe.handler.run"
  runtime       = "python3.13"
  architectures = [var.architecture]
  memory_size   = 256
  timeout       = 20

  # A flood of calls must neither cost much nor take what the account's other functions need. Not for
  # who has no concurrency to reserve.
  reserved_concurrent_executions = var.concurrency == -1 ? -1 : 5

  kms_key_arn = var.environment_kms_key_arn

  tracing_config {
    mode = "PassThrough"
  }

  environment {
    variables = {
      ION_AWS_LEDGER_TABLE    = local.table_names.ledger
      POWERTOOLS_SERVICE_NAME = local.unsubscribe_name
    }
  }

  depends_on = [aws_cloudwatch_log_group.unsubscribe, aws_iam_role_policy.unsubscribe]
}

resource "aws_lambda_function_url" "unsubscribe" {
  #checkov:skip=CKV_AWS_258:Mail programs and people's browsers call it, who have no login here: the token in the link says who may do what (RFC 8058 section 3.1).
  count = var.unsubscribe ? 1 : 0

  function_name      = aws_lambda_function.unsubscribe[0].function_name
  authorization_type = "NONE"
}

# A URL without a login takes two permissions since October 2025: lambda:InvokeFunctionUrl, which the
# provider gives with the URL above, and this one. Who uses it past the URL can do no more than by it.
resource "aws_lambda_permission" "unsubscribe" {
  #checkov:skip=CKV_AWS_301:As for the URL: the token says who may do what.
  #checkov:skip=CKV_AWS_364:There is no service and no account that alone may call it.
  count = var.unsubscribe ? 1 : 0

  statement_id  = "unsubscribe-by-anybody"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.unsubscribe[0].function_name
  principal     = "*"
}

resource "aws_cloudwatch_log_group" "unsubscribe" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set. Who has unsubscribed is in the ledger.
  count = var.unsubscribe ? 1 : 0

  name              = "/aws/lambda/${local.unsubscribe_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "unsubscribe" {
  count = var.unsubscribe ? 1 : 0

  name                 = "${local.unsubscribe_name}-role"
  path                 = var.role_path
  description          = "ion: what the unsubscribe function may do"
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "unsubscribe" {
  count = var.unsubscribe ? 1 : 0

  # Of the ledger's rows only those of addresses, and the key of their hashes: no email's.
  statement {
    sid = "ReadAddressesAndKey"
    actions = [
      "dynamodb:BatchGetItem",
    ]
    resources = [local.table_arns.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = [" address *", " address-key "]
    }
  }

  statement {
    sid = "SuppressAddresses"
    actions = [
      "dynamodb:PartiQLInsert",
      "dynamodb:PartiQLUpdate",
    ]
    resources = [local.table_arns.ledger]

    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = [" address *"]
    }
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.unsubscribe_log_group_arn}:*"]
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
      sid       = "UseTable"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "unsubscribe" {
  count = var.unsubscribe ? 1 : 0

  name   = "unsubscribe"
  role   = aws_iam_role.unsubscribe[0].id
  policy = data.aws_iam_policy_document.unsubscribe[0].json
}

output "unsubscribe_url" {
  description = "URL of the unsubscribe function, which a domain of yours may lead to. null without one."
  value       = one(aws_lambda_function_url.unsubscribe[*].function_url)
}
