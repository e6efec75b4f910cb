# Who may publish. Within the account a publisher's own policy is enough, and one is given out below;
# from other accounts the topic must let it in as well.

variable "publishers" {
  description = "Who of other accounts may publish, by topic: { input = [...], bulk = [...] }, of account ids (12 digits: whom that account lets) and ARNs of roles or users. They need a policy of their own as well, such as publish_policy_json; with kms_key_arn the key's policy must let them use it, too. A role that is deleted and made again must be allowed again: AWS keeps its id, not its name."
  type        = map(list(string)) # of an object Terraform would drop a misspelt key in silence
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.publishers), ["input", "bulk"])) == 0
    error_message = "publishers has a topic that there isn't: there are input and bulk."
  }

  validation {
    condition = alltrue([
      for principal in flatten(values(var.publishers)) :
      can(regex("^([0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]+)$", principal))
    ])
    error_message = "publishers must be account ids (12 digits) or ARNs of IAM roles or users (arn:aws:iam::<account>:role/<name>), none with a wildcard. For a whole organisation, see topic_policy_json."
  }
}

variable "topic_policy_json" {
  description = "Statements beyond the module's for the policies of its topics, by topic: { input = \"...\", bulk = \"...\", outcome = \"...\" }, each a whole policy document as JSON, such as data.aws_iam_policy_document.x.json. For what publishers can't say: an organisation (aws:PrincipalOrgID), an AWS service, subscribers of other accounts (SNS:Subscribe on outcome). Resource is the topic's ARN; a Sid may not be one of the module's. A topic has one policy: another aws_sns_topic_policy would fight with this one at each apply."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.topic_policy_json), var.events == null ? ["input", "bulk"] : ["input", "bulk", "outcome"])) == 0
    error_message = "topic_policy_json has a topic that there isn't: there are input and bulk, and with events outcome."
  }

  validation {
    condition = alltrue([
      for document in values(var.topic_policy_json) :
      document == null || can(flatten([jsondecode(document).Statement])[0].Effect)
    ])
    error_message = "topic_policy_json.input, .bulk and .outcome must be policy documents as JSON: {\"Version\": …, \"Statement\": [{\"Effect\": …}]}."
  }
}

# The whole policy of a topic, in one document, since a topic has only one.
data "aws_iam_policy_document" "topic" {
  for_each = { for topic in concat(["input", "bulk"], var.events == null ? [] : ["outcome"]) : topic => lookup(var.topic_policy_json, topic, null) }

  source_policy_documents = each.value[*]

  # SNS's own, which a policy takes the place of: the account's services and people, as far as their own
  # policies let them.
  statement {
    sid = "__default_statement_ID"
    actions = [
      "SNS:AddPermission",
      "SNS:DeleteTopic",
      "SNS:GetTopicAttributes",
      "SNS:ListSubscriptionsByTopic",
      "SNS:Publish",
      "SNS:RemovePermission",
      "SNS:SetTopicAttributes",
      "SNS:Subscribe",
    ]
    resources = [local.topic_arns[each.key]]

    principals {
      type        = "AWS"
      identifiers = ["*"]
    }

    condition {
      test     = "StringEquals"
      variable = "AWS:SourceOwner"
      values   = [local.account_id]
    }
  }

  dynamic "statement" {
    for_each = length(lookup(var.publishers, each.key, [])) == 0 ? [] : [[
      # As AWS gives an account's id back, so that no plan sees a difference.
      for principal in lookup(var.publishers, each.key, []) :
      startswith(principal, "arn:") ? principal : "arn:${local.partition}:iam::${principal}:root"
    ]]

    content {
      sid       = "AllowPublishers"
      actions   = ["sns:Publish"]
      resources = [local.topic_arns[each.key]]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = var.require_tls ? ["DenyWithoutTLS"] : []

    content {
      sid       = statement.value
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
}

resource "aws_sns_topic_policy" "input" {
  arn    = aws_sns_topic.input.arn
  policy = data.aws_iam_policy_document.topic["input"].json
}

resource "aws_sns_topic_policy" "bulk" {
  arn    = aws_sns_topic.bulk.arn
  policy = data.aws_iam_policy_document.topic["bulk"].json
}

# What a publisher's role needs. The right is to one topic, so that a newsletter's publisher, which has
# the bulk topic alone, can't overtake normal mail.
data "aws_iam_policy_document" "publisher" {
  for_each = toset(["input", "bulk"])

  statement {
    sid       = "Publish"
    actions   = ["sns:Publish"]
    resources = [local.topic_arns[each.key]]
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

output "publish_policy_json" {
  description = "Policy document, as JSON, for the role of a publisher of normal mail."
  value       = data.aws_iam_policy_document.publisher["input"].json
}

output "bulk_publish_policy_json" {
  description = "Policy document, as JSON, for the role of a publisher of bulk. A role that has this one alone can't overtake normal mail."
  value       = data.aws_iam_policy_document.publisher["bulk"].json
}
