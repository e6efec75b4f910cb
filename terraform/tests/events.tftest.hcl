# Outcome events: not there unless asked for; by the ledger's stream; nothing lost on the way.

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
  target          = aws_dynamodb_table.ledger
  override_during = plan
  values          = { stream_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/ion-ledger/stream/2026-11-29T00:00:00.000" }
}

override_resource {
  target          = aws_sqs_queue.events
  override_during = plan
  values = {
    arn = "arn:aws:sqs:eu-west-1:123456789012:ion-events-failure-queue"
    url = "https://sqs.eu-west-1.amazonaws.com/123456789012/ion-events-failure-queue"
  }
}

override_resource {
  target          = aws_sns_topic.outcome
  override_during = plan
  values          = { arn = "arn:aws:sns:eu-west-1:123456789012:ion-outcome-topic" }
}

run "there_are_none_by_default" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.events) + length(aws_sns_topic.outcome) + length(aws_sqs_queue.events) + length(aws_lambda_event_source_mapping.events) + length(aws_iam_role.events) == 0
    error_message = "Who wants no events must not pay for them."
  }

  assert {
    condition     = !aws_dynamodb_table.ledger.stream_enabled
    error_message = "Without events the ledger needs no stream."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.relay.environment[0].variables), "ION_AWS_EVENTS")
    error_message = "Without events bad input needs no row."
  }

  assert {
    condition     = !anytrue([for key in keys(aws_cloudwatch_metric_alarm.operators) : startswith(key, "events")])
    error_message = "What isn't there can't ring."
  }

  assert {
    condition     = output.outcome_topic_arn == null && output.events_role_policy_json == null
    error_message = "There is no topic to subscribe to."
  }
}

run "by_the_ledgers_stream_with_both_images" {
  command = plan

  variables {
    events = {}
  }

  assert {
    condition     = aws_dynamodb_table.ledger.stream_enabled && aws_dynamodb_table.ledger.stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "What happened is seen by comparing the row before and after."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events[0].event_source_arn == aws_dynamodb_table.ledger.stream_arn && aws_lambda_event_source_mapping.events[0].function_name == "ion-events"
    error_message = "The ledger's stream must invoke the events function."
  }

  assert {
    condition     = aws_lambda_function.relay.environment[0].variables["ION_AWS_EVENTS"] == "on"
    error_message = "The relay must write rows for bad input."
  }

  assert {
    condition     = output.outcome_topic_arn == "arn:aws:sns:eu-west-1:123456789012:ion-outcome-topic"
    error_message = "Subscribers must be told the topic."
  }
}

run "nothing_is_given_up_before_the_stream_forgets_it" {
  command = plan

  variables {
    events = {}
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.events[0].maximum_retry_attempts == -1 &&
      aws_lambda_event_source_mapping.events[0].maximum_record_age_in_seconds == 79200 &&
      aws_lambda_event_source_mapping.events[0].starting_position == "TRIM_HORIZON"
    )
    error_message = "A topic that is gone for an afternoon must cost no event, nor a mapping that is made anew."
  }

  assert {
    condition     = tolist(aws_lambda_event_source_mapping.events[0].function_response_types) == tolist(["ReportBatchItemFailures"])
    error_message = "Without it Lambda takes a report of failures for success, and the events are lost."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events[0].bisect_batch_on_function_error
    error_message = "A record that kills the function must not keep the others."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events[0].destination_config[0].on_failure[0].destination_arn == aws_sqs_queue.events[0].arn
    error_message = "What is given up must be in the failure queue."
  }

  assert {
    condition     = aws_sqs_queue.events[0].message_retention_seconds == 1209600
    error_message = "A person needs time for what was set aside."
  }
}

run "only_rows_in_which_something_has_happened_start_a_run" {
  command = plan

  variables {
    events = {}
  }

  assert {
    condition = toset([for one in tolist(aws_lambda_event_source_mapping.events[0].filter_criteria[0].filter) : one.pattern]) == toset([
      jsonencode({ dynamodb = { NewImage = { timeline = { S = [{ anything-but = [""] }] } } } }),
      jsonencode({ eventName = ["INSERT"], dynamodb = { NewImage = { told = { S = [{ exists = true }] } } } }),
    ])
    error_message = "Claims must not be paid for, nor what ion knows beside emails."
  }
}

