# What the relay may do: exact actions on exact ARNs, nothing that it doesn't use. The role: role.tf.

locals {
  # What people call a secret, in six letters: AWS's random characters are one of these, in small or capital
  # letters, once in thirty million times.
  six_letter_words = [
    "access", "amazon", "backup", "bearer", "client", "common", "config", "deploy", "emails", "gmails", "google",
    "lambda", "logins", "mailer", "master", "normal", "oauth2", "office", "public", "relays", "secret", "sender",
    "server", "shared", "stable", "string", "system", "tenant", "tokens", "values",
  ]

  # Which service holds the secret is written in its ARN.
  secret_action = var.secret_arn == null ? null : (
    split(":", var.secret_arn)[2] == "ssm" ? "ssm:GetParameter" : "secretsmanager:GetSecretValue"
  )

  # s3://bucket/prefix: the templates are below that, and the function reads nothing beside them.
  templates_url = trimsuffix(try(var.settings.templates.s3, ""), "/")
  templates = local.templates_url == "" ? null : {
    bucket = split("/", local.templates_url)[2]
    below  = join("/", concat(slice(split("/", local.templates_url), 3, length(split("/", local.templates_url))), ["*"]))
  }
  templates_bucket_arn = local.templates == null ? null : "arn:${local.partition}:s3:::${local.templates.bucket}"
}

# One random ending in 184 has small letters alone, so this only warns.
check "secret_arn_ends_in_random_characters" {
  assert {
    condition     = !can(regex(":secret:.*-[a-z]{6}$", var.secret_arn))
    error_message = "secret_arn ends in six small letters. If they are a word of the secret's name, AWS's six random characters are missing, and the function will be refused: aws secretsmanager describe-secret --secret-id NAME --query ARN"
  }
}

data "aws_iam_policy_document" "relay" {
  source_policy_documents = concat(
    var.vpc == null ? [] : [data.aws_iam_policy_document.vpc.json],
    var.tracing == "off" ? [] : [data.aws_iam_policy_document.tracing.json],
  )

  statement {
    sid = "DrainQueues"
    actions = [
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:SendMessage",        # redrive puts back; bulk and what waits are moved
      "sqs:GetQueueAttributes", # an empty answer may mean too many in flight: then the count tells
    ]
    resources = local.drained_queue_arns
  }

  statement {
    sid = "DeadLetterAndRedrive"
    actions = [
      "sqs:SendMessage",
      "sqs:ReceiveMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes", # redrive counts what is hidden
    ]
    resources = [local.queue_arns.dead_letter]
  }

  statement {
    sid = "ClaimAndRecord"
    actions = [
      "dynamodb:BatchGetItem",
      "dynamodb:PartiQLInsert", # BatchExecuteStatement has no permission of its own: AWS asks for
      "dynamodb:PartiQLUpdate", # the one of each statement in it
    ]
    resources = [local.table_arns.ledger]
  }

  statement {
    sid       = "RearmAlarms"
    actions   = ["cloudwatch:SetAlarmState"]
    resources = values(local.queue_size_alarm_arns)
  }

  statement {
    sid       = "WriteLog"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"] # its streams: they have no ARN before they exist
  }

  dynamic "statement" {
    for_each = var.secret_arn == null ? [] : [var.secret_arn]
    content {
      sid       = "ReadSecret"
      actions   = [local.secret_action]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.templates[*]
    content {
      sid       = "ReadTemplates"
      actions   = ["s3:GetObject"]
      resources = ["${local.templates_bucket_arn}/${statement.value.below}"]
    }
  }

  dynamic "statement" {
    for_each = var.outbox ? [local.table_arns.outbox] : []
    content {
      sid       = "ReadOutbox"
      actions   = ["dynamodb:BatchGetItem"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.templates[*]
    content {
      sid       = "ListTemplates" # else S3 calls it forbidden, and not missing, what isn't there
      actions   = ["s3:ListBucket"]
      resources = [local.templates_bucket_arn]

      condition {
        test     = "StringLike"
        variable = "s3:prefix"
        values   = [statement.value.below]
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.attachment_buckets) == 0 ? [] : [var.attachment_buckets]
    content {
      sid       = "ReadAttachments"
      actions   = ["s3:GetObject", "s3:GetObjectVersion"]
      resources = [for arn in statement.value : strcontains(arn, "/") ? "${arn}*" : "${arn}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.secret_kms_key_arn == null ? [] : [var.secret_kms_key_arn]
    content {
      sid       = "DecryptSecret"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  # Lambda decrypts the environment with the role's rights, should the grant that it makes itself be gone.
  dynamic "statement" {
    for_each = var.environment_kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      sid       = "UseKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"] # receive and use the ledger; send
      resources = [statement.value]
    }
  }
}
