# One page for a person: what waits, what becomes of it, how fast, what it costs. Rows of widgets, drawn
# left to right; who adds one adds a line, and the rest moves.

locals {
  drained_queues = {
    input = aws_sqs_queue.input.name
    bulk  = aws_sqs_queue.bulk.name
    later = aws_sqs_queue.later.name
  }
  all_queues   = merge(local.drained_queues, { "dead letters" = aws_sqs_queue.dead_letter.name })
  input_topics = { input = aws_sns_topic.input.name, bulk = aws_sns_topic.bulk.name }

  # A metric with its dimension, to be put before the options of a line.
  relay_dimension    = ["service", aws_lambda_function.relay.function_name]
  function_dimension = ["FunctionName", aws_lambda_function.relay.function_name]
  table_dimension    = ["TableName", local.table_names.ledger]

  of_events = "SOURCE '${aws_cloudwatch_log_group.relay.name}'"

  # Known before the alarms are, so that a plan shows the page.
  alarm_arn_prefix = "arn:${local.partition}:cloudwatch:${local.in_account}:alarm:"
}

# What a day costs, by what AWS counts anyway.

locals {
  # Dollars a million: list prices of us-east-1 (scripts/bench/prices.py).
  publish_price         = 0.5
  sqs_price             = 0.4
  write_unit_price      = 0.625
  read_unit_price       = 0.125
  invocation_price      = 0.2 + 10 # the request, and an alarm that is set back at its end
  gb_millisecond_price  = 0.0133334
  log_byte_price        = 0.00053
  function_memory_in_gb = var.memory_mb / 1024

  counted_calls = concat(
    [for key, topic in local.input_topics : {
      id = "published_${key}", price = local.publish_price, metric = ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", topic]
    }],
    # As if each message were received and deleted by itself; up to ten share a call.
    flatten([for key, queue in local.drained_queues : [
      for metric in ["NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"] : {
        id = "${key}_${metric}", price = local.sqs_price, metric = ["AWS/SQS", metric, "QueueName", queue]
      }
    ]]),
    [
      { id = "written", price = local.write_unit_price, metric = concat(["AWS/DynamoDB", "ConsumedWriteCapacityUnits"], local.table_dimension) },
      { id = "read", price = local.read_unit_price, metric = concat(["AWS/DynamoDB", "ConsumedReadCapacityUnits"], local.table_dimension) },
      { id = "runs", price = local.invocation_price, metric = concat(["AWS/Lambda", "Invocations"], local.function_dimension) },
      { id = "duration", price = local.gb_millisecond_price * local.function_memory_in_gb, metric = concat(["AWS/Lambda", "Duration"], local.function_dimension) },
      { id = "logged", price = local.log_byte_price, metric = ["AWS/Logs", "IncomingBytes", "LogGroupName", aws_cloudwatch_log_group.relay.name] },
    ],
  )

  cost_metrics = concat(
    [[{ id = "cost", label = "$", expression = "(${join(" + ", [for call in local.counted_calls : "${call.price} * FILL(${call.id}, 0)"])}) / 1000000" }]],
    [for call in local.counted_calls : concat(call.metric, [{ id = call.id, stat = "Sum", visible = false }])],
  )
}

