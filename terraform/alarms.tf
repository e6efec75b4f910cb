# Who is told, and of what. One line of the table below is one alarm; docs/operations.md says under
# the same key what to do. All of them go to the caller's topics, as they ring and as they end.
#
# CloudWatch looks once a minute at the last `of` windows of `period` seconds, which slide with the
# minute: two events a minute apart may fall into two windows, three windows in a row take longer
# than one of them. Where data is missing it looks a few windows further back, and fills in the rest.

locals {
  # What the variable alarms may have. The bounds keep windows times their length within what CloudWatch
  # takes: a day, or seven of windows of an hour or more.
  alarm_keys = {
    held_minutes     = { default = 10, least = 5, most = 720, whole = true }
    dead_letters     = { default = 1, least = 1, most = null, whole = true }
    dead_letter_days = { default = 10, least = 1, most = 13, whole = false } # after 14 SQS has deleted them
    old_mail_hours   = { default = 6, least = 1, most = 96, whole = false }
    no_run_minutes   = { default = 30, least = 10, most = 1440, whole = true }
    paused_hours     = { default = 24, least = 1, most = 168, whole = false }
    deferred_hours   = { default = 4, least = 2, most = 96, whole = false }
  }
  alarm_values = merge({ for key, one in local.alarm_keys : key => one.default }, var.alarms)

  # A run comes at least once a sweep, so each window of this length has one, if anything runs.
  run_window_seconds = max(5, var.sweep_minutes) * 60
  held_windows       = ceil(local.alarm_values.held_minutes * 60 / local.run_window_seconds) + 1

  # One that sends may take as long as Lambda lets it, and says over which server only at its end.
  longest_run_minutes = ceil(var.timeout_seconds / 60)
  backup_windows      = 3
  backup_windows_of   = max(local.backup_windows, ceil(local.backup_windows * local.longest_run_minutes * 60 / local.run_window_seconds)) + 1

  # What is put off is tried again hourly in the end, some minutes more or less: so each has a try.
  deferred_window_seconds = 7200
  deferred_windows        = ceil(local.alarm_values.deferred_hours * 3600 / local.deferred_window_seconds) + 1

  # None begins while another goes on.
  no_run_minutes = max(local.alarm_values.no_run_minutes, 3 * var.sweep_minutes, local.longest_run_minutes + 2 * var.sweep_minutes)

  # Two sweeps, so that one that is late by a second leaves no hour out.
  pause_window_seconds = max(60, 2 * var.sweep_minutes) * 60
  pause_windows        = max(1, floor(local.alarm_values.paused_hours * 3600 / local.pause_window_seconds))

  # The function ends a run 10 s before it would be killed (lambda_src/ion/limits.py, SETTLE_SECONDS).
  longest_run_milliseconds = (var.timeout_seconds - 5) * 1000

  relay_metrics    = { namespace = "ion", dimensions = { service = aws_lambda_function.relay.function_name } }
  function_metrics = { namespace = "AWS/Lambda", dimensions = { FunctionName = aws_lambda_function.relay.function_name } }
  queue_metrics = { for key, queue in { input = aws_sqs_queue.input, dead_letter = aws_sqs_queue.dead_letter } :
    key => { namespace = "AWS/SQS", dimensions = { QueueName = queue.name } }
  }
  topic_metrics = { for key, topic in { input = aws_sns_topic.input, bulk = aws_sns_topic.bulk } :
    key => { namespace = "AWS/SNS", dimensions = { TopicName = topic.name } }
  }

  # Missing data: ion writes a metric only when there is something to count, Lambda and SNS too, and
  # SQS falls silent for an idle queue: silence is well, unless the alarm is about silence.
  alarms = merge({
    held = {
      name   = "held"
      says   = "For ${local.alarm_values.held_minutes} minutes runs have left mail behind that should go: no mail server lets ion in, or its ledger or queues can't be used. It waits, and nothing is lost. The log event \"run ended\" says why (held), \"delivery suspended\" what the server said."
      on     = local.relay_metrics, metric = "Held", statistic = "Sum", least = 1
      period = local.run_window_seconds, windows = local.held_windows, of = local.held_windows + 1
    }
    misconfigured = {
      name = "misconfigured"
      says = "A setting or the secret is wrong, so nothing is received. All mail waits. The log event \"settings\" names the key and what would be right."
      on   = local.relay_metrics, metric = "Misconfigured", statistic = "Sum", least = 1
    }
    dead-letters = {
      name = "deadletter"
      says = "Mail could not be sent: it is in ${aws_sqs_queue.dead_letter.name}, and each message says why. Mend that, then redrive it."
      on   = local.relay_metrics, metric = "DeadLettered", statistic = "Sum", least = local.alarm_values.dead_letters
    }
    dead-letters-old = {
      name = "deadletter-age"
      says = "Dead letters have been in ${aws_sqs_queue.dead_letter.name} for ${local.alarm_values.dead_letter_days} days. SQS deletes them for good after 14: redrive or discard them."
      on   = local.queue_metrics.dead_letter, metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", more_than = local.alarm_values.dead_letter_days * 86400
    }
    old-mail = {
      name = "input-queue-age"
      says = "Mail that could go has been in ${aws_sqs_queue.input.name} for more than ${local.alarm_values.old_mail_hours} hours. What is put off or scheduled waits elsewhere, and a large mailing in the bulk queue: runs don't get at this mail, or are too slow for it."
      on   = local.queue_metrics.input, metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", more_than = local.alarm_values.old_mail_hours * 3600
    }
    function-errors = {
      name = "errors"
      says = "Runs of ${aws_lambda_function.relay.function_name} end with an error: a fault of ion's own, or one that AWS killed. Mail that it had in hand is tried again. The traceback is in its log."
      on   = local.function_metrics, metric = "Errors", statistic = "Sum", least = 1
    }
    function-timeout = {
      name = "timeout"
      says = "A run of ${aws_lambda_function.relay.function_name} was killed by its timeout of ${var.timeout_seconds} s, or nearly so. A run ends by itself before that: AWS or a mail server didn't answer in time."
      on   = local.function_metrics, metric = "Duration", statistic = "Maximum", more_than = local.longest_run_milliseconds
    }
    no-run = {
      name = "no-run"
      says = "${aws_lambda_function.relay.function_name} has not run for ${local.no_run_minutes} minutes, though the schedule starts it every ${var.sweep_minutes}: rule, permission or concurrency."
      on   = local.function_metrics, metric = "Invocations", statistic = "Sum", less_than = 1
      # A minute each: of long windows CloudWatch would wait for three before it believes in silence.
      period  = 60, windows = local.no_run_minutes, of = local.no_run_minutes
      missing = "breaching" # no run, no data
    }
    on-backup = {
      name   = "backup-server"
      says   = "Mail goes over another server than the first, and has for ${(local.backup_windows - 1) * local.run_window_seconds / 60} minutes or longer. The log event \"delivery suspended\" says what is wrong with the first."
      on     = local.relay_metrics, metric = "OnBackup", statistic = "Sum", least = 1
      period = local.run_window_seconds, windows = local.backup_windows, of = local.backup_windows_of
    }
    on-previous-login = {
      name   = "previous-login"
      says   = "The mail server refuses the login in the secret, and mail goes out with the one that the secret had before, as long as that works. Put the right one into the secret."
      on     = local.relay_metrics, metric = "OnPreviousLogin", statistic = "Sum", least = 1
      period = local.run_window_seconds, windows = local.backup_windows, of = local.backup_windows_of
    }
    deferred = {
      name       = "deferred"
      says       = "For ${local.alarm_values.deferred_hours} hours the mail server has put off all mail that it was asked to take, and has taken none. It is tried again until it is given up. The log events \"deferred\" have the server's words."
      expression = "IF(FILL(deferred, 0) > 0 AND sent < 1, 1, 0)" # sent has data wherever deferred has: 0 at least
      inputs     = { deferred = "Deferred", sent = "Sent" }
      on         = local.relay_metrics, statistic = "Sum", least = 1
      period     = local.deferred_window_seconds, windows = local.deferred_windows, of = local.deferred_windows
    }
    paused = {
      name   = "paused"
      says   = "A lane has been paused for ${local.alarm_values.paused_hours} hours, and its mail waits: ./ionctl status says since when and why, ./ionctl resume ends it."
      on     = local.relay_metrics, metric = "Paused", statistic = "Sum", least = 1
      period = local.pause_window_seconds, windows = local.pause_windows, of = local.pause_windows
    }
    }, { for key, alarm in {
      events-failed = {
        name = "events-failed"
        says = "Events could not be told: they are in ${local.queue_names.events}, each as a request that ${local.events_name} takes again. Its log says why."
        on   = { namespace = "AWS/SQS", dimensions = { QueueName = local.queue_names.events } }, metric = "NumberOfMessagesSent", statistic = "Sum", least = 1
      }
      events-late = {
        name = "events-late"
        says = "Events are more than ${local.events_late_minutes} minutes late: ${local.events_name} doesn't get on, or can't publish on ${local.topic_names.outcome}. None is lost for 12 hours. Its log says why."
        on   = { namespace = "AWS/Lambda", dimensions = { FunctionName = local.events_name } }, metric = "IteratorAge", statistic = "Maximum", more_than = local.events_late_minutes * 60000
      }
      } : key => alarm if var.events != null }, merge([for key, metrics in local.topic_metrics : {
        "undelivered-${key}-redriven" = {
          name    = "undelivered-${key}-redriven"
          says    = "SNS could not put mail from ${metrics.dimensions.TopicName} into its queue (policy, key, size): it is in ${aws_sqs_queue.dead_letter.name}, without a reason. Mend that, then redrive it."
          on      = metrics, metric = "NumberOfNotificationsRedrivenToDlq", statistic = "Sum", least = 1
          runbook = "undelivered"
        }
        "undelivered-${key}-failed" = {
          name    = "undelivered-${key}-failed"
          says    = "SNS could put mail from ${metrics.dimensions.TopicName} neither into its queue nor into ${aws_sqs_queue.dead_letter.name}: it is lost, and has to be published again. Look at once at the policies and keys of both queues."
          on      = metrics, metric = "NumberOfNotificationsFailedToRedriveToDlq", statistic = "Sum", least = 1
          runbook = "undelivered"
        }
  }]...), local.feedback_alarms, local.unsubscribe_alarms)
}

