# Feedback: not there unless asked for; with it a topic, two queues, a function and an index of the ledger.

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

override_resource {
  target          = aws_sns_topic.feedback
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-feedback-topic" }
}

override_resource {
  target          = aws_sqs_queue.feedback
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-feedback-queue"
    id  = "https://sqs.example/ion-feedback-queue"
    url = "https://sqs.example/ion-feedback-queue"
  }
}

override_resource {
  target          = aws_sqs_queue.feedback_dead_letter
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-feedback-deadletter-queue"
    id  = "https://sqs.example/ion-feedback-deadletter-queue"
    url = "https://sqs.example/ion-feedback-deadletter-queue"
  }
}

override_resource {
  target          = aws_lambda_function.feedback
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion-feedback" }
}

run "there_is_none_by_default" {
  command = plan

  assert {
    condition = (
      length(aws_sns_topic.feedback) + length(aws_sqs_queue.feedback) + length(aws_lambda_function.feedback) +
      length(aws_lambda_event_source_mapping.feedback) + length(aws_iam_role.feedback) + length(aws_cloudwatch_log_group.feedback) == 0
    )
    error_message = "What nobody asked for must not be there."
  }

  assert {
    condition     = length(aws_dynamodb_table.ledger.global_secondary_index) == 0 && [for one in aws_dynamodb_table.ledger.attribute : one.name] == ["email_id"]
    error_message = "An index costs a write for each row."
  }

  assert {
    condition     = !contains(keys(output.alarm_names), "feedback-dead-letters") && output.feedback_topic_arn == null
    error_message = "Nor an alarm, nor an output."
  }
}

run "a_function_of_the_package_reads_its_own_queue" {
  command = plan

  variables {
    name     = "post"
    feedback = {}
  }

  assert {
    condition     = aws_lambda_function.feedback[0].function_name == "post-feedback" && aws_lambda_function.feedback[0].handler == "ion.feedback.handler.run"
    error_message = "It must be a function of its own, of the same package."
  }

  assert {
    condition = aws_lambda_function.feedback[0].environment[0].variables == tomap({
      ION_AWS_LEDGER_TABLE    = "post-ledger"
      POWERTOOLS_SERVICE_NAME = "post"
    })
    error_message = "It must know the ledger, and count among the relay's metrics."
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.feedback[0].event_source_arn == aws_sqs_queue.feedback[0].arn &&
      aws_lambda_event_source_mapping.feedback[0].function_name == aws_lambda_function.feedback[0].arn &&
      aws_lambda_event_source_mapping.feedback[0].function_response_types == toset(["ReportBatchItemFailures"])
    )
    error_message = "Its queue starts it, and only what failed may come again."
  }

  assert {
    condition = (
      aws_sns_topic_subscription.feedback[0].topic_arn == aws_sns_topic.feedback[0].arn &&
      aws_sns_topic_subscription.feedback[0].endpoint == aws_sqs_queue.feedback[0].arn &&
      aws_sns_topic_subscription.feedback[0].raw_message_delivery &&
      jsondecode(aws_sns_topic_subscription.feedback[0].redrive_policy).deadLetterTargetArn == aws_sqs_queue.feedback_dead_letter[0].arn
    )
    error_message = "The topic must lead into the queue, and what SNS can't deliver into its dead-letter queue."
  }
}

