# The policies as AWS would get them, written out by the real provider: a mock would put junk in
# place of each document. That needs an apply, so every resource is overridden here: nothing calls
# AWS, and "none" is no credential. (One that is missing below makes the test fail, not pass.)

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  package = "versions.tf"
}

# What AWS would give out.

override_resource {
  target = aws_sns_topic.input
  values = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" }
}

override_resource {
  target = aws_sns_topic.queue_size_alarm
  values = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-input-queue-size-alarm-topic" }
}

override_resource {
  target = aws_sqs_queue.input
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue"
    id  = "https://sqs.example/ion-input-queue"
    url = "https://sqs.example/ion-input-queue"
  }
}

override_resource {
  target = aws_sqs_queue.dead_letter
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-input-deadletter-queue"
    id  = "https://sqs.example/ion-input-deadletter-queue"
    url = "https://sqs.example/ion-input-deadletter-queue"
  }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.queue_size
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.dead_letters
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-deadletter-alarm" }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.queue_age
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-age-alarm" }
}

override_resource {
  target = aws_cloudwatch_log_group.relay
  values = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion" }
}

override_resource {
  target = aws_iam_role.relay
  values = {
    arn = "arn:aws:iam::123456789012:role/ion-lambda-role"
    id  = "ion-lambda-role"
  }
}

override_resource {
  target = aws_lambda_function.relay
  values = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion" }
}

override_resource {
  target = aws_cloudwatch_event_rule.sweep
  values = { arn = "arn:aws:events:eu-west-1:123456789012:rule/ion-sweep" }
}

override_resource {
  target = aws_dynamodb_table.ledger
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger" }
}

# Nothing to give out that a policy would name.

override_resource {
  target = aws_iam_role_policy.relay
}

override_resource {
  target = aws_sns_topic_policy.input
}

override_resource {
  target = aws_sns_topic_policy.queue_size_alarm
}

override_resource {
  target = aws_sns_topic_subscription.queue
}

override_resource {
  target = aws_sns_topic_subscription.wake_on_message
}

override_resource {
  target = aws_sns_topic_subscription.wake_on_queue_size
}

override_resource {
  target = aws_sqs_queue_policy.input
}

override_resource {
  target = aws_sqs_queue_policy.dead_letter
}

override_resource {
  target = aws_sqs_queue_redrive_allow_policy.dead_letter
}

override_resource {
  target = aws_lambda_function_event_invoke_config.relay
}

override_resource {
  target = aws_lambda_permission.input_topic
}

override_resource {
  target = aws_lambda_permission.queue_size_alarm_topic
}

override_resource {
  target = aws_lambda_permission.sweep
}

override_resource {
  target = aws_cloudwatch_event_target.sweep
}

run "the_relay_is_granted_what_it_uses_and_no_more" {
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement :
      statement.Resource => sort(flatten([statement.Action]))
      } == {
      "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue" = tolist([
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage",
      ])
      "arn:aws:sqs:eu-west-1:123456789012:ion-input-deadletter-queue" = tolist([
        "sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage",
      ])
      "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger" = tolist([
        "dynamodb:BatchGetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
      ])
      "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" = tolist(["cloudwatch:SetAlarmState"])
      "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion:*"            = tolist(["logs:CreateLogStream", "logs:PutLogEvents"])
    }
    error_message = "The relay's policy differs from what the code uses."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement :
      statement.Effect == "Allow" && length(setsubtract(keys(statement), ["Sid", "Effect", "Action", "Resource"])) == 0
    ])
    error_message = "Plain allowances only: no NotAction, no NotResource."
  }

  assert {
    condition     = aws_iam_role_policy.relay.role == aws_iam_role.relay.id
    error_message = "The policy must sit on the relay's role."
  }
}

