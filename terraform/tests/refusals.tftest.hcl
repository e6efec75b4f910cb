# What the module refuses before AWS would, or would not.

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

run "a_name_too_long_for_the_role" {
  command = plan

  variables {
    name = "a123456789-123456789-123456789-123456789-123456789-12"
  }

  expect_failures = [var.name]
}

run "a_bucket_with_a_wildcard" {
  command = plan

  variables {
    attachment_buckets = ["arn:aws:s3:::*"]
  }

  expect_failures = [var.attachment_buckets]
}

run "more_buckets_than_twenty" {
  command = plan

  variables {
    attachment_buckets = [for number in range(21) : "arn:aws:s3:::bucket-${number}"]
  }

  expect_failures = [var.attachment_buckets]
}

run "a_name_with_a_dot" {
  command = plan

  variables {
    name = "ion.mail"
  }

  expect_failures = [var.name]
}

run "a_name_that_begins_with_a_digit" {
  command = plan

  variables {
    name = "1ion"
  }

  expect_failures = [var.name]
}

run "an_empty_name" {
  command = plan

  variables {
    name = ""
  }

  expect_failures = [var.name]
}

run "a_tag_of_aws" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "a_tag_too_long" {
  command = plan

  variables {
    tags = { owner = format("%257s", "x") }
  }

  expect_failures = [var.tags]
}

run "more_tags_than_aws_takes" {
  command = plan

  variables {
    tags = { for number in range(51) : "tag-${number}" => "x" }
  }

  expect_failures = [var.tags]
}

run "an_unknown_architecture" {
  command = plan

  variables {
    architecture = "riscv64"
  }

  expect_failures = [var.architecture]
}

run "too_little_memory" {
  command = plan

  variables {
    memory_mb = 127
  }

  expect_failures = [var.memory_mb]
}

run "too_much_memory" {
  command = plan

  variables {
    memory_mb = 10241
  }

  expect_failures = [var.memory_mb]
}

run "half_a_megabyte" {
  command = plan

  variables {
    memory_mb = 512.5
  }

  expect_failures = [var.memory_mb]
}

run "a_timeout_below_a_minute" {
  command = plan

  variables {
    timeout_seconds = 59
  }

  expect_failures = [var.timeout_seconds]
}

run "a_timeout_beyond_lambdas_limit" {
  command = plan

  variables {
    timeout_seconds = 901
  }

  expect_failures = [var.timeout_seconds]
}

run "no_concurrency_at_all" {
  command = plan

  variables {
    concurrency = 0
  }

  expect_failures = [var.concurrency]
}

run "a_concurrency_below_no_reservation" {
  command = plan

  variables {
    concurrency = -2
  }

  expect_failures = [var.concurrency]
}

run "half_a_run" {
  command = plan

  variables {
    concurrency = 1.5
  }

  expect_failures = [var.concurrency]
}

run "no_sweep" {
  command = plan

  variables {
    sweep_minutes = 0
  }

  expect_failures = [var.sweep_minutes]
}

run "a_sweep_rarer_than_hourly" {
  command = plan

  variables {
    sweep_minutes = 61
  }

  expect_failures = [var.sweep_minutes]
}

run "a_retention_that_cloudwatch_lacks" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "logs_kept_forever" {
  command = plan

  variables {
    log_retention_days = 0
  }

  expect_failures = [var.log_retention_days]
}

run "a_settings_section_in_upper_case" {
  command = plan

  variables {
    settings = { SMTP = { connections = "8" } }
  }

  expect_failures = [var.settings]
}

run "a_settings_key_with_a_dash" {
  command = plan

  variables {
    settings = { smtp = { max-connections = "8" } }
  }

  expect_failures = [var.settings]
}

run "a_setting_in_the_section_aws" {
  command = plan

  variables {
    settings = { aws = { queue_url = "https://elsewhere.example" } }
  }

  expect_failures = [var.settings]
}

run "a_username_in_settings" {
  command = plan

  variables {
    settings = { smtp = { username = "ann" } }
  }

  expect_failures = [var.settings]
}

run "a_password_in_settings" {
  command = plan

  variables {
    settings = { smtp = { password = "hunter2" } }
  }

  expect_failures = [var.settings]
}

