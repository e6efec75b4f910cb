# What to call it

variable "name" {
  description = "Prefix of every resource's name, and the name of the function itself. 1-52 characters: letters, digits, - and _, a letter first."
  type        = string
  default     = "ion"
  nullable    = false

  validation {
    # The tightest of the derived names is the role's: 64 characters, "-lambda-role" takes 12.
    condition     = can(regex("^[A-Za-z][A-Za-z0-9_-]{0,51}$", var.name))
    error_message = "name must have 1-52 characters: letters, digits, - and _, beginning with a letter."
  }
}

variable "tags" {
  description = "Tags put on every resource that takes tags. At most 50; keys of 1-128 characters not beginning with \"aws:\", values of 0-256."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = length(var.tags) <= 50 && alltrue([
      for key, value in var.tags :
      length(key) >= 1 && length(key) <= 128 && length(value) <= 256 && !startswith(lower(key), "aws:")
    ])
    error_message = "At most 50 tags; keys of 1-128 characters not beginning with \"aws:\", values of at most 256."
  }
}

variable "environment" {
  description = "What the relay is for: production, or another name of 1-32 small letters, digits and -, a letter first. With any other, such as staging, the function receives nothing unless settings.guard (or config.cfg) says whom email may reach, by only or redirect_to."
  type        = string
  default     = "production"
  nullable    = false

  validation {
    # Exact, so that "Production" or "production " isn't taken for a staging relay, nor the other way round.
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "environment must have 1-32 characters: small letters, digits and -, beginning with a letter."
  }
}

variable "enabled" {
  description = "Whether mail is sent. false is the pause of last resort: no run can begin any more, while topics and queues go on to take mail. A run that is under way goes on to its end (timeout_seconds at most): the action pause is obeyed within 10 seconds, and survives an apply. While it is false nothing is moved to the dead-letter queue either, and SQS deletes mail that is 14 days old."
  type        = bool
  default     = true
  nullable    = false
}

variable "protect_mail" {
  description = "Whether a destroy, and a new name (which destroys too), is refused before anything is lost. AWS then refuses to delete the ledger and the outbox, which are destroyed first; so queues with mail in them, subscriptions and the function stay as they are. To destroy, apply with false first. It holds back Terraform as a whole, not a destroy with -target, and not a person in the console."
  type        = bool
  default     = true
  nullable    = false
}

# The function

variable "architecture" {
  description = "Processor of the function: arm64 or x86_64. The package must be built for the same one."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "memory_mb" {
  description = "Memory of the function in MB, 128-10240. Processor time grows with it: 1769 MB is one whole core. Emails of hundreds of KB want 256 at least: as many are under way at a time as fit."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Longest run of the function in seconds, 60-900. What is unsent by then stays queued for the next run."
  type        = number
  default     = 900
  nullable    = false

  validation {
    # 900 is the most that the provider takes; Lambda's models name more by now. Under 60 a slow mail server's reply would not fit into a run.
    condition     = var.timeout_seconds >= 60 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 60 to 900."
  }
}

variable "concurrency" {
  description = <<-EOT
    How many runs may drain the queues at once: 1 or more, or -1 for no reservation. They share
    `[smtp] max_rate` evenly, so one that runs alone doesn't use all of it; connections are per run.
    AWS wants 100 executions to stay unreserved in the account, and a new account may have a limit of only
    10 in all: applying then fails with "decreases account's UnreservedConcurrentExecution below its
    minimum". Ask for more under Service Quotas (Lambda, "Concurrent executions"; 1000 is usual and free),
    and set -1 until it is granted. With -1 wake-ups overlap: several runs share the queues, nothing is
    lost, but max_rate is then a limit per run, too.
  EOT
  type        = number
  default     = 1
  nullable    = false

  validation {
    # 0 would be accepted by AWS, and would stop all mail without an error anywhere.
    condition     = var.concurrency == -1 || (var.concurrency >= 1 && floor(var.concurrency) == var.concurrency)
    error_message = "concurrency must be a whole number of at least 1, or -1 to reserve none."
  }
}

variable "sweep_minutes" {
  description = "Minutes between two looks at the queues by schedule, 1-60: the longest a due email waits when every other wake-up is lost."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.sweep_minutes >= 1 && var.sweep_minutes <= 60 && floor(var.sweep_minutes) == var.sweep_minutes
    error_message = "sweep_minutes must be a whole number from 1 to 60."
  }
}

variable "log_retention_days" {
  description = "Days to keep the function's logs: one of CloudWatch's own steps from 1 to 3653."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

# Who is told

variable "alarm_topic_arns" {
  description = "ARNs of SNS topics of yours that hear of each alarm, as it rings and as it ends: at most 5, none of them FIFO. A topic with a customer KMS key needs one whose policy lets cloudwatch.amazonaws.com use it. []: the alarms are there to be looked at, and tell nobody; each plan warns of it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_topic_arns) <= 5 && length(distinct(var.alarm_topic_arns)) == length(var.alarm_topic_arns)
    error_message = "alarm_topic_arns must have at most 5 ARNs, which is as many actions as an alarm can have, and each once."
  }

  validation {
    condition = alltrue([
      for arn in var.alarm_topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", arn))
    ])
    error_message = "alarm_topic_arns must be ARNs of standard SNS topics (arn:aws:sns:<region>:<account>:<name>)."
  }
}