run "no_wildcard_whatever_is_asked_for" {
  variables {
    secret_arn         = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/secrets"
    secret_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555"
    kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/bbbbbbbb-2222-3333-4444-555555555555"
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement : [
        # The streams of the function's own log group are the one place where a name isn't known.
        for word in concat(flatten([statement.Action]), [trimsuffix(statement.Resource, ":log-group:/aws/lambda/ion:*")]) :
        !strcontains(word, "*") && !strcontains(word, "?")
      ]
    ]))
    error_message = "An action or a resource has a wildcard."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement :
      statement.Resource => sort(flatten([statement.Action]))
      if contains(["ReadSecret", "DecryptSecret", "UseKey"], statement.Sid)
      } == {
      "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/secrets"                    = tolist(["ssm:GetParameter"])
      "arn:aws:kms:eu-west-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555" = tolist(["kms:Decrypt"])
      "arn:aws:kms:eu-west-1:123456789012:key/bbbbbbbb-2222-3333-4444-555555555555" = tolist(["kms:Decrypt", "kms:GenerateDataKey"])
    }
    error_message = "One parameter to read, one key to decrypt it, one key for queues and ledger."
  }

  assert {
    condition     = length(jsondecode(aws_iam_role_policy.relay.policy).Statement) == 8
    error_message = "A statement that no test looks at."
  }
}

run "templates_are_read_below_their_prefix_only" {
  variables {
    settings = { templates = { s3 = "s3://my.bucket/mail/v1/" } }
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement :
      [statement.Action, statement.Resource, try(statement.Condition.StringLike["s3:prefix"], null)]
      if endswith(statement.Sid, "Templates")
      ] == [
      ["s3:GetObject", "arn:aws:s3:::my.bucket/mail/v1/*", null],
      ["s3:ListBucket", "arn:aws:s3:::my.bucket", "mail/v1/*"],
    ]
    error_message = "The templates' grant must be for what is below the prefix."
  }
}

run "a_whole_bucket_may_be_templates" {
  variables {
    settings = { templates = { s3 = "s3://my.bucket" } }
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement : statement.Resource
      if endswith(statement.Sid, "Templates")
    ] == ["arn:aws:s3:::my.bucket/*", "arn:aws:s3:::my.bucket"]
    error_message = "Without a prefix the grant must be for the bucket."
  }
}

run "a_secret_of_secrets_manager_is_read_by_its_own_action" {
  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ion/secrets-AbC123"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay.policy).Statement : [statement.Action, statement.Resource]
      if !contains(["DrainInputQueue", "DeadLetterAndRedrive", "ClaimAndRecord", "RearmAlarm", "WriteLog"], statement.Sid)
    ] == [["secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ion/secrets-AbC123"]]
    error_message = "GetSecretValue on exactly that secret, and no KMS."
  }
}

run "only_lambda_takes_the_role" {
  assert {
    condition = jsondecode(aws_iam_role.relay.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
    error_message = "Nobody but Lambda may take the relay's role."
  }
}

run "clear_text_can_be_refused_to_the_queues" {
  variables {
    require_tls = true
  }

  assert {
    condition = alltrue([
      for arn, policy in {
        (aws_sqs_queue.input.arn)       = aws_sqs_queue_policy.input.policy
        (aws_sqs_queue.dead_letter.arn) = aws_sqs_queue_policy.dead_letter.policy
        } : jsondecode(policy).Statement == [
        {
          Sid       = "AllowInputTopic"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = arn
          Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" } }
        },
        {
          Sid       = "DenyWithoutTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ]
    ])
    error_message = "SNS, for the input topic, and nobody else; nobody in clear text."
  }
}

run "clear_text_can_be_refused_to_publishers" {
  variables {
    require_tls = true
  }

  assert {
    condition = jsondecode(aws_sns_topic_policy.input[0].policy).Statement == [{
      Sid       = "DenyWithoutTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "The input topic grants nothing by itself, and refuses clear text."
  }
}

run "only_the_alarm_publishes_to_its_topic" {
  assert {
    condition = jsondecode(aws_sns_topic_policy.queue_size_alarm.policy).Statement == [{
      Sid       = "AllowAlarm"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:123456789012:ion-input-queue-size-alarm-topic"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" } }
    }]
    error_message = "CloudWatch, for this one alarm, and nobody else."
  }
}

run "only_our_topic_reaches_the_queues" {
  assert {
    condition = alltrue([
      for arn, policy in {
        (aws_sqs_queue.input.arn)       = aws_sqs_queue_policy.input.policy
        (aws_sqs_queue.dead_letter.arn) = aws_sqs_queue_policy.dead_letter.policy
        } : jsondecode(policy).Statement == [{
          Sid       = "AllowInputTopic"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = arn
          Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" } }
      }]
    ])
    error_message = "SNS, for the input topic, and nobody else."
  }
}

run "the_topic_keeps_its_own_policy" {
  assert {
    condition     = length(aws_sns_topic_policy.input) == 0
    error_message = "Without require_tls the topic keeps SNS's policy: the account's own publishers."
  }
}
