# The load publisher: not there unless asked for, and never aimed at people.

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
  target          = aws_lambda_function.load
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:ion-load" }
}

override_resource {
  target          = aws_cloudwatch_event_rule.load
  override_during = plan
  values          = { arn = "arn:aws:events:eu-west-1:123456789012:rule/ion-load" }
}

run "there_is_none_by_default" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.load) + length(aws_cloudwatch_event_rule.load) + length(aws_iam_role.load) == 0
    error_message = "A relay that nobody tunes must not get test emails."
  }
}

run "so_many_a_minute_to_the_simulator" {
  command = plan

  variables {
    name = "post"
    load = { messages_per_minute = 600 }
  }

  assert {
    condition     = aws_lambda_function.load[0].function_name == "post-load" && aws_lambda_function.load[0].handler == "ion.load.run"
    error_message = "It must be a function of its own, of the same package."
  }

  assert {
    condition = aws_lambda_function.load[0].environment[0].variables == tomap({
      LOAD_TOPIC_ARN           = "arn:aws:sns:eu-west-1:123456789012:post-input-topic"
      LOAD_MESSAGES_PER_MINUTE = "600"
      LOAD_RECIPIENTS          = "success@simulator.amazonses.com"
      LOAD_TAG                 = "post"
    })
    error_message = "It must know the topic, the number, the simulator's address and its tag."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.load[0].schedule_expression == "rate(1 minute)"
    error_message = "Its emails are a minute's."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.load[0].maximum_retry_attempts == 0
    error_message = "A run that failed must not be made up for by twice the load."
  }
}

run "its_own_schedule_starts_it" {
  command = plan

  variables {
    load = { messages_per_minute = 1 }
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.load[0].rule == aws_cloudwatch_event_rule.load[0].name &&
      aws_cloudwatch_event_target.load[0].arn == aws_lambda_function.load[0].arn
    )
    error_message = "The schedule must start the load publisher, and not the relay."
  }

  assert {
    condition = (
      aws_lambda_permission.load[0].function_name == "ion-load" &&
      aws_lambda_permission.load[0].action == "lambda:InvokeFunction" &&
      aws_lambda_permission.load[0].principal == "events.amazonaws.com" &&
      aws_lambda_permission.load[0].source_arn == aws_cloudwatch_event_rule.load[0].arn
    )
    error_message = "Its schedule, and nothing else, may start it."
  }
}

run "bulk_with_a_sender_to_a_domain_of_ones_own" {
  command = plan

  variables {
    load = {
      messages_per_minute = 1
      recipients          = ["sink@load.example.org", "bounce@simulator.amazonses.com"]
      domains             = ["load.example.org"]
      sender              = "ion@example.org"
      lane                = "bulk"
    }
  }

  assert {
    condition = aws_lambda_function.load[0].environment[0].variables == tomap({
      LOAD_TOPIC_ARN           = "arn:aws:sns:eu-west-1:123456789012:ion-bulk-topic"
      LOAD_MESSAGES_PER_MINUTE = "1"
      LOAD_RECIPIENTS          = "sink@load.example.org,bounce@simulator.amazonses.com"
      LOAD_SENDER              = "ion@example.org"
      LOAD_TAG                 = "ion"
    })
    error_message = "It must use the bulk topic and the sender."
  }
}

run "no_real_people" {
  command = plan

  variables {
    load = { messages_per_minute = 1, recipients = ["ann@example.org"] }
  }

  expect_failures = [var.load]
}

run "no_address_that_only_ends_like_the_simulators" {
  command = plan

  variables {
    load = { messages_per_minute = 1, recipients = ["ann@example.org,success@simulator.amazonses.com"] }
  }

  expect_failures = [var.load]
}

run "no_recipients" {
  command = plan

  variables {
    load = { messages_per_minute = 1, recipients = [] }
  }

  expect_failures = [var.load]
}

run "more_recipients_than_twenty" {
  command = plan

  variables {
    load = { messages_per_minute = 1, recipients = [for number in range(21) : "success+${number}@simulator.amazonses.com"] }
  }

  expect_failures = [var.load]
}

run "too_many_a_minute" {
  command = plan

  variables {
    load = { messages_per_minute = 6001 }
  }

  expect_failures = [var.load]
}

run "none_a_minute" {
  command = plan

  variables {
    load = { messages_per_minute = 0 }
  }

  expect_failures = [var.load]
}

run "half_an_email_a_minute" {
  command = plan

  variables {
    load = { messages_per_minute = 1.5 }
  }

  expect_failures = [var.load]
}

run "a_lane_that_is_none" {
  command = plan

  variables {
    load = { messages_per_minute = 1, lane = "fast" }
  }

  expect_failures = [var.load]
}

run "a_role_that_the_organisation_makes" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    load     = { messages_per_minute = 1, role_arn = "arn:aws:iam::123456789012:role/load" }
  }

  assert {
    condition     = length(aws_iam_role.load) + length(aws_iam_role_policy.load) == 0 && aws_lambda_function.load[0].role == "arn:aws:iam::123456789012:role/load"
    error_message = "No role may be made where one is given."
  }
}

run "no_role_where_the_module_may_make_none" {
  command = plan

  variables {
    role_arn = "arn:aws:iam::123456789012:role/mail"
    load     = { messages_per_minute = 1 }
  }

  expect_failures = [var.load]
}

run "a_role_by_its_name" {
  command = plan

  variables {
    load = { messages_per_minute = 1, role_arn = "load" }
  }

  expect_failures = [var.load]
}

run "what_an_organisation_prescribes_is_for_its_role_and_logs_as_well" {
  command = plan

  variables {
    role_path                = "/mail/"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/bounds"
    log_kms_key_arn          = "arn:aws:kms:eu-west-1:123456789012:key/logs"
    environment_kms_key_arn  = "arn:aws:kms:eu-west-1:123456789012:key/environment"
    load                     = { messages_per_minute = 1 }
  }

  assert {
    condition     = aws_iam_role.load[0].path == "/mail/" && aws_iam_role.load[0].permissions_boundary == "arn:aws:iam::123456789012:policy/bounds"
    error_message = "Its role must be bounded as the relay's is."
  }

  assert {
    condition     = aws_cloudwatch_log_group.load[0].kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/logs" && aws_lambda_function.load[0].kms_key_arn == "arn:aws:kms:eu-west-1:123456789012:key/environment"
    error_message = "Its logs and its environment must be encrypted as the relay's are."
  }
}

run "none_while_nothing_is_sent" {
  command = plan

  variables {
    enabled = false
    load    = { messages_per_minute = 600 }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.load[0].state == "DISABLED"
    error_message = "A relay that sends nothing must not get test emails."
  }

  expect_failures = [check.mail_is_being_sent]
}
