# SNS's delivery log, off by default: which SQS message became of which publish. Raw delivery drops the
# id that a publish returned, so without this log it leads nowhere.

variable "log_publishes" {
  description = <<-EOT
    Has SNS write a line for each publish that it delivers, with the id that publish returned and that of the SQS
    message, so that `ionctl show` finds an email by the former: `percent`, a whole number from 0 to 100, of those
    that went well (those that failed are always written); `role_arn`, of a role of yours that SNS may
    assume, null for one that is made here. A line has about 0.7 KB, which is $0.35 a million publishes, and no
    address. {} logs all. null: none. An `email_id` of the publisher's own is found without it.
  EOT
  type = object({
    percent  = optional(number, 100)
    role_arn = optional(string)
  })
  default = null

  validation {
    condition = var.log_publishes == null || try(
      var.log_publishes.percent >= 0 && var.log_publishes.percent <= 100 &&
      floor(var.log_publishes.percent) == var.log_publishes.percent,
      false
    )
    error_message = "log_publishes.percent must be a whole number from 0 to 100."
  }

  validation {
    condition     = var.log_publishes == null || var.role_arn == null || try(var.log_publishes.role_arn, null) != null
    error_message = "With role_arn the module makes no role: name one for SNS, too, by log_publishes.role_arn."
  }

  validation {
    condition     = try(var.log_publishes.role_arn, null) == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$", var.log_publishes.role_arn))
    error_message = "log_publishes.role_arn must be the ARN of an IAM role (arn:aws:iam::<account>:role/<path and name>)."
  }
}

locals {
  publishes_role_name  = "${local.name}-publishes-role"
  publishes_makes_role = var.log_publishes != null && try(var.log_publishes.role_arn, null) == null
  publishes_role_arn = (
    var.log_publishes == null ? null :
    local.publishes_makes_role ? aws_iam_role.publishes[0].arn : var.log_publishes.role_arn
  )
  publishes_percent = try(var.log_publishes.percent, null)

  # SNS names them so; what it could not deliver is in the second one.
  publishes_log_groups = var.log_publishes == null ? {} : merge([
    for key in ["input", "bulk"] : {
      (key)             = "sns/${local.region}/${local.account_id}/${local.topic_names[key]}"
      "${key}-failures" = "sns/${local.region}/${local.account_id}/${local.topic_names[key]}/Failure"
    }
  ]...)
}

resource "aws_cloudwatch_log_group" "publishes" {
  #checkov:skip=CKV_AWS_338:log_retention_days is the deployer's to set.
  for_each = local.publishes_log_groups

  name              = each.value
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "publishes" {
  count = local.publishes_makes_role ? 1 : 0

  name                 = local.publishes_role_name
  path                 = var.role_path
  description          = "ion: lets SNS log what became of each publish"
  assume_role_policy   = data.aws_iam_policy_document.sns_assumes_role[0].json
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

data "aws_iam_policy_document" "sns_assumes_role" {
  count = local.publishes_makes_role ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "publishes" {
  count = local.publishes_makes_role ? 1 : 0

  statement {
    sid     = "WriteDeliveryLog" # as SNS's guide has it; the groups are there already
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:PutMetricFilter", "logs:PutRetentionPolicy"]
    resources = [
      for name in values(local.publishes_log_groups) : "arn:${local.partition}:logs:${local.in_account}:log-group:${name}:*"
    ]
  }
}

resource "aws_iam_role_policy" "publishes" {
  count = local.publishes_makes_role ? 1 : 0

  name   = "publishes"
  role   = aws_iam_role.publishes[0].id
  policy = data.aws_iam_policy_document.publishes[0].json
}