run "a_client_secret_in_settings" {
  command = plan

  variables {
    settings = { smtp = { oauth_client_secret = "hunter2" } }
  }

  expect_failures = [var.settings]
}

run "a_password_by_another_name" {
  command = plan

  variables {
    settings = { smtp = { relay_password = "hunter2" } }
  }

  expect_failures = [var.settings]
}

run "two_settings_with_one_variable" {
  command = plan

  variables {
    settings = { a = { b_c = "1" }, a_b = { c = "2" } }
  }

  expect_failures = [var.settings]
}

run "settings_beyond_lambdas_4_KB" {
  command = plan

  variables {
    settings = { mail = { sender = format("%2560s", "x") } }
  }

  expect_failures = [var.settings]
}

run "an_environment_in_upper_case" {
  command = plan

  variables {
    environment = "Production"
  }

  expect_failures = [var.environment]
}

run "an_empty_environment" {
  command = plan

  variables {
    environment = ""
  }

  expect_failures = [var.environment]
}

run "an_environment_too_long_for_its_name" {
  command = plan

  variables {
    environment = "a23456789-123456789-123456789-123"
  }

  expect_failures = [var.environment]
}

run "a_guard_that_is_taken_back" {
  command = plan

  variables {
    environment = "staging"
    settings    = { guard = { required = "false" } }
  }

  expect_failures = [var.settings]
}

run "a_secret_by_name" {
  command = plan

  variables {
    secret_arn = "/ion/secrets"
  }

  expect_failures = [var.secret_arn]
}

run "a_secret_in_another_service" {
  command = plan

  variables {
    secret_arn = "arn:aws:s3:::bucket/config-secrets.cfg"
  }

  expect_failures = [var.secret_arn]
}

