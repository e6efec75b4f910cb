# Which alarms there are, on what, and who hears them. That each rings when it should is shown with the
# metrics of real runs, by tests/alarms.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  package          = "versions.tf"
  alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators", "arn:aws:sns:eu-west-1:123456789012:pager"]
}

run "each_alarm_is_on_what_it_says" {
  command = plan

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.operators :
      key => join(" ", [alarm.alarm_name, alarm.namespace, alarm.metric_name, join(",", values(alarm.dimensions)), alarm.statistic])
      if key != "deferred" # of an expression: below
      } == {
      held                       = "ion-held-alarm ion Held ion Sum"
      misconfigured              = "ion-misconfigured-alarm ion Misconfigured ion Sum"
      dead-letters               = "ion-deadletter-alarm ion DeadLettered ion Sum"
      dead-letters-old           = "ion-deadletter-age-alarm AWS/SQS ApproximateAgeOfOldestMessage ion-input-deadletter-queue Maximum"
      undelivered-input-redriven = "ion-undelivered-input-redriven-alarm AWS/SNS NumberOfNotificationsRedrivenToDlq ion-input-topic Sum"
      undelivered-input-failed   = "ion-undelivered-input-failed-alarm AWS/SNS NumberOfNotificationsFailedToRedriveToDlq ion-input-topic Sum"
      undelivered-bulk-redriven  = "ion-undelivered-bulk-redriven-alarm AWS/SNS NumberOfNotificationsRedrivenToDlq ion-bulk-topic Sum"
      undelivered-bulk-failed    = "ion-undelivered-bulk-failed-alarm AWS/SNS NumberOfNotificationsFailedToRedriveToDlq ion-bulk-topic Sum"
      old-mail                   = "ion-input-queue-age-alarm AWS/SQS ApproximateAgeOfOldestMessage ion-input-queue Maximum"
      function-errors            = "ion-errors-alarm AWS/Lambda Errors ion Sum"
      function-timeout           = "ion-timeout-alarm AWS/Lambda Duration ion Maximum"
      no-run                     = "ion-no-run-alarm AWS/Lambda Invocations ion Sum"
      on-backup                  = "ion-backup-server-alarm ion OnBackup ion Sum"
      on-previous-login          = "ion-previous-login-alarm ion OnPreviousLogin ion Sum"
      paused                     = "ion-paused-alarm ion Paused ion Sum"
    }
    error_message = "An alarm has another name, or watches something else."
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.operators : key => join(" ", [
        alarm.comparison_operator, alarm.threshold, "${alarm.datapoints_to_alarm}/${alarm.evaluation_periods}",
        "x${key == "deferred" ? 7200 : alarm.period}", alarm.treat_missing_data,
      ])
      } == {
      held                       = "GreaterThanOrEqualToThreshold 1 3/4 x300 notBreaching"
      misconfigured              = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      dead-letters               = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      dead-letters-old           = "GreaterThanThreshold 864000 1/1 x300 notBreaching"
      undelivered-input-redriven = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      undelivered-input-failed   = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      undelivered-bulk-redriven  = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      undelivered-bulk-failed    = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      old-mail                   = "GreaterThanThreshold 21600 1/1 x300 notBreaching"
      function-errors            = "GreaterThanOrEqualToThreshold 1 1/1 x300 notBreaching"
      function-timeout           = "GreaterThanThreshold 895000 1/1 x300 notBreaching"
      no-run                     = "LessThanThreshold 1 30/30 x60 breaching"
      on-backup                  = "GreaterThanOrEqualToThreshold 1 3/10 x300 notBreaching"
      on-previous-login          = "GreaterThanOrEqualToThreshold 1 3/10 x300 notBreaching"
      deferred                   = "GreaterThanOrEqualToThreshold 1 3/3 x7200 notBreaching"
      paused                     = "GreaterThanOrEqualToThreshold 1 24/24 x3600 notBreaching"
    }
    error_message = "An alarm rings at another time."
  }

  assert {
    condition = alltrue([for key, alarm in aws_cloudwatch_metric_alarm.operators :
      join(",", keys(alarm.dimensions)) == { "ion" = "service", "AWS/Lambda" = "FunctionName", "AWS/SQS" = "QueueName", "AWS/SNS" = "TopicName" }[alarm.namespace]
      if key != "deferred"
    ])
    error_message = "A metric has one dimension, and this isn't its name."
  }

  assert {
    condition = {
      for query in aws_cloudwatch_metric_alarm.operators["deferred"].metric_query :
      query.id => try(join(" ", [query.metric[0].namespace, query.metric[0].metric_name, query.metric[0].dimensions.service, query.metric[0].stat, query.metric[0].period]), query.expression)
      } == {
      told     = "IF(FILL(deferred, 0) > 0 AND sent < 1, 1, 0)"
      deferred = "ion Deferred ion Sum 7200"
      sent     = "ion Sent ion Sum 7200"
    }
    error_message = "The alarm on mail that is put off compares something else."
  }

  assert {
    condition = [
      for query in aws_cloudwatch_metric_alarm.operators["deferred"].metric_query : query.id if coalesce(query.return_data, false)
    ] == ["told"]
    error_message = "CloudWatch takes one answer of several metrics: here, what the expression comes to."
  }
}

