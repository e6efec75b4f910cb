# Who is connected to whom, and how each part is set.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-west-1" }
  }
}

variables {
  package          = "versions.tf"
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators"]
}

# What AWS would give out.

override_resource {
  target          = aws_sns_topic.input
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic" }
}

override_resource {
  target          = aws_sns_topic.bulk
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic" }
}

override_resource {
  target          = aws_sns_topic.queue_size_alarm
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-input-queue-size-alarm-topic" }
}

override_resource {
  target          = aws_sqs_queue.input
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue"
    id  = "https://sqs.example/ion-input-queue"
    url = "https://sqs.example/ion-input-queue"
  }
}

override_resource {
  target          = aws_sqs_queue.bulk
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-bulk-queue"
    id  = "https://sqs.example/ion-bulk-queue"
    url = "https://sqs.example/ion-bulk-queue"
  }
}

override_resource {
  target          = aws_sqs_queue.later
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-later-queue"
    id  = "https://sqs.example/ion-later-queue"
    url = "https://sqs.example/ion-later-queue"
  }
}

override_resource {
  target          = aws_sqs_queue.dead_letter
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-input-deadletter-queue"
    id  = "https://sqs.example/ion-input-deadletter-queue"
    url = "https://sqs.example/ion-input-deadletter-queue"
  }
}

override_resource {
  target          = aws_cloudwatch_metric_alarm.queue_size["input"]
  override_during = plan
  values          = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm" }
}

override_resource {
  target          = aws_cloudwatch_metric_alarm.queue_size["bulk"]
  override_during = plan
  values          = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-bulk-queue-size-alarm" }
}

override_resource {
  target          = aws_cloudwatch_metric_alarm.queue_size["later"]
  override_during = plan
  values          = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-later-queue-size-alarm" }
}

override_resource {
  target          = aws_cloudwatch_metric_alarm.operators["dead-letters"]
  override_during = plan
  values          = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-deadletter-alarm" }
}

override_resource {
  target          = aws_cloudwatch_metric_alarm.operators["old-mail"]
  override_during = plan
  values          = { arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-age-alarm" }
}

override_resource {
  target          = aws_cloudwatch_log_group.relay
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/ion" }
}

override_resource {
  target          = aws_iam_role.relay
  override_during = plan
  values = {
    arn = "arn:aws:iam::123456789012:role/ion-lambda-role"
    id  = "ion-lambda-role"
  }
}

override_resource {
  target          = aws_lambda_function.relay
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion" }
}

override_resource {
  target          = aws_cloudwatch_event_rule.sweep
  override_during = plan
  values          = { arn = "arn:aws:events:eu-west-1:123456789012:rule/ion-sweep" }
}

override_resource {
  target          = aws_dynamodb_table.ledger
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger" }
}

run "an_email_goes_from_topic_to_queue_untouched" {
  command = plan

  assert {
    condition = (
      aws_sns_topic_subscription.queue.topic_arn == aws_sns_topic.input.arn &&
      aws_sns_topic_subscription.queue.protocol == "sqs" &&
      aws_sns_topic_subscription.queue.endpoint == aws_sqs_queue.input.arn
    )
    error_message = "The topic must fan into the input queue."
  }

  assert {
    condition     = aws_sns_topic_subscription.queue.raw_message_delivery
    error_message = "The body must be the publisher's, not wrapped into SNS's."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.queue.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letter.arn }
    error_message = "What SNS can't deliver must land in the dead-letter queue (failure matrix, row 10)."
  }
}

run "bulk_goes_from_its_own_topic_to_its_own_queue_untouched" {
  command = plan

  assert {
    condition = (
      aws_sns_topic_subscription.bulk_queue.topic_arn == aws_sns_topic.bulk.arn &&
      aws_sns_topic_subscription.bulk_queue.protocol == "sqs" &&
      aws_sns_topic_subscription.bulk_queue.endpoint == aws_sqs_queue.bulk.arn
    )
    error_message = "The bulk topic must fan into the bulk queue."
  }

  assert {
    condition     = aws_sns_topic_subscription.bulk_queue.raw_message_delivery
    error_message = "The body must be the publisher's, not wrapped into SNS's."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.bulk_queue.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead_letter.arn }
    error_message = "What SNS can't deliver must land in the dead-letter queue (failure matrix, row 10)."
  }

  assert {
    condition = alltrue([for subscription in [aws_sns_topic_subscription.queue, aws_sns_topic_subscription.bulk_queue] :
      subscription.filter_policy == null
    ])
    error_message = "What a filter drops is in no dead-letter queue."
  }
}

