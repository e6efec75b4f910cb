# What things are called, and their ARNs: put together here, not read back from the resources. A data
# source that refers to a resource is read anew whenever that resource changes; a policy made so would
# be "known after apply" at each change of a tag.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  # As the log group has it, which is var.name. So each resource that is called by it comes after the log
  # group, and a name that is taken fails there: CreateLogGroup refuses what exists, while CreateTopic,
  # CreateQueue, PutRule, PutMetricAlarm and others adopt it in silence. A second relay of the same name
  # would take over the first one's queues, and its destroy would delete them with the mail in them. The
  # log group itself comes after the role, whose name no other region may have (CreateRole refuses it, too).
  name = trimprefix(aws_cloudwatch_log_group.relay.name, "/aws/lambda/")

  queue_names = {
    input       = "${local.name}-input-queue"
    bulk        = "${local.name}-bulk-queue"
    later       = "${local.name}-later-queue"
    dead_letter = "${local.name}-input-deadletter-queue"
    events      = "${local.name}-events-failure-queue"
  }

  topic_names = {
    input            = "${local.name}-input-topic"
    bulk             = "${local.name}-bulk-topic"
    outcome          = "${local.name}-outcome-topic"
    queue_size_alarm = "${local.name}-input-queue-size-alarm-topic"
  }

  table_names = {
    ledger = "${local.name}-ledger"
    outbox = "${local.name}-outbox"
  }

  # Of the queues that are drained: the alarms that wake the function.
  queue_size_alarm_names = {
    for key in ["input", "bulk", "later"] : key => "${local.queue_names[key]}-size-alarm"
  }

  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id # provider 6 calls it region, 5 name; both have id
  in_account = "${local.region}:${local.account_id}"

  queue_arns            = { for key, name in local.queue_names : key => "arn:${local.partition}:sqs:${local.in_account}:${name}" }
  topic_arns            = { for key, name in local.topic_names : key => "arn:${local.partition}:sns:${local.in_account}:${name}" }
  table_arns            = { for key, name in local.table_names : key => "arn:${local.partition}:dynamodb:${local.in_account}:table/${name}" }
  queue_size_alarm_arns = { for key, name in local.queue_size_alarm_names : key => "arn:${local.partition}:cloudwatch:${local.in_account}:alarm:${name}" }
  function_arn          = "arn:${local.partition}:lambda:${local.in_account}:function:${local.name}"
  log_group_arn         = "arn:${local.partition}:logs:${local.in_account}:log-group:/aws/lambda/${local.name}"

  # Of the drained ones, in the order in which they are drained.
  drained_queue_arns = [local.queue_arns.input, local.queue_arns.bulk, local.queue_arns.later]
}
