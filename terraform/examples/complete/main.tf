# An ion as a production account would want it: credentials in SSM, a customer's key around what holds
# email, publishers with their grants, and a topic for the alarms. A destroy is refused unless
# protect_mail = false is applied first.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}

variable "require_tls" {
  description = "Whether topics and queues refuse calls without TLS. false for an emulator that is reached by plain HTTP."
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

  name      = "mail"
  memory_mb = 1769 # one whole core
  settings = {
    mail = { sender = "Example <post@example.org>" }
    smtp = { connections = "8" }
  }

  secret_arn              = local.secret_arn
  kms_key_arn             = aws_kms_key.mail.arn
  log_kms_key_arn         = aws_kms_key.mail.arn
  environment_kms_key_arn = aws_kms_key.mail.arn
  alarm_topic_kms_key_arn = aws_kms_key.mail.arn
  require_tls             = var.require_tls
  tracing                 = "active"
  sweep_minutes           = 1
  log_retention_days      = 90
  alarm_topic_arns        = [aws_sns_topic.operators.arn]

  tags = { service = "mail" }
}

# The key

resource "aws_kms_key" "mail" {
  description         = "Email on its way through ion"
  enable_key_rotation = true
  policy              = data.aws_iam_policy_document.key.json
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:In a key's policy "*" is this one key.
  #checkov:skip=CKV_AWS_111:In a key's policy "*" is this one key.
  #checkov:skip=CKV_AWS_356:In a key's policy "*" is this one key.

  statement {
    sid       = "AccountDecidesByIAM"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }

  # Without SNS nothing is delivered to a queue, and email is lost; without CloudWatch no alarm wakes ion
  # or tells a person.
  statement {
    sid       = "DeliverAndAlarm"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com", "cloudwatch.amazonaws.com"]
    }
  }

  statement {
    sid       = "Logs"
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${data.aws_region.current.id}.amazonaws.com"]
    }
  }
}

# Publishers: attach one of these to an application's role. The right is to one topic, so that
# a newsletter's publisher, which may use the bulk topic alone, can't overtake normal mail.

resource "aws_iam_policy" "publisher" {
  name   = "mail-publisher"
  policy = module.ion.publish_policy_json
}

resource "aws_iam_policy" "bulk_publisher" {
  name   = "mail-bulk-publisher"
  policy = module.ion.bulk_publish_policy_json
}

# The alarms: subscribe an address to this topic.

resource "aws_sns_topic" "operators" {
  name              = "mail-operators"
  kms_master_key_id = aws_kms_key.mail.arn
}

output "publish_command" {
  description = "A first email, ready for the shell."
  value       = module.ion.publish_command
}

output "publisher_policy_arn" {
  description = "ARN of the policy that lets a role publish normal mail."
  value       = aws_iam_policy.publisher.arn
}

output "bulk_publisher_policy_arn" {
  description = "ARN of the policy that lets a role publish bulk."
  value       = aws_iam_policy.bulk_publisher.arn
}