run "the_queues_keep_what_they_get" {
  command = plan

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.input, aws_sqs_queue.bulk, aws_sqs_queue.later, aws_sqs_queue.dead_letter] :
      queue.message_retention_seconds == 1209600 && queue.max_message_size == 262144
    ])
    error_message = "14 days, and at least what SNS lets in."
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.input, aws_sqs_queue.bulk, aws_sqs_queue.later, aws_sqs_queue.dead_letter] :
      queue.sqs_managed_sse_enabled
    ])
    error_message = "Every queue must be encrypted at rest."
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.input, aws_sqs_queue.bulk, aws_sqs_queue.later] :
      queue.visibility_timeout_seconds == 960
    ])
    error_message = "Default visibility is the function's timeout and a minute."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.visibility_timeout_seconds == 30
    error_message = "Looking at dead letters must not hide them for long."
  }

  assert {
    condition = alltrue([for queue in [aws_sqs_queue.input, aws_sqs_queue.bulk, aws_sqs_queue.later] :
      jsondecode(queue.redrive_policy) == {
        deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
        maxReceiveCount     = 1000
      }
    ])
    error_message = "The net for messages that kill the process is at 1000 receives."
  }

  assert {
    condition = (
      aws_sqs_queue_redrive_allow_policy.dead_letter.queue_url == aws_sqs_queue.dead_letter.id &&
      jsondecode(aws_sqs_queue_redrive_allow_policy.dead_letter.redrive_allow_policy) == {
        redrivePermission = "byQueue"
        sourceQueueArns   = [aws_sqs_queue.input.arn, aws_sqs_queue.bulk.arn, aws_sqs_queue.later.arn]
      }
    )
    error_message = "Only the queues that are drained may use the dead-letter queue."
  }

  assert {
    condition = (
      aws_sqs_queue_policy.input.queue_url == aws_sqs_queue.input.id &&
      aws_sqs_queue_policy.bulk.queue_url == aws_sqs_queue.bulk.id &&
      aws_sqs_queue_policy.dead_letter.queue_url == aws_sqs_queue.dead_letter.id
    )
    error_message = "A queue has another's policy."
  }
}

run "the_function_is_set_for_one_drain_at_a_time" {
  command = plan

  assert {
    condition = {
      handler     = aws_lambda_function.relay.handler
      runtime     = aws_lambda_function.relay.runtime
      processor   = aws_lambda_function.relay.architectures
      memory      = aws_lambda_function.relay.memory_size
      timeout     = aws_lambda_function.relay.timeout
      concurrency = aws_lambda_function.relay.reserved_concurrent_executions
      role        = aws_lambda_function.relay.role
      package     = aws_lambda_function.relay.filename
      } == {
      handler     = "ion.handler.run"
      runtime     = "python3.13"
      processor   = tolist(["arm64"])
      memory      = 512
      timeout     = 900
      concurrency = 1
      role        = aws_iam_role.relay[0].arn
      package     = "versions.tf"
    }
    error_message = "A default of the function has changed."
  }

  assert {
    condition     = aws_lambda_function.relay.source_code_hash == filebase64sha256("versions.tf")
    error_message = "A new package with the old name must be noticed."
  }

  assert {
    condition     = aws_cloudwatch_log_group.relay.retention_in_days == 30
    error_message = "Logs are kept for 30 days."
  }
}