run "whoever_is_named_hears_of_the_beginning_and_of_the_end" {
  command = plan

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.operators :
      alarm.alarm_actions == toset(var.alarm_topic_arns) && alarm.ok_actions == toset(var.alarm_topic_arns) && alarm.actions_enabled
    ])
    error_message = "Every topic named must hear of it, when it rings and when it ends."
  }

  assert {
    condition = output.alarm_names == {
      for key, alarm in aws_cloudwatch_metric_alarm.operators : key => alarm.alarm_name
    }
    error_message = "alarm_names must name each alarm by its key."
  }
}

run "a_relay_that_is_switched_off_is_not_told_to_run" {
  command = plan

  variables {
    enabled = false
  }

  expect_failures = [check.mail_is_being_sent]

  assert {
    condition     = toset([for key, alarm in aws_cloudwatch_metric_alarm.operators : key if !alarm.actions_enabled]) == toset(["no-run"])
    error_message = "Only the alarm on silence is silent then: mail that waits grows old."
  }
}

run "with_nobody_named_the_plan_warns" {
  command = plan

  variables {
    alarm_topic_arns = []
  }

  expect_failures = [check.alarms_are_heard]

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.operators :
      length(coalesce(alarm.alarm_actions, [])) + length(coalesce(alarm.ok_actions, [])) == 0
    ])
    error_message = "By default the alarms have no action."
  }
}

run "a_description_ends_in_where_its_runbook_is" {
  command = plan

  assert {
    condition = alltrue([for key, alarm in aws_cloudwatch_metric_alarm.operators :
      endswith(alarm.alarm_description, " What to do: docs/operations.md#${startswith(key, "undelivered") ? "undelivered" : key}")
    ])
    error_message = "By default the runbook is the repository's."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.operators : length(alarm.alarm_description) <= 1024])
    error_message = "CloudWatch takes 1024 characters."
  }
}

run "the_runbook_may_be_elsewhere" {
  command = plan

  variables {
    runbook_url = "https://wiki.example.org/ion"
  }

  assert {
    condition = alltrue([
      endswith(aws_cloudwatch_metric_alarm.operators["held"].alarm_description, " What to do: https://wiki.example.org/ion#held"),
      endswith(aws_cloudwatch_metric_alarm.operators["undelivered-bulk-failed"].alarm_description, " https://wiki.example.org/ion#undelivered"),
    ])
    error_message = "The description must end in the caller's address and the anchor."
  }
}

run "thresholds_are_variables" {
  command = plan

  variables {
    timeout_seconds = 300
    alarms = {
      held_minutes     = 30
      dead_letters     = 5
      dead_letter_days = 3
      old_mail_hours   = 1
      no_run_minutes   = 20
      paused_hours     = 4
      deferred_hours   = 8
    }
  }

  assert {
    condition = {
      for key, alarm in aws_cloudwatch_metric_alarm.operators :
      key => "${alarm.threshold} ${alarm.datapoints_to_alarm}/${alarm.evaluation_periods}"
      if !startswith(key, "undelivered")
      } == {
      held              = "1 7/8"
      misconfigured     = "1 1/1"
      dead-letters      = "5 1/1"
      dead-letters-old  = "259200 1/1"
      old-mail          = "3600 1/1"
      function-errors   = "1 1/1"
      function-timeout  = "295000 1/1"
      no-run            = "1 20/20"
      on-backup         = "1 3/4"
      on-previous-login = "1 3/4"
      deferred          = "1 5/5"
      paused            = "1 4/4"
    }
    error_message = "A variable doesn't reach its alarm, or reaches another."
  }
}

run "a_slow_sweep_is_no_reason_to_ring" {
  command = plan

  variables {
    sweep_minutes = 60
  }

  assert {
    condition = {
      for key in ["held", "on-backup", "no-run", "paused"] : key => [
        aws_cloudwatch_metric_alarm.operators[key].period, aws_cloudwatch_metric_alarm.operators[key].datapoints_to_alarm, aws_cloudwatch_metric_alarm.operators[key].evaluation_periods,
      ]
    } == { held = [3600, 2, 3], on-backup = [3600, 3, 4], no-run = [60, 180, 180], paused = [7200, 12, 12] }
    error_message = "The windows must be as long as the time between two runs, or twice as long."
  }
}