run "a_notice_that_fails_comes_again_for_longer_than_a_lease_and_is_kept_then" {
  command = plan

  variables {
    feedback = {}
  }

  assert {
    condition = (
      jsondecode(aws_sqs_queue.feedback[0].redrive_policy).deadLetterTargetArn == aws_sqs_queue.feedback_dead_letter[0].arn &&
      jsondecode(aws_sqs_queue.feedback[0].redrive_policy).maxReceiveCount * aws_sqs_queue.feedback[0].visibility_timeout_seconds > 900 + 60 + 30
    )
    error_message = "A run holds an email for its timeout, a margin, and what clocks may differ."
  }

  assert {
    condition     = aws_sqs_queue.feedback[0].visibility_timeout_seconds >= 6 * aws_lambda_function.feedback[0].timeout
    error_message = "Lambda asks for six times the function's timeout."
  }

  assert {
    condition = (
      aws_sqs_queue.feedback_dead_letter[0].message_retention_seconds == 1209600 &&
      jsondecode(aws_sqs_queue_redrive_allow_policy.feedback_dead_letter[0].redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-west-1:123456789012:ion-feedback-queue"]
    )
    error_message = "Dead notices are kept for as long as SQS keeps anything, and are this queue's."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.operators["feedback-dead-letters"].dimensions["QueueName"] == "ion-feedback-deadletter-queue" &&
      aws_cloudwatch_metric_alarm.operators["feedback-dead-letters"].threshold == 1 &&
      endswith(aws_cloudwatch_metric_alarm.operators["feedback-dead-letters"].alarm_description, "docs/operations.md#feedback-dead-letters")
    )
    error_message = "A person must hear of a dead notice."
  }
}

run "an_email_is_found_by_its_message_id" {
  command = plan

  variables {
    feedback = {}
  }

  assert {
    condition = [
      for one in aws_dynamodb_table.ledger.global_secondary_index : "${one.name} ${one.hash_key} ${one.projection_type}"
    ] == ["header-message-id header_message_id KEYS_ONLY"]
    error_message = "Keys only: the row itself is read by its key."
  }

  assert {
    condition     = sort([for one in aws_dynamodb_table.ledger.attribute : one.name]) == tolist(["email_id", "header_message_id"])
    error_message = "DynamoDB wants each attribute named that an index is on."
  }
}

run "a_role_that_the_organisation_makes" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    feedback = { role_arn = "arn:aws:iam::123456789012:role/feedback" }
  }

  assert {
    condition     = length(aws_iam_role.feedback) + length(aws_iam_role_policy.feedback) == 0 && aws_lambda_function.feedback[0].role == "arn:aws:iam::123456789012:role/feedback"
    error_message = "No role may be made where one is given."
  }
}

run "no_role_where_the_module_may_make_none" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    feedback = {}
  }

  expect_failures = [var.feedback]
}

run "a_role_by_its_name" {
  command = plan

  variables {
    feedback = { role_arn = "feedback" }
  }

  expect_failures = [var.feedback]
}

run "a_source_by_its_name" {
  command = plan

  variables {
    feedback = { ses_sources = ["example.com"] }
  }

  expect_failures = [var.feedback]
}

run "any_source_of_any_account" {
  command = plan

  variables {
    feedback = { ses_sources = ["arn:aws:ses:eu-west-1:123456789012:identity/*"] }
  }

  expect_failures = [var.feedback]
}

run "what_an_organisation_prescribes_is_for_its_role_and_logs_as_well" {
  command = plan

  variables {
    role_path                = "/mail/"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/bounds"
    log_kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/logs"
    environment_kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/environment"
    kms_key_arn              = "arn:aws:kms:eu-west-1:123456789012:key/mail"
    feedback                 = {}
  }

  assert {
    condition     = aws_iam_role.feedback[0].path == "/mail/" && aws_iam_role.feedback[0].permissions_boundary == "arn:aws:iam::123456789012:policy/bounds"
    error_message = "Its role must be bounded as the relay's is."
  }

  assert {
    condition     = aws_cloudwatch_log_group.feedback[0].kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/logs" && aws_lambda_function.feedback[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/environment"
    error_message = "Its logs and its environment must be encrypted as the relay's are."
  }

  assert {
    condition = distinct([
      aws_sns_topic.feedback[0].kms_master_key_id, aws_sqs_queue.feedback[0].kms_master_key_id, aws_sqs_queue.feedback_dead_letter[0].kms_master_key_id,
    ]) == tolist(["arn:aws:kms:eu-west-1:123456789012:key/mail"])
    error_message = "Notices have addresses in them: topic and queues must be encrypted as the mail's are."
  }
}