run "the_function_learns_names_and_arns_from_here" {
  command = plan

  assert {
    condition = aws_lambda_function.relay.environment[0].variables == tomap({
      ION_AWS_QUEUE_URL             = aws_sqs_queue.input.url
      ION_AWS_BULK_QUEUE_URL        = aws_sqs_queue.bulk.url
      ION_AWS_LATER_QUEUE_URL       = aws_sqs_queue.later.url
      ION_AWS_DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letter.url
      ION_AWS_LEDGER_TABLE          = "ion-ledger"
      ION_AWS_ALARM_NAME            = "ion-input-queue-size-alarm"
      ION_AWS_BULK_ALARM_NAME       = "ion-bulk-queue-size-alarm"
      ION_AWS_LATER_ALARM_NAME      = "ion-later-queue-size-alarm"
      ION_AWS_CONCURRENCY           = "1"
      POWERTOOLS_SERVICE_NAME       = "ion"
      MODULE_VERSION                = local.module_version
    })
    error_message = "The environment must hold the wiring, and nothing else by default."
  }
}

run "settings_become_environment_variables" {
  command = plan

  variables {
    settings = {
      smtp        = { connections = "8", pipelining = "off" }
      smtp_backup = { connections = "2" }
      mail        = { sender = "post@example.org" }
    }
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/secrets"
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.relay.environment[0].variables : name => value
      if !contains(["POWERTOOLS_SERVICE_NAME", "MODULE_VERSION"], name) && (!startswith(name, "ION_AWS_") || name == "ION_AWS_SECRET_ARN")
      } == {
      ION_SMTP_CONNECTIONS        = "8"
      ION_SMTP_PIPELINING         = "off"
      ION_SMTP_BACKUP_CONNECTIONS = "2"
      ION_MAIL_SENDER             = "post@example.org"
      ION_AWS_SECRET_ARN          = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/secrets"
    }
    error_message = "ION_<SECTION>_<KEY>, and the secret by its ARN only."
  }
}

run "a_secret_that_may_end_in_a_word_is_told" {
  command = plan

  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:smtp-prodeu"
  }

  expect_failures = [check.secret_arn_ends_in_random_characters]
}

run "a_relay_that_is_not_productions_needs_a_guard" {
  command = plan

  variables {
    environment = "staging"
    settings    = { guard = { only = "*@example.org", redirect_to = "inbox@example.org" } }
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.relay.environment[0].variables : name => value
      if startswith(name, "ION_GUARD_")
      } == {
      ION_GUARD_REQUIRED    = "true"
      ION_GUARD_ONLY        = "*@example.org"
      ION_GUARD_REDIRECT_TO = "inbox@example.org"
    }
    error_message = "Without a guard such a function must receive nothing (failure matrix, row 80)."
  }
}

run "a_relay_that_is_not_productions_without_a_guard_is_warned_of" {
  command = plan

  variables {
    environment = "staging"
  }

  expect_failures = [check.staging_has_a_guard]
}

run "a_setting_that_is_null_is_left_out" {
  command = plan

  variables {
    settings = { smtp = { connections = null, max_rate = "5" } }
  }

  assert {
    condition     = [for name in keys(aws_lambda_function.relay.environment[0].variables) : name if startswith(name, "ION_SMTP_")] == ["ION_SMTP_MAX_RATE"]
    error_message = "null is a setting that is left out."
  }
}

