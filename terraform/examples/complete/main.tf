# An ion as a production account would want it: credentials in SSM, a customer's key around
# whatever holds email, the ledger protected, publishers with their grants, and somebody who hears
# about dead letters.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}

variable "package" {
  description = "Path of the Lambda package, built by ./release.sh. null: the one that the module finds by itself."
  type        = string
  default     = null
}

variable "protect" {
  description = "Whether a destroy is refused. To destroy this example, apply it with false first."
  type        = bool
  default     = true
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # Written once by hand, so that no state ever holds it:
  #   aws ssm put-parameter --type SecureString --name /ion/secrets --value file://config-secrets.cfg
  secret_arn = format("arn:%s:ssm:%s:%s:parameter/ion/secrets",
    data.aws_partition.current.partition, data.aws_region.current.id, data.aws_caller_identity.current.account_id
  )
}

module "ion" {
  source = "../.."

  name         = "mail"
  package      = var.package
  architecture = "arm64"
  memory_mb    = 1769 # one whole core
  settings = {
    mail = { sender = "Example <post@example.org>" }
    smtp = { connections = "8" }
  }

  secret_arn         = local.secret_arn
  kms_key_arn        = aws_kms_key.mail.arn
  require_tls        = true
  sweep_minutes      = 1
  log_retention_days = 90
  protect_mail       = var.protect
  alarm_topic_arns   = [aws_sns_topic.operators.arn]

  tags = { service = "mail" }
}

# The key

resource "aws_kms_key" "mail" {
  description         = "Email on its way through ion"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

data "aws_iam_policy_document" "key" {
  # In a key's policy "*" is this one key.
  statement {
    sid       = "AccountDecidesByIAM"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # Without this SNS can deliver to no queue, and email is lost.
  statement {
    sid       = "SNSDelivers"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
  }
}

# Publishers: attach one of these to the role of whatever sends email. The right is to one topic, so
# that a newsletter's publisher, which may use the bulk topic alone, can't overtake normal mail.

data "aws_iam_policy_document" "publisher" {
  for_each = {
    publisher      = module.ion.topic_arn
    bulk-publisher = module.ion.bulk_topic_arn
  }

  statement {
    actions   = ["sns:Publish"]
    resources = [each.value]
  }

  statement {
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [aws_kms_key.mail.arn]
  }
}

resource "aws_iam_policy" "publisher" {
  for_each = data.aws_iam_policy_document.publisher

  name   = "mail-${each.key}"
  policy = each.value.json
}

# Somebody who hears about dead letters, and of mail that waits too long: subscribe an address to
# this topic.

resource "aws_sns_topic" "operators" {
  name = "mail-operators"
}

output "publish_command" {
  description = "A first email, ready for the shell."
  value       = module.ion.publish_command
}

output "publisher_policy_arn" {
  description = "ARN of the policy that lets a role publish normal mail."
  value       = aws_iam_policy.publisher["publisher"].arn
}

output "bulk_publisher_policy_arn" {
  description = "ARN of the policy that lets a role publish bulk."
  value       = aws_iam_policy.publisher["bulk-publisher"].arn
}