variable "alarms" {
  description = <<-EOT
    When the alarms ring. `held_minutes` (10; 5-720): no server has let ion in for so long; at least a sweep.
    `dead_letters` (1): new dead letters within 5 minutes. `dead_letter_days` (10; 1-13): age of a dead
    letter; SQS deletes it after 14 days. `old_mail_hours` (6; 1-96): age of mail in the input queue that
    could go. `no_run_minutes` (30; 10-1440): the function hasn't run; at least three sweeps, and its longest
    run with two. `paused_hours` (24; 1-168): a lane has been paused, and forgotten. `deferred_hours` (4; 2-96):
    the mail server has put off all mail, and taken none.
  EOT
  type        = map(number) # of an object Terraform would drop a misspelt key in silence
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.alarms), keys(local.alarm_keys))) == 0
    error_message = "alarms has a key that there isn't. There are: ${join(", ", keys(local.alarm_keys))}."
  }

  validation {
    condition     = alltrue([for value in values(var.alarms) : value != null])
    error_message = "A key of alarms is null: leave it out for its default."
  }

  validation {
    condition = alltrue([
      for key, one in local.alarm_keys : var.alarms[key] >= one.least && var.alarms[key] <= coalesce(one.most, var.alarms[key]) &&
      (!one.whole || floor(var.alarms[key]) == var.alarms[key]) if try(var.alarms[key], null) != null
    ])
    error_message = "A number in alarms is out of its bounds, which are: ${join(", ", [
      for key, one in local.alarm_keys :
      "${key} ${one.whole ? "a whole number " : ""}from ${one.least}${one.most == null ? "" : " to ${one.most}"}"
    ])}."
  }
}

variable "runbook_url" {
  description = "Address of docs/operations.md where your operators read it, such as https://wiki.example.org/ion: each alarm's description ends in it, with #held or the like behind it. null: docs/operations.md."
  type        = string
  default     = null

  validation {
    condition     = var.runbook_url == null || can(regex("^https?://[^#[:space:]]{1,256}$", var.runbook_url))
    error_message = "runbook_url must be an http or https address of at most 256 characters after the scheme, without # and spaces."
  }
}

variable "dashboard" {
  description = "Whether to make a CloudWatch dashboard, <name>-<region>, and four saved queries for Logs Insights, <name>/…. AWS has three dashboards free in an account, each more is $3 a month; saved queries are free, and each GB of log that one looks through is $0.005."
  type        = bool
  default     = true
  nullable    = false
}

# How it behaves (settings: settings.tf)

variable "secret_arn" {
  description = "ARN of the SSM SecureString parameter, or full ARN of the Secrets Manager secret, that holds the text of config-secrets.cfg. A secret's ends in six random characters (aws secretsmanager describe-secret --secret-id NAME --query ARN). null: config-secrets.cfg is inside the package."
  type        = string
  default     = null

  validation {
    # A path of SSM has no empty part, and the grant is for exactly what is written here.
    condition = var.secret_arn == null || can(regex(
      "^arn:aws[a-z-]*:(ssm:[a-z0-9-]+:[0-9]{12}:parameter(/[A-Za-z0-9_.-]+)+|secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6})$",
      var.secret_arn
    ))
    error_message = "secret_arn must be the ARN of an SSM parameter (arn:aws:ssm:<region>:<account>:parameter/<name>, the parts of the name between single slashes) or the full ARN of a Secrets Manager secret (arn:aws:secretsmanager:<region>:<account>:secret:<name>-<six random characters>)."
  }

  validation {
    condition     = !contains(local.six_letter_words, lower(try(regex(":secret:.*-([A-Za-z0-9]{6})$", var.secret_arn)[0], "")))
    error_message = "secret_arn ends in a word of the secret's name, and not in the six random characters that AWS puts behind it: the function would be refused. The full ARN: aws secretsmanager describe-secret --secret-id NAME --query ARN"
  }
}

# What it may read

variable "outbox" {
  description = "Whether to make a DynamoDB table, <name>-outbox, in which publishers leave the fields of an email, under its email_id, before they publish {\"email_id\": …} alone. Items are theirs to write and to forget: the attribute ttl, seconds since the epoch, does that."
  type        = bool
  default     = false
  nullable    = false
}

variable "attachment_buckets" {
  description = "What the relay may read attachments from, and messages that AWS's extended clients put into S3: ARNs of S3 buckets (arn:aws:s3:::<bucket>), or of the keys in one that begin alike (arn:aws:s3:::<bucket>/<prefix>). At most 20. Who may publish can have whatever lies there sent to anybody. A bucket of another account needs a policy of its own as well, and a customer's KMS key a grant (role_arn). []: nothing."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = length(var.attachment_buckets) <= 20 && alltrue([
      for arn in var.attachment_buckets : can(regex("^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^*?$]*)?$", arn))
    ])
    error_message = "attachment_buckets must be at most 20 ARNs of buckets or of prefixes in them (arn:aws:s3:::<bucket> or arn:aws:s3:::<bucket>/<prefix>), without wildcards."
  }
}

# Encryption (keys: keys.tf)

variable "require_tls" {
  description = "Whether the policies of topics and queues refuse any call without TLS, the owner's too. SDKs and CLI use TLS anyway; some auditors want to see it enforced. An emulator reached over plain HTTP then refuses everything."
  type        = bool
  default     = false
  nullable    = false
}