run "three_wake_ups_reach_the_function" {
  command = plan

  assert {
    condition = alltrue([
      for subscription in [aws_sns_topic_subscription.wake_on_message, aws_sns_topic_subscription.wake_on_bulk, aws_sns_topic_subscription.wake_on_queue_size] :
      subscription.protocol == "lambda" && subscription.endpoint == aws_lambda_function.relay.arn
    ])
    error_message = "Each topic must wake the function."
  }

  assert {
    condition = (
      aws_sns_topic_subscription.wake_on_message.topic_arn == aws_sns_topic.input.arn &&
      aws_sns_topic_subscription.wake_on_bulk.topic_arn == aws_sns_topic.bulk.arn &&
      aws_sns_topic_subscription.wake_on_queue_size.topic_arn == aws_sns_topic.queue_size_alarm.arn
    )
    error_message = "A wake-up hangs on the wrong topic."
  }

  assert {
    condition = (
      aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(5 minutes)" &&
      aws_cloudwatch_event_target.sweep.rule == aws_cloudwatch_event_rule.sweep.name &&
      aws_cloudwatch_event_target.sweep.arn == aws_lambda_function.relay.arn
    )
    error_message = "The schedule must wake the function every five minutes."
  }

  assert {
    condition = {
      for permission in [
        aws_lambda_permission.input_topic, aws_lambda_permission.bulk_topic, aws_lambda_permission.queue_size_alarm_topic, aws_lambda_permission.sweep,
      ] :
      permission.source_arn => permission.principal
      if permission.action == "lambda:InvokeFunction" && permission.function_name == "ion"
      } == {
      (aws_sns_topic.input.arn)             = "sns.amazonaws.com"
      (aws_sns_topic.bulk.arn)              = "sns.amazonaws.com"
      (aws_sns_topic.queue_size_alarm.arn)  = "sns.amazonaws.com"
      (aws_cloudwatch_event_rule.sweep.arn) = "events.amazonaws.com"
    }
    error_message = "Each wake-up, and nobody else, may invoke the function."
  }

  assert {
    condition = (
      aws_lambda_function_event_invoke_config.relay.function_name == "ion" &&
      aws_lambda_function_event_invoke_config.relay.maximum_event_age_in_seconds == 60 &&
      aws_lambda_function_event_invoke_config.relay.maximum_retry_attempts == 0
    )
    error_message = "Throttled wake-ups must be dropped after a minute, not repeated for hours."
  }
}

run "each_queue_that_is_drained_has_an_alarm_that_wakes" {
  command = plan

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.queue_size : name => alarm.dimensions["QueueName"]
      } == {
      input = "ion-input-queue"
      bulk  = "ion-bulk-queue"
      later = "ion-later-queue"
    }
    error_message = "Each alarm must watch its own queue."
  }

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue_size :
      alarm.namespace == "AWS/SQS" &&
      alarm.metric_name == "ApproximateNumberOfMessagesVisible" &&
      length(alarm.dimensions) == 1 &&
      alarm.statistic == "Maximum"
    ])
    error_message = "The alarms must watch the messages waiting in a queue."
  }

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue_size :
      alarm.comparison_operator == "GreaterThanOrEqualToThreshold" &&
      alarm.threshold == 1 &&
      alarm.period == 60 &&
      alarm.evaluation_periods == 1 &&
      alarm.treat_missing_data == "notBreaching"
    ])
    error_message = "One message in one minute is enough, and silence isn't."
  }

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.queue_size :
      alarm.alarm_actions == toset([aws_sns_topic.queue_size_alarm.arn])
    ])
    error_message = "The alarms must publish to the topic that wakes."
  }
}

run "the_page_and_the_queries_are_of_this_relay" {
  command = plan

  assert {
    condition     = aws_cloudwatch_dashboard.relay[0].dashboard_name == "ion-${data.aws_region.current.id}"
    error_message = "The dashboard must be called as the relay is."
  }

  assert {
    condition = {
      for query in aws_cloudwatch_query_definition.relay : query.name => one(query.log_group_names)
      } == {
      "ion/an-emails-life"       = "/aws/lambda/ion"
      "ion/emails-to-an-address" = "/aws/lambda/ion"
      "ion/held-and-why"         = "/aws/lambda/ion"
      "ion/slowest"              = "/aws/lambda/ion"
    }
    error_message = "A saved query must search the function's log."
  }
}

run "the_ledger_has_one_row_per_email" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.ledger.hash_key == "email_id" &&
      aws_dynamodb_table.ledger.range_key == null &&
      aws_dynamodb_table.ledger.attribute == toset([{ name = "email_id", type = "S" }]) &&
      aws_dynamodb_table.ledger.billing_mode == "PAY_PER_REQUEST"
    )
    error_message = "The ledger's key is email_id, paid per request."
  }

  assert {
    condition = (
      aws_dynamodb_table.ledger.ttl[0].attribute_name == "expires_at" && aws_dynamodb_table.ledger.ttl[0].enabled &&
      aws_dynamodb_table.ledger.point_in_time_recovery[0].enabled &&
      aws_dynamodb_table.ledger.deletion_protection_enabled
    )
    error_message = "Rows expire at expires_at, the table can be restored, and is protected from a destroy."
  }
}

