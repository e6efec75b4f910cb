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
  package          = "versions.tf"
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators"]
  dashboard        = false
}

# What AWS would give out.

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_resource {
  target = aws_sns_topic.input
  values = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" }
}

override_resource {
  target = aws_sns_topic.bulk
  values = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic" }
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
  target = aws_sqs_queue.bulk
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-bulk-queue"
    id  = "https://sqs.example/ion-bulk-queue"
    url = "https://sqs.example/ion-bulk-queue"
  }
}

override_resource {
  target = aws_sqs_queue.later
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-later-queue"
    id  = "https://sqs.example/ion-later-queue"
    url = "https://sqs.example/ion-later-queue"
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
  target = aws_cloudwatch_metric_alarm.queue_size["input"]
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.queue_size["bulk"]
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-bulk-queue-size-alarm" }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.queue_size["later"]
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-later-queue-size-alarm" }
}

override_resource {
  target = aws_cloudwatch_metric_alarm.operators
  values = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion" }
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

override_resource {
  target = aws_dynamodb_table.outbox
  values = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-outbox" }
}

# Nothing to give out that a policy would name.

override_resource {
  target = aws_iam_role_policy.relay
}

override_resource {
  target = aws_sns_topic_policy.input
}

override_resource {
  target = aws_sns_topic_policy.bulk
}

override_resource {
  target = aws_sns_topic_policy.queue_size_alarm
}

override_resource {
  target = aws_sns_topic_subscription.queue
}

override_resource {
  target = aws_sns_topic_subscription.bulk_queue
}

override_resource {
  target = aws_sns_topic_subscription.wake_on_message
}

override_resource {
  target = aws_sns_topic_subscription.wake_on_bulk
}

override_resource {
  target = aws_sns_topic_subscription.wake_on_queue_size
}

override_resource {
  target = aws_sqs_queue_policy.input
}

override_resource {
  target = aws_sqs_queue_policy.bulk
}

override_resource {
  target = aws_sqs_queue_policy.later
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
  target = aws_lambda_permission.bulk_topic
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
      for grant in flatten([
        for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [
          for arn in flatten([statement.Resource]) : { resource = arn, actions = join(" ", sort(flatten([statement.Action]))) }
        ]
      ]) : grant.resource => grant.actions
      } == {
      "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue"                         = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
      "arn:aws:sqs:eu-west-1:123456789012:ion-bulk-queue"                          = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
      "arn:aws:sqs:eu-west-1:123456789012:ion-later-queue"                         = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
      "arn:aws:sqs:eu-west-1:123456789012:ion-input-deadletter-queue"              = "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage"
      "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger"                   = "dynamodb:BatchGetItem dynamodb:PartiQLInsert dynamodb:PartiQLUpdate"
      "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" = "cloudwatch:SetAlarmState"
      "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-bulk-queue-size-alarm"  = "cloudwatch:SetAlarmState"
      "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-later-queue-size-alarm" = "cloudwatch:SetAlarmState"
      "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion:*"            = "logs:CreateLogStream logs:PutLogEvents"
    }
    error_message = "The relay's policy differs from what the code uses."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement :
      statement.Effect == "Allow" && length(setsubtract(keys(statement), ["Sid", "Effect", "Action", "Resource"])) == 0
    ])
    error_message = "Plain allowances only: no NotAction, no NotResource."
  }

  assert {
    condition     = aws_iam_role_policy.relay[0].role == aws_iam_role.relay[0].id
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
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [
        # The streams of the function's own log group are the one place where a name isn't known.
        for word in flatten([statement.Action, statement.Resource]) :
        !strcontains(trimsuffix(word, ":log-group:/aws/lambda/ion:*"), "*") && !strcontains(word, "?")
      ]
    ]))
    error_message = "An action or a resource has a wildcard."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement :
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
    condition     = length(jsondecode(aws_iam_role_policy.relay[0].policy).Statement) == 8
    error_message = "A statement that no test looks at."
  }
}

