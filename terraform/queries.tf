# Saved queries of Logs Insights, over the function's log: one JSON event for each message and attempt.

locals {
  queries = {
    "an-emails-life" = <<-EOT
      # put the email_id, or SQS's message id, in place of order-17
      fields @timestamp, message, attempt, stage, reason, reply, retry_in_seconds, server, smtp_ms, queue_id, header_message_id, path, problem, redrives
      | filter email_id = 'order-17' or message_id = 'order-17'
      | sort @timestamp asc
      | limit 1000
    EOT

    "emails-to-an-address" = <<-EOT
      # put the address's hash, as ionctl suppress check ADDRESS prints it, in place of 0123456789abcdef
      fields @timestamp, message, email_id, attempt, reason, reply, server, queue_id
      | filter @message like '0123456789abcdef'
      | sort @timestamp desc
      | limit 1000
    EOT

    "held-and-why" = <<-EOT
      # runs in which a server, a setting, AWS or an order kept mail back
      fields @timestamp, message, server, stage, reason, reply, next_try, error, held, held_by, paused
      | filter message in ['delivery suspended', 'delivery still suspended', 'settings', 'steered'] or (message = 'run ended' and (held != '' or paused != ''))
      | sort @timestamp desc
      | limit 1000
    EOT

    "slowest" = <<-EOT
      # conversations with a mail server that took longest
      fields @timestamp, smtp_ms, message, email_id, recipients, attempt, server, stage, reason, reply
      | filter smtp_ms > 0
      | sort smtp_ms desc
      | limit 100
    EOT
  }
}

resource "aws_cloudwatch_query_definition" "relay" {
  for_each = var.dashboard ? local.queries : {}

  name            = "${local.name}/${each.key}"
  log_group_names = [aws_cloudwatch_log_group.relay.name]
  query_string    = each.value
}