run "mail_may_be_destroyed_if_that_is_said" {
  command = plan

  variables {
    protect_mail = false
    outbox       = true
  }

  assert {
    condition = (
      !aws_dynamodb_table.ledger.deletion_protection_enabled &&
      !aws_dynamodb_table.outbox[0].deletion_protection_enabled
    )
    error_message = "protect_mail must reach the tables."
  }
}

run "a_customers_key_encrypts_whatever_holds_email" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition = alltrue([for key in [
      aws_sns_topic.input.kms_master_key_id,
      aws_sns_topic.bulk.kms_master_key_id,
      aws_sqs_queue.input.kms_master_key_id,
      aws_sqs_queue.bulk.kms_master_key_id,
      aws_sqs_queue.later.kms_master_key_id,
      aws_sqs_queue.dead_letter.kms_master_key_id,
      aws_dynamodb_table.ledger.server_side_encryption[0].kms_key_arn,
    ] : key == var.kms_key_arn])
    error_message = "Topics, queues and ledger must use the customer's key."
  }

  assert {
    condition     = aws_sns_topic.queue_size_alarm.kms_master_key_id == null
    error_message = "The alarm's topic holds no email, and CloudWatch would need the key."
  }
}

run "what_an_organisation_prescribes_reaches_its_resource" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    role_path                = "/service/mail/"
    log_kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/1"
    environment_kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/2"
    alarm_topic_kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/3"
    layers                   = ["arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-python-arm64:1"]
    extra_environment        = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/otel-instrument" }
  }

  assert {
    condition     = aws_iam_role.relay[0].permissions_boundary == var.permissions_boundary_arn && aws_iam_role.relay[0].path == "/service/mail/"
    error_message = "The role must have its boundary and its path."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.relay.kms_key_id == var.log_kms_key_arn &&
      aws_lambda_function.relay.kms_key_arn == var.environment_kms_key_arn &&
      aws_sns_topic.queue_size_alarm.kms_master_key_id == var.alarm_topic_kms_key_arn
    )
    error_message = "Each key must be where its name says."
  }

  assert {
    condition = (
      aws_lambda_function.relay.layers == var.layers &&
      aws_lambda_function.relay.environment[0].variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-instrument"
    )
    error_message = "Layers and their environment must reach the function."
  }
}

run "unless_asked_for_there_is_neither_vpc_nor_trace_nor_layer" {
  command = plan

  assert {
    condition = (
      length(aws_lambda_function.relay.vpc_config) == 0 &&
      aws_lambda_function.relay.tracing_config[0].mode == "PassThrough" &&
      length(coalesce(aws_lambda_function.relay.layers, [])) == 0 &&
      aws_lambda_function.relay.kms_key_arn == null
    )
    error_message = "A default of the function has changed."
  }
}

run "the_pause_of_last_resort_lets_no_run_begin_and_keeps_all_mail" {
  command = plan

  variables {
    enabled = false
  }

  assert {
    condition     = aws_lambda_function.relay.reserved_concurrent_executions == 0
    error_message = "Lambda must refuse every run."
  }

  assert {
    condition = (
      aws_sns_topic_subscription.queue.endpoint == aws_sqs_queue.input.arn &&
      aws_sns_topic_subscription.bulk_queue.endpoint == aws_sqs_queue.bulk.arn
    )
    error_message = "What is published must still be queued."
  }

  expect_failures = [check.mail_is_being_sent]
}