locals {
  # What is told afterwards, of what is on.
  fate_widgets = [for one in [
    [var.events != null, ["metric", "Events: told, set aside, and how late (ms)", {
      stat = "Sum", metrics = [
        ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", local.topic_names.outcome, { label = "told" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.queue_names.events, { label = "set aside", stat = "Maximum" }],
        ["AWS/Lambda", "IteratorAge", "FunctionName", local.events_name, { label = "late", stat = "Maximum", yAxis = "right" }],
      ]
    }]],
    [var.feedback != null, ["metric", "Feedback: notices that came, wait, and could not be read", {
      stat = "Sum", metrics = [
        ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", "${local.feedback_name}-topic", { label = "came" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${local.feedback_name}-queue", { label = "wait", stat = "Maximum" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "${local.feedback_name}-deadletter-queue", { label = "dead letters", stat = "Maximum" }],
      ]
    }]],
    [var.events != null || var.feedback != null, ["metric", "Functions of events and feedback: errors, throttles", {
      stat = "Sum", metrics = concat([], [for name, on in { (local.events_name) = var.events != null, (local.feedback_name) = var.feedback != null } : [
        for metric in ["Errors", "Throttles"] : ["AWS/Lambda", metric, "FunctionName", name, { label = "${name}, ${lower(metric)}" }]
      ] if on]...)
    }]],
  ] : one[1] if one[0]]

  # A widget is [type, title, properties]; those of a row share its width.
  dashboard_rows = [for row in [
    [
      ["alarm", "Alarms", {
        alarms = [for name in values(local.alarm_names) : "${local.alarm_arn_prefix}${name}"]
      }],
      ["metric", "Runs that left mail waiting, were misconfigured or paused, or sent by a stopgap", {
        stat = "Sum", metrics = [for metric in ["Held", "Misconfigured", "Paused", "OnBackup", "OnPreviousLogin"] : concat(["ion", metric], local.relay_dimension)]
      }],
    ],
    [
      ["metric", "Waiting, that could go", {
        stat = "Maximum", metrics = [for label, queue in local.all_queues : ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue, { label = label }]]
      }],
      ["metric", "Age of the oldest (s)", {
        stat = "Maximum", metrics = [for label, queue in local.all_queues : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", queue, { label = label }]]
      }],
      ["metric", "In flight", {
        stat = "Maximum", metrics = [for label, queue in local.drained_queues : ["AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", queue, { label = label }]]
      }],
      ["metric", "Later: deferred and scheduled", {
        stat = "Maximum", stacked = true, metrics = [
          for label, metric in { due = "Visible", "put off by minutes" = "Delayed", "put off for longer" = "NotVisible" } :
          ["AWS/SQS", "ApproximateNumberOfMessages${metric}", "QueueName", aws_sqs_queue.later.name, { label = label }]
        ]
      }],
    ],
    [
      ["metric", "What became of it", {
        stat = "Sum", metrics = [for metric in ["Sent", "Deferred", "Released", "DeadLettered", "Suppressed", "Redriven"] : concat(["ion", metric], local.relay_dimension)]
      }],
      ["log", "Deferred, by reason", {
        view = "table", query = "${local.of_events} | filter message = 'deferred' | stats count(*) as emails by reason, server | sort emails desc"
      }],
      ["log", "Dead letters, by reason", {
        view = "table", query = "${local.of_events} | filter message = 'dead_lettered' | stats count(*) as emails by reason | sort emails desc"
      }],
    ],
    [
      ["metric", "SMTP conversation (ms)", {
        metrics = [for stat in ["p50", "p95", "p99"] : concat(["ion", "SmtpTime"], local.relay_dimension, [{ stat = stat, label = stat }])]
      }],
      ["metric", "From the publish, or its time, to the server's 250 (s)", {
        metrics = [for stat in ["p50", "p95", "p99"] : concat(["ion", "PublishToAccept"], local.relay_dimension, [{ stat = stat, label = stat }])]
      }],
      ["metric", "Emails a second, and the limit in force", {
        metrics = [
          [{ expression = "sent / PERIOD(sent)", label = "sent a second" }],
          concat(["ion", "Sent"], local.relay_dimension, [{ id = "sent", stat = "Sum", visible = false }]),
          concat(["ion", "Rate"], local.relay_dimension, [{ stat = "Minimum", label = "limit, in recipients a second" }]),
          concat(["ion", "Connections"], local.relay_dimension, [{ stat = "Minimum", label = "connections", yAxis = "right" }]),
        ]
      }],
    ],
    [
      ["metric", "Calls", {
        stat = "Sum", metrics = concat(
          [for label, topic in local.input_topics : ["AWS/SNS", "NumberOfMessagesPublished", "TopicName", topic, { label = "published, ${label}" }]],
          [for label, queue in local.drained_queues : ["AWS/SQS", "NumberOfMessagesReceived", "QueueName", queue, { label = "received, ${label}" }]],
          [
            concat(["AWS/DynamoDB", "ConsumedWriteCapacityUnits"], local.table_dimension, [{ label = "ledger, units written" }]),
            concat(["AWS/DynamoDB", "ConsumedReadCapacityUnits"], local.table_dimension, [{ label = "ledger, units read" }]),
            concat(["AWS/Lambda", "Invocations"], local.function_dimension, [{ label = "runs" }]),
          ],
        )
      }],
      ["metric", "Runs: duration (ms), errors, throttles", {
        metrics = [
          concat(["AWS/Lambda", "Duration"], local.function_dimension, [{ stat = "Maximum" }]),
          concat(["AWS/Lambda", "Errors"], local.function_dimension, [{ stat = "Sum", yAxis = "right" }]),
          concat(["AWS/Lambda", "Throttles"], local.function_dimension, [{ stat = "Sum", yAxis = "right" }]),
        ]
      }],
      ["metric", "About what the day has cost so far, alarms and metrics aside ($, list prices)", {
        view = "singleValue", period = 86400, metrics = local.cost_metrics
      }],
    ],
    local.fate_widgets,
  ] : row if length(row) > 0]

  dashboard_columns = 24 # of CloudWatch's grid
  dashboard_height  = 6

  dashboard_widgets = flatten([for y, row in local.dashboard_rows : [
    for x, widget in row : {
      type       = widget[0]
      x          = x * local.dashboard_columns / length(row)
      y          = y * local.dashboard_height
      width      = local.dashboard_columns / length(row)
      height     = local.dashboard_height
      properties = merge({ title = widget[1] }, widget[0] == "alarm" ? {} : { region = local.region, view = "timeSeries" }, widget[2])
    }
  ]])
}

resource "aws_cloudwatch_dashboard" "relay" {
  count = var.dashboard ? 1 : 0

  dashboard_name = "${local.name}-${local.region}" # dashboards are the account's, not a region's
  dashboard_body = jsonencode({ start = "-PT12H", periodOverride = "inherit", widgets = local.dashboard_widgets })
}