run "a_function_of_the_same_package_that_knows_where_to" {
  command = plan

  variables {
    name   = "post"
    events = { attempts = true }
  }

  assert {
    condition     = aws_lambda_function.events[0].function_name == "post-events" && aws_lambda_function.events[0].handler == "ion.events.handler.run" && aws_lambda_function.events[0].filename == aws_lambda_function.relay.filename
    error_message = "It must be a function of its own, of the same package."
  }

  assert {
    condition = aws_lambda_function.events[0].environment[0].variables == tomap({
      EVENTS_TOPIC_ARN         = "arn:aws:sns:eu-west-1:123456789012:post-outcome-topic"
      EVENTS_FAILURE_QUEUE_URL = aws_sqs_queue.events[0].url
      EVENTS_SOURCE            = "arn:aws:lambda:eu-west-1:123456789012:function:post"
      EVENTS_ATTEMPTS          = "on"
    })
    error_message = "It must know its topic, its queue, the relay, and what is wanted."
  }
}

run "attempts_only_if_they_are_wanted" {
  command = plan

  variables {
    events = {}
  }

  assert {
    condition     = aws_lambda_function.events[0].environment[0].variables["EVENTS_ATTEMPTS"] == "off"
    error_message = "A greylisted newsletter must not make an event for each try."
  }
}

run "a_person_hears_of_what_is_late_and_of_what_is_not_told" {
  command = plan

  variables {
    events = {}
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.operators["events-failed"].dimensions == tomap({ QueueName = "ion-events-failure-queue" }) &&
      aws_cloudwatch_metric_alarm.operators["events-failed"].metric_name == "NumberOfMessagesSent" &&
      aws_cloudwatch_metric_alarm.operators["events-failed"].threshold == 1
    )
    error_message = "Each event that couldn't be told must ring, and not only the first."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.operators["events-late"].dimensions == tomap({ FunctionName = "ion-events" }) &&
      aws_cloudwatch_metric_alarm.operators["events-late"].metric_name == "IteratorAge" &&
      aws_cloudwatch_metric_alarm.operators["events-late"].threshold == 900000
    )
    error_message = "Events that wait must ring while they can still be told."
  }
}

run "topic_and_queue_are_encrypted_as_the_others" {
  command = plan

  variables {
    kms_key_arn             = "arn:aws:kms:eu-west-1:123456789012:key/mail"
    log_kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/logs"
    environment_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/environment"
    events                  = {}
  }

  assert {
    condition     = aws_sns_topic.outcome[0].kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/mail" && aws_sqs_queue.events[0].kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/mail"
    error_message = "What tells of emails must be encrypted by the key of what holds them."
  }

  assert {
    condition     = aws_cloudwatch_log_group.events[0].kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/logs" && aws_lambda_function.events[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/environment"
    error_message = "Its logs and its environment must be encrypted as the relay's are."
  }
}

run "without_tls_nobody_puts_anything_on_topic_or_queue" {
  command = plan

  variables {
    require_tls = true
    events      = {}
  }

  assert {
    condition     = length(aws_sqs_queue_policy.events) == 1 && length(aws_sns_topic_policy.outcome) == 1
    error_message = "Both must have the policy that refuses it."
  }
}

run "a_role_that_the_organisation_makes" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    events   = { role_arn = "arn:aws:iam::123456789012:role/events" }
  }

  assert {
    condition     = length(aws_iam_role.events) + length(aws_iam_role_policy.events) == 0 && aws_lambda_function.events[0].role == "arn:aws:iam::123456789012:role/events"
    error_message = "No role may be made where one is given."
  }
}

run "what_an_organisation_prescribes_is_for_its_role_as_well" {
  command = plan

  variables {
    role_path                = "/mail/"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/bounds"
    events                   = {}
  }

  assert {
    condition     = aws_iam_role.events[0].path == "/mail/" && aws_iam_role.events[0].permissions_boundary == "arn:aws:iam::123456789012:policy/bounds"
    error_message = "Its role must be bounded as the relay's is."
  }
}

run "no_role_where_the_module_may_make_none" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    events   = {}
  }

  expect_failures = [var.events]
}

run "a_role_by_its_name" {
  command = plan

  variables {
    events = { role_arn = "events" }
  }

  expect_failures = [var.events]
}

run "no_statements_for_a_topic_that_is_not_there" {
  command = plan

  variables {
    topic_policy_json = { outcome = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\"}]}" }
  }

  expect_failures = [var.topic_policy_json]
}