run "a_long_run_is_no_reason_to_ring" {
  command = plan

  variables {
    timeout_seconds = 900
    alarms          = { no_run_minutes = 10 }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.operators["no-run"].evaluation_periods == 25
    error_message = "No run begins while one goes on, which may be for 15 minutes."
  }
}

run "the_longest_times_fit_into_cloudwatch" {
  command = plan

  variables {
    sweep_minutes = 59
    alarms        = { held_minutes = 720, no_run_minutes = 1440, paused_hours = 168, dead_letter_days = 13, old_mail_hours = 96, deferred_hours = 96 }
  }

  assert {
    condition = alltrue([
      for windows in [for alarm in aws_cloudwatch_metric_alarm.operators : {
        count  = alarm.evaluation_periods
        length = coalesce(alarm.period, [for query in alarm.metric_query : query.metric[0].period if length(query.metric) > 0]...)
      }] : windows.length % 60 == 0 && windows.count * windows.length <= (windows.length < 3600 ? 1 : 7) * 86400
    ])
    error_message = "CloudWatch takes a day at most, or seven days of windows of an hour or more."
  }
}

run "the_shortest_times_fit_into_cloudwatch" {
  command = plan

  variables {
    sweep_minutes = 1
    alarms        = { held_minutes = 5, no_run_minutes = 10, paused_hours = 1, dead_letters = 1, dead_letter_days = 1, old_mail_hours = 1, deferred_hours = 2 }
  }

  assert {
    condition = alltrue([for alarm in aws_cloudwatch_metric_alarm.operators :
      alarm.datapoints_to_alarm >= 1 && alarm.datapoints_to_alarm <= alarm.evaluation_periods
    ])
    error_message = "M of N is 1 at least, and N at most."
  }
}

# Beyond that it is refused. One run for each bound: a run doesn't say which bound it was.

run "held_for_less_than_a_window" {
  command = plan

  variables {
    alarms = { held_minutes = 4 }
  }

  expect_failures = [var.alarms]
}

run "held_for_more_than_half_a_day" {
  command = plan

  variables {
    alarms = { held_minutes = 721 }
  }

  expect_failures = [var.alarms]
}

run "held_for_half_a_minute" {
  command = plan

  variables {
    alarms = { held_minutes = 10.5 }
  }

  expect_failures = [var.alarms]
}

run "no_dead_letter_at_all" {
  command = plan

  variables {
    alarms = { dead_letters = 0 }
  }

  expect_failures = [var.alarms]
}

run "half_a_dead_letter" {
  command = plan

  variables {
    alarms = { dead_letters = 1.5 }
  }

  expect_failures = [var.alarms]
}

run "dead_letters_of_less_than_a_day" {
  command = plan

  variables {
    alarms = { dead_letter_days = 0.5 }
  }

  expect_failures = [var.alarms]
}

run "dead_letters_that_sqs_has_deleted" {
  command = plan

  variables {
    alarms = { dead_letter_days = 14 }
  }

  expect_failures = [var.alarms]
}

run "mail_of_less_than_an_hour" {
  command = plan

  variables {
    alarms = { old_mail_hours = 0.5 }
  }

  expect_failures = [var.alarms]
}

run "mail_of_more_than_four_days" {
  command = plan

  variables {
    alarms = { old_mail_hours = 97 }
  }

  expect_failures = [var.alarms]
}

run "no_run_for_less_than_ten_minutes" {
  command = plan

  variables {
    alarms = { no_run_minutes = 9 }
  }

  expect_failures = [var.alarms]
}

run "no_run_for_more_than_a_day" {
  command = plan

  variables {
    alarms = { no_run_minutes = 1441 }
  }

  expect_failures = [var.alarms]
}

run "no_run_for_half_a_minute" {
  command = plan

  variables {
    alarms = { no_run_minutes = 10.5 }
  }

  expect_failures = [var.alarms]
}

run "paused_for_less_than_an_hour" {
  command = plan

  variables {
    alarms = { paused_hours = 0.5 }
  }

  expect_failures = [var.alarms]
}

run "paused_for_more_than_a_week" {
  command = plan

  variables {
    alarms = { paused_hours = 169 }
  }

  expect_failures = [var.alarms]
}

run "deferred_for_less_than_a_window" {
  command = plan

  variables {
    alarms = { deferred_hours = 1 }
  }

  expect_failures = [var.alarms]
}

run "deferred_for_more_than_four_days" {
  command = plan

  variables {
    alarms = { deferred_hours = 97 }
  }

  expect_failures = [var.alarms]
}

run "a_runbook_that_has_an_anchor_is_refused" {
  command = plan

  variables {
    runbook_url = "https://wiki.example.org/ion#held"
  }

  expect_failures = [var.runbook_url]
}

run "a_runbook_that_is_no_address_is_refused" {
  command = plan

  variables {
    runbook_url = "wiki.example.org/ion"
  }

  expect_failures = [var.runbook_url]
}