run "templates_are_read_below_their_prefix_only" {
  variables {
    settings = { templates = { s3 = "s3://my.bucket/mail/v1/" } }
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement :
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
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : statement.Resource
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
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [statement.Action, statement.Resource]
      if !contains(["DrainQueues", "DeadLetterAndRedrive", "ClaimAndRecord", "RearmAlarms", "WriteLog"], statement.Sid)
    ] == [["secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ion/secrets-AbC123"]]
    error_message = "GetSecretValue on exactly that secret, and no KMS."
  }
}

run "the_outbox_is_only_read" {
  variables {
    outbox = true
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [statement.Action, statement.Resource]
      if statement.Sid == "ReadOutbox"
    ] == [["dynamodb:BatchGetItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-outbox"]]
    error_message = "BatchGetItem on the outbox, and nothing that writes."
  }

  assert {
    condition     = aws_lambda_function.relay.environment[0].variables["ION_AWS_OUTBOX_TABLE"] == "ion-outbox"
    error_message = "The function must know the outbox."
  }

  assert {
    condition     = aws_dynamodb_table.outbox[0].ttl[0].enabled && aws_dynamodb_table.outbox[0].point_in_time_recovery[0].enabled
    error_message = "Items may expire, and what is lost can be had back."
  }
}

run "without_being_asked_for_there_is_no_outbox_and_nothing_in_s3" {
  assert {
    condition = length(aws_dynamodb_table.outbox) == 0 && length([
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : statement
      if contains(["ReadOutbox", "ReadAttachments"], statement.Sid)
    ]) == 0
    error_message = "Neither table nor grant."
  }
}

run "attachments_are_read_from_where_it_is_said_and_only_read" {
  variables {
    attachment_buckets = ["arn:aws:s3:::invoices", "arn:aws:s3:::shared/mail/"]
  }

  assert {
    condition = jsonencode([
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [sort(statement.Action), sort(statement.Resource)]
      if statement.Sid == "ReadAttachments"
      ]) == jsonencode([[
        ["s3:GetObject", "s3:GetObjectVersion"],
        ["arn:aws:s3:::invoices/*", "arn:aws:s3:::shared/mail/*"],
    ]])
    error_message = "GetObject in one bucket, and under one prefix of another."
  }
}

