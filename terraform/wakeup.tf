# Three ways to say "look at the queues": a message came, messages are waiting, time has passed.
# None carries work, so a lost, late or doubled wake-up is harmless.

resource "aws_lambda_function_event_invoke_config" "relay" {
  function_name = aws_lambda_function.relay.function_name

  # With one run at a time the surplus is throttled. By default Lambda would repeat it for six
  # hours; a wake-up older than a minute has nothing to say that the next one doesn't.
  maximum_event_age_in_seconds = 60
  maximum_retry_attempts       = 0
}

# 1. A message came: the fast way. That of bulk is beside its topic (lanes.tf).

resource "aws_sns_topic_subscription" "wake_on_message" {
  topic_arn = aws_sns_topic.input.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.relay.arn

  depends_on = [aws_lambda_permission.input_topic]
}

resource "aws_lambda_permission" "input_topic" {
  statement_id  = "wake-on-message"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.input.arn
}

# 2. Messages are waiting: what the end of a run or a lost wake-up has left, and what has fallen due.
# An alarm acts on transitions only, so each run sets back to OK what it has looked at. One alarm on
# the sum of the three would cost the same, since CloudWatch charges for each metric in it.

moved { # one resource until there were three queues
  from = aws_cloudwatch_metric_alarm.queue_size
  to   = aws_cloudwatch_metric_alarm.queue_size["input"]
}

resource "aws_cloudwatch_metric_alarm" "queue_size" {
  for_each = local.queue_size_alarm_names

  alarm_name        = each.value
  alarm_description = "Wakes ion: emails are waiting in ${local.queue_names[each.key]}. Not a fault by itself."
  tags              = var.tags

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = local.queue_names[each.key] }
  statistic   = "Maximum"

  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  period              = 60 # SQS measures once a minute
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # SQS falls silent for an idle queue

  alarm_actions = [aws_sns_topic.queue_size_alarm.arn]
}

# One topic for the three alarms. Not encrypted by the key of what holds email (kms_key_arn): it carries
# none, and CloudWatch needs this key.
resource "aws_sns_topic" "queue_size_alarm" {
  name              = local.topic_names.queue_size_alarm
  kms_master_key_id = var.alarm_topic_kms_key_arn
  tags              = var.tags
}

data "aws_iam_policy_document" "queue_size_alarm_topic" {
  statement {
    sid       = "AllowAlarms"
    actions   = ["sns:Publish"]
    resources = [local.topic_arns.queue_size_alarm]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = values(local.queue_size_alarm_arns)
    }
  }
}

resource "aws_sns_topic_policy" "queue_size_alarm" {
  arn    = aws_sns_topic.queue_size_alarm.arn
  policy = data.aws_iam_policy_document.queue_size_alarm_topic.json
}

resource "aws_sns_topic_subscription" "wake_on_queue_size" {
  topic_arn = aws_sns_topic.queue_size_alarm.arn
  protocol  = "lambda"
  endpoint  = aws_lambda_function.relay.arn

  depends_on = [aws_lambda_permission.queue_size_alarm_topic]
}

resource "aws_lambda_permission" "queue_size_alarm_topic" {
  statement_id  = "wake-on-queue-size"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.queue_size_alarm.arn
}

# 3. Time has passed: the guarantee. Metrics may be late by a quarter of an hour, wake-ups may be
# dropped; this one comes again.

resource "aws_cloudwatch_event_rule" "sweep" {
  name                = "${local.name}-sweep"
  description         = "Wakes ion every ${var.sweep_minutes} min, whatever the other wake-ups did"
  schedule_expression = var.sweep_minutes == 1 ? "rate(1 minute)" : "rate(${var.sweep_minutes} minutes)"
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "sweep" {
  rule = aws_cloudwatch_event_rule.sweep.name
  arn  = aws_lambda_function.relay.arn

  depends_on = [aws_lambda_permission.sweep]
}

resource "aws_lambda_permission" "sweep" {
  statement_id  = "wake-on-schedule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.relay.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sweep.arn
}
