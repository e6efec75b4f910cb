# What each resource is called and how it is set, when the caller says nothing.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" } # the policies themselves: policies.tftest.hcl, with the real provider
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
  package          = "versions.tf" # any file: its bytes matter to AWS only
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators"]
}

run "names_are_those_of_the_first_ion" {
  command = plan

  assert {
    condition = {
      topic       = aws_sns_topic.input.name
      queue       = aws_sqs_queue.input.name
      dead_letter = aws_sqs_queue.dead_letter.name
      alarm       = aws_cloudwatch_metric_alarm.queue_size["input"].alarm_name
      deadletter  = aws_cloudwatch_metric_alarm.operators["dead-letters"].alarm_name
      age         = aws_cloudwatch_metric_alarm.operators["old-mail"].alarm_name
      alarm_topic = aws_sns_topic.queue_size_alarm.name
      function    = aws_lambda_function.relay.function_name
      role        = aws_iam_role.relay[0].name
      log_group   = aws_cloudwatch_log_group.relay.name
      sweep       = aws_cloudwatch_event_rule.sweep.name
      ledger      = aws_dynamodb_table.ledger.name
      } == {
      topic       = "ion-input-topic"
      queue       = "ion-input-queue"
      dead_letter = "ion-input-deadletter-queue"
      alarm       = "ion-input-queue-size-alarm"
      deadletter  = "ion-deadletter-alarm"
      age         = "ion-input-queue-age-alarm"
      alarm_topic = "ion-input-queue-size-alarm-topic"
      function    = "ion"
      role        = "ion-lambda-role"
      log_group   = "/aws/lambda/ion"
      sweep       = "ion-sweep"
      ledger      = "ion-ledger"
    }
    error_message = "A name differs from the first ion's."
  }
}

run "bulk_and_later_are_named_as_the_input_queue_is" {
  command = plan

  assert {
    condition = {
      topic       = aws_sns_topic.bulk.name
      bulk        = aws_sqs_queue.bulk.name
      later       = aws_sqs_queue.later.name
      bulk_alarm  = aws_cloudwatch_metric_alarm.queue_size["bulk"].alarm_name
      later_alarm = aws_cloudwatch_metric_alarm.queue_size["later"].alarm_name
      } == {
      topic       = "ion-bulk-topic"
      bulk        = "ion-bulk-queue"
      later       = "ion-later-queue"
      bulk_alarm  = "ion-bulk-queue-size-alarm"
      later_alarm = "ion-later-queue-size-alarm"
    }
    error_message = "A name isn't formed as its neighbour's in the normal lane."
  }
}

run "every_name_begins_with_the_prefix" {
  command = plan

  variables {
    name = "staging-mail"
  }

  assert {
    condition = alltrue([for name in concat(values(aws_cloudwatch_metric_alarm.queue_size)[*].alarm_name, [
      aws_sns_topic.input.name,
      aws_sns_topic.bulk.name,
      aws_sqs_queue.input.name,
      aws_sqs_queue.bulk.name,
      aws_sqs_queue.later.name,
      aws_sqs_queue.dead_letter.name,
      aws_cloudwatch_metric_alarm.operators["dead-letters"].alarm_name,
      aws_cloudwatch_metric_alarm.operators["old-mail"].alarm_name,
      aws_sns_topic.queue_size_alarm.name,
      aws_lambda_function.relay.function_name,
      aws_iam_role.relay[0].name,
      trimprefix(aws_cloudwatch_log_group.relay.name, "/aws/lambda/"),
      aws_cloudwatch_event_rule.sweep.name,
      aws_dynamodb_table.ledger.name,
    ]) : startswith(name, "staging-mail")])
    error_message = "Two relays in one account would collide."
  }

  assert {
    condition     = aws_cloudwatch_log_group.relay.name == "/aws/lambda/${aws_lambda_function.relay.function_name}"
    error_message = "Lambda would look for another log group."
  }
}

run "the_longest_name_fits_everywhere" {
  command = plan

  variables {
    name = "a123456789-123456789-123456789-123456789-123456789-1"
  }

  assert {
    condition     = length(var.name) == 52 && length(aws_iam_role.relay[0].name) == 64
    error_message = "The role's name is the tightest: 64 characters."
  }
}