run "only_lambda_takes_the_role" {
  assert {
    condition = jsondecode(aws_iam_role.relay[0].assume_role_policy).Statement == [{
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
        (aws_sqs_queue.bulk.arn)        = aws_sqs_queue_policy.bulk.policy
        (aws_sqs_queue.later.arn)       = aws_sqs_queue_policy.later[0].policy
        (aws_sqs_queue.dead_letter.arn) = aws_sqs_queue_policy.dead_letter.policy
        } : [for statement in jsondecode(policy).Statement : statement if statement.Effect == "Deny"] == [{
          Sid       = "DenyWithoutTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    ])
    error_message = "Nobody in clear text."
  }

  assert {
    condition = [
      for policy in [aws_sqs_queue_policy.input.policy, aws_sqs_queue_policy.bulk.policy, aws_sqs_queue_policy.later[0].policy, aws_sqs_queue_policy.dead_letter.policy] :
      join(" ", [for statement in jsondecode(policy).Statement : statement.Sid if statement.Effect == "Allow"])
    ] == ["AllowTopics", "AllowTopics", "", "AllowTopics"]
    error_message = "Refusing clear text must let nobody else in, and nobody less."
  }

  assert {
    condition     = aws_sqs_queue_policy.later[0].queue_url == aws_sqs_queue.later.id
    error_message = "The later queue has another's policy."
  }
}

run "a_topic_lets_in_the_account_as_snss_own_policy_does" {
  assert {
    condition = alltrue([
      for arn, topic in {
        (aws_sns_topic.input.arn) = aws_sns_topic_policy.input
        (aws_sns_topic.bulk.arn)  = aws_sns_topic_policy.bulk
        } : topic.arn == arn && jsondecode(topic.policy).Statement == [{
          Sid       = "__default_statement_ID"
          Effect    = "Allow"
          Principal = { AWS = "*" }
          Action = [
            "SNS:Subscribe", "SNS:SetTopicAttributes", "SNS:RemovePermission", "SNS:Publish",
            "SNS:ListSubscriptionsByTopic", "SNS:GetTopicAttributes", "SNS:DeleteTopic", "SNS:AddPermission",
          ]
          Resource  = arn
          Condition = { StringEquals = { "AWS:SourceOwner" = "123456789012" } }
      }]
    ])
    error_message = "By default a topic lets in its own account alone."
  }
}

run "tls_publishers_and_statements_are_in_one_policy" {
  variables {
    require_tls = true
    publishers = {
      input = ["111111111111", "arn:aws:iam::222222222222:role/shop/checkout"]
    }
    topic_policy_json = {
      bulk = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"Organisation\", \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"sns:Publish\", \"Resource\": \"arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic\", \"Condition\": {\"StringEquals\": {\"aws:PrincipalOrgID\": \"o-example\"}}}]}"
    }
  }

  assert {
    condition = {
      for arn, policy in {
        (aws_sns_topic.input.arn) = aws_sns_topic_policy.input.policy
        (aws_sns_topic.bulk.arn)  = aws_sns_topic_policy.bulk.policy
      } : arn => [for statement in jsondecode(policy).Statement : "${statement.Effect} ${statement.Sid}"]
      } == {
      "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" = ["Allow __default_statement_ID", "Allow AllowPublishers", "Deny DenyWithoutTLS"]
      "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic"  = ["Allow Organisation", "Allow __default_statement_ID", "Deny DenyWithoutTLS"]
    }
    error_message = "All of it must be in the one policy of the topic that it is for."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.input.policy).Statement :
      [statement.Action, statement.Resource, join(" ", sort(statement.Principal.AWS))]
      if statement.Sid == "AllowPublishers"
    ] == [["sns:Publish", "arn:aws:sns:eu-west-1:123456789012:ion-input-topic", "arn:aws:iam::111111111111:root arn:aws:iam::222222222222:role/shop/checkout"]]
    error_message = "Publishers of other accounts may publish, and no more, on the topic that is named."
  }

  assert {
    condition = alltrue([
      for arn, policy in {
        (aws_sns_topic.input.arn) = aws_sns_topic_policy.input.policy
        (aws_sns_topic.bulk.arn)  = aws_sns_topic_policy.bulk.policy
        } : [for statement in jsondecode(policy).Statement : statement if statement.Effect == "Deny"] == [{
          Sid       = "DenyWithoutTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sns:Publish"
          Resource  = arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    ])
    error_message = "Publishing in clear text must be refused."
  }
}

run "a_publishers_policy_is_for_one_topic" {
  assert {
    condition = {
      for topic, policy in { input = output.publish_policy_json, bulk = output.bulk_publish_policy_json } :
      topic => [for statement in jsondecode(policy).Statement : [statement.Effect, statement.Action, statement.Resource]]
      } == {
      input = [["Allow", "sns:Publish", "arn:aws:sns:eu-west-1:123456789012:ion-input-topic"]]
      bulk  = [["Allow", "sns:Publish", "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic"]]
    }
    error_message = "Publish on one topic, and nothing else."
  }
}

run "a_publisher_may_use_the_customers_key" {
  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/bbbbbbbb-2222-3333-4444-555555555555"
  }

  assert {
    condition = alltrue([
      for policy in [output.publish_policy_json, output.bulk_publish_policy_json] : [
        for statement in jsondecode(policy).Statement : [statement.Effect, sort(statement.Action), statement.Resource]
        if statement.Sid == "UseKeyOfTopic"
      ] == [["Allow", tolist(["kms:Decrypt", "kms:GenerateDataKey"]), var.kms_key_arn]]
    ])
    error_message = "An encrypted topic takes nothing from who may not use its key."
  }
}

run "in_a_vpc_lambda_may_make_interfaces_and_the_code_may_not" {
  variables {
    vpc = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement :
      statement.Effect => [join(" ", sort(statement.Action)), statement.Resource, try(statement.Condition.ArnEquals["lambda:SourceFunctionArn"], "")]
      if startswith(statement.Sid, "NetworkInterfaces")
      } == {
      Allow = ["ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses", "*", ""]
      Deny  = ["ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses", "*", "arn:aws:lambda:eu-west-1:123456789012:function:ion"]
    }
    error_message = "What Lambda documents for a VPC, and not for the code."
  }

  assert {
    condition = (
      aws_lambda_function.relay.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) &&
      aws_lambda_function.relay.vpc_config[0].security_group_ids == toset(["sg-1"])
    )
    error_message = "vpc must reach the function."
  }
}

