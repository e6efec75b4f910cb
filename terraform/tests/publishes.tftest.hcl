# SNS's delivery log: not there unless asked for, of both topics, and by a role that writes nothing else.

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
  target          = aws_iam_role.publishes
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/ion-publishes-role", id = "ion-publishes-role" }
}

run "there_is_none_by_default" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_log_group.publishes) + length(aws_iam_role.publishes) == 0
    error_message = "It costs money, and most publishers have an email_id of their own."
  }

  assert {
    condition = alltrue([
      for topic in [aws_sns_topic.input, aws_sns_topic.bulk] :
      topic.sqs_success_feedback_role_arn == null && topic.sqs_failure_feedback_role_arn == null
    ])
    error_message = "No topic may name a role for it."
  }
}

run "both_topics_log_all_publishes" {
  command = plan

  variables {
    name          = "post"
    log_publishes = {}
  }

  assert {
    condition = toset([for group in aws_cloudwatch_log_group.publishes : group.name]) == toset([
      "sns/eu-west-1/123456789012/post-input-topic",
      "sns/eu-west-1/123456789012/post-input-topic/Failure",
      "sns/eu-west-1/123456789012/post-bulk-topic",
      "sns/eu-west-1/123456789012/post-bulk-topic/Failure",
    ])
    error_message = "The groups must be called as SNS calls them, or it makes others that are kept forever."
  }

  assert {
    condition = alltrue([
      for topic in [aws_sns_topic.input, aws_sns_topic.bulk] :
      topic.sqs_success_feedback_role_arn == "arn:aws:iam::123456789012:role/ion-publishes-role" &&
      topic.sqs_failure_feedback_role_arn == "arn:aws:iam::123456789012:role/ion-publishes-role" &&
      topic.sqs_success_feedback_sample_rate == 100
    ])
    error_message = "Both topics must log what they deliver to SQS."
  }

  assert {
    condition = toset(data.aws_iam_policy_document.publishes[0].statement[0].resources) == toset([
      for group in aws_cloudwatch_log_group.publishes : "arn:aws:logs:eu-west-1:123456789012:log-group:${group.name}:*"
    ])
    error_message = "SNS may write these groups and no other."
  }

  assert {
    condition = alltrue([
      for condition in data.aws_iam_policy_document.sns_assumes_role[0].statement[0].condition :
      condition.variable == "aws:SourceAccount" && tolist(condition.values) == tolist(["123456789012"])
    ]) && length(data.aws_iam_policy_document.sns_assumes_role[0].statement[0].condition) == 1
    error_message = "SNS may take the role for topics of this account alone."
  }
}

run "a_share_of_them_by_a_role_of_ones_own" {
  command = plan

  variables {
    log_publishes = { percent = 10, role_arn = "arn:aws:iam::123456789012:role/sns-logs" }
  }

  assert {
    condition     = length(aws_iam_role.publishes) == 0 && aws_sns_topic.bulk.sqs_success_feedback_role_arn == "arn:aws:iam::123456789012:role/sns-logs"
    error_message = "No role is made beside one that is given."
  }

  assert {
    condition     = aws_sns_topic.input.sqs_success_feedback_sample_rate == 10
    error_message = "The share is the deployer's."
  }
}

run "a_share_is_a_percentage" {
  command = plan

  variables {
    log_publishes = { percent = 101 }
  }

  expect_failures = [var.log_publishes]
}

run "a_role_is_an_arn" {
  command = plan

  variables {
    log_publishes = { role_arn = "sns-logs" }
  }

  expect_failures = [var.log_publishes]
}