run "every_parameter" {
  command = plan

  variables {
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/*"
  }

  expect_failures = [var.secret_arn]
}

run "a_secret_without_its_six_characters" {
  command = plan

  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ion"
  }

  expect_failures = [var.secret_arn]
}

run "a_key_by_alias" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/ion"
  }

  expect_failures = [var.kms_key_arn]
}

run "a_secrets_key_by_alias" {
  command = plan

  variables {
    secret_arn         = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion"
    secret_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/ion"
  }

  expect_failures = [var.secret_kms_key_arn]
}

run "a_secrets_key_without_a_secret" {
  command = plan

  variables {
    secret_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  expect_failures = [var.secret_kms_key_arn]
}

run "an_alarm_topic_by_name" {
  command = plan

  variables {
    alarm_topic_arns = ["operators"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "an_alarm_action_that_is_no_topic" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:lambda:eu-west-1:123456789012:function:pager"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "an_alarm_topic_that_is_a_FIFO" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators.fifo"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "the_same_alarm_topic_twice" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:operators", "arn:aws:sns:eu-west-1:123456789012:operators"]
  }

  expect_failures = [var.alarm_topic_arns]
}

run "more_alarm_topics_than_an_alarm_takes" {
  command = plan

  variables {
    alarm_topic_arns = [for n in range(6) : "arn:aws:sns:eu-west-1:123456789012:operators-${n}"]
  }

  expect_failures = [var.alarm_topic_arns]
}

# The edges themselves are let in.

run "the_lowest_of_everything" {
  command = plan

  variables {
    name               = "i"
    memory_mb          = 128
    timeout_seconds    = 60
    concurrency        = -1
    sweep_minutes      = 1
    log_retention_days = 1
  }

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(1 minute)"
    error_message = "EventBridge wants the singular for one minute."
  }

  assert {
    condition     = aws_lambda_function.relay.reserved_concurrent_executions == -1
    error_message = "-1 must reserve nothing."
  }
}

run "the_highest_of_everything" {
  command = plan

  variables {
    memory_mb          = 10240
    timeout_seconds    = 900
    concurrency        = 50
    sweep_minutes      = 60
    log_retention_days = 3653
    alarm_topic_arns   = [for n in range(5) : "arn:aws-us-gov:sns:us-gov-west-1:123456789012:operators-${n}"]
    settings           = { mail = { sender = format("%2545s", "x") } }
  }

  assert {
    condition     = aws_cloudwatch_event_rule.sweep.schedule_expression == "rate(60 minutes)"
    error_message = "The schedule must follow sweep_minutes."
  }
}

run "templates_in_a_bucket_with_a_wildcard" {
  command = plan

  variables {
    settings = { templates = { s3 = "s3://bucket/*" } }
  }

  expect_failures = [var.settings]
}

run "templates_that_are_no_bucket" {
  command = plan

  variables {
    settings = { templates = { s3 = "arn:aws:s3:::bucket" } }
  }

  expect_failures = [var.settings]
}

run "a_role_by_its_name" {
  command = plan

  variables {
    role_arn = "relay"
  }

  expect_failures = [var.role_arn]
}

run "a_boundary_for_a_role_of_the_callers" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/b"
    role_arn                 = "arn:aws:iam::123456789012:role/mine"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "a_path_for_a_role_of_the_callers" {
  command = plan

  variables {
    role_path = "/mail/"
    role_arn  = "arn:aws:iam::123456789012:role/mine"
  }

  expect_failures = [var.role_path]
}

run "a_path_that_does_not_end" {
  command = plan

  variables {
    role_path = "/mail"
  }

  expect_failures = [var.role_path]
}

run "a_path_with_an_empty_part" {
  command = plan

  variables {
    role_path = "/mail//relay/"
  }

  expect_failures = [var.role_path]
}

run "a_boundary_that_is_a_role" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:role/b"
  }

  expect_failures = [var.permissions_boundary_arn]
}

run "a_vpc_without_subnets" {
  command = plan

  variables {
    vpc = { subnet_ids = [], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc]
}

run "a_vpc_without_security_groups" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = [] }
  }

  expect_failures = [var.vpc]
}

run "more_security_groups_than_lambda_takes" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5", "sg-6"] }
  }

  expect_failures = [var.vpc]
}

run "more_subnets_than_lambda_takes" {
  command = plan

  variables {
    vpc = { subnet_ids = [for number in range(17) : "subnet-${number}"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc]
}

run "a_subnet_by_its_name" {
  command = plan

  variables {
    vpc = { subnet_ids = ["private-a"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc]
}

run "a_security_group_by_its_name" {
  command = plan

  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = ["mail"] }
  }

  expect_failures = [var.vpc]
}

run "an_unknown_tracing" {
  command = plan

  variables {
    tracing = "on"
  }

  expect_failures = [var.tracing]
}

run "a_layer_without_its_version" {
  command = plan

  variables {
    layers = ["arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-python-arm64"]
  }

  expect_failures = [var.layers]
}

run "more_layers_than_lambda_takes" {
  command = plan

  variables {
    layers = [for number in range(6) : "arn:aws:lambda:eu-west-1:901920570463:layer:one:${number}"]
  }

  expect_failures = [var.layers]
}

run "a_setting_by_another_way" {
  command = plan

  variables {
    extra_environment = { ION_SMTP_CONNECTIONS = "8" }
  }

  expect_failures = [var.extra_environment]
}

run "a_setting_by_another_way_in_small_letters" {
  command = plan

  variables {
    extra_environment = { ion_smtp_connections = "8" }
  }

  expect_failures = [var.extra_environment]
}

run "another_name_for_the_metrics" {
  command = plan

  variables {
    extra_environment = { POWERTOOLS_SERVICE_NAME = "post" }
  }

  expect_failures = [var.extra_environment]
}

run "extra_environment_that_is_the_modules_version" {
  command = plan

  variables {
    extra_environment = { MODULE_VERSION = "0" }
  }

  expect_failures = [var.extra_environment]
}

run "a_variable_that_lambda_sets" {
  command = plan

  variables {
    extra_environment = { AWS_REGION = "eu-west-1" }
  }

  expect_failures = [var.extra_environment]
}

run "an_environment_beyond_lambdas_4_KB" {
  command = plan

  variables {
    extra_environment = { OTEL_RESOURCE_ATTRIBUTES = format("%2540s", "x") }
  }

  expect_failures = [var.extra_environment]
}

run "settings_and_an_environment_beyond_lambdas_4_KB_together" {
  command = plan

  variables {
    extra_environment = { OTEL_RESOURCE_ATTRIBUTES = format("%1280s", "x") }
    settings          = { mail = { sender = format("%1280s", "x") } }
  }

  expect_failures = [var.extra_environment]
}

run "an_alias_for_the_logs_key" {
  command = plan

  variables {
    log_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:alias/logs"
  }

  expect_failures = [var.log_kms_key_arn]
}

run "an_alias_for_the_environments_key" {
  command = plan

  variables {
    environment_kms_key_arn = "alias/environment"
  }

  expect_failures = [var.environment_kms_key_arn]
}

run "an_alias_for_the_alarm_topics_key" {
  command = plan

  variables {
    alarm_topic_kms_key_arn = "alias/aws/sns"
  }

  expect_failures = [var.alarm_topic_kms_key_arn]
}

run "a_wildcard_as_a_publisher" {
  command = plan

  variables {
    publishers = { input = ["*"] }
  }

  expect_failures = [var.publishers]
}

run "a_publishers_session" {
  command = plan

  variables {
    publishers = { bulk = ["arn:aws:sts::123456789012:assumed-role/shop/1"] }
  }

  expect_failures = [var.publishers]
}

run "statements_that_are_no_policy" {
  command = plan

  variables {
    topic_policy_json = { input = "[]" }
  }

  expect_failures = [var.topic_policy_json]
}

run "statements_that_are_no_json" {
  command = plan

  variables {
    topic_policy_json = { bulk = "Allow" }
  }

  expect_failures = [var.topic_policy_json]
}

run "a_secret_named_after_its_config" {
  command = plan

  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:smtp-config"
  }

  expect_failures = [var.secret_arn]
}

run "a_secret_named_after_its_server" {
  command = plan

  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mail/Server-Server"
  }

  expect_failures = [var.secret_arn]
}

run "a_secret_without_its_random_characters" {
  command = plan

  variables {
    secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:smtp"
  }

  expect_failures = [var.secret_arn]
}

run "a_parameter_with_an_empty_part" {
  command = plan

  variables {
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter//ion"
  }

  expect_failures = [var.secret_arn]
}

run "a_parameter_with_an_empty_part_inside" {
  command = plan

  variables {
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion//secrets"
  }

  expect_failures = [var.secret_arn]
}

run "a_parameter_that_ends_in_a_slash" {
  command = plan

  variables {
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/ion/"
  }

  expect_failures = [var.secret_arn]
}

run "a_parameter_without_a_name" {
  command = plan

  variables {
    secret_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/"
  }

  expect_failures = [var.secret_arn]
}

run "a_misspelt_setting" {
  command = plan

  variables {
    settings = { smtp = { conections = "8" } }
  }

  expect_failures = [aws_lambda_function.relay]
}

run "a_misspelt_section" {
  command = plan

  variables {
    settings = { stmp = { connections = "8" } }
  }

  expect_failures = [aws_lambda_function.relay]
}

run "a_further_server_without_its_underscore" {
  command = plan

  variables {
    settings = { smtpbackup = { connections = "8" } }
  }

  expect_failures = [aws_lambda_function.relay]
}

run "a_misspelt_setting_of_a_further_server" {
  command = plan

  variables {
    settings = { smtp_backup = { rate = "8" } }
  }

  expect_failures = [aws_lambda_function.relay]
}

run "a_setting_of_another_section" {
  command = plan

  variables {
    settings = { mail = { connections = "8" } }
  }

  expect_failures = [aws_lambda_function.relay]
}

# A misspelt key of a group

run "a_misspelt_time_of_an_alarm" {
  command = plan

  variables {
    alarms = { held_minuts = 5 }
  }

  expect_failures = [var.alarms]
}

run "publishers_of_a_topic_that_there_is_not" {
  command = plan

  variables {
    publishers = { inputs = ["111111111111"] }
  }

  expect_failures = [var.publishers]
}

run "statements_for_a_topic_that_there_is_not" {
  command = plan

  variables {
    topic_policy_json = { inputs = "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Deny\"}]}" }
  }

  expect_failures = [var.topic_policy_json]
}
