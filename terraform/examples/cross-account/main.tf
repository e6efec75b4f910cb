# An ion in an account of its own, for publishers of other accounts: a shop whose role may send normal mail,
# and all accounts of the organisation, which may send bulk and decide by themselves who of them does.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7.0"
    }
  }
}

variable "shop_role_arn" {
  description = "ARN of the role, in the shop's account, that publishes normal mail."
  type        = string
  default     = "arn:aws:iam::111111111111:role/shop"
}

variable "organization_id" {
  description = "Id of the organisation (AWS Organizations) whose accounts publish bulk."
  type        = string
  default     = "o-exampleorgid"
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

module "ion" {
  source = "../.."

  settings    = { mail = { sender = "post@example.org" } }
  kms_key_arn = aws_kms_key.mail.arn

  publishers        = { input = [var.shop_role_arn] }
  topic_policy_json = { bulk = data.aws_iam_policy_document.organization.json }
}

data "aws_iam_policy_document" "organization" {
  statement {
    sid       = "AllowOrganization"
    actions   = ["sns:Publish"]
    resources = [module.ion.bulk_topic_arn]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = [var.organization_id]
    }
  }
}

# The key of the topics: publishers need it, so its policy, too, must let the other accounts in.

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

  # Without this SNS can deliver to no queue, and email is lost.
  statement {
    sid       = "SNSDelivers"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }
  }

  statement {
    sid       = "Shop"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [var.shop_role_arn]
    }
  }

  statement {
    sid       = "Organization"
    actions   = ["kms:GenerateDataKey*", "kms:Decrypt"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = [var.organization_id]
    }
  }
}

# The other half, in the publishers' accounts: these policies, on the roles that publish.

output "shop_policy_json" {
  description = "For the shop's role."
  value       = module.ion.publish_policy_json
}

output "bulk_policy_json" {
  description = "For the roles, in the organisation's accounts, that may send bulk."
  value       = module.ion.bulk_publish_policy_json
}

output "topic_arns" {
  description = "Where they publish."
  value       = { shop = module.ion.topic_arn, bulk = module.ion.bulk_topic_arn }
}