run "traces_are_written_where_they_are_asked_for" {
  variables {
    tracing = "active"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [sort(statement.Action), statement.Resource]
      if statement.Sid == "WriteTraces"
    ] == [[tolist(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]), "*"]]
    error_message = "Traces may be written, and nothing else of X-Ray."
  }

  assert {
    condition     = aws_lambda_function.relay.tracing_config[0].mode == "Active"
    error_message = "tracing must reach the function."
  }
}

run "the_environments_key_is_only_decrypted_with" {
  variables {
    environment_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/cccccccc-2222-3333-4444-555555555555"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.relay[0].policy).Statement : [statement.Action, statement.Resource]
      if statement.Sid == "DecryptEnvironment"
    ] == [["kms:Decrypt", var.environment_kms_key_arn]]
    error_message = "Decrypt, with that key."
  }
}

run "the_role_may_be_the_callers" {
  variables {
    role_arn   = "arn:aws:iam::123456789012:role/service/mail/relay"
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/secrets"
  }

  assert {
    condition = (
      length(aws_iam_role.relay) == 0 && length(aws_iam_role_policy.relay) == 0 &&
      aws_lambda_function.relay.role == var.role_arn && output.role_arn == var.role_arn && output.role_name == "relay"
    )
    error_message = "The function must have that role, and the module none of its own."
  }

  assert {
    condition = length([
      for statement in jsondecode(output.role_policy_json).Statement : statement
      if contains(["DrainQueues", "DeadLetterAndRedrive", "ClaimAndRecord", "RearmAlarms", "WriteLog", "ReadSecret"], statement.Sid)
    ]) == 6
    error_message = "Its owner must learn what it needs."
  }
}

run "only_the_alarms_publish_to_their_topic" {
  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.queue_size_alarm.policy).Statement :
      merge(statement, { Condition = sort(statement.Condition.ArnEquals["aws:SourceArn"]) })
      ] == [{
        Sid       = "AllowAlarms"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:123456789012:ion-input-queue-size-alarm-topic"
        Condition = tolist([
          "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-bulk-queue-size-alarm",
          "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm",
          "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-later-queue-size-alarm",
        ])
    }]
    error_message = "CloudWatch, for these three alarms, and nobody else."
  }
}

run "each_queue_takes_from_its_own_topic_only" {
  assert {
    condition = alltrue([
      for queue in [
        { arn = aws_sqs_queue.input.arn, policy = aws_sqs_queue_policy.input.policy, topics = ["ion-input-topic"] },
        { arn = aws_sqs_queue.bulk.arn, policy = aws_sqs_queue_policy.bulk.policy, topics = ["ion-bulk-topic"] },
        { arn = aws_sqs_queue.dead_letter.arn, policy = aws_sqs_queue_policy.dead_letter.policy, topics = ["ion-bulk-topic", "ion-input-topic"] },
        ] : [
        for statement in jsondecode(queue.policy).Statement :
        merge(statement, { Condition = sort(flatten([statement.Condition.ArnEquals["aws:SourceArn"]])) })
        ] == [{
          Sid       = "AllowTopics"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = queue.arn
          Condition = tolist([for topic in queue.topics : "arn:aws:sns:eu-west-1:123456789012:${topic}"])
      }]
    ])
    error_message = "SNS, for the queue's own topic (the dead-letter queue: for both), and nobody else."
  }
}

run "no_topic_reaches_the_later_queue" {
  assert {
    condition     = length(aws_sqs_queue_policy.later) == 0
    error_message = "Without a policy a queue takes from whom IAM lets in, and that is the relay."
  }
}

run "the_load_publisher_publishes_on_the_topic_of_its_lane_and_no_more" {
  command = plan # the document alone: none of its resources has anything to give out

  variables {
    environment_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/cccccccc-2222-3333-4444-555555555555"
    load                    = { messages_per_minute = 1, lane = "bulk" }
  }

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.load[0].json).Statement :
      statement.Resource => "${statement.Effect} ${join(" ", sort(flatten([statement.Action])))}"
      } == {
      "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic"                    = "Allow sns:Publish"
      "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion-load:*" = "Allow logs:CreateLogStream logs:PutLogEvents"
      (var.environment_kms_key_arn)                                          = "Allow kms:Decrypt"
    }
    error_message = "Publish on one topic, write its log, and read its environment."
  }
}