locals {
  alarm_names = { for key, alarm in local.alarms : key => "${local.name}-${alarm.name}-alarm" }
}

resource "aws_cloudwatch_metric_alarm" "operators" {
  for_each = local.alarms

  alarm_name        = local.alarm_names[each.key]
  alarm_description = "${each.value.says} What to do: ${coalesce(var.runbook_url, "docs/operations.md")}#${try(each.value.runbook, each.key)}"
  tags              = var.tags

  # Of one metric, or of an expression over several.
  namespace   = can(each.value.expression) ? null : each.value.on.namespace
  metric_name = try(each.value.metric, null)
  dimensions  = can(each.value.expression) ? null : each.value.on.dimensions
  statistic   = can(each.value.expression) ? null : each.value.statistic
  period      = can(each.value.expression) ? null : try(each.value.period, 300)

  dynamic "metric_query" {
    for_each = can(each.value.expression) ? [each.value.expression] : []
    content {
      id          = "told"
      expression  = metric_query.value
      label       = each.value.name
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = try(each.value.inputs, {})
    content {
      id = metric_query.key
      metric {
        namespace   = each.value.on.namespace
        metric_name = metric_query.value
        dimensions  = each.value.on.dimensions
        stat        = each.value.statistic
        period      = each.value.period
      }
    }
  }

  comparison_operator = (
    can(each.value.least) ? "GreaterThanOrEqualToThreshold" : can(each.value.more_than) ? "GreaterThanThreshold" : "LessThanThreshold"
  )
  threshold           = try(each.value.least, each.value.more_than, each.value.less_than)
  datapoints_to_alarm = try(each.value.windows, 1)
  evaluation_periods  = try(each.value.of, 1)
  treat_missing_data  = try(each.value.missing, "notBreaching")

  # With enabled = false no run is what was asked for. Old mail is told of all the same.
  actions_enabled = var.enabled || each.key != "no-run"
  alarm_actions   = var.alarm_topic_arns
  ok_actions      = var.alarm_topic_arns
}

check "alarms_are_heard" {
  assert {
    condition     = length(var.alarm_topic_arns) > 0
    error_message = "alarm_topic_arns is empty: the alarms of ${var.name} tell nobody. When mail stops, only who looks at CloudWatch will know."
  }
}

moved { # single resources until there were so many
  from = aws_cloudwatch_metric_alarm.dead_letters
  to   = aws_cloudwatch_metric_alarm.operators["dead-letters"]
}

moved {
  from = aws_cloudwatch_metric_alarm.queue_age
  to   = aws_cloudwatch_metric_alarm.operators["old-mail"]
}
