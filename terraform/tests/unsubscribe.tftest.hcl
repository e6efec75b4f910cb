# The function that unsubscribe links lead to: not there unless asked for, open to all, and able to do
# one thing only.

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
  target          = aws_lambda_function_url.unsubscribe
  override_during = plan
  values          = { function_url = "https://abc.lambda-url.eu-west-1.on.aws/" }
}

run "there_is_none_by_default" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.unsubscribe) + length(aws_lambda_function_url.unsubscribe) + length(aws_iam_role.unsubscribe) == 0
    error_message = "Nothing may be open to the world unless it is asked for."
  }

  assert {
    condition     = !contains(keys(aws_lambda_function.relay.environment[0].variables), "ION_UNSUBSCRIBE_URL") && output.unsubscribe_url == null
    error_message = "Without the function there is nothing that a link could lead to."
  }

  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.operators), "unsubscribe")
    error_message = "There is nothing to be told of."
  }
}

run "the_links_lead_to_its_url" {
  command = plan

  variables {
    name        = "post"
    unsubscribe = true
  }

  assert {
    condition     = aws_lambda_function.unsubscribe[0].function_name == "post-unsubscribe" && aws_lambda_function.unsubscribe[0].handler == "ion.unsubscribe.handler.run"
    error_message = "It must be a function of its own, of the same package."
  }

  assert {
    condition = aws_lambda_function.unsubscribe[0].environment[0].variables == tomap({
      ION_AWS_LEDGER_TABLE    = "post-ledger"
      POWERTOOLS_SERVICE_NAME = "post-unsubscribe"
    })
    error_message = "It must know the ledger's table, and no secret."
  }

  assert {
    condition     = aws_lambda_function.relay.environment[0].variables["ION_UNSUBSCRIBE_URL"] == "https://abc.lambda-url.eu-west-1.on.aws"
    error_message = "The relay must know what links begin with."
  }

  assert {
    condition     = aws_lambda_function.unsubscribe[0].reserved_concurrent_executions == 5
    error_message = "A flood of calls must not take what the account's other functions need."
  }
}

run "anybody_may_call_it" {
  command = plan

  variables {
    unsubscribe = true
  }

  assert {
    condition = (
      aws_lambda_function_url.unsubscribe[0].authorization_type == "NONE" &&
      aws_lambda_permission.unsubscribe[0].action == "lambda:InvokeFunction" &&
      aws_lambda_permission.unsubscribe[0].principal == "*" &&
      aws_lambda_permission.unsubscribe[0].function_name == "ion-unsubscribe"
    )
    error_message = "Mail programs have no login; AWS asks for both permissions since October 2025."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.operators["unsubscribe"].metric_name == "Url5xxCount"
    error_message = "That somebody could not unsubscribe must be told."
  }
}

run "a_domain_of_ones_own_goes_before_its_url" {
  command = plan

  variables {
    unsubscribe = true
    settings    = { unsubscribe = { url = "https://news.example.org" } }
  }

  assert {
    condition     = aws_lambda_function.relay.environment[0].variables["ION_UNSUBSCRIBE_URL"] == "https://news.example.org"
    error_message = "What settings name goes first."
  }

  assert {
    condition     = output.unsubscribe_url == "https://abc.lambda-url.eu-west-1.on.aws/"
    error_message = "Where the domain is to lead must be told."
  }
}

run "without_concurrency_to_reserve_none_is_reserved" {
  command = plan

  variables {
    unsubscribe = true
    concurrency = -1
  }

  assert {
    condition     = aws_lambda_function.unsubscribe[0].reserved_concurrent_executions == -1
    error_message = "A new account has none to reserve."
  }
}

run "with_a_role_of_the_callers_it_is_refused" {
  command = plan

  variables {
    unsubscribe = true
    role_arn    = "arn:aws:iam::123456789012:role/mine"
  }

  expect_failures = [var.unsubscribe]
}