run "ses_of_this_account_publishes_feedback_and_nobody_else" {
  command = plan # the documents alone, as above

  variables {
    feedback = {}
  }

  assert {
    condition = jsondecode(data.aws_iam_policy_document.feedback_topic[0].json).Statement == [{
      Sid       = "AllowSES"
      Effect    = "Allow"
      Principal = { Service = "ses.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:123456789012:ion-feedback-topic"
      Condition = { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    }]
    error_message = "SES of another account could suppress whom it likes."
  }
}

run "named_identities_alone_publish_feedback" {
  command = plan

  variables {
    feedback = {
      ses_sources = [
        "arn:aws:ses:eu-west-1:210987654321:identity/example.com",
        "arn:aws:ses:eu-west-1:210987654321:configuration-set/ion",
      ]
    }
  }

  assert {
    condition = [for one in jsondecode(data.aws_iam_policy_document.feedback_topic[0].json).Statement : jsonencode(one.Condition)] == [jsonencode({
      StringEquals = { "aws:SourceAccount" = "210987654321" }
      ArnEquals    = { "aws:SourceArn" = reverse(sort(var.feedback.ses_sources)) }
    })]
    error_message = "Exactly these, of exactly their account."
  }
}

run "another_topic_reaches_no_feedback_queue" {
  command = plan

  variables {
    require_tls = true
    feedback    = {}
  }

  assert {
    condition = alltrue([
      for which, queue in { feedback = "ion-feedback-queue", dead_letter = "ion-feedback-deadletter-queue" } :
      jsondecode(data.aws_iam_policy_document.feedback_queue[which].json).Statement == [
        {
          Sid       = "AllowTopics"
          Effect    = "Allow"
          Principal = { Service = "sns.amazonaws.com" }
          Action    = "sqs:SendMessage"
          Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue}"
          Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:sns:eu-west-1:123456789012:ion-feedback-topic" } }
        },
        {
          Sid       = "DenyWithoutTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = "arn:aws:sqs:eu-west-1:123456789012:${queue}"
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ]
    ])
    error_message = "SNS, for the feedback topic, and nobody else; nobody in clear text."
  }

  assert {
    condition     = [for one in jsondecode(data.aws_iam_policy_document.feedback_topic[0].json).Statement : one.Effect if one.Sid == "DenyWithoutTLS"] == ["Deny"]
    error_message = "Nobody in clear text."
  }
}

run "the_feedback_function_reads_its_queue_and_writes_the_ledger_and_no_more" {
  command = plan

  variables {
    environment_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/cccccccc-2222-3333-4444-555555555555"
    kms_key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/bbbbbbbb-2222-3333-4444-555555555555"
    feedback                = {}
  }

  assert {
    condition = {
      for statement in jsondecode(data.aws_iam_policy_document.feedback[0].json).Statement :
      statement.Resource => "${statement.Effect} ${join(" ", sort(flatten([statement.Action])))}"
      } == {
      "arn:aws:sqs:eu-west-1:123456789012:ion-feedback-queue"                            = "Allow sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage"
      "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger"                         = "Allow dynamodb:BatchGetItem dynamodb:PartiQLInsert dynamodb:PartiQLUpdate"
      "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger/index/header-message-id" = "Allow dynamodb:Query"
      "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion-feedback:*"         = "Allow logs:CreateLogStream logs:PutLogEvents"
      (var.environment_kms_key_arn)                                                      = "Allow kms:Decrypt"
      (var.kms_key_arn)                                                                  = "Allow kms:Decrypt"
    }
    error_message = "Its queue, the ledger, its log, and its keys."
  }

  assert {
    condition = {
      for statement in jsondecode(output.feedback_publish_policy_json).Statement : statement.Resource => sort(flatten([statement.Action]))
      } == {
      "arn:aws:sns:eu-west-1:123456789012:ion-feedback-topic" = tolist(["sns:Publish"])
      (var.kms_key_arn)                                       = tolist(["kms:Decrypt", "kms:GenerateDataKey"])
    }
    error_message = "Who forwards another provider's notices may publish, and no more."
  }
}