run "the_outputs_are_what_callers_wire_to" {
  command = plan

  assert {
    condition = {
      topic_arn              = output.topic_arn
      topic_name             = output.topic_name
      bulk_topic_arn         = output.bulk_topic_arn
      bulk_topic_name        = output.bulk_topic_name
      bulk_queue_name        = output.bulk_queue_name
      bulk_queue_url         = output.bulk_queue_url
      bulk_queue_arn         = output.bulk_queue_arn
      later_queue_name       = output.later_queue_name
      later_queue_url        = output.later_queue_url
      later_queue_arn        = output.later_queue_arn
      queue_name             = output.queue_name
      queue_url              = output.queue_url
      queue_arn              = output.queue_arn
      dead_letter_queue_name = output.dead_letter_queue_name
      dead_letter_queue_url  = output.dead_letter_queue_url
      dead_letter_queue_arn  = output.dead_letter_queue_arn
      function_name          = output.function_name
      function_arn           = output.function_arn
      log_group_name         = output.log_group_name
      alarm_name             = output.alarm_name
      alarm_arn              = output.alarm_arn
      alarm_topic_arn        = output.alarm_topic_arn
      dead_letter_alarm_name = output.dead_letter_alarm_name
      dead_letter_alarm_arn  = output.dead_letter_alarm_arn
      queue_age_alarm_name   = output.queue_age_alarm_name
      queue_age_alarm_arn    = output.queue_age_alarm_arn
      ledger_table_name      = output.ledger_table_name
      ledger_table_arn       = output.ledger_table_arn
      role_name              = output.role_name
      role_arn               = output.role_arn
      } == {
      topic_arn              = "arn:aws:sns:eu-west-1:123456789012:ion-input-topic"
      topic_name             = "ion-input-topic"
      bulk_topic_arn         = "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic"
      bulk_topic_name        = "ion-bulk-topic"
      bulk_queue_name        = "ion-bulk-queue"
      bulk_queue_url         = "https://sqs.example/ion-bulk-queue"
      bulk_queue_arn         = "arn:aws:sqs:eu-west-1:123456789012:ion-bulk-queue"
      later_queue_name       = "ion-later-queue"
      later_queue_url        = "https://sqs.example/ion-later-queue"
      later_queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:ion-later-queue"
      queue_name             = "ion-input-queue"
      queue_url              = "https://sqs.example/ion-input-queue"
      queue_arn              = "arn:aws:sqs:eu-west-1:123456789012:ion-input-queue"
      dead_letter_queue_name = "ion-input-deadletter-queue"
      dead_letter_queue_url  = "https://sqs.example/ion-input-deadletter-queue"
      dead_letter_queue_arn  = "arn:aws:sqs:eu-west-1:123456789012:ion-input-deadletter-queue"
      function_name          = "ion"
      function_arn           = "arn:aws:lambda:eu-west-1:123456789012:function:ion"
      log_group_name         = "/aws/lambda/ion"
      alarm_name             = "ion-input-queue-size-alarm"
      alarm_arn              = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-size-alarm"
      alarm_topic_arn        = "arn:aws:sns:eu-west-1:123456789012:ion-input-queue-size-alarm-topic"
      dead_letter_alarm_name = "ion-deadletter-alarm"
      dead_letter_alarm_arn  = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-deadletter-alarm"
      queue_age_alarm_name   = "ion-input-queue-age-alarm"
      queue_age_alarm_arn    = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:ion-input-queue-age-alarm"
      ledger_table_name      = "ion-ledger"
      ledger_table_arn       = "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger"
      role_name              = "ion-lambda-role"
      role_arn               = "arn:aws:iam::123456789012:role/ion-lambda-role"
    }
    error_message = "An output gives something else than its name says."
  }

  assert {
    condition     = startswith(output.publish_command, "aws sns publish --topic-arn ${aws_sns_topic.input.arn} --message '{")
    error_message = "publish_command must be ready for the shell."
  }

  assert {
    condition = toset(keys(jsondecode(regex("'(.*)'$", output.publish_command)[0]))) == toset([
      "action", "sender", "recipient", "subject", "body_text",
    ])
    error_message = "publish_command must carry a valid send."
  }

  assert {
    condition     = jsondecode(regex("'(.*)'$", output.publish_command)[0]).sender == "sender@example.org"
    error_message = "publish_command must name a sender."
  }
}

run "the_first_email_is_from_the_sender_that_was_set" {
  command = plan

  variables {
    settings = { mail = { sender = "O'Neil <post@example.org>" } }
  }

  assert {
    condition = jsondecode(
      replace(regex("--message '(.*)'$", output.publish_command)[0], "'\\''", "'")
    ).sender == "O'Neil <post@example.org>"
    error_message = "publish_command must be from settings.mail.sender."
  }

  assert {
    condition     = strcontains(output.publish_command, "O'\\''Neil")
    error_message = "An apostrophe must not end the shell's word."
  }
}
